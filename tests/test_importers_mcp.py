"""MCP captures: requests and answers paired by id within one connection, tool failures told from protocol failures."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from hypothesis import given

from importers.mcp import IMPORTER
from importers.shared.fields import arguments_digest
from model.event import BadRecord, Event, Parsed
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb
from tests.importer_checks import JSON, all_of, mutated, names, read, survives, whole

Record = dict[str, object]


def call(ident: object, tool: str = "read_file", **params: object) -> Record:
    return {"jsonrpc": "2.0", "id": ident, "method": "tools/call", "params": {"name": tool, "arguments": {"path": "/a"}} | params}


def answer(ident: object, words: str = "ok", **result: object) -> Record:
    return {"jsonrpc": "2.0", "id": ident, "result": {"content": [{"type": "text", "text": words}]} | result}


def told(*records: object) -> list[Parsed]:
    parsed, rejects = whole("\n".join(json.dumps(record) for record in records), "mcp")
    assert not rejects
    return parsed


def events(*records: object) -> list[Event]:
    return [event for parsed in told(*records) for event in parsed.events]


def pair(event: Event) -> list[str]:
    return [name for name in names(event, KeyRole.CALL) if name.startswith("mcp.rpc:")]


def test_call_and_answer_are_one() -> None:
    asked, got = events(call(1), answer(1, "hello"))
    assert (asked.kind, asked.phase, asked.verb, asked.vantage) == (EventKind.ACTION, Phase.CALL, Verb.MCP_CALL, Vantage.WITNESS)
    assert (asked.tool, asked.target.cls, asked.target.detail, asked.attrs["path"]) == (
        "read_file", TargetClass.MCP_SERVER, "read_file", "/a",
    )  # fmt: skip
    assert (got.phase, got.tool, got.attrs["output"]) == (Phase.RESULT, "read_file", "hello")
    assert pair(asked) == pair(got) != []
    assert got.outcome is not None
    assert (got.outcome.tool, got.outcome.transport) == (Tri.YES, Tri.YES)


@pytest.mark.parametrize(
    ("reply", "tool", "transport", "status"),
    [
        (answer(1, "no such file", isError=True), Tri.NO, Tri.YES, None),
        (answer(1, isError="true"), Tri.YES, Tri.YES, None),
        (
            {"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "Unknown tool"}},
            Tri.UNKNOWN,
            Tri.NO,
            "-32602 Unknown tool",
        ),
        ({"jsonrpc": "2.0", "id": 1, "error": None, "result": {}}, Tri.YES, Tri.YES, None),
    ],
)
def test_the_tools_failure_is_not_the_protocols(reply: Record, tool: Tri, transport: Tri, status: str | None) -> None:
    _, got = events(call(1), reply)
    assert got.outcome is not None
    assert (got.outcome.tool, got.outcome.transport, got.attrs.get("status")) == (tool, transport, status)


@pytest.mark.parametrize(
    ("message", "by"),
    [
        ("Request denied by policy", "rule"),
        ("Not authorized to call this tool", "rule"),
        ("User rejected sampling request", "user"),
        ("Unknown tool: forbidden_fruit", None),
        ("Internal error", None),
    ],
)
def test_an_error_whose_words_refuse_is_a_refusal(message: str, by: str | None) -> None:
    found = events(call(1), {"jsonrpc": "2.0", "id": 1, "error": {"code": -32001, "message": message}})
    verdicts = [event for event in found if event.kind is EventKind.DECISION]
    assert [event.decision.effect for event in verdicts if event.decision] == ([Effect.DENY] if by else [])
    assert (found[-1].phase, found[-1].attrs.get("refused")) == (Phase.RESULT, by)
    assert all(pair(event) == pair(found[0]) for event in found)


def test_what_the_capture_writes_into_the_message_is_the_captures() -> None:
    around = {"timestamp": "2026-06-01T10:00:00Z", "direction": "out", "server": "files", "session_id": "c-1"}
    asked, got = events(call(1) | around, answer(1) | around | {"timestamp": "2026-06-01T10:00:01Z", "direction": "in"})
    assert (asked.at, asked.target.name, got.attrs["duration_ms"]) == (1_780_308_000_000_000, "files", 1000)
    assert names(asked, KeyRole.SCOPE) == ["mcp.session:c-1"]


def gateway(server: str, payload: Record, direction: str = "OUT", second: int = 0) -> Record:
    """A line of a gateway that names the server and counts each server's ids for itself."""
    return {"timestamp": f"2026-06-01T10:00:{second:02}Z", "direction": direction, "server_id": server, "payload": payload}


