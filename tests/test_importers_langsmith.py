"""LangSmith runs: the first of a trace is the agent, a tool's run a call; what it was given may be a Python dictionary's text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from importers.langsmith import IMPORTER
from model.event import BadRecord
from model.words import Clock, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import JSON, joined, mutated, names, only, read, survives, whole

TRACE = "0190a000-0000-7000-8000-000000000001"
Record = dict[str, object]


def run(number: int, kind: str, **members: object) -> Record:
    return {
        "id": TRACE[:-1] + str(number),
        "trace_id": TRACE,
        "parent_run_id": None if number == 1 else TRACE,
        "dotted_order": f"20260301T100000000000Z{TRACE}",
        "name": "helper" if number == 1 else "bash",
        "run_type": kind,
        "start_time": "2026-03-01T10:00:01.000000",
        "end_time": "2026-03-01T10:00:02.000000",
        "inputs": {"input": "fix the bug"},
        "outputs": {"output": "ok"},
        "error": None,
        "session_id": "0190a000-0000-7000-8000-00000000000f",
        "extra": {"metadata": {"thread_id": "th-1", "user_id": "dana@acme.example"}},
    } | members


AGENT = run(1, "chain")
TOOL = run(2, "tool", inputs={"input": "{'command': 'git push origin main'}"})


def test_a_trace_is_a_task_with_its_prompt_and_its_calls() -> None:
    parsed, rejects = whole("\n".join(json.dumps(one) for one in (AGENT, TOOL)), "langsmith")
    assert rejects == [] and [one.identity for one in parsed] == [AGENT["id"], TOOL["id"]]
    prompt = only(parsed[0].events, EventKind.INTENT, Phase.PROMPT)
    call = only(parsed[1].events, EventKind.ACTION, Phase.CALL)
    assert (prompt.text, call.verb, call.attrs["command"]) == ("fix the bug", Verb.EXEC, "git push origin main")
    assert (call.clock, call.principal.name if call.principal else "") == (Clock.ZONE_ASSUMED, "dana@acme.example")
    assert names(call, KeyRole.SCOPE)[0] == "session:th-1"
    ((task, chain),) = joined(*parsed).chains.items()
    assert task and [step.verb for step in chain.steps] == [Verb.EXEC]


def test_what_the_command_line_exports_says_the_same() -> None:
    def exported(one: Record) -> Record:
        kept = {name: value for name, value in one.items() if name not in ("id", "extra", "dotted_order", "session_id")}
        about = {"thread_id": "th-1", "user_id": "dana@acme.example"}
        return {"run_id": one["id"], **kept, "custom_metadata": about, "token_usage": None, "status": "error"}

    text = json.dumps({"trace_id": TRACE, "run_count": 2, "runs": [exported(AGENT), exported(TOOL)]})
    parsed, rejects = whole(text, "langsmith")
    told = [event for one in parsed for event in one.events]
    plain = [event for one in whole("\n".join(map(json.dumps, (AGENT, TOOL))), "langsmith")[0] for event in one.events]
    assert not rejects and [(e.phase, e.keys, e.verb, e.text) for e in told] == [(e.phase, e.keys, e.verb, e.text) for e in plain]
    assert [e.outcome.tool for e in told if e.phase is Phase.RESULT and e.outcome] == [Tri.NO]


def test_a_project_is_no_session() -> None:
    bare = [read(IMPORTER, one | {"extra": {}}).events for one in (AGENT, TOOL)]
    assert {name for events in bare for e in events for name in names(e, KeyRole.SCOPE)} == {f"trace:{TRACE.replace('-', '')}"}


@pytest.mark.parametrize(
    ("inputs", "command"),
    [
        ({"command": "ls"}, "ls"),
        ({"input": '{"command": "ls"}'}, "ls"),
        ({"input": "{'command': 'ls'}"}, "ls"),
        ({"input": "{'command': " + "(" * 40}, None),
        ({"input": "{'command': __import__('os')}"}, None),
    ],
)
def test_what_a_tool_was_given(inputs: Record, command: str | None) -> None:
    call = only(read(IMPORTER, run(2, "tool", inputs=inputs)).events, EventKind.ACTION, Phase.CALL)
    assert command is None or call.attrs["command"] == command


def test_how_a_call_went() -> None:
    failed = only(
        read(IMPORTER, TOOL | {"outputs": None, "error": "ToolException('no')\n\nTraceback"}).events,
        EventKind.ACTION,
        Phase.RESULT,
    )
    assert failed.attrs["output"] == "ToolException('no')"
    assert failed.outcome is not None and failed.outcome.tool is Tri.NO
    assert [e.phase for e in read(IMPORTER, TOOL | {"end_time": None, "outputs": None}).events] == [Phase.CALL]


BEGUN = {name: value for name, value in TOOL.items() if name not in ("end_time", "outputs", "error")}
ENDED = {name: TOOL[name] for name in ("id", "trace_id", "dotted_order", "parent_run_id", "end_time", "outputs", "error")}


@pytest.mark.parametrize("end", [ENDED, TOOL], ids=["what is new", "the whole run"])
@pytest.mark.parametrize("batch", [True, False])
def test_what_an_sdk_sends_in_two_halves_is_one_call(batch: bool, end: Record) -> None:
    lines: list[Record] = [{"post": [AGENT, BEGUN], "patch": [end]}] if batch else [AGENT, BEGUN, end]
    parsed, rejects = whole("\n".join(json.dumps(one) for one in lines), "langsmith")
    assert not rejects
    assert len({one.identity for one in parsed}) == len(parsed)
    events = [event for one in parsed for event in one.events]
    call, result = only(events, EventKind.ACTION, Phase.CALL), only(events, EventKind.ACTION, Phase.RESULT)
    assert (call.attrs["command"], result.attrs["output"], result.attrs["duration_ms"]) == ("git push origin main", "ok", 1000)
    assert len([one for one in events if one.phase is Phase.PROMPT]) == 1


def test_the_end_of_a_run_that_began_elsewhere_is_kept() -> None:
    (parsed,), rejects = whole(json.dumps(ENDED), "langsmith")
    assert not rejects
    assert (parsed.events, parsed.type) == ([], "end of a run")


def test_a_run_holds_those_below_it() -> None:
    child = {name: value for name, value in TOOL.items() if name not in ("trace_id", "parent_run_id")}
    middle = run(3, "chain", name="step", child_runs=[child], inputs={}, outputs={})
    parsed, rejects = whole("\n".join(json.dumps(one) for one in (AGENT | {"child_runs": [middle]}, TOOL)), "langsmith")
    assert not rejects
    ((_, chain),) = joined(*parsed).chains.items()
    assert [step.verb for step in chain.steps] == [Verb.EXEC]
    calls = [event for one in parsed for event in one.events if event.phase is Phase.CALL]
    assert [names(one, KeyRole.SCOPE)[0] for one in calls] == ["session:th-1"]


@pytest.mark.parametrize("record", [{}, [], None, {"run_type": "tool"}, {"id": "x", "run_type": "tool"}])
def test_strangers_are_refused(record: object) -> None:
    with pytest.raises(BadRecord):
        read(IMPORTER, record)


@given(mutated([AGENT, TOOL, ENDED, {"post": [BEGUN], "patch": [ENDED]}, AGENT | {"child_runs": [TOOL]}]) | JSON)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


@pytest.mark.parametrize("cost", ["0.0125", 0.0125, "1.25e-2", "much", None])
def test_a_models_run_says_what_it_cost_and_the_agents_sum_says_it_not_again(cost: object) -> None:
    spent = {"prompt_tokens": 9, "completion_tokens": 1, "total_cost": cost}
    agent, model = run(1, "chain", **spent), run(3, "llm", name="ChatModel", **spent)
    events = [
        event for one in whole("\n".join(json.dumps(one) for one in (agent, model)), "langsmith")[0] for event in one.events
    ]
    told = [(e.attrs["tokens"], e.attrs.get("cost_usd")) for e in events if "tokens" in e.attrs]
    assert told == [(10, None if cost in ("much", None) else 0.0125)]
