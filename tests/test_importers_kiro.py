"""What Kiro conversations say, as a payload and as database rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from importers.kiro import IMPORTER
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole


def entry(content: dict[str, Any], assistant: dict[str, Any] | None = None) -> dict[str, Any]:
    env = {"env_state": {"current_working_directory": "/home/ada/api"}}
    user = {"env_context": env, "content": content, "timestamp": "2026-05-17T10:00:00Z"}
    answer = assistant or {"Response": {"message_id": "m", "content": "ok"}}
    return {"user": user, "assistant": answer, "request_metadata": {"stream_end_timestamp_ms": 1779012030000}}


CALL = entry(
    {"Prompt": {"prompt": "PAY-7 go"}},
    {
        "ToolUse": {
            "message_id": "m",
            "content": "",
            "tool_uses": [{"id": "t", "name": "execute_bash", "args": {"command": "ls"}}],
        }
    },
)
OUTPUT = {"tool_use_id": "t", "content": [{"Json": {"exit_status": "1", "stdout": "a", "stderr": "b"}}], "status": "Success"}
DONE = entry({"ToolUseResults": {"tool_use_results": [OUTPUT]}})
STOPPED = entry({"CancelledToolUses": {"prompt": "Use the job", "tool_use_results": [OUTPUT | {"status": "Error"}]}})
PAYLOAD = {"conversation_id": "c-1", "history": [CALL, DONE], "transcript": ["> go"]}


def told(events: list[Event]) -> list[tuple[object, ...]]:
    return [(e.kind, e.phase, e.verb, e.text, e.keys, e.attrs) for e in events]


def test_a_payload_and_its_row_say_the_same() -> None:
    forms = (
        json.dumps(PAYLOAD),
        json.dumps(PAYLOAD, indent=1),
        json.dumps({"key": "/home/ada/api", "conversation_id": "c-1", "value": json.dumps(PAYLOAD)}),
        json.dumps(
            {
                "_table": "conversations_v2",
                "columns": {"key": "/home/ada/api", "conversation_id": "c-1", "value": json.dumps(PAYLOAD)},
            }
        ),
    )
    for text in forms:
        parsed, rejects = whole(text, "kiro")
        _, intent, call, done = [event for one in parsed for event in one.events]
        assert not rejects
        assert (intent.text, call.verb, call.attrs["command"], call.attrs["cwd"]) == (
            "PAY-7 go",
            Verb.EXEC,
            "ls",
            "/home/ada/api",
        )
        assert names(call, KeyRole.SCOPE) == ["session:c-1"]
        assert names(call, KeyRole.CALL) == names(done, KeyRole.CALL) == ["call:t"]
        assert done.outcome is not None
        assert (done.outcome.tool, done.attrs["status"], done.attrs["output"]) == (Tri.NO, "1", "a\nb")
        assert call.at == 1779012030000000


def test_a_cancelled_call_is_a_refusal_with_the_persons_words() -> None:
    reader = IMPORTER.open()
    events = [event for one in (CALL, STOPPED) for event in reader.read(one).events]
    assert only(events, EventKind.ACTION, Phase.RESULT).attrs["refused"] == "user"
    assert [e.decision.effect for e in events if e.decision] == [Effect.DENY]
    assert [e.text for e in events if e.kind is EventKind.INTENT] == ["PAY-7 go", "Use the job"]


def test_a_session_of_lines() -> None:
    def line(kind: str, *content: dict[str, Any], **data: Any) -> dict[str, Any]:
        return {"version": "v1", "kind": kind, "data": {"message_id": kind, "content": list(content), **data}}

    def used(id: str) -> dict[str, Any]:
        return {
            "kind": "toolUse",
            "data": {"toolUseId": id, "name": "shell", "input": {"command": "ls", "__tool_use_purpose": "x"}},
        }

    def gave(id: str, status: str, *content: dict[str, Any]) -> dict[str, Any]:
        return {"kind": "toolResult", "data": {"toolUseId": id, "status": status, "content": list(content)}}

    ran = {"kind": "json", "data": {"exit_status": "exit status: 1", "stdout": "a", "stderr": "b"}}
    rows = [
        line("Prompt", {"kind": "text", "data": "fix it"}, {"kind": "image", "data": {}}, meta={"timestamp": 1772359200.5}),
        line("AssistantMessage", {"kind": "thinking", "data": {"text": "x"}}, {"kind": "text", "data": "x"}, used("t1"), used("t2")),
        line("ToolResults", gave("t1", "success", ran), gave("t2", "error", {"kind": "text", "data": "Tool use was cancelled by the user"})),
        {"version": "v1", "kind": "Clear", "data": None},
    ]  # fmt: skip
    parsed, rejects = whole("\n".join(json.dumps(row) for row in rows), "kiro")
    assert rejects == []
    prompt, first, second, failed, refused, verdict = [event for one in parsed for event in one.events]
    assert (prompt.text, prompt.at, first.attrs["command"], second.verb) == ("fix it", 1772359200500000, "ls", Verb.EXEC)
    assert failed.outcome is not None
    assert verdict.decision is not None
    assert (failed.outcome.tool, failed.attrs["status"], refused.attrs["refused"]) == (Tri.NO, "1", "user")
    assert verdict.decision.effect is Effect.DENY
    assert [one.unknown_type for one in parsed] == [None] * len(rows)


def test_a_row_that_comes_without_its_table() -> None:
    value = json.dumps({"conversation_id": "0a1b2c3d-0000-4000-8000-000000000001", "history": []})
    parsed, _ = whole(json.dumps({"key": "/home/ada/api", "value": value}), "kiro")
    assert parsed[0].events[0].attrs["cwd"] == "/home/ada/api"


def test_unknown_and_broken_records() -> None:
    assert IMPORTER.open().read(entry({"Hologram": {}})).unknown_type == "entry/Hologram"
    for bad in ([], {"a": 1}, {"value": "{", "conversation_id": "x"}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([CALL, DONE, STOPPED, PAYLOAD]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_corpus(corpus: Path) -> None:
    for path in corpus.glob("kiro/*/*.json"):
        parsed, rejects = whole(path.read_bytes(), "kiro")
        payload = json.loads(path.read_bytes())
        assert (len(parsed), rejects) == (len(payload["history"]) + 1, [])
        assert [e.phase for p in parsed for e in p.events] == [Phase.STARTED, Phase.PROMPT, Phase.PROMPT, Phase.CALL]
