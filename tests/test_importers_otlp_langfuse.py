"""Langfuse's traces and observations: whose they are, how a tool ended, and what ties them together where ids are its own."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from hypothesis import given

from importers import open_source
from importers.otlp import IMPORTER
from importers.shared.fields import decode
from model.event import Event, RawRecord
from model.words import EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import JSON, mutated, names, only, read, survives

Record = dict[str, object]
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TIMES: Record = {"startTime": "2026-06-01T14:00:00.000Z", "endTime": "2026-06-01T14:00:01.000Z"}
TOOL: Record = {"id": "o-1", "traceId": "t-1", "parentObservationId": "o-0", "type": "TOOL", "name": "bash", **TIMES,
                "input": {"command": "make"}, "output": "x", "level": "DEFAULT"}  # fmt: skip
AGENT: Record = {"id": "o-0", "traceId": "t-1", "type": "AGENT", "name": "coder", **TIMES,
                 "input": {"messages": [{"role": "user", "content": "build it"}]}, "output": "done", "level": "DEFAULT"}  # fmt: skip
RUN: Record = {"id": "t-1", "name": "run", "userId": "dana@acme.example", "sessionId": "s-9", "observations": [AGENT, TOOL]}
CARRIED: Record = {"id": SPAN, "traceId": TRACE, "parentObservationId": None, "type": "SPAN", "name": "execute_tool bash", **TIMES,
                   "input": '{"command": "make"}', "level": "DEFAULT",
                   "metadata": {"attributes": {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "bash"}}}  # fmt: skip
ASKED: Record = {"id": "o-2", "traceId": "t-1", "type": "GENERATION", "name": "chat", "model": "m-1", **TIMES, "level": "DEFAULT",
                 "input": [{"role": "user", "content": "build it"}],
                 "output": {"role": "assistant", "tool_calls": [
                     {"id": "call_1", "type": "function", "function": {"name": "bash", "arguments": '{"command": "make"}'}}]}}  # fmt: skip


def imported(record: Record) -> list[Event]:
    source = open_source(BytesIO(json.dumps(record).encode()))
    assert source.format == "otlp"
    reader = IMPORTER.open()
    return [event for item in source.items() if isinstance(item, RawRecord) for event in reader.read(decode(item.data)).events]


def test_a_trace_says_whose_its_observations_are() -> None:
    events = imported(RUN)
    assert only(events, EventKind.INTENT).text == "build it"
    call, result = only(events, EventKind.ACTION, Phase.CALL), only(events, EventKind.ACTION, Phase.RESULT)
    assert (call.verb, call.attrs["command"]) == (Verb.EXEC, "make")
    assert {name for event in events for name in names(event, KeyRole.SCOPE)} == {"session:s-9"}
    assert names(call, KeyRole.CALL) == names(result, KeyRole.CALL) == ["call:o-1"]
    assert {event.principal and event.principal.name for event in events} == {"dana@acme.example"}


@pytest.mark.parametrize(("level", "ended"), [("DEFAULT", Tri.YES), ("WARNING", Tri.YES), ("ERROR", Tri.NO)])
def test_the_level_says_how_a_tool_ended(level: str, ended: Tri) -> None:
    result = only(imported(TOOL | {"level": level, "statusMessage": "exit 2"}), EventKind.ACTION, Phase.RESULT)
    assert result.outcome and result.outcome.tool is ended
    # A trace by Langfuse's own id is the run, where no session is told.
    assert names(result, KeyRole.SCOPE) == ["session:t-1"]


def test_what_came_over_opentelemetry_keeps_its_attributes_and_ids() -> None:
    call = only(imported({"data": [CARRIED], "meta": {"page": 1}}), EventKind.ACTION, Phase.CALL)
    assert (call.tool, call.attrs["command"]) == ("bash", "make")
    assert (names(call, KeyRole.SCOPE), names(call, KeyRole.CALL)) == ([f"trace:{TRACE}"], [f"span:{TRACE}/{SPAN}"])


def test_calls_that_a_model_asked_for_are_told() -> None:
    call = only(imported(ASKED), EventKind.ACTION, Phase.CALL)
    assert (call.tool, call.attrs["command"], names(call, KeyRole.CALL)) == ("bash", "make", ["call:call_1"])


@given(mutated([RUN, TOOL, CARRIED, ASKED]) | JSON)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
    assert read(IMPORTER, TOOL).events
