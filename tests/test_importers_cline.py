"""What the files of a Cline or Roo task say: calls in XML and in blocks, a person's words among the program's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from importers.cline import IMPORTER
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole

ENVIRONMENT = "<environment_details>\n# Current Working Directory (/home/ada/api) Files\na.py\n# Current Mode\nACT MODE\n</environment_details>"


def says(role: str, *texts: str) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text} for text in texts]}


TASK = says("user", "<task>\nPAY-7 go\n</task>", ENVIRONMENT)
CALL = says(
    "assistant",
    "I will.\n<execute_command>\n<command>git push</command>\n<requires_approval>true</requires_approval>\n</execute_command>",
)


def shown(kind: str, what: str, text: str = "", **members: Any) -> dict[str, Any]:
    return {"ts": 1781220419000, "type": kind, kind: what, "text": text, **members}


def read(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for one in records for event in reader.read(one).events]


def test_the_history_with_calls_in_the_text() -> None:
    rows = [TASK, CALL, says("user", "[execute_command for 'git push'] Result:", "Command executed.\nOutput:\nok", ENVIRONMENT)]
    parsed, rejects = whole(json.dumps(rows), "cline")
    events = [event for one in parsed for event in one.events]
    assert not rejects
    intent, posture, call, done = events
    assert (intent.text, intent.attrs["cwd"], posture.attrs["mode"]) == ("PAY-7 go", "/home/ada/api", "act")
    assert (call.verb, call.attrs["command"]) == (Verb.EXEC, "git push")
    assert names(call, KeyRole.CALL) == names(done, KeyRole.CALL)
    assert "Command executed." in str(done.attrs["output"])


def test_a_refusal_with_words() -> None:
    denied = "[execute_command for 'git push'] Result:\nThe user denied this operation and provided the following feedback:\n<feedback>\nUse the job\n</feedback>"
    events = read(TASK, CALL, says("user", denied))
    assert only(events, EventKind.ACTION, Phase.RESULT).attrs["refused"] == "user"
    assert [e.decision.effect for e in events if e.decision] == [Effect.DENY]
    assert [e.text for e in events if e.kind is EventKind.INTENT] == ["PAY-7 go", "Use the job"]


def test_the_history_with_calls_in_blocks() -> None:
    call = {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "t", "name": "use_mcp_tool", "input": {"server_name": "gh", "tool_name": "x"}}],
    }
    done = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "boom", "is_error": True}]}
    one, two = read(call, done)
    assert (one.verb, one.target.name, one.target.detail) == (Verb.MCP_CALL, "gh", "x")
    assert two.outcome is not None
    assert (two.outcome.tool, names(one, KeyRole.CALL)) == (Tri.NO, names(two, KeyRole.CALL))


def test_the_window_tells_what_was_asked_and_what_ran_without_asking() -> None:
    rows = [
        shown("say", "text", "PAY-7 go"),
        shown("ask", "command", "npm test", partial=True),
        shown("ask", "command", "npm test"),
        shown("say", "command_output", "ok"),
        shown("say", "tool", json.dumps({"tool": "editedExistingFile", "path": "CLAUDE.md"})),
        shown("say", "text", "done"),
        shown("say", "user_feedback", "thanks"),
    ]
    parsed, _ = whole(json.dumps(rows), "cline")
    events = [event for one in parsed for event in one.events]
    assert [e.text for e in events if e.kind is EventKind.INTENT] == ["PAY-7 go", "thanks"]
    assert [(e.verb, e.attrs.get("command")) for e in events if e.phase is Phase.CALL] == [
        (Verb.EXEC, "npm test"),
        (Verb.INSTRUCTIONS_WRITE, None),
    ]
    assert [e.decision.effect for e in events if e.decision] == [Effect.ASK]
    assert events[0].at == 1781220419000000


def test_metadata_and_broken_records() -> None:
    assert whole(json.dumps({"files_in_context": [], "model_usage": []}), "cline")[0][0].events == []
    for bad in ([], {}, {"role": "user"}, {"type": "ask"}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([TASK, CALL, shown("ask", "tool", "{}")]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
