"""What Goose sessions say in lines, exports and rows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from importers.goose import IMPORTER
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole

HEAD = {"id": "20260102_1", "working_dir": "/home/ada/api", "description": "Tidy", "message_count": 3}


def says(role: str, *blocks: dict[str, Any]) -> dict[str, Any]:
    return {"id": f"m-{role}", "role": role, "created": 1772359202, "content": list(blocks)}


def request(name: str, **given: Any) -> dict[str, Any]:
    return {"type": "toolRequest", "id": "c", "toolCall": {"status": "success", "value": {"name": name, "arguments": given}}}


def response(text: str, status: str = "success", **value: Any) -> dict[str, Any]:
    result: dict[str, Any] = {"status": status}
    result |= {"error": text} if status == "error" else {"value": {"content": [{"type": "text", "text": text}], **value}}
    return {"type": "toolResponse", "id": "c", "toolResult": result}


USER = says("user", {"type": "text", "text": "PAY-7 go"})
CALL = says("assistant", request("developer__shell", command="ls"))
DONE = says("user", response("ok"))


def test_what_a_run_prints_says_the_same() -> None:
    printed = [{"type": "message", "message": one} for one in (USER, CALL, {k: v for k, v in DONE.items() if k != "created"})]
    more = [{"type": "notification", "extension_id": "developer", "data": {}}, {"type": "complete", "total_tokens": 3}]
    stream, rejects = whole("[harness] Goose 1.53.0\n" + "\n".join(map(json.dumps, printed + more)), "goose")
    at_once, others = whole(json.dumps({"messages": [USER, CALL, DONE], "metadata": {"status": "completed"}}), "goose")
    assert rejects == others == []
    assert [one.unknown_type for one in stream + at_once] == [None] * 9
    for parsed in (stream, at_once):
        events = [event for one in parsed for event in one.events]
        assert [e.phase for e in events] == [Phase.PROMPT, Phase.CALL, Phase.RESULT]
        assert events[1].attrs["command"] == "ls" and names(events[1], KeyRole.CALL) == names(events[2], KeyRole.CALL)


def read(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for one in records for event in reader.read(one).events]


def test_results_in_their_other_shapes() -> None:
    told = {"structuredContent": {"stdout": "a", "stderr": "b", "exit_code": 1}, "isError": False}
    coded = {"type": "toolResponse", "id": "c", "toolResult": {"value": told}}
    plain = {"type": "toolResponse", "id": "c", "toolResult": "hi"}
    first, second = (only(read(CALL, says("user", one)), EventKind.ACTION, Phase.RESULT) for one in (coded, plain))
    assert (first.attrs["status"], first.attrs["output"], first.outcome and first.outcome.tool) == ("1", "a\nb", Tri.NO)
    assert (second.attrs["output"], second.outcome and second.outcome.tool) == ("hi", Tri.UNKNOWN)


def test_what_dynamic_tasks_are_to_do_is_delegated() -> None:
    tasks = [{"instructions": "look"}, {"instructions": "count"}]
    events = read(says("assistant", request("dynamic_task__create_task", task_parameters=tasks)))
    assert [(e.phase, e.text) for e in events if e.kind is EventKind.INTENT] == [(Phase.DELEGATED, "look\ncount")]


def told(events: list[Event]) -> list[tuple[object, ...]]:
    return [(e.kind, e.phase, e.verb, e.text, e.attrs, e.keys, e.at) for e in events]


def test_lines_exports_and_rows_say_the_same() -> None:
    lines = "\n".join(map(json.dumps, (HEAD, USER, CALL, DONE)))
    export = json.dumps({**HEAD, "conversation": [USER, CALL, DONE]}, indent=1)
    first, second = ([e for p in whole(text, "goose")[0] for e in p.events] for text in (lines, export))
    assert told(first) == told(second)
    assert [e.phase for e in first] == [Phase.STARTED, Phase.PROMPT, Phase.CALL, Phase.RESULT]
    rows = [
        {
            "message_id": m["id"],
            "session_id": HEAD["id"],
            "role": m["role"],
            "content_json": json.dumps(m["content"]),
            "created_timestamp": m["created"],
        }
        for m in (USER, CALL, DONE)
    ]
    plain = read({"_table": "sessions", **HEAD}, *rows)
    nested = read({"table": "sessions", "columns": HEAD}, *({"table": "messages", "columns": row} for row in rows))
    assert told(plain) == told(nested) == told(first)
    assert names(first[2], KeyRole.CALL) == ["call:20260102_1/c"]


@pytest.mark.parametrize(
    ("block", "refused", "tool", "effects"),
    [
        (response("The user has declined to run this tool. DO NOT attempt"), "user", Tri.NO, [Effect.DENY]),
        (response("Let the user know the tool call was skipped in goose chat mode. DO NOT"), "rule", Tri.NO, [Effect.DENY]),
        (response("This tool call was blocked by a safety inspector and cannot be", isError=True), "rule", Tri.NO, [Effect.DENY]),
        (response("-32603: Interrupted by the user to make a correction", "error"), "interrupted", Tri.NO, []),
        (response("log: Interrupted by the user to make a correction"), "", Tri.YES, []),
        (response("boom", "error"), "", Tri.NO, []),
        (response("x", isError=True), "", Tri.NO, []),
        (response("x", structuredContent={"exit_code": 2}), "", Tri.NO, []),
        (response("x"), "", Tri.YES, []),
        (response("x", ""), "", Tri.UNKNOWN, []),
    ],
)
def test_results(block: dict[str, Any], refused: str, tool: Tri, effects: list[Effect]) -> None:
    events = read(HEAD, CALL, says("user", block))
    done = only(events, EventKind.ACTION, Phase.RESULT)
    assert done.outcome is not None
    assert (done.attrs.get("refused", ""), done.outcome.tool) == (refused, tool)
    assert [e.decision.effect for e in events if e.decision] == effects


def test_a_question_is_a_decision_and_a_mode_is_posture() -> None:
    asked = says("assistant", {"type": "toolConfirmationRequest", "id": "c", "toolName": "developer__shell", "arguments": {}})
    events = read(HEAD | {"goose_mode": "auto"}, asked)
    assert [e.attrs["mode"] for e in events if e.phase is Phase.POSTURE] == ["auto"]
    verdict = only(events, EventKind.DECISION, Phase.VERDICT)
    assert verdict.decision is not None
    assert verdict.decision.effect is Effect.ASK


def test_extensions_are_servers_but_for_the_programs_own() -> None:
    for name, verb, target in (
        ("developer__shell", Verb.EXEC, ""),
        ("github__create_issue", Verb.MCP_CALL, "github"),
        ("developer__text_editor", Verb.FILE_WRITE, "a"),
    ):
        call = only(read(says("assistant", request(name, path="a", command="write"))), EventKind.ACTION)
        assert (call.verb, call.target.name) == (verb, target)


def test_broken_records() -> None:
    assert IMPORTER.open().read({"table": "schema_version", "version": 1}).unknown_type == "row/schema_version"
    for bad in ([], {"a": 1}, {"role": "user", "content": "x"}, {"role": "user", "content_json": "{"}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([HEAD, USER, CALL, DONE]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
