"""Codex rollouts of all ages: bare records, the first program's one object, and what is none of them."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from importers import NotRecognised, open_source
from importers.codex import IMPORTER
from importers.shared.fields import decode
from model.event import BadRecord, Decision, Key, RawRecord
from model.words import Clock, Effect, EventKind, KeyRole, Phase
from tests.codex_rows import THREAD, read, row
from tests.importer_checks import names, only, whole


def test_bare_records_of_old_versions_are_read() -> None:
    rows = [
        {"id": THREAD, "timestamp": "2025-08-01T10:00:00Z", "instructions": None, "git": {"branch": "main"}},
        {"record_type": "state"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}]},
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "name": "shell", "arguments": '{"command":["ls"]}', "call_id": "call_1"},
        {"type": "function_call_output", "call_id": "call_1", "output": '{"output":"a","metadata":{"exit_code":0}}'},
    ]
    source = open_source(io.BytesIO("\n".join(json.dumps(one) for one in rows).encode()))
    assert source.format == "codex"
    reader = source.importer.open()
    events = [event for one in source.items() if isinstance(one, RawRecord) for event in reader.read(decode(one.data)).events]
    assert [event.phase for event in events] == [Phase.STARTED, Phase.PROMPT, Phase.CALL, Phase.RESULT]
    assert {event.keys[0] for event in events} == {Key(KeyRole.SCOPE, "session", THREAD)}
    assert events[1].clock is Clock.ORDER_ONLY


@pytest.mark.parametrize("more", [{}, {"instructions": None}, {"git": {"branch": "main"}}])
def test_the_head_of_the_oldest_rollouts_needs_no_instructions(more: dict[str, object]) -> None:
    (event,) = IMPORTER.open().read({"id": THREAD, "timestamp": "2025-05-01T10:00:00Z", **more}).events
    assert (event.phase, event.keys) == (Phase.STARTED, (Key(KeyRole.SCOPE, "session", THREAD),))
    with pytest.raises(BadRecord):
        IMPORTER.open().read({"id": THREAD, "timestamp": "2025-05-01T10:00:00Z", "level": "info"})


def test_another_vendors_messages_are_no_items_without_envelope() -> None:
    """A message of the Anthropic API has the same type and role, and stands under `message` in what Claude Code streams."""
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "hello"}],
    }
    assert IMPORTER.sniff([message]) == 0
    stream = json.dumps({"type": "assistant", "message": message, "session_id": THREAD, "uuid": "u"})
    with pytest.raises(NotRecognised):
        open_source(io.BytesIO(f"{stream}\n{stream}\n".encode()))
    bare = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}
    assert IMPORTER.sniff([bare]) > 0


def test_the_first_rollouts_say_in_the_first_message_where_they_ran() -> None:
    words = "<environment_context>\n  <cwd>/w/old</cwd>\n  <approval_policy>on-request</approval_policy>\n  <sandbox_mode>read-only</sandbox_mode>\n</environment_context>"
    said = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]} for text in (words, "go")]
    reader = IMPORTER.open()
    start = {"id": THREAD, "timestamp": "2025-08-18T01:16:13Z", "instructions": None}
    posture, intent = [event for one in (start, *said) for event in reader.read(one).events][1:]
    assert (posture.attrs["mode"], posture.attrs["sandbox"]) == ("on-request", "read-only")
    assert (intent.text, intent.attrs["cwd"]) == ("go", "/w/old")


def test_the_first_program_wrote_one_object() -> None:
    denied = {"output": "aborted", "metadata": {}}
    stopped = {"output": "aborted", "metadata": {"exit_code": 1, "duration_seconds": 0}}
    items: list[dict[str, Any]] = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}]}]
    for number, answer in enumerate((denied, stopped)):
        given = json.dumps({"command": ["bash", "-lc", "rm x"]})
        items.append({"type": "function_call", "name": "shell", "call_id": f"c{number}", "arguments": given})
        items.append({"type": "function_call_output", "call_id": f"c{number}", "output": json.dumps(answer)})
    session = {"timestamp": "2025-04-18T10:00:00.000Z", "id": THREAD, "instructions": ""}
    for text in (json.dumps({"session": session, "items": items}), json.dumps({"session": session, "items": items}, indent=1)):
        parsed, rejects = whole(text, "codex")
        events = [event for one in parsed for event in one.events]
        assert not rejects and {name for e in events for name in names(e, KeyRole.SCOPE)} == {f"session:{THREAD}"}
        assert (events[0].phase, events[0].clock) == (Phase.STARTED, Clock.EXACT)
        assert [e.attrs["refused"] for e in events if e.phase is Phase.RESULT] == ["user", "interrupted"]
        assert (only(events, EventKind.DECISION).decision or Decision()).effect is Effect.DENY


def test_a_head_that_is_no_rollouts_says_nothing() -> None:
    assert IMPORTER.open().read({"items": [], "next": None}).events == []


def test_what_a_fork_adds_to_its_conversation_at_once_is_read_item_by_item() -> None:
    items = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}]},
        {"type": "custom_tool_call", "name": "exec", "call_id": "c", "input": '{"cmd":"ls src"}'},
        {"type": "trae_extra_info", "extra_info": {"kind": "ui-only"}},
        {"type": "custom_tool_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "a.py"}]},
    ]
    added = row("history_mutation", {"operation": "append", "items": items})
    replaced = row("history_mutation", {"operation": "replace", "items": items})
    intent, call, done = read(added, replaced)
    assert (intent.text, call.attrs["command"], done.attrs["output"]) == ("go", "ls src", "a.py")
