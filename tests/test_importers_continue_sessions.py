"""What Continue's sessions say: prompts, calls and how they ran."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from importers.continue_sessions import IMPORTER
from model.event import BadRecord, Event
from model.words import EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole

SESSION = "8d3f1b1e-6d0a-4d5e-9b7c-0a1b2c3d4e5f"
SAID = {"message": {"role": "user", "content": [{"type": "text", "text": "fix PAY-3"}]}, "contextItems": []}


def asked(tool: str, status: str = "done", output: object = None, uri: str = "", **given: Any) -> dict[str, Any]:
    call = {"id": "call_1", "type": "function", "function": {"name": tool, "arguments": json.dumps(given)}}
    state = {"toolCallId": "call_1", "toolCall": call, "status": status, "output": output or [{"name": "x", "content": "out"}]}
    if uri:
        state["tool"] = {"uri": uri}
    return {"message": {"role": "assistant", "content": "", "toolCalls": [call]}, "contextItems": [], "toolCallStates": [state]}


def session(*items: dict[str, Any]) -> dict[str, Any]:
    return {"sessionId": SESSION, "title": "Fix", "workspaceDirectory": "file:///home/ada/api", "history": list(items)}


def read(*items: dict[str, Any]) -> list[Event]:
    return IMPORTER.open().read(session(*items)).events[1:]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_session_is_recognised_and_told(indent: int | None) -> None:
    answered = {"message": {"role": "tool", "content": "out", "toolCallId": "call_1"}, "contextItems": []}
    made = session(SAID, asked("builtin_run_terminal_command", command="npm test"), answered)
    parsed, rejects = whole(json.dumps(made, indent=indent), "continue")
    events = [event for one in parsed for event in one.events]
    assert not rejects
    assert [e.phase for e in events] == [Phase.STARTED, Phase.PROMPT, Phase.CALL, Phase.RESULT]
    assert {names(e, KeyRole.SCOPE)[0] for e in events} == {f"session:{SESSION}"}
    assert (events[1].text, events[1].attrs["ticket"], events[2].attrs["cwd"]) == ("fix PAY-3", "PAY-3", "/home/ada/api")
    assert (events[2].verb, events[2].attrs["command"]) == (Verb.EXEC, "npm test")


@pytest.mark.parametrize(
    ("status", "tool", "refused"),
    [("done", Tri.YES, None), ("errored", Tri.NO, None), ("canceled", Tri.NO, "interrupted"), ("calling", None, None)],
)
def test_how_a_call_ran(status: str, tool: Tri | None, refused: str | None) -> None:
    results = [e for e in read(asked("read_file", status, filepath="a.py")) if e.phase is Phase.RESULT]
    assert [(e.outcome and e.outcome.tool, e.attrs.get("refused")) for e in results] == ([(tool, refused)] if tool else [])


@pytest.mark.parametrize(
    ("status", "tool", "code"),
    [
        ("Command completed", Tri.YES, None),
        ("Command failed with: Command failed with exit code 2", Tri.NO, "2"),
        ("Command is running in the background", Tri.UNKNOWN, None),
        ("", Tri.UNKNOWN, None),
    ],
)
def test_a_command_that_is_done_may_have_failed(status: str, tool: Tri, code: str | None) -> None:
    output = [{"name": "Terminal", "content": "out", **({"status": status} if status else {})}]
    made = read(asked("run_terminal_command", output=output, command="make"))
    result = only(made, EventKind.ACTION, Phase.RESULT)
    assert (result.outcome and result.outcome.tool, result.attrs.get("status")) == (tool, code)


@pytest.mark.parametrize(
    ("tool", "uri", "given", "verb", "target"),
    [
        ("builtin_edit_existing_file", "", {"filepath": "a.py", "changes": "x"}, Verb.FILE_WRITE, "a.py"),
        ("create_new_file", "", {"filepath": "b.py", "contents": "x"}, Verb.FILE_WRITE, "b.py"),
        ("builtin_fetch_url_content", "", {"url": "https://example.com/x"}, Verb.HTTP_REQUEST, "example.com"),
        ("close_issue", "mcp://tracker/close_issue", {}, Verb.MCP_CALL, "tracker"),
        ("nobody_knows", "", {}, Verb.UNKNOWN, ""),
    ],
)
def test_its_tools(tool: str, uri: str, given: dict[str, Any], verb: Verb, target: str) -> None:
    call = only(read(asked(tool, uri=uri, **given)), EventKind.ACTION, Phase.CALL)
    assert (call.verb, call.target.name) == (verb, target)


def test_a_call_without_a_state_is_told_by_its_message() -> None:
    item = asked("read_file", filepath="a.py")
    del item["toolCallStates"]
    assert [e.phase for e in read(item)] == [Phase.CALL]


def test_broken_records() -> None:
    for bad in ([], {"sessionId": "x"}, {"message": 1}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@given(mutated([session(SAID, asked("read_file", filepath="a.py"))]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
