"""Cursor's stream-json output: a run's session, its calls, how each went and by whom it was refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from importers.cursor_stream import IMPORTER
from model.event import BadRecord, Event, Key
from model.words import Effect, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, survives, whole

SESSION = "0a1b2c3d-0000-4000-8000-000000000001"
INIT = {
    "type": "system",
    "subtype": "init",
    "apiKeySource": "login",
    "cwd": "/home/ada/api",
    "session_id": SESSION,
    "model": "m",
    "permissionMode": "default",
}


def call(name: str, args: dict[str, Any], result: dict[str, Any] | None = None, id: str = "c1") -> dict[str, Any]:
    told = {"args": args, **({"result": result} if result is not None else {})}
    return {
        "type": "tool_call",
        "subtype": "started" if result is None else "completed",
        "call_id": id,
        "tool_call": {name: told},
        "session_id": SESSION,
    }


def read(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for one in records for event in reader.read(one).events]


def test_a_run() -> None:
    rows = [
        INIT,
        {"type": "user", "message": {"role": "user", "content": [{"type": "text", "text": "fix it"}]}, "session_id": SESSION},
        {
            "type": "assistant",
            "message": {"role": "assistant", "content": [{"type": "text", "text": "ok"}]},
            "session_id": SESSION,
        },
        call("shellToolCall", {"command": "ls"}),
        call("shellToolCall", {"command": "ls"}, {"success": {"exitCode": 1, "stdout": "a"}}),
        {"type": "result", "subtype": "success", "is_error": False, "result": "x", "session_id": SESSION},
    ]
    parsed, rejects = whole("\n".join(json.dumps(row) for row in rows), "cursor-stream")
    assert rejects == []
    begun, posture, prompt, asked, done, ended = [event for one in parsed for event in one.events]
    assert (begun.phase, posture.attrs["mode"], prompt.text, ended.phase) == (Phase.STARTED, "default", "fix it", Phase.ENDED)
    assert (asked.attrs["command"], asked.attrs["cwd"], done.attrs["status"]) == ("ls", "/home/ada/api", "1")
    assert done.outcome is not None
    assert done.outcome.tool is Tri.NO
    assert asked.keys == (Key(KeyRole.SCOPE, "session", SESSION), Key(KeyRole.CALL, "call", "c1"))


@pytest.mark.parametrize(
    ("name", "args", "verb", "target"),
    [
        ("readToolCall", {"path": "/a.py"}, Verb.FILE_READ, "/a.py"),
        ("writeToolCall", {"path": "/a.py"}, Verb.FILE_WRITE, "/a.py"),
        ("editToolCall", {"path": "/a.py"}, Verb.FILE_WRITE, "/a.py"),
        ("deleteToolCall", {"path": "/a.py"}, Verb.FILE_DELETE, "/a.py"),
        ("mcpToolCall", {"providerIdentifier": "tracker", "toolName": "close", "args": {}}, Verb.MCP_CALL, "tracker"),
        ("hologramToolCall", {}, Verb.UNKNOWN, ""),
    ],
)
def test_what_a_call_does(name: str, args: dict[str, Any], verb: Verb, target: str) -> None:
    (one,) = read(call(name, args))
    assert (one.verb, one.target.name) == (verb, target)


def test_a_call_told_as_a_function() -> None:
    made = {"type": "tool_call", "subtype": "started", "call_id": "c1", "session_id": SESSION}
    (one,) = read({**made, "tool_call": {"function": {"name": "Shell", "arguments": '{"command": "ls"}'}}})
    assert one.attrs["command"] == "ls"


@pytest.mark.parametrize(
    ("result", "tool", "refused", "effects"),
    [
        ({"success": {}}, Tri.YES, None, []),
        ({"success": {"content": [], "isError": True}}, Tri.NO, None, []),
        ({"error": {"message": "x"}}, Tri.NO, None, []),
        ({"rejected": {"reason": "User rejected MCP: tracker-close"}}, Tri.NO, "rule", [Effect.ASK]),
        ({"permissionDenied": {"error": "no"}}, Tri.NO, "rule", [Effect.DENY]),
        ({}, Tri.UNKNOWN, None, []),
    ],
)
def test_how_a_call_went(result: dict[str, Any], tool: Tri, refused: str | None, effects: list[Effect]) -> None:
    _, done, *verdicts = read(call("writeToolCall", {"path": "/a"}, result))
    assert done.outcome is not None
    assert (done.outcome.tool, done.attrs.get("refused")) == (tool, refused)
    assert [one.decision.effect for one in verdicts if one.decision] == effects


def test_when_a_call_was_and_what_a_run_cost() -> None:
    made = call("shellToolCall", {"command": "ls"})
    made["tool_call"]["startedAtMs"] = "1767323045000"
    ended = {
        "type": "result",
        "subtype": "success",
        "session_id": SESSION,
        "usage": {"inputTokens": 3, "outputTokens": 4, "cacheReadTokens": 9},
    }
    begun, over = read(made, ended)
    assert (begun.at, over.attrs["tokens"]) == (1767323045000000, 7)


def test_what_is_no_event() -> None:
    for bad in ([], 7, {}):
        with pytest.raises(BadRecord):
            read(bad)
    assert IMPORTER.open().read({"type": "moon", "session_id": SESSION}).unknown_type == "moon"


@settings(deadline=None)
@given(mutated([INIT, call("shellToolCall", {"command": "ls"}, {"success": {"exitCode": 0}})]))
def test_anything_at_all_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
