"""What Factory droid's sessions and streams say: calls and how they went, prompts, sessions that a call began."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from importers.factory_droid import IMPORTER
from model.event import BadRecord, Event
from model.words import EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole

SESSION = "5f0c6c1e-7a52-4f0b-8f5e-0d1f6a0b2c33"
START = {
    "type": "session_start",
    "id": SESSION,
    "title": "go",
    "sessionTitle": "Fix it",
    "owner": "ada",
    "version": 2,
    "cwd": "/home/ada/api",
}


def message(role: str, *blocks: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "message",
        "id": f"m-{role}",
        "timestamp": "2026-01-02T03:04:05.678Z",
        "message": {"role": role, "content": list(blocks)},
    }


def used(name: str, **given: Any) -> dict[str, Any]:
    return message("assistant", {"type": "tool_use", "id": "toolu_1", "name": name, "input": given})


def came(content: object, **more: Any) -> dict[str, Any]:
    return message("user", {"type": "tool_result", "tool_use_id": "toolu_1", "content": content, **more})


def read(*rows: object, begin: dict[str, Any] = START) -> list[Event]:
    reader = IMPORTER.open()
    reader.read(begin)
    return [event for one in rows for event in reader.read(one).events]


def test_a_session_is_recognised_and_told() -> None:
    asked = message(
        "user", {"type": "text", "text": "<system-reminder>x</system-reminder>"}, {"type": "text", "text": "fix PAY-3"}
    )
    rows = [
        START,
        asked,
        used("Execute", command="npm test"),
        came("ok\n[Process exited with code 0]"),
        {"type": "todo_state", "id": "t"},
    ]
    parsed, rejects = whole("\n".join(map(json.dumps, rows)), "factory-droid")
    events = [event for one in parsed for event in one.events]
    assert not rejects and not any(one.unknown_type for one in parsed)
    assert [e.phase for e in events] == [Phase.STARTED, Phase.PROMPT, Phase.CALL, Phase.RESULT]
    assert {names(e, KeyRole.SCOPE)[0] for e in events} == {f"session:{SESSION}"}
    assert (events[0].attrs["title"], events[1].text, events[1].attrs["ticket"]) == ("Fix it", "fix PAY-3", "PAY-3")
    assert (events[2].verb, events[2].attrs["command"], events[2].attrs["cwd"]) == (Verb.EXEC, "npm test", "/home/ada/api")


@pytest.mark.parametrize(
    ("content", "more", "tool", "status"),
    [
        ("ok\n[Process exited with code 0]", {}, Tri.YES, "0"),
        ("no\n[Process exited with code 3]", {}, Tri.NO, "3"),
        ("Error: Command failed (exit code: 1)\nno", {}, Tri.NO, "1"),
        ("Error: no such file", {}, Tri.NO, None),
        ("text", {}, Tri.UNKNOWN, None),
        ("text", {"is_error": False}, Tri.YES, None),
        ([{"type": "text", "text": "no"}], {"is_error": True}, Tri.NO, None),
    ],
)
def test_how_a_call_went(content: object, more: dict[str, Any], tool: Tri, status: str | None) -> None:
    result = only(read(used("Execute", command="x"), came(content, **more)), EventKind.ACTION, Phase.RESULT)
    assert (result.outcome and result.outcome.tool, result.attrs.get("status")) == (tool, status)


def test_a_file_that_speaks_of_exit_codes_has_none() -> None:
    result = only(read(used("Read", file_path="a"), came("[Process exited with code 3]")), EventKind.ACTION, Phase.RESULT)
    assert (result.outcome and result.outcome.tool, result.attrs.get("status")) == (Tri.UNKNOWN, None)


@pytest.mark.parametrize(
    ("name", "given", "verb", "target"),
    [
        ("Create", {"file_path": "/w/a.py", "content": "x"}, Verb.FILE_WRITE, "/w/a.py"),
        ("ApplyPatch", {"input": "*** Begin Patch\n*** Update File: b.py\n*** End Patch"}, Verb.FILE_WRITE, "b.py"),
        ("FetchUrl", {"url": "https://example.com/x"}, Verb.HTTP_REQUEST, "example.com"),
        ("linear___create_issue", {"title": "x"}, Verb.MCP_CALL, "linear"),
        ("NobodyKnows", {}, Verb.UNKNOWN, ""),
    ],
)
def test_its_tools(name: str, given: dict[str, Any], verb: Verb, target: str) -> None:
    call = only(read(used(name, **given)), EventKind.ACTION, Phase.CALL)
    assert (call.verb, call.target.name) == (verb, target)


def test_a_session_that_anothers_call_began() -> None:
    begin = {**START, "callingSessionId": "parent-1", "callingToolUseId": "toolu_9"}
    event = only(read(message("user", {"type": "text", "text": "look"}), begin=begin), EventKind.INTENT)
    assert (event.phase, names(event, KeyRole.PARENT)) == (Phase.DELEGATED, ["session:parent-1", "call:toolu_9"])


def test_what_a_run_prints() -> None:
    more = {"session_id": SESSION, "timestamp": 1767323045000}
    rows = [
        {"type": "system", "subtype": "init", "cwd": "/w", "model": "m", "tools": ["Execute"], "session_id": SESSION},
        {"type": "message", "role": "user", "id": "m1", "text": "go", **more},
        {
            "type": "tool_call",
            "id": "c1",
            "messageId": "m2",
            "toolId": "Execute",
            "toolName": "Execute",
            "parameters": {"command": "ls"},
            **more,
        },
        {"type": "tool_result", "id": "c1", "messageId": "m3", "toolId": "Execute", "isError": True, "value": "no", **more},
        {"type": "message", "role": "assistant", "id": "m4", "text": "done", **more},
        {"type": "completion", "finalText": "done", "numTurns": 1, **more},
    ]
    parsed, rejects = whole("\n".join(map(json.dumps, rows)), "factory-droid")
    events = [event for one in parsed for event in one.events]
    assert not rejects and not any(one.unknown_type for one in parsed)
    assert [(e.phase, e.text or e.attrs.get("command")) for e in events[:3]] == [
        (Phase.STARTED, None), (Phase.PROMPT, "go"), (Phase.CALL, "ls"),
    ]  # fmt: skip
    assert events[3].outcome is not None and events[3].outcome.tool is Tri.NO
    assert events[3].at == 1767323045000000


def test_unknown_and_broken_records() -> None:
    assert IMPORTER.open().read({"type": "brand_new"}).unknown_type == "brand_new"
    for bad in ([], {"message": {}}, {"type": "message", "message": {}}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@given(mutated([START, used("Execute", command="x"), came("Error: no", is_error=True)]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
