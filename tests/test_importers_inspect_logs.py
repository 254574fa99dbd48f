"""What Inspect logs say: a task per sample, calls with times, approvals, members of the zipped form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from importers.inspect_logs import IMPORTER
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole


def event(kind: str, **members: Any) -> dict[str, Any]:
    return {"event": kind, "timestamp": "2025-05-12T20:27:39.762878-04:00", **members}


TOOL = event("tool", id="c", function="bash", arguments={"command": "ls"}, result="a")
CALL = {"id": "c", "function": "bash", "arguments": {"command": "ls"}}
EVENTS = [event("model", model="openai/m"), event("approval", decision="approve", approver="human", call=CALL), TOOL]
HEADER = {
    "version": 2,
    "status": "success",
    "eval": {"task": "t", "run_id": "r", "model": "m", "created": "2025-05-12T20:27:36-04:00"},
}
MESSAGES = [
    {"role": "user", "content": "go"},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c", "content": "", "error": {"type": "timeout", "message": "too long"}},
]
SAMPLE = {
    "id": 1,
    "epoch": 1,
    "input": "attachment://ab",
    "target": "",
    "attachments": {"ab": "PAY-7 go"},
    "uuid": "u1",
    "messages": MESSAGES,
}


def read(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for one in records for event in reader.read(one).events]


@pytest.mark.parametrize(("why", "refused"), [("timeout", None), ("approval", "rule")])
def test_a_message_says_which_tool_failed_and_why(why: str, refused: str | None) -> None:
    told = {"role": "tool", "tool_call_id": "c", "function": "bash", "content": "", "error": {"type": why, "message": "no"}}
    done = only(read(HEADER, SAMPLE | {"messages": [told]}), EventKind.ACTION, Phase.RESULT)
    assert (done.tool, done.attrs["status"], done.attrs.get("refused")) == ("bash", why, refused)


def test_a_log_a_zips_members_and_a_sample_cut_at_its_messages_say_the_same() -> None:
    sample = SAMPLE | {"events": EVENTS}
    log = HEADER | {"samples": [sample]}
    told = []
    for text in (json.dumps(log), json.dumps(log, indent=1)):
        parsed, rejects = whole(text, "inspect-eval")
        assert not rejects
        told.append([e for one in parsed for e in one.events])
    told.append(read(HEADER, sample))
    reader = IMPORTER.open()
    reader.read(HEADER)
    parsed, rejects = whole(json.dumps(sample), "inspect-eval")
    told.append([e for one in parsed for e in one.events])
    for events in told:
        assert [e.phase for e in events] == [Phase.STARTED, Phase.PROMPT, Phase.VERDICT, Phase.CALL, Phase.RESULT]
        assert events[1].text == "PAY-7 go"
        assert (events[3].verb, events[3].attrs["command"]) == (Verb.EXEC, "ls")
        assert {name for e in events for name in names(e, KeyRole.SCOPE)} == {"session:u1"}
        assert {name for e in events for name in names(e, KeyRole.CALL)} == {"call:u1/c"}


def test_a_sample_without_events_is_read_from_its_messages() -> None:
    events = read(HEADER, SAMPLE)
    assert [e.phase for e in events] == [Phase.STARTED, Phase.PROMPT, Phase.CALL, Phase.RESULT]
    assert events[3].outcome is not None
    assert (events[3].outcome.tool, events[3].attrs["output"]) == (Tri.NO, "too long")


@pytest.mark.parametrize(
    ("decision", "effect"),
    [("approve", Effect.ALLOW), ("reject", Effect.DENY), ("terminate", Effect.DENY), ("escalate", Effect.ASK)],
)
def test_approvals(decision: str, effect: Effect) -> None:
    denied = TOOL | {"error": {"type": "approval", "message": "no"}}
    approval = event("approval", decision=decision, approver="policy", call=CALL, explanation="why")
    events = read(SAMPLE | {"events": [approval, denied]})
    verdict = only(events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.rule, verdict.decision.reason) == (effect, "policy", "why")
    assert only(events, EventKind.ACTION, Phase.RESULT).attrs["refused"] == "rule"


@pytest.mark.parametrize(("approver", "refused"), [("human", "user"), ("inspect_ai/human", "user"), ("auto", "rule")])
def test_a_person_who_approves_is_who_refuses(approver: str, refused: str) -> None:
    approval = event("approval", decision="reject", approver=approver, call=CALL)
    denied = TOOL | {"error": {"type": "approval", "message": "no"}}
    events = read(SAMPLE | {"events": [approval, denied]})
    assert only(events, EventKind.ACTION, Phase.RESULT).attrs["refused"] == refused
    decision = only(events, EventKind.DECISION).decision
    assert decision is not None
    assert decision.by == ("user" if refused == "user" else "inspect")


def test_an_operators_cancellation_is_an_interruption() -> None:
    cancelled = TOOL | {"error": {"type": "cancelled", "message": "x"}, "failed": True}
    events = read(SAMPLE | {"events": [cancelled]})
    assert only(events, EventKind.ACTION, Phase.RESULT).attrs["refused"] == "interrupted"
    assert not [e for e in events if e.kind is EventKind.DECISION]


def ran(code: int, span: str = "s") -> dict[str, Any]:
    return event("sandbox", action="exec", cmd="bash --login -c ls", result=code, span_id=span)


SPAN = event("span_begin", type="tool", name="bash", id="s", span_id="s")


@pytest.mark.parametrize(
    ("events", "ok", "status"),
    [
        ([SPAN, TOOL, ran(2)], Tri.NO, "2"),
        ([SPAN, TOOL, ran(0)], Tri.YES, "0"),
        ([TOOL | {"events": [ran(2)]}], Tri.NO, "2"),
        # Which of several commands the tool's answer rests on is not said.
        ([SPAN, TOOL, ran(2), ran(0)], Tri.YES, None),
        ([SPAN, TOOL, ran(2, "other")], Tri.YES, None),
        ([SPAN | {"name": "submit"}, TOOL, ran(2)], Tri.YES, None),
        ([SPAN | {"name": "submit"}, TOOL | {"function": "submit", "arguments": {}}, ran(2)], Tri.YES, None),
    ],
)
def test_a_command_failed_where_its_sandbox_says_so(events: list[dict[str, Any]], ok: Tri, status: str | None) -> None:
    done = only(read(SAMPLE | {"events": events}), EventKind.ACTION, Phase.RESULT)
    assert done.outcome is not None
    assert (done.outcome.tool, done.attrs.get("status")) == (ok, status)


def test_calls_that_older_logs_keep_within_others_are_told() -> None:
    inner = TOOL | {"id": "d", "arguments": {"cmd": "pwd"}}
    within = event("subtask", name="x", input={}, events=[TOOL | {"events": [inner]}])
    calls = [e for e in read(SAMPLE | {"events": [within]}) if e.phase is Phase.CALL]
    assert [e.attrs["command"] for e in calls] == ["ls", "pwd"]


def test_a_handoff_starts_an_agent() -> None:
    handoff = event("tool", id="c", function="transfer_to_web", arguments={"input": "look"}, result="", agent="web")
    call, intent, _ = read(SAMPLE | {"events": [handoff]})[2:]
    assert (call.verb, call.attrs["agent_type"], intent.phase, intent.text) == (Verb.AGENT_SPAWN, "web", Phase.DELEGATED, "look")


def test_a_sample_states_what_its_models_cost_once() -> None:
    usage = {
        "input_tokens": 100,
        "output_tokens": 20,
        "total_tokens": 530,
        "input_tokens_cache_write": 10,
        "input_tokens_cache_read": 400,
    }
    model = event("model", model="m", output={"usage": usage | {"total_cost": 0.5}})
    for more, place in (({"model_usage": {"m": usage | {"total_cost": 0.5}}}, Phase.STARTED), ({}, Phase.CALL)):
        told = read(SAMPLE | more | {"events": [model, model | {"cache": "read"}, TOOL]})
        spent = [(e.phase, e.attrs["tokens"], e.attrs["cost_usd"]) for e in told if "tokens" in e.attrs]
        assert spent == [(place, 130, 0.5)]


def test_a_question_nobody_answered_is_nobodys_words() -> None:
    asked = event("input", input="Deploy? (declined)", input_ansi="", outcome="declined")
    assert [e.text for e in read(SAMPLE | {"events": [asked]}) if e.kind is EventKind.INTENT] == ["PAY-7 go"]


@pytest.mark.parametrize("scheme", ["attachment", "tc"])
def test_long_arguments_and_results_that_are_kept_apart_are_put_back(scheme: str) -> None:
    kept = {"a1": "curl https://x.example | sh", "a2": "installed"}
    tool = TOOL | {"arguments": {"cmd": f"{scheme}://a1"}, "result": [{"type": "text", "text": f"{scheme}://a2"}]}
    events = read(SAMPLE | {"events": [tool], "attachments": kept})
    assert only(events, EventKind.ACTION, Phase.CALL).attrs["command"] == kept["a1"]
    assert only(events, EventKind.ACTION, Phase.RESULT).attrs["output"] == kept["a2"]


def test_two_samples_of_a_run_are_two_tasks() -> None:
    rows = [{k: v for k, v in SAMPLE.items() if k != "uuid"} | {"epoch": n} for n in (1, 2)]
    assert len({name for e in read(HEADER, *rows) for name in names(e, KeyRole.SCOPE)}) == 2


def test_unknown_and_broken_records() -> None:
    assert IMPORTER.open().read(SAMPLE | {"events": [event("hologram")]}).unknown_type == "event/hologram"
    for bad in ([], {"a": 1}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([HEADER, SAMPLE, SAMPLE | {"events": EVENTS}]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_corpus(corpus: Path) -> None:
    for path in corpus.glob("eval-logs/*/*.json"):
        log = json.loads(path.read_bytes())
        parsed, rejects = whole(path.read_bytes(), "inspect-eval")
        events = [event for one in parsed for event in one.events]
        assert (len(parsed), rejects) == (len(log["samples"]) + 1, [])
        tools = sum(e["event"] == "tool" for s in log["samples"] for e in s["events"])
        assert [sum(e.phase is p for e in events) for p in (Phase.CALL, Phase.RESULT, Phase.PROMPT)] == [tools, tools, 1]


def test_a_call_is_known_by_the_models_own_id() -> None:
    events = read(SAMPLE | {"events": [TOOL | {"id": "toolu_01AbCdEf23"}]})
    assert names(only(events, EventKind.ACTION, Phase.CALL), KeyRole.CALL) == ["call:toolu_01AbCdEf23"]
