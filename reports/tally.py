"""One pass over the population: counts for the report, and the few rows it prints in full."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection

import msgspec

from model.words import Effect, Tri
from reports.errors import PackError
from reports.input import StepRow

ROWS_PER_SAMPLE = 12
HOUR = 3_600_000_000
"""Microseconds of which the width of every interval is a multiple, and its beginning too."""


class Hours:
    """Steps counted by hour, where the intervals that are to be drawn are not known yet."""

    def __init__(self) -> None:
        self.steps: Counter[int | None] = Counter()
        self.decided: Counter[int | None] = Counter()

    def add(self, row: StepRow) -> None:
        hour = None if row.at is None else row.at // HOUR
        self.steps[hour] += 1
        if row.decided:
            self.decided[hour] += 1


class Counted(msgspec.Struct, frozen=True):
    """A population as another process counted it: the counts of a `Tally`, steps by hour, and the records of each table."""

    counts: dict[str, int]
    permitted: dict[str, int]
    reached: dict[str, frozenset[str]]
    hours: list[tuple[int | None, int, int]]
    records: dict[str, int]


class Bins:
    """Steps counted by interval: `number` intervals of `width` microseconds from `start` on."""

    def __init__(self, start: int, width: int, number: int) -> None:
        self.start, self.width, self.number = start, width, number
        self.steps = [0] * number
        self.decided = [0] * number
        self.steps_elsewhere = 0

    def place(self, at: int | None) -> int | None:
        """The interval a moment falls into, None where it has no time or lies outside of all of them."""
        if at is None:
            return None
        place = (at - self.start) // self.width
        return place if 0 <= place < self.number else None

    def add(self, row: StepRow) -> None:
        place = self.place(row.at)
        if place is None:
            self.steps_elsewhere += 1
            return
        self.steps[place] += 1
        self.decided[place] += row.decided

    def take(self, hour: int | None, steps: int, decided: int) -> None:
        """Steps of one hour, counted elsewhere."""
        place = self.place(None if hour is None else hour * HOUR)
        if place is None:
            self.steps_elsewhere += steps
            return
        self.steps[place] += steps
        self.decided[place] += decided


class Tally:
    """Counts steps as they stream by, in all and by interval; keeps wanted steps and the first rows of sampled tasks.

    Without intervals steps are counted by hour. `reached` holds the tasks with a unit of each population that is one of steps or of their credentials.
    """

    def __init__(self, wanted: Collection[str] = (), sampled: Collection[str] = (), bins: Bins | None = None) -> None:
        self.bins = bins or Bins(0, HOUR, 0)
        self.counts: Counter[str] = Counter()
        self.permitted: Counter[str] = Counter()
        self.reached: dict[str, set[str]] = {name: set() for name in ("steps", "covered_steps", "decided_steps", "credentials")}
        self.kept: dict[str, StepRow] = {}
        self.samples: dict[str, list[StepRow]] = defaultdict(list)
        self.sample_steps: Counter[str] = Counter()
        self._wanted = frozenset(wanted)
        self._sampled = frozenset(sampled)
        self._last: tuple[str, int] | None = None
        self._hours = Hours()
        self._places = self._hours.add if bins is None else bins.add

    def counted(self, records: dict[str, int]) -> Counted:
        """What was counted without intervals, for another process; `records` are those of the tables that were written."""
        hours = [(hour, steps, self._hours.decided[hour]) for hour, steps in self._hours.steps.items()]
        reached = {name: frozenset(tasks) for name, tasks in self.reached.items()}
        return Counted(dict(self.counts), dict(self.permitted), reached, hours, records)

    def take(self, counted: Counted) -> None:
        """The counts of another process in place of one's own."""
        self.counts, self.permitted = Counter(counted.counts), Counter(counted.permitted)
        self.reached |= {name: set(tasks) for name, tasks in counted.reached.items()}
        for hour in counted.hours:
            self.bins.take(*hour)

    def add(self, row: StepRow) -> None:
        """Count one step; raises PackError where rows do not ascend: the same state would not give the same bytes."""
        place = (row.task, row.n)
        if self._last is not None and place <= self._last:
            raise PackError(f"population rows are out of order at step {row.id[:80]}: (task, n) must ascend")
        counts = self.counts
        if self._last is None or self._last[0] != row.task:
            counts["tasks"] += 1
            self.reached["steps"].add(row.task)
        self._last = place
        counts["steps"] += 1
        self._places(row)
        self.permitted[row.permitted.value] += 1
        if row.decided:
            counts["decided_steps"] += 1
            self.reached["decided_steps"].add(row.task)
        if row.covered:
            counts["covered_steps"] += 1
            self.reached["covered_steps"].add(row.task)
            if row.decided:
                counts["covered_decided_steps"] += 1
        if row.permitted is Effect.DENY:
            counts["denied_steps"] += 1
        if row.credentials:
            counts["credentialed_steps"] += 1
            self.reached["credentials"].add(row.task)
            if row.task_bound is Tri.YES:
                counts["task_bound_steps"] += 1
        if row.effect is Tri.YES:
            counts["confirmed_steps"] += 1
        if row.disputed:
            counts["disputed_steps"] += 1
        if self._wanted or self._sampled:
            self.keep(row)

    def keep(self, row: StepRow) -> None:
        """Keep a step that is wanted, and the first of tasks that are sampled."""
        if row.id in self._wanted:
            self.kept[row.id] = row
        if row.task in self._sampled:
            self.sample_steps[row.task] += 1
            if len(self.samples[row.task]) < ROWS_PER_SAMPLE:
                self.samples[row.task].append(row)
