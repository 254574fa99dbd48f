"""Trae Agent: the trajectory of one task, a document that is written anew with each step.

A step holds the model's calls and what came back of them by the call's id. Times are the machine's own, without a zone. Source: the
program's trajectory recorder and its description.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importers.shared.agents import call_id, field
from importers.shared.fields import Json, mapping, number
from importers.shared.transcript import Transcript, object_of, objects
from model.event import BadRecord, Event, Parsed
from model.words import EventKind, Phase, Tri

POINT = "trae"

_HEAD = frozenset({"task", "start_time", "model", "agent_steps", "llm_interactions"})
_STEPS = 20_000


class Trae:
    id = "trae"
    title = "Trae Agent trajectories"
    evidence = "documentation"
    version = 1
    states_intents = True

    def sniff(self, sample: Sequence[object]) -> int:
        found = any(isinstance(one, dict) and one.keys() >= _HEAD and isinstance(one["agent_steps"], list) for one in sample)
        return 93 if found else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def __init__(self) -> None:
        self._file = Transcript(POINT, unique_calls=False)

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a trajectory")
        if not record.keys() >= _HEAD:
            raise BadRecord("not a trajectory: it lacks " + ", ".join(sorted(_HEAD - record.keys())))
        self._file = Transcript(POINT, unique_calls=False)
        # What a document says at its beginning it says of the same task, however far it has come.
        self._file.begin(None, {"task": record.get("task"), "start_time": record.get("start_time")})
        self._file.know(model=field(record, "model"))
        frame = self._file.frame(record.get("start_time"))
        parsed = Parsed(scope=self._file.session, type="trajectory", at=frame.at)
        parsed.events.append(frame.event(EventKind.ACTION, Phase.STARTED))
        if words := field(record, "task"):
            parsed.events.append(frame.intent(Phase.PROMPT, words))
        for step in objects(record.get("agent_steps"))[:_STEPS]:
            parsed.events += self._step(step)
        return parsed

    def _step(self, step: Json) -> Iterator[Event]:
        place = number(step.get("step_number"))
        frame = self._file.frame(step.get("timestamp"), ref="" if place is None else str(place))
        told = objects(step.get("tool_calls")) or objects(mapping(step.get("llm_response")).get("tool_calls"))
        for one in told:
            call = _named(one, place) or self._file.unnamed_call()
            yield from self._file.call(frame, call, field(one, "name")[:300], one.get("arguments"))
        for one in objects(step.get("tool_results")):
            call, ok = _named(one, place), one.get("success")
            end = Tri.UNKNOWN if not isinstance(ok, bool) else Tri.YES if ok else Tri.NO
            said = "\n".join(text for name in ("result", "error") if (text := field(one, name)))
            if call:
                yield from self._file.result(frame, call, end, said)


def _named(told: Json, place: int | float | None) -> str:
    """A call by its id within its step: some models' clients count anew with each answer."""
    call = call_id(told.get("call_id")) or call_id(told.get("id"))
    return f"{place}/{call}" if call and place is not None else call


IMPORTER = Trae()
