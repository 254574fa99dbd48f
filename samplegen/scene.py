"""Where a story is told: its ids, its bundle, and what the options take away from the logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from samplegen.ids import Ids
from samplegen.moments import SECOND
from samplegen.records import AGENT_SOURCES, Bundle, Json, Record


@dataclass(frozen=True, slots=True)
class Noise:
    """What goes wrong with the logs: sources missing, ids masked in everybody's logs but the agents' own, clocks off.

    `crowded` has everybody do their plain work twice at once: two agents of one person on one repository.
    """

    drop: frozenset[str] = frozenset()
    masked: bool = False
    skew: Mapping[str, float] = field(default_factory=dict)
    crowded: bool = False


class Scene:
    """One story being told; builders of log records take it, and what they make lands in `bundle`."""

    def __init__(self, ids: Ids, noise: Noise, bundle: Bundle, lane: int, serial: int) -> None:
        self.ids = ids
        self.noise = noise
        self.bundle = bundle
        self.lane = lane
        self._next_ticket = self._next_number = 1000 + 4 * serial
        self._skew = {source: round(seconds * SECOND) for source, seconds in noise.skew.items()}

    @property
    def masked(self) -> bool:
        return self.noise.masked

    def ticket(self) -> str:
        """A ticket number nobody else has."""
        self._next_ticket += 1
        return f"HARB-{self._next_ticket}"

    def number(self) -> int:
        """A number of a pull request nobody else has."""
        self._next_number += 1
        return self._next_number

    def clock(self, source: str, at: int) -> int:
        """What the clock of that source shows at `at`."""
        return at + self._skew.get(source, 0)

    def record(
        self, source: str, log: str, at: int, data: Json, task: str | None = None, step: str | None = None, by: str = "none"
    ) -> Record:
        """A record of somebody else's log; `by` is the strongest tie it has to its task."""
        if self.masked and by in ("call", "scope"):
            by = "inference"
        made = Record(source, log, at, data, task, step, by)
        self.bundle.records.append(made)
        return made

    def tie(self, start: Record | None, end: Record, via: str, key: str) -> None:
        """Note an exact link over a session or call id, unless the ids are masked."""
        agents = start is not None and start.source in AGENT_SOURCES and end.source in AGENT_SOURCES
        if agents or not self.masked:
            self.bundle.link(start, end, "exact", "call" if via == "call" else "scope", key)
