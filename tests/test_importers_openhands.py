"""What OpenHands says in event streams, runs and bare histories: causes, refusals, exit codes, times without a zone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from importers.base import reader_of
from importers.openhands import IMPORTER
from model.event import BadRecord, Event, Outcome
from model.words import Clock, Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole


def act(action: str, id: int = 3, source: str = "agent", **args: Any) -> dict[str, Any]:
    return {"id": id, "timestamp": "2025-01-27T22:44:56.900854", "source": source, "action": action, "args": args}


def saw(observation: str, content: str = "", cause: int = 3, **extras: Any) -> dict[str, Any]:
    shape = {"id": 4, "timestamp": "2025-01-27T22:44:57", "source": "agent", "cause": cause, "observation": observation}
    return shape | {"content": content, "extras": extras}


ASK = act("message", 0, "user", content="PAY-7 go")


def read(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for one in records for event in reader.read(one).events]


def test_a_stream_of_events() -> None:
    rows = [ASK, act("run", command="ls"), saw("run", "a", metadata={"exit_code": 0}), act("finish", 5)]
    for text in (json.dumps(rows), "\n".join(map(json.dumps, rows))):
        parsed, rejects = whole(text, "openhands")
        intent, call, done = [event for one in parsed for event in one.events]
        assert not rejects
        assert (intent.text, call.verb, call.attrs["command"], call.clock) == ("PAY-7 go", Verb.EXEC, "ls", Clock.ZONE_ASSUMED)
        assert names(call, KeyRole.CALL) == names(done, KeyRole.CALL)
        assert done.outcome is not None
        assert done.outcome.tool is Tri.YES


@pytest.mark.parametrize(
    ("row", "tool", "refused"),
    [
        (saw("run", "x", metadata={"exit_code": 2}), Tri.NO, None),
        (saw("error", "boom"), Tri.NO, None),
        (saw("user_rejected", "no"), Tri.NO, "user"),
        (saw("read", "text"), Tri.UNKNOWN, None),
        (saw("mcp", '{"isError": true, "content": []}'), Tri.NO, None),
        (saw("mcp", '{"isError": false, "content": []}'), Tri.YES, None),
        (saw("mcp", "plain words"), Tri.UNKNOWN, None),
        (saw("browse", "page", error=True), Tri.NO, None),
        (saw("browse", "page", error=False), Tri.YES, None),
    ],
)
def test_results(row: dict[str, Any], tool: Tri, refused: str | None) -> None:
    events = read(act("run", command="ls"), row)
    done = only(events, EventKind.ACTION, Phase.RESULT)
    assert done.outcome is not None
    assert (done.outcome.tool, done.attrs.get("refused")) == (tool, refused)
    assert [(e.decision.effect, e.decision.by) for e in events if e.decision] == ([(Effect.DENY, "user")] if refused else [])


def test_confirmed_by_default_is_no_decision_but_a_question_and_its_answer_are() -> None:
    assert [e.phase for e in read(act("run", command="ls", confirmation_state="confirmed"))] == [Phase.CALL]
    asked = act("run", command="ls", confirmation_state="awaiting_confirmation")
    events = read(asked, saw("agent_state_changed", agent_state="user_confirmed"))
    assert [(e.decision.effect, e.decision.by) for e in events if e.decision] == [
        (Effect.ASK, "openhands"),
        (Effect.ALLOW, "user"),
    ]
    assert len({name for e in events for name in names(e, KeyRole.CALL)}) == 1


def test_a_run_holds_its_history_and_every_run_is_a_task() -> None:
    run = {"instance_id": "a-1", "instruction": "fix it", "metadata": {"llm_config": {"model": "m"}}, "git_patch": ""}
    pair = [act("run", command="ls"), saw("run", "a")]
    bare = [{"action": "run", "command": "ls"}, {"observation": "run", "content": "a", "exit_code": 1, "command_id": -1}]
    rows = [run | {"history": [pair]}, run | {"instance_id": "a-2", "history": bare}]
    parsed, rejects = whole("\n".join(map(json.dumps, rows)), "openhands")
    assert not rejects
    for one in parsed:
        assert [e.phase for e in one.events] == [Phase.STARTED, Phase.PROMPT, Phase.CALL, Phase.RESULT]
        assert names(one.events[2], KeyRole.CALL) == names(one.events[3], KeyRole.CALL)
    assert parsed[0].scope != parsed[1].scope
    assert parsed[1].events[3].attrs["status"] == "1"


def test_events_of_the_later_sdk() -> None:
    base = {"timestamp": "2026-01-01T00:00:00", "source": "agent", "tool_name": "terminal", "tool_call_id": "c"}
    made = base | {"id": "u1", "kind": "ActionEvent", "action": {"kind": "ExecuteBashAction", "command": "ls"}}
    refused = base | {"id": "u2", "kind": "UserRejectObservation", "rejection_reason": "not now"}
    call, result, verdict = read(made, refused)
    assert (call.attrs["command"], result.attrs["refused"]) == ("ls", "user")
    assert verdict.decision is not None
    assert verdict.decision.reason == "not now"


def acp(status: str, **members: Any) -> dict[str, Any]:
    shape = {
        "id": "e",
        "timestamp": "2026-01-01T00:00:00",
        "source": "agent",
        "kind": "ACPToolCallEvent",
        "tool_call_id": "toolu_1",
    }
    return shape | {"title": "ls", "tool_kind": "execute", "status": status, "is_error": status == "failed"} | members


def test_calls_of_an_agent_that_is_driven_are_told_once_and_with_what_they_were_called_with() -> None:
    given = {"raw_input": {"command": "ls -la"}}
    said = {"content": [{"type": "content", "content": {"type": "text", "text": "a.py"}}]}
    call, done = read(acp("pending"), acp("in_progress", **given), acp("in_progress", **given), acp("completed", **given, **said))
    assert (call.attrs["command"], done.attrs["output"], names(call, KeyRole.CALL)) == (
        "ls -la",
        "a.py",
        names(done, KeyRole.CALL),
    )
    assert (done.outcome or Outcome()).tool is Tri.YES


@pytest.mark.parametrize(
    ("members", "verb", "target", "ok"),
    [
        (
            {"tool_kind": "edit", "title": "Edit", "content": [{"type": "diff", "path": "/w/a.py"}]},
            Verb.FILE_WRITE,
            "/w/a.py",
            Tri.YES,
        ),
        ({"tool_kind": "read", "title": "Read", "raw_input": {"path": "a.py"}}, Verb.FILE_READ, "a.py", Tri.YES),
        ({"tool_kind": "other", "title": "mcp.db.query", "raw_input": {"arguments": {}}}, Verb.MCP_CALL, "db", Tri.YES),
        ({"raw_output": {"exit_code": 2, "formatted_output": "no"}}, Verb.EXEC, "", Tri.NO),
        ({"raw_output": {"exit_code": 0}}, Verb.EXEC, "", Tri.YES),
        ({"status": "failed"}, Verb.EXEC, "", Tri.NO),
    ],
)
def test_what_a_driven_agents_calls_do(members: dict[str, Any], verb: Verb, target: str, ok: Tri) -> None:
    call, done = read(acp("completed") | members)
    assert (call.verb, call.target.name, (done.outcome or Outcome()).tool) == (verb, target, ok)


def test_of_events_in_files_of_their_own_the_last_tells_the_call() -> None:
    told = []
    for row in (acp("in_progress", raw_input={"command": "ls"}), acp("completed", raw_input={"command": "ls"})):
        reader = reader_of(IMPORTER, "/w/conversations/0a1b2c/events/event-00001-77.json")
        told.append([event.phase for event in reader.read(row).events])
    assert told == [[], [Phase.CALL, Phase.RESULT]]


def test_what_the_sdk_says_in_a_persons_place_and_what_an_agent_says() -> None:
    def says(words: str, **members: Any) -> dict[str, Any]:
        shape = {"id": "m", "timestamp": "2026-01-01T00:00:00", "source": "user", "kind": "MessageEvent"}
        return shape | {"llm_message": {"role": "user", "content": [{"type": "text", "text": words}]}} | members

    own = "Missing required parameters for function 'terminal': {'command'}"
    events = read(says("go"), says(own), says("look there", sender="agent"))
    assert [(e.phase, e.text) for e in events] == [(Phase.PROMPT, "go"), (Phase.DELEGATED, "look there")]


def metrics(cost: float, prompt: int) -> dict[str, Any]:
    usage = {"prompt_tokens": prompt, "completion_tokens": 10, "cache_read_tokens": 50, "cache_write_tokens": 20}
    return {"accumulated_cost": cost, "accumulated_token_usage": usage}


STATE: dict[str, Any] = {
    "id": "3f2a9c1e-5b7d-4e8f-9a0b-1c2d3e4f5a6b",
    "agent": {"kind": "Agent", "llm": {"model": "m-1"}},
    "workspace": {"kind": "LocalWorkspace", "working_dir": "/home/ada/api"},
    "execution_status": "idle",
    "confirmation_policy": {"kind": "NeverConfirm"},
}


def test_the_state_of_a_conversation_says_whom_the_agent_asks() -> None:
    update = {"kind": "ConversationStateUpdateEvent", "source": "environment", "timestamp": "2026-01-01T00:00:00"}
    call = {"kind": "ActionEvent", "source": "agent", "tool_call_id": "c", "tool_name": "terminal", "action": {"command": "x"}}
    events = read(
        update | {"key": "full_state", "value": STATE},
        update | {"key": "full_state", "value": STATE},
        update | {"key": "confirmation_policy", "value": {"kind": "AlwaysConfirm"}},
        call,
    )
    assert [(e.phase, e.attrs.get("mode")) for e in events] == [
        (Phase.POSTURE, "NeverConfirm"),
        (Phase.POSTURE, "AlwaysConfirm"),
        (Phase.CALL, None),
    ]
    assert {(e.attrs["model"], e.attrs["cwd"]) for e in events} == {("m-1", "/home/ada/api")}


@pytest.mark.parametrize(
    ("place", "session"), [("/w/conversations/3f2a/base_state.json", "3f2a"), ("base_state.json", str(STATE["id"]))]
)
def test_the_state_beside_the_events_is_of_their_conversation(place: str, session: str) -> None:
    assert IMPORTER.sniff([STATE]) == 90
    assert IMPORTER.sniff([{"id": "x", "agent": {}, "execution_status": "idle"}]) == 0
    reader = IMPORTER.open()
    reader.lies_at(place)
    (posture,) = reader.read(STATE).events
    assert (posture.phase, posture.attrs["mode"], posture.attrs["model"]) == (Phase.POSTURE, "NeverConfirm", "m-1")
    assert names(posture, KeyRole.SCOPE) == [f"session:{session}"]


def test_sums_are_told_as_what_came_to_them() -> None:
    rows = [act("run", 3, command="ls"), saw("run", "a"), act("run", 5, command="pwd")]
    rows = [row | {"llm_metrics": metrics(*paid)} for row, paid in zip(rows, ((0.5, 100), (0.5, 100), (0.75, 140)), strict=True)]
    events = read(*rows)
    assert [(e.attrs.get("tokens"), e.attrs.get("cost_usd")) for e in events] == [(60, 0.5), (None, None), (40, 0.25)]
    run = {"instance_id": "a", "instruction": "x", "metrics": metrics(0.75, 140), "history": rows}
    started, *more = read(run)
    assert (started.attrs["tokens"], started.attrs["cost_usd"]) == (100, 0.75)
    assert not [e for e in more if "tokens" in e.attrs]
    state = {"id": "s", "timestamp": "2026-01-01T00:00:00", "source": "environment", "kind": "ConversationStateUpdateEvent"}
    stats = state | {"key": "stats", "value": {"usage_to_metrics": {"agent": metrics(0.5, 100), "condenser": metrics(0.25, 60)}}}
    (call,) = read(
        stats, state | {"key": "full_state", "value": {"stats": stats["value"]}}, acp("in_progress", raw_input={"command": "x"})
    )
    assert (call.attrs["tokens"], call.attrs["cost_usd"]) == (80, 0.75)


@pytest.mark.parametrize(
    ("place", "session"),
    [
        ("/w/conversations/0a1b2c/events/event-00001-77.json/event-00001-77.json", "0a1b2c"), ("/s/9f/events/3.json/3.json", "9f"),
        ("/w/kept.tar.gz!run-7/events/event-2.json/x", "run-7"), ("/w/events/trajectory.json/trajectory.json", ""),
    ],
)  # fmt: skip
def test_events_in_files_of_their_own_are_of_the_conversation_whose_folder_they_lie_in(place: str, session: str) -> None:
    asked = {
        "kind": "ActionEvent",
        "source": "agent",
        "id": "e1",
        "tool_call_id": "c1",
        "tool_name": "terminal",
        "action": {"command": "ls"},
    }
    seen = {
        "kind": "ObservationEvent",
        "source": "environment",
        "tool_call_id": "c1",
        "action_id": "e1",
        "observation": {"exit_code": 0},
    }
    made = [event for record in (asked, seen) for event in reader_of(IMPORTER, place).read(record).events]
    scopes = [names(event, KeyRole.SCOPE) for event in made]
    calls = [names(event, KeyRole.CALL) for event in made]
    assert (calls[0] == calls[1], scopes[0] == scopes[1]) == (bool(session), bool(session))
    assert not session or (scopes[0], calls[0]) == ([f"session:{session}"], [f"call:{session}/c1"])
    nameless = reader_of(IMPORTER, place).read(asked | {"tool_call_id": ""}).events[0]
    assert not session or "#event-" in names(nameless, KeyRole.CALL)[0]
    assert IMPORTER.sniff([{"kind": "PauseEvent", "source": "user"}]) == 90


def test_a_refusal_that_names_only_the_event_it_answers_belongs_to_that_events_call() -> None:
    asked = {
        **act("run", 7, command="rm x", confirmation_state="awaiting_confirmation"),
        "tool_call_metadata": {"tool_call_id": "c1"},
    }
    call, question, done, verdict = read(asked, saw("user_rejected", "no", 7))
    assert done.attrs["refused"] == "user"
    assert len({one.first_key(KeyRole.CALL) for one in (call, question, done, verdict)}) == 1


def test_more_events_of_the_later_sdk() -> None:
    def event(kind: str, id: str, **members: Any) -> dict[str, Any]:
        return {"id": id, "timestamp": "2026-03-01T10:00:00.1", "source": "agent", "kind": kind, **members}

    outer = event(
        "ActionEvent",
        "e1",
        action={"kind": "MCPToolAction", "data": {"owner": "acme", "repo": "api"}},
        tool_name="create_issue",
        tool_call_id="c1",
    )
    bare = event(
        "ActionEvent", "e2", tool_name="terminal", tool_call={"id": "c2", "name": "terminal", "arguments": '{"command": "ls"}'}
    )
    refused = event("UserRejectObservation", "e3", source="environment", rejection_reason="no", action_id="e2")
    parsed, rejects = whole(
        json.dumps({"id": "conversation", "events": [outer, bare, refused, event("TokenEvent", "e4")]}), "openhands"
    )
    assert rejects == []
    first, second, done, _ = [one for record in parsed for one in record.events]
    assert (first.verb, second.attrs["command"], done.attrs["refused"]) == (Verb.MCP_CALL, "ls", "user")
    assert [(one.verb, one.target.name) for one in first.operations] == [(Verb.TICKET_OPEN, "acme/api")]
    assert second.first_key(KeyRole.CALL) == done.first_key(KeyRole.CALL)
    assert [one.unknown_type for one in parsed] == [None] * len(parsed)


def test_what_a_person_and_a_hook_decided_in_the_later_sdk() -> None:
    def acted(n: int) -> dict[str, Any]:
        return {
            "kind": "ActionEvent",
            "source": "agent",
            "id": f"e{n}",
            "tool_call_id": f"c{n}",
            "tool_name": "terminal",
            "action": {"command": "x"},
        }

    def seen(n: int, **members: Any) -> dict[str, Any]:
        return {"kind": "ObservationEvent", "source": "environment", "tool_call_id": f"c{n}", "observation": members}

    waits = {
        "kind": "ConversationStateUpdateEvent",
        "source": "environment",
        "key": "execution_status",
        "value": "waiting_for_confirmation",
    }
    hook = {
        "kind": "HookExecutionEvent",
        "source": "hook",
        "blocked": True,
        "hook_command": "./check",
        "reason": "no",
        "action_id": "e3",
    }
    rejected = {"kind": "UserRejectObservation", "source": "environment", "tool_call_id": "c3", "rejection_source": "hook"}
    events = read(
        acted(1),
        waits,
        seen(1, exit_code=3, is_error=False),
        acted(2),
        seen(2, is_error=False, content=[]),
        acted(3),
        hook,
        rejected,
    )
    told = [
        (e.phase, names(e, KeyRole.CALL)[0][-2:], e.decision.effect if e.decision else None)
        for e in events
        if e.phase is not Phase.CALL
    ]
    assert told == [
        (Phase.VERDICT, "c1", Effect.ASK), (Phase.RESULT, "c1", None), (Phase.VERDICT, "c1", Effect.ALLOW),
        (Phase.RESULT, "c2", None), (Phase.VERDICT, "c3", Effect.DENY), (Phase.RESULT, "c3", None),
    ]  # fmt: skip
    first, second, third = [e for e in events if e.phase is Phase.RESULT]
    assert (first.attrs["status"], third.attrs["refused"]) == ("3", "hook")
    assert [(e.outcome or Outcome()).tool for e in (first, second, third)] == [Tri.NO, Tri.YES, Tri.NO]


def test_unknown_and_broken_records() -> None:
    assert IMPORTER.open().read(act("dance")).unknown_type == "action/dance"
    for bad in ("x", {}, {"id": 1}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@given(
    mutated(
        [ASK, act("run", command="x"), saw("run", "y"), {"history": [[act("edit", path="a"), saw("edit")]], "instruction": "x"}]
    )
)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_corpus(corpus: Path) -> None:
    for path in sorted(corpus.glob("openhands/*/*")):
        parsed, rejects = whole(path.read_bytes(), "openhands")
        text = path.read_text()
        rows = json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]
        assert (len(parsed), rejects) == (len(rows), [])
        steps = [
            one for row in rows for step in row.get("history", [row]) for one in (step if isinstance(step, list) else [step])
        ]
        calls = sum(
            one.get("action") in ("run", "run_ipython", "read", "write", "edit", "browse", "browse_interactive") for one in steps
        )
        assert sum(e.phase is Phase.CALL for p in parsed for e in p.events) == calls, path


def test_a_call_is_known_by_the_models_own_id_where_that_does_not_merely_count() -> None:
    def made(id: str) -> dict[str, Any]:
        return act("run", command="ls") | {"tool_call_metadata": {"tool_call_id": id, "function_name": "bash"}}

    assert names(only(read(made("toolu_01AbCdEf23")), EventKind.ACTION), KeyRole.CALL) == ["call:toolu_01AbCdEf23"]
    (counted,) = names(only(read(made("call_0")), EventKind.ACTION), KeyRole.CALL)
    assert counted.endswith("/call_0")
