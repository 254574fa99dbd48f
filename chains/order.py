"""Rule 7: the order of a task's events. Causality first, then time; where the two disagree, the order is uncertain."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from sys import intern

from chains.shelf import ById, Places, Shelf, alike
from model.event import Event
from model.words import Clock, EventKind, Phase, Vantage

TOLERANCE = 1_000_000
"""Microseconds by which a clock may run backwards along the causal order before the order counts as uncertain."""

_WITHIN_RECORD = {
    EventKind.INTENT: 0,
    EventKind.DECISION: 2,
    EventKind.CREDENTIAL: 3,
    EventKind.ACTION: 1,
    EventKind.EFFECT: 4,
}
_FAR = 2**62
"""No time is further from the epoch, whatever a log says: times less a skew still fit into 64 bits."""


class Ordered:
    """A task's events in their order. `skews` is the clock skew by point in microseconds; what such a clock says is put right,
    and its order is uncertain.
    """

    def __init__(self, events: Sequence[Event], skews: Mapping[str, int] | None = None) -> None:
        self._skews = skews or {}
        told = _Told(events)
        times = _times(told)
        if self._skews:
            for n, point in enumerate(told.points):
                times[n] -= self._skews.get(point, 0)
        latest, lengths = _causal(told, times)
        order = sorted(
            range(len(events)),
            key=lambda n: (latest[n], lengths[n], told.orders[n], told.within[n], told.phases[n], told.ids[n]),
        )
        several = len(set(told.points)) > 1
        self._uncertain = bytearray(
            latest[n] - times[n] > TOLERANCE or (several and (told.loose[n] or told.points[n] in self._skews)) for n in order
        )
        self.events: list[Event] | Shelf[Event] = alike(events, Event)
        for n in order:
            self.events.append(events[n])
        self.by_id: Mapping[str, Event]
        self.position: Mapping[str, int]
        if isinstance(self.events, Shelf):
            self.by_id = held = ById(self.events, (told.ids[n] for n in order))
            self.position = Places(held)
        else:
            self.by_id = {event.id: event for event in self.events}
            self.position = {event.id: n for n, event in enumerate(self.events)}

    def is_uncertain(self, place: int) -> bool:
        """Whether the place of an event is not proven."""
        return bool(self._uncertain[place])

    def moment(self, event: Event) -> int | None:
        """When it happened by the clock of the agents."""
        return event.at - self._skews.get(event.point, 0) if event.at is not None else None


class _Told:
    """What order rests on, by the event's number: columns, for a task may have a million events."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.ids: list[str] = []
        self.points: list[str] = []
        self.phases: list[str] = []
        self.within = bytearray()
        self.times: list[int | None] = []
        self.orders: list[int] = []
        self.loose = bytearray()
        self.refs = array("q")
        self.afters = array("q")
        self.names: dict[str, int] = {}
        """Numbers of the identifiers by which records say what they answer."""
        known: dict[int, int] = {}
        for event in events:
            self.ids.append(event.id)
            self.points.append(intern(event.point))
            self.phases.append(event.phase.value)
            self.within.append(_WITHIN_RECORD[event.kind])
            self.times.append(event.at if event.at is None or -_FAR < event.at < _FAR else _FAR if event.at > 0 else -_FAR)
            self.orders.append(known.setdefault(event.order, event.order))
            self.loose.append(event.at is None or event.clock is not Clock.EXACT)
            self.refs.append(self._number(event.ref))
            self.afters.append(self._number(event.after))

    def _number(self, name: str) -> int:
        return self.names.setdefault(name, len(self.names)) if name else -1


def _times(told: _Told) -> array[int]:
    """A time for every event: its own, else that of the record before it in its log, else of the first one after it."""
    found = array("q", bytes(8 * len(told.ids)))
    last: dict[str, int] = {}
    waiting: dict[str, list[int]] = {}
    for n in sorted(range(len(told.ids)), key=lambda n: (told.points[n], told.orders[n], told.ids[n])):
        at, point = told.times[n], told.points[n]
        if at is not None:
            found[n] = last[point] = at
            for other in waiting.pop(point, ()):
                found[other] = at
        elif point in last:
            found[n] = last[point]
        else:
            waiting.setdefault(point, []).append(n)
    return found


def _causal(told: _Told, times: Sequence[int]) -> tuple[array[int], array[int]]:
    """For each event the latest time on the way to it and the length of that way, so that no answer precedes its question.

    A chain of parents that closes into a circle is cut where it closes.
    """
    latest, lengths = array("q", (max(0, at) for at in times)), array("q", bytes(8 * len(times)))
    if not told.names:
        return latest, lengths
    before = array("q", [-1]) * len(told.names)
    shown: list[int | None] = [None] * len(told.names)
    for n in sorted(range(len(times)), key=told.ids.__getitem__):
        ref, after = told.refs[n], told.afters[n]
        if ref >= 0:
            seen = shown[ref]
            shown[ref] = times[n] if seen is None else min(seen, times[n])
            if after >= 0 and after != ref and before[ref] < 0:
                before[ref] = after
    reached: dict[int, tuple[int, int]] = {}
    for name in sorted(told.names):
        way: list[int] = []
        on_way: set[int] = set()
        current = told.names[name]
        while current >= 0 and shown[current] is not None and current not in reached and current not in on_way:
            way.append(current)
            on_way.add(current)
            current = before[current]
        time, length = reached.get(current, (0, -1)) if current not in on_way else (0, -1)
        for one in reversed(way):
            time, length = max(time, shown[one] or 0), length + 1
            reached[one] = (time, length)
    for n, (ref, after) in enumerate(zip(told.refs, told.afters, strict=True)):
        time, lengths[n] = reached.get(ref) or reached.get(after) or (0, 0)
        latest[n] = max(time, times[n])
    return latest, lengths


def is_agent_call(event: Event) -> bool:
    """Whether the event is the agent's own word that it makes a call."""
    return event.vantage is Vantage.AGENT and event.kind is EventKind.ACTION and event.phase is Phase.CALL
