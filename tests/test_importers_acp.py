"""Agent Client Protocol traces: sessions, prompts, calls, and the person's answer to each question, in every kind of capture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given

from importers.acp import IMPORTER
from model.event import BadRecord, Event, Parsed
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import JSON, all_of, mutated, names, read, survives, whole
from tests.running import ok

S = "0cef17d9-d54f-4d96-a161-000000000001"
CALL = "run_shell_command_1795389953019_0"
OPTIONS = [
    {"optionId": "always", "name": "Allow for this session", "kind": "allow_always"},
    {"optionId": "once", "name": "Allow", "kind": "allow_once"},
    {"optionId": "no", "name": "Reject", "kind": "reject_once"},
]
Record = dict[str, object]


def ask(ident: object, method: str, **params: object) -> Record:
    return {"jsonrpc": "2.0", "id": ident, "method": method, "params": params}


def answer(ident: object, **result: object) -> Record:
    return {"jsonrpc": "2.0", "id": ident, "result": result}


def update(what: str, session: str = S, **more: object) -> Record:
    body = {"sessionId": session, "update": {"sessionUpdate": what} | more}
    return {"jsonrpc": "2.0", "method": "session/update", "params": body}


def tool(call: str = CALL, **more: object) -> Record:
    return {"toolCallId": call, "title": "npm test", "kind": "execute"} | more


def begun(session: str = S) -> list[Record]:
    return [
        ask(1, "initialize", protocolVersion=1, clientCapabilities={}),
        answer(1, protocolVersion=1, agentInfo={"name": "@acme/robot-acp", "version": "1.2"}),
        ask(2, "session/new", cwd="/home/dana/shop", mcpServers=[]),
        answer(2, sessionId=session, modes={"currentModeId": "default"}),
        ask(3, "session/prompt", sessionId=session, prompt=[{"type": "text", "text": "Run the tests."}]),
    ]


def asked(chosen: object, session: str = S, call: str = CALL) -> list[Record]:
    outcome = {"outcome": "selected", "optionId": chosen} if isinstance(chosen, str) else chosen
    return [
        ask(0, "session/request_permission", sessionId=session, options=OPTIONS, toolCall=tool(call)),
        answer(0, outcome=outcome),
    ]


def told(*records: object) -> list[Parsed]:
    parsed, rejects = whole("\n".join(json.dumps(record) for record in records), "acp")
    assert not rejects
    return parsed


def events(*records: object) -> list[Event]:
    return [event for parsed in told(*records) for event in parsed.events]


def test_a_session_its_mode_and_its_prompt() -> None:
    started, mode, prompt = events(*begun())
    assert (started.phase, mode.attrs["mode"], prompt.text) == (Phase.STARTED, "default", "Run the tests.")
    assert (started.attrs["cwd"], started.attrs["agent_version"], started.agent) == ("/home/dana/shop", "1.2", "robot")
    assert all(names(event, KeyRole.SCOPE) == [f"session:{S}"] for event in (started, mode, prompt))


@pytest.mark.parametrize(
    ("chosen", "effect", "rule", "refused"),
    [
        ("once", Effect.ALLOW, "allow_once", None),
        ("always", Effect.ALLOW, "allow_always", None),
        ("no", Effect.DENY, "reject_once", "user"),
        ("no such option", Effect.UNKNOWN, "no such option", None),
        ({"outcome": "cancelled"}, None, None, "interrupted"),
        ({"outcome": "shrug"}, None, None, None),
        (None, None, None, None),
    ],
)
def test_the_answer_to_a_question_is_a_persons_decision(
    chosen: object, effect: Effect | None, rule: str | None, refused: str | None
) -> None:
    found = events(*begun(), *asked(chosen))
    (call,) = [event for event in found if event.phase is Phase.CALL]
    assert (call.verb, call.attrs["command"], names(call, KeyRole.CALL)) == (Verb.EXEC, "npm test", [f"call:{CALL}"])
    verdicts = [event.decision for event in found if event.phase is Phase.VERDICT]
    assert [(one.effect, one.rule, one.by) for one in verdicts if one] == ([(effect, rule, "user")] if effect else [])
    assert [event.attrs.get("refused") for event in found if event.phase is Phase.RESULT] == ([refused] if refused else [])
    for event in found:
        assert event.phase not in (Phase.VERDICT, Phase.RESULT) or names(event, KeyRole.CALL) == [f"call:{CALL}"]


@pytest.mark.parametrize(
    ("more", "ok", "code"),
    [
        ({"rawOutput": {"exit_code": 1, "stdout": "no"}}, Tri.NO, "1"),
        ({"rawOutput": {"exitCode": 0, "stdout": "ok"}}, Tri.YES, "0"),
        ({"_meta": {"terminal_exit": {"terminal_id": "t", "exit_code": 2, "signal": None}}}, Tri.NO, "2"),
        (
            {"content": [{"content": {"type": "text", "text": "Output: no\nExit Code: 3"}}], "name": "run_shell_command"},
            Tri.NO,
            "3",
        ),
        ({"rawOutput": "text"}, Tri.YES, None),
    ],
)
def test_a_command_that_is_completed_may_have_failed(more: Record, ok: Tri, code: str | None) -> None:
    made = events(
        *begun(), update("tool_call", **tool()), update("tool_call_update", toolCallId=CALL, status="completed", **more)
    )
    (done,) = [event for event in made if event.phase is Phase.RESULT]
    assert (done.outcome and done.outcome.tool, done.attrs.get("status")) == (ok, code)


@pytest.mark.parametrize(("agent", "ok"), [("gemini-cli", Tri.UNKNOWN), ("@zed-industries/claude-code-acp", Tri.YES)])
def test_a_command_whose_end_the_agent_does_not_tell_has_not_succeeded(agent: str, ok: Tri) -> None:
    opening = json.loads(json.dumps(begun()).replace("@acme/robot-acp", agent))
    over = update("tool_call_update", toolCallId=CALL, status="completed", kind="execute", content=[])
    made = events(*opening, update("tool_call", **tool()), over)
    (done,) = [event for event in made if event.phase is Phase.RESULT]
    assert done.outcome is not None and done.outcome.tool is ok


def test_a_call_that_was_cancelled_without_a_word_was_refused_by_nobody() -> None:
    found = events(
        *begun(), update("tool_call", **tool(), status="pending"), update("tool_call_update", toolCallId=CALL, status="cancelled")
    )
    assert [event.attrs.get("refused") for event in found if event.phase is Phase.RESULT] == ["interrupted"]
    assert not [event for event in found if event.phase is Phase.VERDICT]


def test_a_call_is_told_once_and_so_is_its_end() -> None:
    found = events(
        *begun(),
        update("tool_call", **tool(), status="pending"),
        update("tool_call_update", **tool(), status="in_progress"),
        update("tool_call_update", toolCallId=CALL, status="failed", content=[{"type": "content", "content": {"type": "text", "text": "no"}}]),
        update("tool_call_update", toolCallId=CALL, status="completed"),
    )  # fmt: skip
    assert [event.phase for event in found if event.kind is EventKind.ACTION][1:] == [Phase.CALL, Phase.RESULT]
    result = found[-1]
    assert result.outcome is not None and result.outcome.tool is Tri.NO and result.attrs["output"] == "no"


@pytest.mark.parametrize(
    ("given", "verb", "target"),
    [
        ({"kind": "edit", "locations": [{"path": "/a/b.md"}]}, Verb.FILE_WRITE, "/a/b.md"),
        ({"kind": "edit", "content": [{"type": "diff", "path": "/a/c.md"}]}, Verb.FILE_WRITE, "/a/c.md"),
        ({"kind": "read", "locations": [{"path": "/a/b.md"}]}, Verb.FILE_READ, "/a/b.md"),
        ({"kind": "delete", "locations": [{"path": "/a/b.md"}]}, Verb.FILE_DELETE, "/a/b.md"),
        ({"kind": "fetch", "rawInput": {"url": "https://docs.example/x"}}, Verb.HTTP_REQUEST, "docs.example"),
        ({"kind": "other", "_meta": {"claudeCode": {"toolName": "mcp__tickets__close"}}}, Verb.MCP_CALL, "tickets"),
        ({"kind": "other", "title": "something"}, Verb.UNKNOWN, ""),
        ({"kind": ["edit"], "title": {"a": 1}, "rawInput": [1]}, Verb.UNKNOWN, ""),
    ],
)
def test_what_a_call_does(given: Record, verb: Verb, target: str) -> None:
    (call,) = [event for event in events(*begun(), update("tool_call", toolCallId=CALL, **given)) if event.phase is Phase.CALL]
    assert (call.verb, call.target.name) == (verb, target)


def test_equal_ids_of_both_sides_are_told_apart_with_and_without_a_direction() -> None:
    """The editor's request 0 and the agent's request 0 are two."""
    mixed = [
        *begun(),
        ask(0, "session/request_permission", sessionId=S, options=OPTIONS, toolCall=tool()),
        ask(0, "session/set_mode", sessionId=S, modeId="plan"),
    ]
    sides = [
        "agent" if record.get("method") == "session/request_permission" or "result" in record else "client" for record in mixed
    ]
    wrapped = [{"dir": side, "msg": record} for side, record in zip(sides, mixed, strict=True)]
    wrapped += [
        {"dir": "agent", "msg": answer(0)},
        {"dir": "client", "msg": answer(0, outcome={"outcome": "selected", "optionId": "no"})},
    ]
    found = events(*wrapped)
    assert [event.decision.effect for event in found if event.decision] == [Effect.DENY]
    assert [event.attrs["mode"] for event in found if event.phase is Phase.POSTURE] == ["default", "plan"]


@pytest.mark.parametrize("wrap", ["bare", "msg", "text"])
def test_every_kind_of_capture_tells_the_same(wrap: str) -> None:
    records = [*begun(), *asked("once")]
    sides = ["fromAgent" if record.get("method") == "session/request_permission" or "agentInfo" in str(record) or "modes" in str(record)
             else "fromClient" for record in records]  # fmt: skip
    lines: list[object] = list(records)
    if wrap == "msg":
        lines = [{"dir": side.removeprefix("from").lower(), "msg": record} for side, record in zip(sides, records, strict=True)]
    if wrap == "text":
        lines = [
            {"ts": "2026-03-01T08:00:00Z", "direction": side, "json": json.dumps(record)}
            for side, record in zip(sides, records, strict=True)
        ]
    found = events(*lines)
    assert [event.phase for event in found] == [Phase.STARTED, Phase.POSTURE, Phase.PROMPT, Phase.CALL, Phase.VERDICT]
    assert all((event.at is not None) == (wrap == "text") for event in found)


def test_short_call_ids_are_their_sessions_own() -> None:
    other = S.replace("1", "2")
    found = events(*begun(), *asked("once", call="call_1"), *begun(other), *asked("no", other, "call_1"))
    calls = {name for event in found for name in names(event, KeyRole.CALL)}
    assert calls == {f"call:{S}/call_1", f"call:{other}/call_1"}


def test_equal_answers_of_two_sessions_are_two_records(tmp_path: Path) -> None:
    other = S.replace("1", "2")
    for number, session in enumerate((S, other)):
        lines = [*begun(session), *asked("once", session, f"a_call_of_session_{number}")]
        (tmp_path / f"{number}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    store = tmp_path / "s.db"
    said = ok("--store", store, "import", tmp_path / "0.jsonl", tmp_path / "1.jsonl", "--json").json
    # Only what came before the sessions had an id is the same in both.
    assert said["totals"]["tasks"] == 2 and said["totals"]["duplicate"] == 3
    for task in ok("--store", store, "tasks", "--json").json:
        (step,) = ok("--store", store, "show", task["id"], "--json").json["steps"]
        assert [(one["effect"], one["by"]) for one in step["decisions"]] == [("allow", "user")]


def test_a_trace_and_the_sessions_own_file_are_one_task(tmp_path: Path) -> None:
    """Prompts and calls are told by both and stand once; the answer is the trace's alone."""
    call = {"id": CALL, "name": "run_shell_command", "args": {"command": "npm test"}, "status": "success",
            "timestamp": "2026-03-01T08:00:02Z", "result": [{"functionResponse": {"response": {"output": "ok"}}}]}  # fmt: skip
    chat = [
        {"sessionId": S, "projectHash": "p", "startTime": "2026-03-01T08:00:00Z", "lastUpdated": "2026-03-01T08:00:00Z"},
        {"id": "m1", "type": "user", "timestamp": "2026-03-01T08:00:01Z", "content": "Run the tests."},
        {"id": "m2", "type": "gemini", "timestamp": "2026-03-01T08:00:02Z", "content": "", "toolCalls": [call]},
    ]
    trace = [*begun(), *asked("once"), update("tool_call_update", **tool(), status="completed")]
    for name, lines in (("chat.jsonl", chat), ("trace.jsonl", trace)):
        (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    store = tmp_path / "s.db"
    ok("--store", store, "import", tmp_path / "chat.jsonl", tmp_path / "trace.jsonl", "--json")
    (task,) = ok("--store", store, "tasks", "--json").json
    shown = ok("--store", store, "show", task["id"], "--json").json
    assert [(one["text"], one["at"]) for one in shown["intents"]] == [("Run the tests.", "2026-03-01T08:00:01Z")]
    (step,) = shown["steps"]
    assert [(one["effect"], one["by"]) for one in step["decisions"]] == [("allow", "user")]
    assert {link["kind"] for link in step["links"]} == {"exact"}


def test_other_json_rpc_is_no_trace_of_this_protocol() -> None:
    assert IMPORTER.sniff([ask(1, "initialize", protocolVersion="2025-06-18"), ask(2, "tools/call", name="x")]) == 0
    assert IMPORTER.sniff([answer(1)]) == IMPORTER.sniff([{"method": "session/prompt"}]) == 0
    with pytest.raises(BadRecord, match="no JSON-RPC"):
        read(IMPORTER, {"a": 1})


def test_what_is_unknown_is_kept_and_counted() -> None:
    parsed = told(*begun(), update("hologram"), ask(9, "session/teleport", sessionId=S), ask(10, "_acme/own", sessionId=S))
    assert [one.unknown_type for one in parsed if one.unknown_type] == ["session/update hologram", "session/teleport"]


@given(JSON)
def test_anything_at_all_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)


@given(
    mutated([*begun(), *asked("once"), update("tool_call", **tool(), status="completed", content=[{"content": {"text": "x"}}])])
)
def test_a_damaged_record_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)


def test_the_recorded_traces_are_read_whole(corpus: Path) -> None:
    paths = sorted((corpus / "gemini-cli-live").glob("*/acp-trace.jsonl"))
    assert paths
    for path in paths:
        format, parsed, problems = all_of(path)
        assert (format, problems, [one.unknown_type for one in parsed if one.unknown_type]) == ("acp", [], [])
        lines = [json.loads(line)["msg"] for line in path.read_text().splitlines()]
        answered = sum(mapping.get("result", {}).get("outcome", {}).get("outcome") == "selected" for mapping in lines)
        by_user = [event for one in parsed for event in one.events if event.decision and event.decision.by == "user"]
        assert len(by_user) == answered
        prompts = sum(mapping.get("method") == "session/prompt" for mapping in lines)
        assert sum(event.phase is Phase.PROMPT for one in parsed for event in one.events) == prompts
