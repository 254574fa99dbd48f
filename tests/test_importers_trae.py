"""Trajectories of Trae Agent: what a step called, what came back by the call's id, and the same task while the document grows."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from importers.trae import IMPORTER
from model.event import BadRecord, Event
from model.words import EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole

Json = dict[str, object]


def call(ident: str, name: str, **arguments: object) -> Json:
    return {"call_id": ident, "name": name, "arguments": arguments, "id": None}


def result(ident: str, success: object, said: str | None = None, error: str | None = None) -> Json:
    return {"call_id": ident, "success": success, "result": said, "error": error, "id": None}


def step(number: int, calls: list[Json] | None, results: list[Json] | None) -> Json:
    answer: Json = {"content": "Let me look.", "finish_reason": "tool_use", "tool_calls": calls}
    told: Json = {"step_number": number, "timestamp": f"2025-07-10T10:00:0{number}.000001", "state": "completed"}
    return told | {"llm_response": answer, "tool_calls": calls, "tool_results": results, "reflection": None, "error": None}


def document(*steps: Json, **more: object) -> Json:
    head: Json = {"task": "PAY-7 fix it", "start_time": "2025-07-10T10:00:00.000001", "end_time": "", "provider": "acme"}
    return head | {"model": "m-4", "max_steps": 20, "llm_interactions": [], "agent_steps": list(steps), "success": False} | more


RUN = step(
    1,
    [call("t1", "bash", command="make"), call("t2", "str_replace_based_edit_tool", command="create", path="/w/a.py")],
    [result("t2", True, "created"), result("t1", False, "out", "exit 2")],
)


def told(record: Json) -> list[Event]:
    parsed, rejects = whole(json.dumps(record, indent=2), "trae")
    assert not rejects
    return [event for one in parsed for event in one.events]


def test_calls_and_what_came_back_of_each() -> None:
    events = told(document(RUN, step(2, None, None)))
    assert only(events, EventKind.INTENT).text == "PAY-7 fix it"
    calls = [event for event in events if event.phase is Phase.CALL]
    assert [(event.verb, event.attrs["model"]) for event in calls] == [(Verb.EXEC, "m-4"), (Verb.FILE_WRITE, "m-4")]
    results = {names(event, KeyRole.CALL)[0]: event for event in events if event.phase is Phase.RESULT}
    ends = [results[names(event, KeyRole.CALL)[0]] for event in calls]
    assert [event.outcome and event.outcome.tool for event in ends] == [Tri.NO, Tri.YES]
    assert ends[0].attrs["output"] == "out\nexit 2"


def test_a_document_that_grew_is_of_the_same_task() -> None:
    short, long = told(document()), told(document(RUN, end_time="2025-07-10T10:01:00", success=True))
    assert {name for event in short + long for name in names(event, KeyRole.SCOPE)} == set(names(short[0], KeyRole.SCOPE))


def test_ids_that_are_counted_anew_in_each_step_are_calls_of_their_own() -> None:
    steps = [step(n, [call("call_0", "bash", command=f"step {n}")], [result("call_0", n == 1, "x")]) for n in (1, 2)]
    events = told(document(*steps))
    assert [event.attrs["command"] for event in events if event.phase is Phase.CALL] == ["step 1", "step 2"]
    ends = [event.outcome and event.outcome.tool for event in events if event.phase is Phase.RESULT]
    assert ends == [Tri.YES, Tri.NO]


def test_a_result_that_says_nothing_of_success_is_unknown() -> None:
    events = told(document(step(1, [call("t1", "bash", command="ls")], [result("t1", None, "a")])))
    done = only(events, EventKind.ACTION, Phase.RESULT)
    assert done.outcome and done.outcome.tool is Tri.UNKNOWN


def test_what_is_no_trajectory_is_refused() -> None:
    with pytest.raises(BadRecord, match="agent_steps"):
        IMPORTER.open().read({"task": "x"})


@given(mutated([document(RUN)]))
def test_a_damaged_document_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
