"""Rule 7: the order of a task's events. Causality first, then time; where the two disagree, the order is uncertain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


class Ordered:
    """A task's events in their order; `uncertain` holds the ids of those whose place is not proven.

    `skews` is the clock skew by point in microseconds; what such a clock says is put right, and its order is uncertain.
    """

    def __init__(self, events: Sequence[Event], skews: Mapping[str, int] | None = None) -> None:
        self._skews = skews or {}
        times = _times(events)
        for event in events if self._skews else ():
            times[event.id] -= self._skews.get(event.point, 0)
        causal = _causal(events, times)
        self.events = sorted(events, key=lambda e: (*causal[e.id], e.order, _WITHIN_RECORD[e.kind], e.phase.value, e.id))
        self.position = {event.id: n for n, event in enumerate(self.events)}
        points = {event.point for event in events}
        self.uncertain = {
            event.id
            for event in events
            if causal[event.id][0] - times[event.id] > TOLERANCE
            or (len(points) > 1 and (event.at is None or event.clock is not Clock.EXACT or event.point in self._skews))
        }

    def moment(self, event: Event) -> int | None:
        """When it happened by the clock of the agents."""
        return event.at - self._skews.get(event.point, 0) if event.at is not None else None


def _times(events: Sequence[Event]) -> dict[str, int]:
    """A time for every event: its own, else that of the record before it in its log, else of the first one after it."""
    found: dict[str, int] = {}
    last: dict[str, int] = {}
    waiting: dict[str, list[str]] = {}
    for event in sorted(events, key=lambda e: (e.point, e.order, e.id)):
        if event.at is not None:
            found[event.id] = last[event.point] = event.at
            for id in waiting.pop(event.point, ()):
                found[id] = event.at
        elif event.point in last:
            found[event.id] = last[event.point]
        else:
            waiting.setdefault(event.point, []).append(event.id)
    for ids in waiting.values():
        found.update(dict.fromkeys(ids, 0))
    return found


def _causal(events: Sequence[Event], times: dict[str, int]) -> dict[str, tuple[int, int]]:
    """For each event the latest time on the way to it and the length of that way, so that no answer precedes its question.

    A chain of parents that closes into a circle is cut where it closes.
    """
    before: dict[str, str] = {}
    shown: dict[str, int] = {}
    for event in sorted(events, key=lambda e: e.id):
        if event.ref:
            shown[event.ref] = min(shown.get(event.ref, times[event.id]), times[event.id])
            if event.after and event.after != event.ref:
                before.setdefault(event.ref, event.after)
    reached: dict[str, tuple[int, int]] = {}
    for ref in sorted(shown):
        way: list[str] = []
        on_way: set[str] = set()
        current = ref
        while current in shown and current not in reached and current not in on_way:
            way.append(current)
            on_way.add(current)
            current = before.get(current, "")
        time, length = reached.get(current, (0, -1)) if current not in on_way else (0, -1)
        for one in reversed(way):
            time, length = max(time, shown[one]), length + 1
            reached[one] = (time, length)
    found: dict[str, tuple[int, int]] = {}
    for event in events:
        time, length = reached.get(event.ref) or reached.get(event.after) or (0, 0)
        found[event.id] = (max(time, times[event.id]), length)
    return found


def is_agent_call(event: Event) -> bool:
    """Whether the event is the agent's own word that it makes a call."""
    return event.vantage is Vantage.AGENT and event.kind is EventKind.ACTION and event.phase is Phase.CALL
