"""What traces in the common message form say: one trace a line, or one message a record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from importers.invariant import IMPORTER
from model.event import BadRecord, Outcome
from model.words import EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, survives, whole


def trace(arguments: object, **answer: Any) -> list[dict[str, Any]]:
    call = {"id": "call_1", "type": "function", "function": {"name": "bash", "arguments": arguments}}
    return [
        {"role": "system", "content": "be good"},
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "ok", **answer},
    ]


def test_traces_a_line_each_are_tasks_of_their_own() -> None:
    rows: list[object] = [
        {"metadata": {"description": "x"}},
        trace({"command": "ls"}),
        {"id": "t-2", "index": 1, "messages": trace('{"command": "ls"}'), "annotations": []},
    ]
    parsed, rejects = whole("\n".join(map(json.dumps, rows)), "invariant")
    assert not rejects
    assert parsed[0].events == []
    for one in parsed[1:]:
        assert [(e.phase, e.verb, e.attrs.get("command")) for e in one.events] == [
            (Phase.PROMPT, Verb.UNKNOWN, None),
            (Phase.CALL, Verb.EXEC, "ls"),
            (Phase.RESULT, Verb.UNKNOWN, None),
        ]
        assert names(one.events[1], KeyRole.CALL) == names(one.events[2], KeyRole.CALL)
    assert {parsed[1].scope, "t-2"} == {p.scope for p in parsed[1:]}
    assert names(parsed[1].events[1], KeyRole.CALL) != names(parsed[2].events[1], KeyRole.CALL)


def test_messages_of_langchain_have_a_type_for_a_role() -> None:
    made = {"name": "bash", "args": {"command": "ls"}, "id": "toolu_1", "type": "tool_call"}
    rows = [
        {"type": "human", "content": "go", "id": "m1"},
        {"type": "ai", "content": [{"type": "tool_use", "id": "toolu_1", "name": "bash", "input": {}}], "tool_calls": [made]},
        {"type": "tool", "content": "no such file", "tool_call_id": "toolu_1", "status": "error"},
    ]
    for text in (json.dumps(rows), json.dumps({"trace_id": "t-9", "messages": rows, "metadata": {}, "feedback": []})):
        events = [e for one in whole(text, "invariant")[0] for e in one.events]
        assert [(e.phase, e.attrs.get("command")) for e in events] == [
            (Phase.PROMPT, None),
            (Phase.CALL, "ls"),
            (Phase.RESULT, None),
        ]
        assert (events[2].outcome or Outcome()).tool is Tri.NO
    assert {name for e in events for name in names(e, KeyRole.SCOPE)} == {"session:t-9"}


def test_one_trace_cut_into_messages_is_one_task() -> None:
    for text in (json.dumps({"messages": trace({}), "annotations": []}), json.dumps(trace({}), indent=1)):
        parsed, _ = whole(text, "invariant")
        events = [e for one in parsed for e in one.events]
        assert [e.phase for e in events] == [Phase.PROMPT, Phase.CALL, Phase.RESULT]
        assert len({name for e in events for name in names(e, KeyRole.SCOPE)}) == 1


def test_arguments_that_do_not_parse_are_kept_as_no_arguments() -> None:
    (_, call, done) = IMPORTER.open().read(trace('["a"], ["b"]', error="boom")).events
    assert call.tool == "bash"
    assert done.outcome is not None
    assert (done.outcome.tool, done.attrs["output"]) == (Tri.NO, "boom")


def test_blocks_within_the_content() -> None:
    rows = [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "read_file", "input": {"path": "a"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x", "is_error": True}]},
    ]
    call, done = IMPORTER.open().read(rows).events
    assert (call.target.name, names(call, KeyRole.CALL)) == ("a", names(done, KeyRole.CALL))


def test_broken_records() -> None:
    for bad in ("x", {"a": 1}, {"role": "wizard"}, [{"role": "wizard"}], {"messages": [1]}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([{"messages": trace({"command": "ls"})}, *trace("{}")]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_corpus(corpus: Path) -> None:
    for path in sorted(corpus.glob("invariant-traces/*/*.jsonl")):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        parsed, rejects = whole(path.read_bytes(), "invariant")
        traces = [row if isinstance(row, list) else row.get("messages", []) for row in rows]
        events = [e for one in parsed for e in one.events]
        # A file of one trace that is a bare list is a list of messages.
        assert (len(parsed), rejects) == (len(rows) if len(rows) > 1 else len(traces[0]), [])
        assert sum(e.phase is Phase.CALL for e in events) == sum(len(m.get("tool_calls") or []) for t in traces for m in t)
        assert sum(e.kind is EventKind.INTENT for e in events) == sum(m["role"] == "user" for t in traces for m in t)


def test_the_session_that_a_traces_metadata_names() -> None:
    given = json.dumps({"index": 0, "messages": trace({}), "metadata": {"session_id": "run-7", "task": "x"}})
    for text in (given, f"{given}\n{given}"):
        found = {name for one in whole(text, "invariant")[0] for event in one.events for name in names(event, KeyRole.SCOPE)}
        assert found == {"session:run-7"}


def test_a_call_is_known_by_the_models_own_id() -> None:
    rows = json.loads(json.dumps(trace({"command": "ls"})).replace("call_1", "toolu_01AbCdEf23"))
    events = [event for one in whole(json.dumps(rows), "invariant")[0] for event in one.events if event.phase is not Phase.PROMPT]
    assert {name for event in events for name in names(event, KeyRole.CALL)} == {"call:toolu_01AbCdEf23"}


CALLED = {"role": "assistant", "content": "", "tool_calls": [
    {"id": "c1", "type": "function", "function": {"name": "execute_bash", "arguments": '{"command": "git push"}'}}]}  # fmt: skip
ANSWERED = {"role": "tool", "content": [{"type": "text", "text": "ok"}], "tool_call_ids": ["c1"]}
COLLECTED = [{"role": "system", "content": "s"}, {"role": "user", "content": "push"}, CALLED, ANSWERED]


@pytest.mark.parametrize(
    "run",
    [
        {"traj_id": "r1", "messages": json.dumps(COLLECTED), "resolved": True, "patch": "p"},
        {"trajectory_id": "r1", "trajectory": COLLECTED, "tools": [], "exit_status": "submit", "repo": "acme/api"},
    ],
    ids=["text", "trajectory"],
)
@pytest.mark.parametrize("runs", [1, 2])
def test_runs_of_published_collections_are_traces(run: dict[str, Any], runs: int) -> None:
    parsed, rejects = whole("\n".join([json.dumps(run)] * runs), "invariant")
    assert (len(parsed), rejects) == (runs, [])
    asked, call, result = parsed[0].events
    assert [event.phase for event in (asked, call, result)] == [Phase.PROMPT, Phase.CALL, Phase.RESULT]
    assert names(call, KeyRole.SCOPE) == ["session:r1"] and names(call, KeyRole.CALL) == names(result, KeyRole.CALL)
    assert (call.verb, call.attrs["command"]) == (Verb.EXEC, "git push")


def test_calls_that_a_model_writes_down_are_calls_and_what_came_back_is_nobodys_word() -> None:
    written = "Now.\n<function=execute_bash>\n<parameter=command>\ncd /w\ngit push</parameter>\n</function>"
    rows = [
        {"role": "user", "content": "push"},
        {"role": "assistant", "content": written},
        {"role": "user", "content": "EXECUTION RESULT of [execute_bash]:\nok"},
        {"role": "assistant", "content": f"I wrote {written} and that was it."},
        {"role": "user", "content": "EXECUTION RESULT of [execute_bash]:\nwhat is this?"},
    ]
    events = IMPORTER.open().read({"messages": rows}).events
    assert [event.phase for event in events] == [Phase.PROMPT, Phase.CALL, Phase.RESULT, Phase.PROMPT]
    assert (events[1].verb, events[1].attrs["command"]) == (Verb.EXEC, "cd /w\ngit push")
    assert names(events[1], KeyRole.CALL) == names(events[2], KeyRole.CALL)
