"""Copilot CLI's old history: prompts, calls and refusals of the timeline, and of the messages where it is silent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from importers.copilot_history import IMPORTER
from model.event import BadRecord, Event, Key
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, survives, whole

SESSION = "0a1b2c3d-0000-4000-8000-000000000001"
AT = "2026-03-01T10:00:01.000Z"


def entry(kind: str, **members: Any) -> dict[str, Any]:
    return {"id": "e", "timestamp": AT, "type": kind, **members}


def done(result: object, name: str = "bash", arguments: object = None) -> dict[str, Any]:
    return entry(
        "tool_call_completed",
        callId="call_1",
        name=name,
        toolTitle=name,
        arguments=arguments or {"command": "git push"},
        result=result,
    )


def session(*timeline: dict[str, Any], messages: list[dict[str, Any]] | None = None, **members: Any) -> dict[str, Any]:
    return {
        "sessionId": SESSION,
        "startTime": "2026-03-01T10:00:00.000Z",
        "timeline": list(timeline),
        "chatMessages": messages or [],
        **members,
    }


def read(record: object) -> list[Event]:
    return IMPORTER.open().read(record).events


CALLED = [{"id": "call_1", "type": "function", "function": {"name": "bash", "arguments": '{"command": "git push"}'}}]
MESSAGES = [
    {"role": "user", "content": "Fix PAY-3\n<current_datetime>x</current_datetime>"},
    {"role": "assistant", "content": "", "tool_calls": CALLED},
    {"role": "tool", "tool_call_id": "call_1", "content": "ok"},
]


def test_what_both_lists_tell_is_told_once_with_its_time() -> None:
    timeline = [
        entry("user", text="Fix PAY-3"),
        entry("tool_call_requested", callId="call_1", name="bash", arguments={"command": "git push"}),
        done({"type": "success", "log": "ok"}),
        entry("copilot", text="Done."),
        entry("info", text="x"),
    ]
    begun, prompt, call, result = read(session(*timeline, messages=MESSAGES, selectedModel="m"))
    assert (begun.phase, prompt.text, prompt.attrs["ticket"], call.attrs["command"]) == (
        Phase.STARTED,
        "Fix PAY-3",
        "PAY-3",
        "git push",
    )
    assert result.outcome is not None
    assert (result.outcome.tool, result.attrs["output"], call.attrs["model"]) == (Tri.YES, "ok", "m")
    assert all(event.at is not None for event in (prompt, call, result))
    assert call.keys == (Key(KeyRole.SCOPE, "session", SESSION), Key(KeyRole.CALL, "call", f"{SESSION}/call_1"))


def test_a_session_without_timeline_is_read_from_its_messages() -> None:
    record = {"sessionId": SESSION, "startTime": AT, "chatMessages": MESSAGES}
    assert [(event.kind, event.phase) for event in read(record)] == [
        (EventKind.ACTION, Phase.STARTED),
        (EventKind.INTENT, Phase.PROMPT),
        (EventKind.ACTION, Phase.CALL),
        (EventKind.ACTION, Phase.RESULT),
    ]


@pytest.mark.parametrize(
    ("result", "tool", "refused"),
    [
        ({"type": "success", "log": ""}, Tri.YES, None),
        ({"type": "success", "log": "no\n<exited with exit code 1>"}, Tri.NO, None),
        ({"type": "success", "log": "<command with shellId: 1 is still running after 9 seconds. Wait.>"}, Tri.UNKNOWN, None),
        ({"type": "failure", "log": "exit 1"}, Tri.NO, None),
        ({"type": "rejected", "log": "The user rejected this tool call."}, Tri.NO, "user"),
        ({"type": "denied"}, Tri.NO, "rule"),
        ("text", Tri.UNKNOWN, None),
        (None, Tri.UNKNOWN, None),
    ],
)
def test_how_a_call_went(result: object, tool: Tri, refused: str | None) -> None:
    _, call, outcome, *verdicts = read(session(done(result)))
    assert outcome.outcome is not None
    assert (call.verb, outcome.outcome.tool, outcome.attrs.get("refused")) == (Verb.EXEC, tool, refused)
    assert [one.decision.effect for one in verdicts if one.decision] == ([Effect.DENY] if refused else [])


def test_the_editor_of_that_time() -> None:
    looks = done({"type": "success"}, "str_replace_editor", {"command": "view", "path": "/w/a.py"})
    writes = done({"type": "success"}, "str_replace_editor", {"command": "str_replace", "path": "/w/a.py"})
    assert [read(session(one))[1].verb for one in (looks, writes)] == [Verb.FILE_READ, Verb.FILE_WRITE]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("short", [False, True])
def test_a_file_is_recognised_and_read(indent: int | None, short: bool) -> None:
    record = session(entry("user", text="x"), done({"type": "success"}))
    if short:
        del record["chatMessages"]
    parsed, rejects = whole(json.dumps(record, indent=indent), "copilot-history")
    assert rejects == []
    events = [event for one in parsed for event in one.events]
    assert [event.phase for event in events] == [Phase.STARTED, Phase.PROMPT, Phase.CALL, Phase.RESULT]
    assert {event.keys[0].value for event in events} == {SESSION}


def test_what_is_no_session_is_refused() -> None:
    for bad in ([], 7, {}, {"sessionId": 7, "timeline": []}):
        with pytest.raises(BadRecord):
            read(bad)


@settings(deadline=None)
@given(mutated([session(entry("user", text="x"), done({"type": "rejected"}), messages=MESSAGES)]))
def test_anything_at_all_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