def unnamed(tool: str) -> Record:
    return {name: value for name, value in call(1, tool).items() if name != "id"}


def test_servers_of_a_gateway_have_ids_of_their_own() -> None:
    found = events(
        gateway("github", call(1, "get_me")),
        gateway("jira", call(1, "search")),
        gateway("github", answer(1, isError=True), "IN", 1),
        gateway("jira", answer(1), "IN", 1),
    )
    results = {event.tool: event.outcome for event in found if event.outcome}
    assert {tool: outcome.tool for tool, outcome in results.items()} == {"get_me": Tri.NO, "search": Tri.YES}
    assert {event.target.name for event in found} == {"github", "jira"}


def test_requests_whose_ids_are_left_out_are_calls() -> None:
    alone = events(gateway("github", unnamed("get_me")), gateway("github", answer(7, isError=True), "IN", 1))
    assert pair(alone[0]) == pair(alone[1])
    assert alone[1].outcome is not None
    assert (alone[1].tool, alone[1].outcome.tool) == ("get_me", Tri.NO)
    # Of two that are open nobody can tell which was answered; the next one is clear again.
    several = events(
        gateway("github", unnamed("a")),
        gateway("github", unnamed("b")),
        gateway("github", answer(1, isError=True), "IN", 1),
        gateway("github", {"jsonrpc": "2.0", "id": 2, "error": {"code": -32000, "message": "boom"}}, "IN", 2),
        gateway("github", unnamed("c"), second=3),
        gateway("github", answer(3), "IN", 4),
    )
    assert [(event.tool, pair(event) != []) for event in several] == [
        ("a", True), ("b", True), ("", False), ("", False), ("c", True), ("c", True),
    ]  # fmt: skip
    assert [event.outcome.tool for event in several if event.outcome] == [Tri.NO, Tri.UNKNOWN, Tri.YES]


@pytest.mark.parametrize("kind", [{"type": "DIFC_FILTERED"}, {"event": "difc_filtered", "_schema": "difc-filtered/v2"}])
def test_what_a_gateways_labels_withheld_is_denied(kind: Record) -> None:
    line = kind | {"timestamp": "2026-06-01T10:00:00Z", "server_id": "github", "tool_name": "issue_read", "reason": "secrecy"}
    (event,) = events(gateway("github", call(1, "issue_read")), line)[1:]
    assert event.decision is not None
    assert (event.decision.effect, event.decision.reason, event.target.name, event.tool) == (
        Effect.DENY, "secrecy", "github", "issue_read",
    )  # fmt: skip


def test_number_and_text_are_different_ids() -> None:
    a, b, one, other = events(call(1, "a"), call("1", "b"), answer("1", "of b"), answer(1, "of a"))
    assert (one.tool, other.tool) == ("b", "a")
    assert (pair(one), pair(other)) == (pair(b), pair(a))


def test_ids_are_used_again() -> None:
    first, one, second, two = events(call(1), answer(1), call(1), answer(1))
    assert pair(first) == pair(one)
    assert pair(second) == pair(two)
    assert pair(first) != pair(second)


def test_the_answer_belongs_to_the_newest_request_that_is_still_open() -> None:
    lost, asked, got = events(call(1, "lost"), call(1, "asked"), answer(1))
    assert (got.tool, pair(got)) == ("asked", pair(asked))
    assert pair(lost) != pair(asked)


def test_equal_answers_of_two_captures_are_told_apart_by_what_they_answer() -> None:
    first, second = (told(call(1, tool), answer(1, "done"))[1] for tool in ("read_file", "delete_file"))
    assert first.scope and second.scope
    assert first.scope != second.scope
    assert told(call(1), answer(1, "done"))[1].scope == first.scope


def line(message: Record, connection: str = "c1", direction: str = "client->server", at: str = "2026-06-01T10:00:00Z") -> Record:
    return {"timestamp": at, "direction": direction, "connection_id": connection, "server_name": "files", "message": message}


def test_connections_have_ids_of_their_own() -> None:
    found = events(
        line(call(1, "a")),
        line(call(1, "b"), "c2"),
        line(answer(1), "c1", "server->client", "2026-06-01T10:00:02Z"),
        line(answer(1), "c2", "server->client"),
    )
    assert [e.tool for e in found] == ["a", "b", "a", "b"]
    assert found[2].attrs["duration_ms"] == 2000
    assert names(found[0], KeyRole.SCOPE) == ["mcp.session:c1"]
    assert (found[0].target.name, found[0].at) == ("files", 1_780_308_000_000_000)


