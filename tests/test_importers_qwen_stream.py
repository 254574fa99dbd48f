"""Qwen Code's stream: its own tools and exit codes in the frame of Claude Code's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from importers.qwen_stream import IMPORTER
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole

SESSION = "e11f0a0c-6bcb-4ca2-83dd-6323763bf952"
INIT = {"type": "system", "subtype": "init", "uuid": SESSION, "session_id": SESSION, "cwd": "/home/ada/api", "tools": ["edit"], "model": "m",
        "permission_mode": "yolo", "qwen_code_version": "0.14.0"}  # fmt: skip


def said(kind: str, *blocks: dict[str, Any], parent: str | None = None) -> dict[str, Any]:
    message = {"id": "m1", "role": kind, "content": list(blocks), "usage": {"input_tokens": 3, "output_tokens": 4}}
    return {"type": kind, "uuid": f"u-{kind}", "session_id": SESSION, "parent_tool_use_id": parent, "message": message}


def used(name: str = "run_shell_command", parent: str | None = None, **given: Any) -> dict[str, Any]:
    return said("assistant", {"type": "tool_use", "id": "call_1", "name": name, "input": given}, parent=parent)


def came(content: str, failed: bool = False) -> dict[str, Any]:
    return said("user", {"type": "tool_result", "tool_use_id": "call_1", "content": content, "is_error": failed})


def read(*rows: object) -> list[Event]:
    reader = IMPORTER.open()
    reader.read(INIT)
    return [event for one in rows for event in reader.read(one).events]


def test_a_run() -> None:
    end = {"type": "result", "subtype": "success", "session_id": SESSION, "is_error": False, "permission_denials": []}
    rows = [
        INIT,
        said("user", {"type": "text", "text": "fix PAY-3"}),
        used(command="npm test"),
        came("Output: no\nExit Code: 1"),
        end,
    ]
    parsed, rejects = whole("\n".join(map(json.dumps, rows)), "qwen-stream")
    events = [event for one in parsed for event in one.events]
    assert not rejects and not any(one.unknown_type for one in parsed)
    begun, posture, prompt, call, result, ended = events
    assert (begun.phase, posture.attrs["mode"], prompt.text, ended.phase) == (Phase.STARTED, "yolo", "fix PAY-3", Phase.ENDED)
    assert (call.point, call.verb, call.attrs["command"], call.attrs["cwd"], call.attrs["tokens"]) == (
        "qwen-code", Verb.EXEC, "npm test", "/home/ada/api", 7,
    )  # fmt: skip
    assert (result.outcome and result.outcome.tool, result.attrs["status"]) == (Tri.NO, "1")
    assert names(call, KeyRole.SCOPE) == [f"session:{SESSION}"]


@pytest.mark.parametrize(
    ("content", "failed", "tool", "effects"),
    [
        ("Output: ok", False, Tri.YES, []),
        ("no such file", True, Tri.NO, []),
        ('Qwen Code requires permission to use "edit", but it cannot prompt for confirmation', True, Tri.NO, [Effect.ASK]),
        ('Qwen Code requires permission to use "edit", but that permission was declined.', True, Tri.NO, [Effect.DENY]),
    ],
)
def test_how_a_call_went(content: str, failed: bool, tool: Tri, effects: list[Effect]) -> None:
    events = read(used(command="x"), came(content, failed))
    result = only(events, EventKind.ACTION, Phase.RESULT)
    assert result.outcome is not None and result.outcome.tool is tool
    assert [one.decision.effect for one in events if one.decision] == effects


def test_a_denied_call_that_is_told_at_the_end_alone() -> None:
    denial = {"tool_name": "write_file", "tool_use_id": "call_9", "tool_input": {"file_path": "/w/a.py"}}
    events = read({"type": "result", "subtype": "success", "session_id": SESSION, "permission_denials": [denial]})
    assert (events[0].verb, events[0].target.name) == (Verb.FILE_WRITE, "/w/a.py")
    assert [one.decision.effect for one in events if one.decision] == [Effect.DENY]


def test_a_sub_agents_call_is_its_own() -> None:
    (call,) = read(used(parent="call_0", command="ls"))
    assert (names(call, KeyRole.SCOPE), names(call, KeyRole.PARENT)) == (
        [f"session:{SESSION}/call_0"], [f"session:{SESSION}", "call:call_0"],
    )  # fmt: skip


def test_unknown_and_broken_records() -> None:
    assert IMPORTER.open().read({"type": "brand_new"}).unknown_type == "brand_new"
    for bad in ([], {}, {"type": "user"}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@given(mutated([INIT, used(command="x"), came("no", True)]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
