"""ATIF trajectories: calls named by their step, answers, sub-agents within and beside, steps told elsewhere."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings

from importers import open_source
from importers.atif import IMPORTER
from importers.cutting.containers import HeadRecord
from model.event import BadRecord, Event, RawRecord
from model.words import EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import JSON, mutated, names, only, pretty, survives, whole

SESSION = "025b810f-b3a2-4c67-93c0-fe7a142a947a"
Step = dict[str, Any]


def call(id: str, tool: str, **arguments: object) -> Step:
    return {"tool_call_id": id, "function_name": tool, "arguments": arguments}


def acted(number: int, calls: list[Step], *results: Step, **members: Any) -> Step:
    return {
        "step_id": number, "timestamp": "2025-10-11T10:30:02Z", "source": "agent", "message": "", "tool_calls": calls,
        "observation": {"results": list(results)}, **members,
    }  # fmt: skip


ASKED: Step = {"step_id": 1, "timestamp": "2025-10-11T10:30:00Z", "source": "user", "message": "close PAY-7"}
RUN = acted(2, [call("toolu_01AbCdEf23", "Bash", command="make")], {"source_call_id": "toolu_01AbCdEf23", "content": "done"},
            metrics={"prompt_tokens": 520, "completion_tokens": 80, "cached_tokens": 200, "cost_usd": 0.5})  # fmt: skip


def run(*steps: Step, **members: Any) -> Step:
    agent = {"name": "claude-code", "version": "2.1", "model_name": "m-1"}
    return {"schema_version": "ATIF-v1.7", "session_id": SESSION.upper(), "agent": agent, "steps": list(steps), **members}


def read(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for record in records for event in reader.read(record).events]


def test_a_run_as_a_whole() -> None:
    started, intent, asked, done = read(run(ASKED, RUN))
    assert (started.phase, started.agent, started.attrs["agent_version"]) == (Phase.STARTED, "claude-code", "2.1")
    assert (intent.phase, intent.text, intent.attrs["ticket"]) == (Phase.PROMPT, "close PAY-7", "PAY-7")
    assert (asked.verb, asked.attrs["command"], asked.attrs["model"]) == (Verb.EXEC, "make", "m-1")
    assert (asked.attrs["tokens"], asked.attrs["cost_usd"]) == (400, 0.5)
    assert names(asked, KeyRole.CALL) == names(done, KeyRole.CALL) == ["call:toolu_01AbCdEf23"]
    assert names(asked, KeyRole.SCOPE) == [f"session:{SESSION}"]
    assert (done.attrs["output"], done.outcome and done.outcome.tool) == ("done", Tri.UNKNOWN)


@pytest.mark.parametrize(("size", "records"), [(1, 1), (4 << 20, 4)])
def test_a_run_of_more_than_4_mb_is_read_step_by_step(size: int, records: int) -> None:
    heavy = run(ASKED, acted(2, [], {"content": "x" * size}), RUN)
    for text in (json.dumps(heavy), json.dumps(heavy, indent=1)):
        source = open_source(BytesIO(text.encode()))
        items = list(source.items())
        assert (source.format, len(items), {type(one) for one in items} <= {RawRecord, HeadRecord}) == ("atif", records, True)


def test_ids_that_only_count_are_their_step_s() -> None:
    steps = [acted(n, [call("call_0_1", "bash_command", keystrokes="ls\n")], {"content": "a"}) for n in (2, 3)]
    events = [event for event in read(run(ASKED, *steps)) if event.keys_of(KeyRole.CALL)]
    assert [(event.phase, event.verb) for event in events[::2]] == [(Phase.CALL, Verb.EXEC)] * 2
    assert [names(event, KeyRole.CALL) for event in events] == [[f"call:{SESSION}/{n}/call_0_1"] for n in (2, 2, 3, 3)]


def test_an_answer_that_names_no_call_of_several_is_nobody_s() -> None:
    step = acted(2, [call("a", "Bash", command="ls"), call("b", "Bash", command="pwd")], {"content": "x"})
    assert [event.phase for event in read(run(step))] == [Phase.STARTED, Phase.CALL, Phase.CALL]


@pytest.mark.parametrize(
    ("answer", "around", "ok", "status"),
    [
        ({"extra": {"tool_result_is_error": True}}, {}, Tri.NO, None), ({"extra": {"exit_code": 0}}, {}, Tri.YES, "0"),
        ({"extra": {"tool_result_metadata": {"is_error": False}}}, {}, Tri.YES, None),
        ({}, {"extra": {"tool_metadata": {"exit_code": 2}}}, Tri.NO, "2"), ({}, {}, Tri.UNKNOWN, None),
        ({}, {"extra": {"tool_call_details": {"a": {"metadata": {"exit_code": 3}, "status": "completed"}}}}, Tri.NO, "3"),
        ({"extra": {"success": False}}, {}, Tri.NO, None), ({"extra": {"success": True}}, {}, Tri.YES, None),
        ({"extra": {"error": "Tool execution aborted"}}, {}, Tri.NO, None), ({"extra": {"error": ""}}, {}, Tri.UNKNOWN, None),
        ({"extra": {"status": "FAILED"}}, {}, Tri.NO, None), ({}, {"extra": {"status": "completed"}}, Tri.UNKNOWN, None),
    ],
)  # fmt: skip
def test_whether_a_call_went_well(answer: Step, around: Step, ok: Tri, status: str | None) -> None:
    events = read(run(acted(2, [call("a", "Bash", command="ls")], {"source_call_id": "a", **answer}, **around)))
    done = only(events, EventKind.ACTION, Phase.RESULT)
    assert done.outcome is not None
    assert (done.outcome.tool, done.attrs.get("status")) == (ok, status)


def test_sub_agents_within_and_beside() -> None:
    refs = [{"trajectory_id": "t-1"}, {"trajectory_path": "sub.json", "session_id": "0a1b2c", "extra": {"summary": "look"}}]
    step = acted(2, [call("toolu_01AbCdEf23", "Task", prompt="look")],
                 {"source_call_id": "toolu_01AbCdEf23", "subagent_trajectory_ref": refs})  # fmt: skip
    child = run(ASKED, trajectory_id="t-1", session_id=SESSION)
    events = read(run(step, subagent_trajectories=[child]))
    beside, within = [event for event in events if event.phase is Phase.STARTED][1:]
    assert (names(beside, KeyRole.SCOPE), beside.attrs["title"]) == (["session:0a1b2c"], "look")
    assert names(within, KeyRole.SCOPE) == ["session:t-1"]
    for one in (beside, within):
        assert names(one, KeyRole.PARENT) == [f"session:{SESSION}", "call:toolu_01AbCdEf23"]
    assert [event.phase for event in events if event.kind is EventKind.INTENT] == [Phase.DELEGATED, Phase.DELEGATED]


def test_copied_steps_are_told_where_they_come_from_and_totals_where_no_step_tells() -> None:
    (started,) = read(
        run(ASKED | {"is_copied_context": True}, final_metrics={"total_prompt_tokens": 9, "total_cached_tokens": 2})
    )
    assert started.attrs["tokens"] == 7


def test_what_a_run_cost_is_told_once_however_it_is_stated() -> None:
    def spent(events: list[Event]) -> list[tuple[object, object]]:
        return [(e.attrs.get("tokens"), e.attrs.get("cost_usd")) for e in events if {"tokens", "cost_usd"} & e.attrs.keys()]

    total = {"total_prompt_tokens": 520, "total_completion_tokens": 80, "total_cached_tokens": 200, "total_cost_usd": 0.75}
    unpriced = RUN | {"metrics": {name: value for name, value in RUN["metrics"].items() if name != "cost_usd"}}
    assert spent(read(run(ASKED, RUN, final_metrics=total))) == [(400, 0.5)]
    assert spent(read(run(ASKED, unpriced, final_metrics=total))) == [(None, 0.75), (400, None)]
    # A run cut to pieces: what stands beside the steps comes first.
    assert spent(read(run(final_metrics=total), ASKED, RUN)) == [(400, 0.75)]
    # Its money holds that of the agents it started.
    child = run(RUN, trajectory_id="t", session_id=SESSION)
    assert spent(read(run(ASKED, unpriced, final_metrics=total, subagent_trajectories=[child]))) == [
        (None, 0.25),
        (400, None),
        (400, 0.5),
    ]


def test_steps_one_by_one_after_what_stands_beside_them() -> None:
    assert read(run(), ASKED, RUN)[1:] == read(run(ASKED, RUN))[1:]


def test_files_as_they_lie() -> None:
    for data in (json.dumps(run(ASKED, RUN)), pretty(run(ASKED, RUN))):
        parsed, rejects = whole(data, "atif")
        assert (len(parsed), len(parsed[0].events), rejects) == (1, 4, [])


def test_broken_and_unknown_records() -> None:
    assert IMPORTER.open().read(ASKED | {"source": "cosmos"}).unknown_type == "step/cosmos"
    broken: tuple[object, ...] = ([], {"schema_version": "ATIF-v1.6"}, run() | {"agent": None}, run() | {"steps": {}})
    for bad in broken:
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([run(ASKED, RUN, subagent_trajectories=[run(ASKED)]), RUN]) | JSON)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
