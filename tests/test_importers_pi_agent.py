"""What pi sessions say: a tree of entries, calls in messages, commands a person typed, parents of branched sessions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from importers.pi_agent import IMPORTER
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole

BEGIN = {"type": "session", "version": 3, "id": "pi-1", "timestamp": "2025-01-01T10:00:00Z", "cwd": "/home/ada/api"}


def entry(id: str = "e1", parent: str | None = None, **message: Any) -> dict[str, Any]:
    return {"type": "message", "id": id, "parentId": parent, "timestamp": "2025-01-01T10:00:01Z", "message": message}


USER = entry(role="user", content=[{"type": "text", "text": "PAY-7 go"}])
CALL = entry(
    "e2",
    "e1",
    role="assistant",
    model="m",
    content=[{"type": "toolCall", "id": "c", "name": "bash", "arguments": {"command": "ls"}}],
)


def result(text: str, failed: bool = False) -> dict[str, Any]:
    return entry(
        "e3", "e2", role="toolResult", toolCallId="c", toolName="bash", content=[{"type": "text", "text": text}], isError=failed
    )


def read(*records: object, begin: object = BEGIN) -> list[Event]:
    reader = IMPORTER.open()
    reader.read(begin)
    return [event for one in records for event in reader.read(one).events]


def test_an_exit_code_in_the_details_is_the_command_s() -> None:
    done = result("no")
    done["message"]["details"] = {"status": "failed", "exitCode": 2}
    (event,) = read(done)
    assert (event.attrs["status"], event.outcome and event.outcome.tool) == ("2", Tri.NO)


def test_a_spawned_session_and_a_person_s_answer() -> None:
    blocks = [("s", "sessions_spawn", {"task": "look"}), ("c", "ask", {"questions": []})]
    calls = entry(
        "e2", role="assistant", content=[{"type": "toolCall", "id": i, "name": n, "arguments": a} for i, n, a in blocks]
    )
    events = read(calls, result("User selected: Merge"))
    assert [e.verb for e in events if e.phase is Phase.CALL] == [Verb.AGENT_SPAWN, Verb.AGENT_MESSAGE]
    assert [(e.phase, e.text) for e in events if e.kind is EventKind.INTENT] == [
        (Phase.DELEGATED, "look"),
        (Phase.PROMPT, "Merge"),
    ]


def test_prompt_call_result_and_the_order_they_answer_in() -> None:
    parsed, rejects = whole("\n".join(map(json.dumps, (BEGIN, USER, CALL, result("ok")))), "pi-agent")
    _, intent, call, done = [event for one in parsed for event in one.events]
    assert not rejects
    assert (intent.text, intent.attrs["ticket"], call.verb, call.attrs["command"]) == ("PAY-7 go", "PAY-7", Verb.EXEC, "ls")
    assert (call.ref, done.after) == ("entry:pi-1/e2", "entry:pi-1/e2")
    assert names(call, KeyRole.CALL) == names(done, KeyRole.CALL) == ["call:c"]


@pytest.mark.parametrize(
    ("text", "failed", "tool", "status", "refused"),
    [
        ("fine", False, Tri.YES, None, None),
        ("x\nCommand exited with code 3", True, Tri.NO, "3", None),
        ("a log that was read\nCommand exited with code 3", False, Tri.YES, None, None),
        ("Command aborted", True, Tri.NO, None, "interrupted"),
        ("Tool execution was blocked", True, Tri.NO, None, "hook"),
        ("Tool execution was blocked by an extension", True, Tri.NO, None, "hook"),
    ],
)
def test_results(text: str, failed: bool, tool: Tri, status: str | None, refused: str | None) -> None:
    done = only(read(CALL, result(text, failed)), EventKind.ACTION, Phase.RESULT)
    assert done.outcome is not None
    assert (done.outcome.tool, done.attrs.get("status"), done.attrs.get("refused")) == (tool, status, refused)


def test_a_command_the_person_typed_ran_too() -> None:
    call, done = read(entry(role="bashExecution", command="make", output="no", exitCode=2))
    assert (call.verb, call.attrs["command"], done.attrs["status"]) == (Verb.EXEC, "make", "2")


def gave(text: str, id: str = "c", **details: Any) -> dict[str, Any]:
    """What OpenClaw keeps of a call that came back: never as an error."""
    message = {"role": "toolResult", "toolCallId": id, "toolName": "exec", "content": [{"type": "text", "text": text}]}
    return entry("e3", "e2", **message, isError=False, details=details)


@pytest.mark.parametrize(
    ("details", "tool", "refused", "effects"),
    [
        ({"status": "completed", "exitCode": 0}, Tri.YES, None, []),
        ({"status": "completed", "exitCode": 5}, Tri.NO, None, []),
        ({"status": "failed", "exitCode": None}, Tri.NO, None, []),
        ({"status": "running", "sessionId": "s"}, Tri.UNKNOWN, None, []),
        ({"status": "error", "tool": "read", "error": "ENOENT: no such file"}, Tri.NO, None, []),
        ({"status": "error", "tool": "exec", "error": "exec denied: allowlist miss"}, Tri.NO, "rule", [Effect.DENY]),
        ({"status": "error", "tool": "exec", "error": "exec denied: user denied"}, Tri.NO, "user", [Effect.DENY]),
        ({"status": "approval-unavailable", "reason": "no-approval-route"}, Tri.NO, "rule", [Effect.DENY]),
        ({"status": "forbidden", "error": "sessions_spawn is not allowed"}, Tri.NO, "rule", [Effect.DENY]),
    ],
)
def test_what_openclaw_keeps_beside_a_result(details: Any, tool: Tri, refused: str | None, effects: list[Effect]) -> None:
    events = read(CALL, gave("said", **details))
    result = only(events, EventKind.ACTION, Phase.RESULT)
    assert result.outcome is not None
    assert (result.outcome.tool, result.attrs.get("refused")) == (tool, refused)
    assert [e.decision.effect for e in events if e.decision] == effects


@pytest.mark.parametrize(
    ("told", "tool", "refused", "effects"),
    [
        ("Exec denied (gateway id=ap-1, user-denied): ls", Tri.NO, "user", [Effect.ASK, Effect.DENY]),
        ("Exec denied (node=mac id=ap-1, approval-timeout (allowlist-miss)): ls", Tri.NO, "rule", [Effect.ASK, Effect.DENY]),
        ("Exec finished (gateway id=ap-1, session=x, code 0)\nok", Tri.YES, None, [Effect.ASK, Effect.ALLOW]),
        ("Exec finished (gateway id=ap-1, session=x, timeout)", Tri.UNKNOWN, None, [Effect.ASK, Effect.ALLOW]),
    ],
)
def test_a_command_that_waits_for_a_person(told: str, tool: Tri, refused: str | None, effects: list[Effect]) -> None:
    asked = gave("Approval required", status="approval-pending", approvalId="ap-1", command="ls")
    said = entry("e4", "e3", role="user", content=f"An async command did not run.\nExact completion details:\n{told}")
    events = read(CALL, asked, said)
    result = only(events, EventKind.ACTION, Phase.RESULT)
    assert result.outcome is not None
    assert (result.outcome.tool, result.attrs.get("refused")) == (tool, refused)
    assert [e.decision.effect for e in events if e.decision] == effects
    assert not any(e.kind is EventKind.INTENT for e in events)
    (prompt,) = read(entry(role="user", content=f"System: [10:00] {told}\n\ngo on"))
    assert prompt.phase is Phase.PROMPT


def test_calls_as_models_write_them_and_a_command_that_was_stopped() -> None:
    block = {"type": "functionCall", "id": "f", "name": "exec", "arguments": '{"command": "make"}'}
    call, result = read(
        entry(role="assistant", content=[block]), entry("e3", role="toolResult", call_id="f", isError=False, content="ok")
    )
    assert call.attrs["command"] == "make"
    assert call.keys_of(KeyRole.CALL) == result.keys_of(KeyRole.CALL)
    _, result = read(entry(role="bashExecution", command="make", output="", exitCode=None, cancelled=True))
    assert result.attrs["refused"] == "interrupted"
    result, verdict = read(entry(role="toolResult", toolCallId="c", isError=True, content="Blocked by user"))
    assert (result.attrs["refused"], verdict.decision and verdict.decision.effect) == ("user", Effect.DENY)


def test_what_a_branched_session_repeats_is_told_once_and_as_its_origin_s() -> None:
    later = {
        **BEGIN,
        "id": "pi-2",
        "timestamp": "2025-01-01T11:00:00Z",
        "parentSession": "/s/2025-01-01T10-00-00-000Z_pi-1.jsonl",
    }
    own = {**entry("e9", "e3", role="user", content="now lint"), "timestamp": "2025-01-01T11:00:05Z"}
    origin, branch = IMPORTER.open(), IMPORTER.open()
    origin.read(BEGIN)
    branch.read(later)
    first = [origin.read(one) for one in (USER, CALL, result("ok"))]
    second = [branch.read(one) for one in (USER, CALL, result("ok"))]
    assert [(one.identity, one.scope) for one in first] == [(one.identity, one.scope) for one in second]
    assert ([one.copied for one in first], [one.copied for one in second]) == ([False] * 3, [True] * 3)
    assert [e.keys for one in first for e in one.events] == [e.keys for one in second for e in one.events]
    told = branch.read(own)
    assert (told.copied, names(told.events[0], KeyRole.SCOPE)) == (False, ["session:pi-2"])
    assert names(told.events[0], KeyRole.PARENT) == ["session:pi-1"]


def test_a_branched_session_names_its_parent() -> None:
    begin = BEGIN | {"branchedFrom": "/home/ada/.pi/agent/sessions/--x--/2025-01-01T09-00-00-000Z_parent-uuid.jsonl"}
    assert names(read(USER, begin=begin)[0], KeyRole.PARENT) == ["session:parent-uuid"]


def test_the_events_of_a_run() -> None:
    rows = [
        BEGIN,
        {"type": "agent_start"},
        {"type": "message_start", "message": {"role": "user", "content": "fix it"}},
        {"type": "message_end", "message": {"role": "user", "content": [{"type": "text", "text": "fix it"}]}},
        {"type": "message_end", "message": {"role": "assistant", "content": [{"type": "toolCall", "id": "t1", "name": "bash", "arguments": {"command": "ls"}}]}},
        {"type": "tool_execution_start", "toolCallId": "t1", "toolName": "bash", "args": {"command": "ls"}},
        {"type": "tool_execution_end", "toolCallId": "t1", "toolName": "bash", "result": {"content": [{"type": "text", "text": "no"}]}, "isError": True},
        {"type": "message_end", "message": {"role": "toolResult", "toolCallId": "t1", "toolName": "bash", "content": [{"type": "text", "text": "no"}], "isError": True}},
        {"type": "agent_end", "messages": []},
    ]  # fmt: skip
    for some in (rows, rows[1:]):
        parsed, rejects = whole("\n".join(json.dumps(row) for row in some), "pi-agent")
        assert rejects == []
        prompt, asked, done = [event for one in parsed for event in one.events if event.phase is not Phase.STARTED]
        assert (prompt.text, asked.attrs["command"]) == ("fix it", "ls")
        assert done.outcome is not None
        assert done.outcome.tool is Tri.NO
        assert [one.unknown_type for one in parsed] == [None] * len(some)


def test_unknown_and_broken_records() -> None:
    assert IMPORTER.open().read({"type": "future", "id": "x"}).unknown_type == "future"
    for bad in ([], {}, {"type": "message", "message": {}}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([BEGIN, USER, CALL, result("x", True), entry(role="bashExecution", command="x", exitCode=1)]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_corpus(corpus: Path) -> None:
    for path in corpus.glob("pi-agent/*/*.jsonl"):
        parsed, rejects = whole(path.read_bytes(), "pi-agent")
        assert (len(parsed), len(rejects)) == (10, 1)
        assert [one.unknown_type for one in parsed if one.unknown_type] == ["unknown_future_entry_type"]
