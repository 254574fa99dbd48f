"""The log an agent keeps of the updates it sent: prompts, calls and their ends, sub-agents, turns that were stopped."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from importers.acp import IMPORTER
from importers.base import reader_of
from model.event import Event
from model.words import EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole

S = "02bc7f10-1111-7222-8333-000000000001"
OWN = "_acme.dev/session/update"
Record = dict[str, object]


def line(what: str, second: int = 0, method: str = "session/update", ms: int | None = None, **more: object) -> Record:
    params: Record = {"sessionId": S, "update": {"sessionUpdate": what} | more}
    if ms is not None:
        params["_meta"] = {"eventId": f"{S}-{second}", "agentTimestampMs": ms}
    return {"timestamp": 1_787_000_000 + second, "method": method, "params": params}


def called(call: str, tool: str, given: Record) -> Record:
    return line("tool_call", 3, toolCallId=call, title=tool, rawInput=given, _meta={"acme/tool": {"name": tool, "kind": "x"}})


def ended(call: str, raw: Record, status: str = "completed", said: str = "") -> Record:
    content = [{"type": "content", "content": {"type": "text", "text": said}}]
    return line("tool_call_update", 5, toolCallId=call, status=status, content=content, rawOutput=raw)


PROMPT = line(
    "user_message_chunk", 2, ms=1_787_000_001_500, content={"type": "text", "text": "PAY-7 go"}, _meta={"modelId": "m-4"}
)
HOOK = line("hook_execution", 1, OWN, event_name="session_start", runs=[{"name": "h", "status": {"status": "success"}}])


def told(*records: Record) -> list[Event]:
    text = "\n".join(json.dumps(record) for record in (HOOK, PROMPT, *records))
    parsed, rejects = whole(text, "acp")
    assert not rejects and not [one.unknown_type for one in parsed if one.unknown_type]
    return [event for one in parsed for event in one.events]


def test_a_prompt_stands_in_the_log_alone_and_is_of_the_agent_s_own_moment() -> None:
    (event,) = told()
    assert (event.text, event.at, event.attrs["model"]) == ("PAY-7 go", 1_787_000_001_500_000, "m-4")
    assert names(event, KeyRole.SCOPE) == [f"session:{S}"]


def test_a_command_is_named_by_the_vendor_s_member_and_ends_with_its_code() -> None:
    running = ended("c1", {"type": "Bash", "exit_code": 0, "output": []}, status="in_progress")
    raw: Record = {"type": "Bash", "exit_code": 2, "output": [110, 111], "output_for_prompt": "exit: 2\nno"}
    events = told(called("c1", "run_terminal_command", {"command": "make"}), running, ended("c1", raw))
    call, done = only(events, EventKind.ACTION, Phase.CALL), only(events, EventKind.ACTION, Phase.RESULT)
    assert (call.verb, call.attrs["command"]) == (Verb.EXEC, "make")
    assert (done.outcome and done.outcome.tool, done.attrs["status"], done.attrs["output"]) == (Tri.NO, "2", "exit: 2\nno")


def test_a_sub_agent_is_a_session_of_its_own_below_this_one() -> None:
    spawn = called("c2", "spawn_subagent", {"prompt": "Count the files.", "subagent_type": "explore"})
    child: Record = {"child_session_id": "sub-1", "parent_session_id": S, "subagent_type": "explore", "model": "m-5"}
    events = told(spawn, line("subagent_spawned", 4, OWN, **child), line("subagent_finished", 6, OWN, child_session_id="sub-1"))
    assert only(events, EventKind.ACTION, Phase.CALL).verb is Verb.AGENT_SPAWN
    assert only(events, EventKind.INTENT, Phase.DELEGATED).text == "Count the files."
    begun, over = only(events, EventKind.ACTION, Phase.STARTED), only(events, EventKind.ACTION, Phase.ENDED)
    assert names(begun, KeyRole.SCOPE) == names(over, KeyRole.SCOPE) == ["session:sub-1"]
    assert names(begun, KeyRole.PARENT) == names(over, KeyRole.PARENT) == [f"session:{S}"]
    assert begun.attrs == {"agent_type": "explore", "model": "m-5"}


def test_a_stopped_turn_interrupts_what_still_ran_and_nothing_else() -> None:
    done = ended("c1", {"type": "ReadFile"}, said="text")
    calls = [called("c1", "read_file", {"target_file": "a"}), done, called("c2", "run_terminal_command", {"command": "sleep 45"})]
    over = line("turn_completed", 7, OWN, stop_reason="end_turn")
    stopped = line("turn_completed", 7, OWN, stop_reason="cancelled")
    late = ended("c2", {"type": "Bash", "exit_code": 0}, status="in_progress")
    results = [event for event in told(*calls, stopped, late, over) if event.phase is Phase.RESULT]
    assert [(event.outcome and event.outcome.tool, event.attrs.get("refused")) for event in results] == [
        (Tri.YES, None),
        (Tri.NO, "interrupted"),
    ]
    assert [event.phase for event in told(*calls, over, stopped)].count(Phase.RESULT) == 1


@pytest.mark.parametrize(
    ("place", "cwd"),
    [
        (f"/home/ada/.agent/sessions/%2Fhome%2Fada%2Fmy%20shop/{S}/updates.jsonl", "/home/ada/my shop"),
        (f"sessions\\C%3A%5Cwork%5Cshop\\{S}\\updates.jsonl", "C:\\work\\shop"),
        ("/home/ada/.agent/sessions/%2Fhome%2Fada%2Fshop/another/updates.jsonl", None),
        (f"/home/ada/logs/{S}/updates.jsonl", None),
    ],
    ids=["unix", "windows", "another", "elsewhere"],
)
def test_the_folder_worked_in_is_the_one_the_log_s_folder_is_called_by(place: str, cwd: str | None) -> None:
    (event,) = reader_of(IMPORTER, place).read(PROMPT).events
    assert event.attrs.get("cwd") == cwd


def test_other_notifications_of_these_names_are_no_log_of_updates() -> None:
    assert IMPORTER.sniff([{"method": "session/update", "params": {"update": {}}}]) == 0
    assert IMPORTER.sniff([{"method": "account/update", "params": {"sessionId": S, "update": {"sessionUpdate": "x"}}}]) == 0


@given(mutated([PROMPT, HOOK, called("c1", "read_file", {"a": 1}), ended("c1", {"exit_code": 1})]))
def test_a_damaged_line_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
