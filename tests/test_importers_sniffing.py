"""Recognition: whatever a source begins with, every format weighs it without a fault and within its bounds."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from importers.registry import importers
from tests.importer_checks import JSON, mutated

RECORDS: list[dict[str, Any]] = [
    {"sessionId": "s", "projectHash": "h", "type": "gemini", "timestamp": "t", "role": "user", "parts": [{}]},
    {
        "sessionId": "session-1",
        "uuid": "u",
        "message": {"role": "toolResult", "content": [{"type": "toolRequest"}]},
        "type": "message",
    },
    {"info": {"id": "msg_1", "sessionID": "ses_1"}, "parts": [{"id": "prt_1"}], "properties": {"a": 1}, "type": "a.b"},
    {"type": "session.start", "data": {"copilotVersion": "1"}, "id": "e", "timestamp": "t", "parentId": None},
    {
        "type": "session",
        "id": "s",
        "cwd": "/",
        "timestamp": "t",
        "role": "user",
        "content": [{"type": "text", "text": "<task>"}],
        "created": 1,
    },
    {
        "action": "run",
        "observation": "run",
        "args": {},
        "source": "agent",
        "history": [[{}]],
        "instruction": "x",
        "kind": "ActionEvent",
    },
    {
        "user": {"content": {"Prompt": {}}},
        "assistant": {"Response": {}},
        "conversation_id": "c",
        "key": "bubbleId:a:b",
        "value": "{}",
    },
    {"eval": {"task": "t"}, "version": 2, "epoch": 1, "input": "x", "target": "", "messages": [{"role": "user"}], "event": "e"},
    {
        "event": "launched",
        "properties": {},
        "user_id": "u",
        "time": 1,
        "hook_event_name": "stop",
        "ts": 1,
        "ask": "tool",
        "say": "x",
    },
]


@settings(max_examples=100, deadline=None)
@given(st.lists(mutated(RECORDS) | JSON, max_size=4))
def test_every_format_weighs_anything(sample: list[object]) -> None:
    for importer in importers().values():
        assert 0 <= importer.sniff(sample) <= 100, importer.id