def test_a_server_asks_with_ids_of_its_own() -> None:
    sampling = {"jsonrpc": "2.0", "id": 1, "method": "sampling/createMessage", "params": {"messages": []}}
    found = events(
        line(call(1, "a")),
        line(sampling, direction="server->client"),
        line(answer(1, "sampled"), direction="client->server"),
        line(answer(1, "tool"), direction="server->client"),
    )
    assert [(e.tool, e.attrs.get("output")) for e in found[2:]] == [("sampling/createMessage", "sampled"), ("a", "tool")]


def test_what_is_remembered_of_a_capture_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_OPEN", "_SAME", "_SEEN"):
        monkeypatch.setattr(f"importers.mcp.{name}", 10)
    reader = IMPORTER.open()
    for place in range(200):
        hello = {"protocolVersion": "2025-06-18", "clientInfo": {"name": "ada"}}
        for message in (
            {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
            {"jsonrpc": "2.0", "id": 1, "result": {"serverInfo": {"name": "files"}}},
            call(place),
        ):
            reader.read({"session": f"s{place}", "message": message})
        reader.read(call(1, f"tool-{place}"))
        reader.read(call(None, f"tool-{place}"))
    assert len(pickle.dumps(reader)) < 30_000


def test_a_new_connection_forgets_what_was_open() -> None:
    hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"clientInfo": {"name": "claude-code"}}}
    welcome = {"jsonrpc": "2.0", "id": 0, "result": {"serverInfo": {"name": "github"}}}
    found = told(call(1, "old"), hello, welcome, call(2, "new"), answer(1))
    assert found[-1].type == "answer without request"
    (asked,) = found[3].events
    assert (asked.agent, asked.target.name) == ("claude-code", "github")


def test_orphans_prove_only_themselves() -> None:
    (failed,) = events(
        {"jsonrpc": "2.0", "id": "3", "error": {"code": -32603, "message": "orphan"}},
        {"jsonrpc": "2.0", "method": "notifications/x"},
    )
    assert failed.outcome is not None
    assert (failed.outcome.transport, failed.keys) == (Tri.NO, ())
    assert told(answer(7))[0].events == []


