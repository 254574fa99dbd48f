"""What iFlow sessions say: Claude's frame, Gemini's results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from importers.iflow import IMPORTER
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole

SESSION = "5de701fc-7454-4858-a249-95cac4fd3b51"


def record(kind: str, content: object, **members: Any) -> dict[str, Any]:
    return {
        "uuid": f"u-{kind}", "parentUuid": "u0", "sessionId": f"session-{SESSION}", "timestamp": "2026-01-21T05:56:34.812Z",
        "type": kind, "isSidechain": False, "message": {"role": kind, "content": content, "model": "glm-4.7"},
        "cwd": "/home/ada/api", "gitBranch": None, "version": "1.0.0", **members,
    }  # fmt: skip


CALL = record("assistant", [{"type": "tool_use", "id": "call_1", "name": "run_shell_command", "input": {"command": "git push"}}])


def result(status: str, **response: str) -> dict[str, Any]:
    parts = {"functionResponse": {"id": "call_1", "name": "run_shell_command", "response": response}}
    content = [{"type": "tool_result", "tool_use_id": "call_1", "content": {"callId": "call_1", "responseParts": parts}}]
    return record("user", content, toolUseResult={"toolName": "run_shell_command", "status": status})


def read(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for one in records for event in reader.read(one).events]


def test_a_prompt_is_what_was_typed_without_the_files_it_names() -> None:
    (intent,) = read(record("user", "Read @a.md\n--- Content from referenced files ---\ntext"))
    assert intent.text == "Read @a.md"


def test_prompt_call_and_result() -> None:
    intent, call, done = read(record("user", "go"), CALL, result("success", output="Exit Code: 0"))
    assert (intent.kind, intent.text, intent.attrs["cwd"]) == (EventKind.INTENT, "go", "/home/ada/api")
    assert (call.verb, call.attrs["command"], call.attrs["model"]) == (Verb.EXEC, "git push", "glm-4.7")
    assert names(call, KeyRole.SCOPE) == [f"session:{SESSION}"]
    assert names(call, KeyRole.CALL) == names(done, KeyRole.CALL) == ["call:call_1"]
    assert done.outcome is not None
    assert done.outcome.tool is Tri.YES


def test_a_refusal_is_a_decision() -> None:
    events = read(CALL, result("cancelled", error="[Operation Cancelled] Reason: User denied execution."))
    assert only(events, EventKind.ACTION, Phase.RESULT).attrs["refused"] == "user"
    decision = only(events, EventKind.DECISION).decision
    assert decision is not None
    assert decision.effect is Effect.DENY


def test_broken_and_unknown_records() -> None:
    assert IMPORTER.open().read(record("brand-new", "")).unknown_type == "brand-new"
    for bad in ([], {"sessionId": "session-x"}, {"type": "user"}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([record("user", "go"), CALL, result("error", error="x")]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_corpus(corpus: Path) -> None:
    for path in corpus.glob("iflow-cli/*/*.jsonl"):
        parsed, rejects = whole(path.read_bytes(), "iflow-cli")
        events = [event for one in parsed for event in one.events]
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        blocks = [b for row in rows if isinstance(row["message"]["content"], list) for b in row["message"]["content"]]
        assert (len(parsed), rejects) == (len(rows), [])
        for kind, phase, name in (("tool_use", Phase.CALL, "id"), ("tool_result", Phase.RESULT, "tool_use_id")):
            assert sum(e.phase is phase for e in events) == len({b[name] for b in blocks if b["type"] == kind})