def test_cancelled_calls_are_told() -> None:
    _, gone = events(call(1), {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
    assert gone.attrs["refused"] == "interrupted"
    assert gone.outcome is not None
    assert gone.outcome.tool is Tri.UNKNOWN


def test_keys_in_meta() -> None:
    meta = {"claudecode/toolUseId": "toolu_1", "traceparent": "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"}
    (asked,) = events(call(1, _meta=meta))
    assert "call:toolu_1" in names(asked, KeyRole.CALL)
    assert names(asked, KeyRole.SCOPE) == ["trace:" + "ab" * 16]


def test_batches_texts_and_both_halves_on_one_line() -> None:
    batch = read(IMPORTER, [call(1), call(2), {"jsonrpc": "2.0", "method": "notifications/x"}])
    assert len(batch.events) == 2
    as_text = {"ts": 1780308000000, "payload": json.dumps(call(1))}
    assert len(told(as_text)[0].events) == 1
    both = told({"time": "2026-06-01T10:00:00Z", "request": call(1), "response": answer(1)})[0]
    assert [e.phase for e in both.events] == [Phase.CALL, Phase.RESULT]
    assert pair(both.events[0]) == pair(both.events[1])


def test_unknown_methods_are_kept_and_other_records_refused() -> None:
    assert read(IMPORTER, {"jsonrpc": "2.0", "id": 1, "method": "quantum/leap"}).unknown_type == "quantum/leap"
    assert told({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})[0].unknown_type is None
    for record in ({"jsonrpc": "1.0", "id": 1, "result": 1}, {"message": "x"}, [], None):
        with pytest.raises(BadRecord, match=r"no JSON-RPC 2\.0 message"):
            read(IMPORTER, record)


def test_other_json_rpc_is_not_taken_for_mcp() -> None:
    hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": 1, "clientCapabilities": {}}}
    prompt = {"jsonrpc": "2.0", "id": 1, "method": "session/prompt", "params": {"sessionId": "s"}}
    editor = {"jsonrpc": "2.0", "id": 2, "method": "textDocument/hover", "params": {}}
    assert IMPORTER.sniff([hello, prompt, answer(0)]) == IMPORTER.sniff([editor, answer(2)]) == 0
    assert IMPORTER.sniff([answer(0), call(1)]) > 0


@given(mutated([call(1), answer(1), line(call("x"))]) | JSON)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_public_samples(corpus: Path) -> None:
    form, parsed, reasons = all_of(corpus / "assay/Rul1an__assay/tests__fixtures__mcp__edge_case.json")
    assert (form, len(parsed), reasons) == ("mcp", 7, [])
    found = [e for p in parsed for e in p.events]
    assert [e.phase for e in found] == [Phase.CALL, Phase.RESULT, Phase.CALL, Phase.RESULT, Phase.CALL, Phase.RESULT]
    assert [e.tool for e in found] == ["valid_tool", "valid_tool", "orphan_request", "", "complex_tool", "complex_tool"]


def as_task(ident: object, status: str, **stated: object) -> Record:
    return {"jsonrpc": "2.0", "id": ident, "result": {"taskId": "t-1", "status": status} | stated}


def of_task(ident: object, method: str) -> Record:
    return {"jsonrpc": "2.0", "id": ident, "method": method, "params": {"taskId": "t-1"}}


BEGUN = {"jsonrpc": "2.0", "id": 1, "result": {"task": {"taskId": "t-1", "status": "working", "ttl": 60000}}}


def test_a_call_that_runs_as_a_task_has_succeeded_only_when_its_result_says_so() -> None:
    asked, begun, done = events(
        call(1, "build", task={"ttl": 60000}),
        BEGUN,
        of_task(2, "tasks/get"),
        as_task(2, "completed"),
        of_task(3, "tasks/result"),
        answer(3),
    )
    assert pair(asked) == pair(begun) == pair(done) != []
    assert (begun.outcome and begun.outcome.tool, begun.attrs["status"]) == (Tri.UNKNOWN, "working")
    assert (done.outcome and done.outcome.tool, done.tool) == (Tri.YES, "build")
    *_, failed = events(call(1, "build", task={}), BEGUN, of_task(2, "tasks/result"), answer(2, "broken", isError=True))
    assert failed.outcome and failed.outcome.tool is Tri.NO


def test_a_task_that_failed_or_was_cancelled_is_told_once() -> None:
    polls = [message for n in (2, 3) for message in (of_task(n, "tasks/get"), as_task(n, "failed", statusMessage="no room"))]
    _, _, failed = events(call(1, "build"), BEGUN, *polls)
    assert (failed.outcome and failed.outcome.tool, failed.attrs["output"]) == (Tri.NO, "no room")
    note = {"jsonrpc": "2.0", "method": "notifications/tasks/status", "params": {"taskId": "t-1", "status": "cancelled"}}
    _, _, gone = events(call(1, "build"), BEGUN, note)
    assert (gone.outcome and gone.outcome.tool, gone.attrs["refused"]) == (Tri.UNKNOWN, "interrupted")
    assert not events(note, of_task(2, "tasks/get"), as_task(2, "failed"))


@pytest.mark.parametrize("kind", ["input_required", "task"])
def test_an_answer_that_asks_or_defers_is_no_success(kind: str) -> None:
    _, put_off = events(
        call(1), {"jsonrpc": "2.0", "id": 1, "result": {"resultType": kind, "taskId": "t-1", "status": "working"}}
    )
    assert put_off.outcome and put_off.outcome.tool is Tri.UNKNOWN


def test_a_server_that_asks_the_clients_model_is_the_one_who_asks() -> None:
    hello = {
        "jsonrpc": "2.0",
        "id": 0,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "clientInfo": {"name": "c"}},
    }
    known = {"jsonrpc": "2.0", "id": 0, "result": {"protocolVersion": "2025-11-25", "serverInfo": {"name": "s"}}}
    (asked,) = events(hello, known, {"jsonrpc": "2.0", "id": 0, "method": "sampling/createMessage", "params": {"messages": []}})
    assert asked.principal and (asked.principal.name, asked.target.cls, asked.target.name) == ("s", TargetClass.AGENT, "c")


STREAM = "event: message\ndata: {}\n\nevent: message\ndata: " + json.dumps(answer(1, "ok")) + "\n\n: still here\n"


def exchange(body: object, status: int = 200, back: object = None, **more: object) -> Record:
    asked = {"method": "POST", "url": "https://mcp.acme.example/mcp", "headers": {"Mcp-Session-Id": "s-7"}, "body": body}
    answered = {"status": status, "headers": {"WWW-Authenticate": "Bearer error=scope"}, "body": back}
    return {"timestamp": "2026-06-01T10:00:00Z", "request": asked, "response": answered, **more}


@pytest.mark.parametrize(
    "back", [json.dumps(answer(1)), answer(1), [answer(1)], STREAM], ids=["text", "object", "batch", "stream"]
)
def test_a_request_and_its_answer_over_http(back: object) -> None:
    asked, done = events(exchange(json.dumps(call(1)), back=back))
    assert (asked.target.name, asked.at is not None, pair(asked)) == ("mcp.acme.example", True, pair(done))
    assert names(asked, KeyRole.SCOPE) == ["mcp.session:s-7"]
    assert done.outcome and done.outcome.tool is Tri.YES


@pytest.mark.parametrize(("status", "denied"), [(403, True), (401, True), (502, False)])
def test_what_http_alone_answers_to_a_call(status: int, denied: bool) -> None:
    refused = exchange(json.dumps(call(1)), status, "nope")
    found = events(refused, exchange(json.dumps(call(2)), back=json.dumps(answer(2))))
    verdicts = [e.decision for e in found if e.decision]
    assert [(one.effect, one.reason) for one in verdicts] == ([(Effect.DENY, "Bearer error=scope")] if denied else [])
    first, second = (e.outcome for e in found if e.phase is Phase.RESULT)
    assert first and second and (first.transport, second.tool) == (Tri.NO, Tri.YES)


def test_an_http_archive_keeps_its_times_and_what_is_not_mcp_is_no_reject() -> None:
    def entry(body: str, back: str, status: int = 200) -> Record:
        asked = {"method": "POST", "url": "https://mcp.acme.example/mcp", "headers": [{"name": "mcp-session-id", "value": "s-7"}]}
        answered = {"status": status, "headers": [], "content": {"mimeType": "text/event-stream", "text": back}}
        posted = asked | ({"postData": {"mimeType": "application/json", "text": body}} if body else {})
        return {"startedDateTime": "2026-06-01T10:00:00Z", "time": 12, "request": posted, "response": answered}

    entries = [entry(json.dumps(call(1)), STREAM), entry("", "<html>")]
    parsed, rejects = whole(json.dumps({"log": {"version": "1.2", "creator": {"name": "x"}, "entries": entries}}), "mcp")
    assert not rejects
    asked, done = [event for one in parsed for event in one.events]
    assert (asked.at, names(asked, KeyRole.SCOPE), done.phase) == (1780308000000000, ["mcp.session:s-7"], Phase.RESULT)


@pytest.mark.parametrize(
    "words", ["EACCES: permission denied, open '/a'", "[Errno 13] Permission denied: '/a'", "permission denied (os error 13)"]
)
def test_what_the_operating_system_did_not_allow_is_nobodys_decision(words: str) -> None:
    _, done = events(call(1), {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": words}})
    assert (done.phase, done.outcome and done.outcome.transport, "refused" in done.attrs) == (Phase.RESULT, Tri.NO, False)


def test_without_a_handshake_each_message_names_its_sender() -> None:
    client = {"io.modelcontextprotocol/clientInfo": {"name": "coder", "version": "1"}}
    server = {"io.modelcontextprotocol/serverInfo": {"name": "files", "version": "1"}}
    first, _, second = events(call(1, _meta=client), answer(1, _meta=server), call(2, _meta=client))
    assert (first.agent, first.principal and first.principal.name, second.target.name) == ("coder", "coder", "files")


def test_headers_in_lists_as_go_writes_them() -> None:
    line = exchange(json.dumps(call(1)), 403, "nope")
    listed = {
        side: {**line[side], "headers": {n: [v] for n, v in line[side]["headers"].items()}} for side in ("request", "response")
    }  # type: ignore[index]
    asked, denied, _ = events(line | listed)
    assert names(asked, KeyRole.SCOPE) == ["mcp.session:s-7"]
    assert denied.decision and denied.decision.reason == "Bearer error=scope"


def test_a_call_is_told_apart_by_its_arguments_in_whatever_order() -> None:
    def made(arguments: Record) -> object:
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "create_issue", "arguments": arguments}}
        return events(message)[0].attrs.get("arguments")

    assert (
        made({"title": "a", "repo": "pay"})
        == made({"repo": "pay", "title": "a"})
        == arguments_digest({"title": "a", "repo": "pay"})
    )
    assert made({"title": "b", "repo": "pay"}) != made({"title": "a", "repo": "pay"})
