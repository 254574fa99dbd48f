"""Coverage as a build measures it, and the tasks for which another coverage may mean something else."""

from __future__ import annotations

from chains.claims import AROUND
from chains.coverage import coverage_of, shifts
from chains.detections.credential_life import LOOKS_ON, grace
from chains.facts import OrgFacts
from model.chain import Coverage
from model.words import Vantage
from review.derive.hearing import heard_on
from review.own import Own
from store import Store


class Covering:
    """Measures the coverage of one build; `first`: nothing was built before, so nobody's can have changed."""

    def __init__(self, store: Store, facts: OrgFacts, own: Own, skews: dict[str, int], *, first: bool) -> None:
        self._store = store
        self._facts = facts
        self._own = own
        self._skews = skews
        self._first = first

    def measure(self, dirty: set[str]) -> list[Coverage]:
        """Measure coverage; where it changed, the tasks of that time are built again too."""
        before = self._store.coverage()
        now = coverage_of(heard_on(self._store, self._facts), self._facts)
        if now != before:
            touched = set() if self._first else self._covered_otherwise(before, now)
            # Kept before the coverage is: a crash in between must not lose who has to be built again.
            self._store.mark_dirty(sorted(touched))
            self._store.save_coverage(now)
            dirty |= touched
        return now

    def _covered_otherwise(self, before: list[Coverage], now: list[Coverage]) -> set[str]:
        """The tasks for which what was watched, or its silence, may mean something else: those of the time that is covered
        otherwise, and those of which a finding looks for a revocation in it."""
        if {c.point for c in before if not c.records} != {c.point for c in now if not c.records}:
            return set(self._store.task_ids())
        adrift = max((abs(skew) for skew in self._skews.values()), default=0)
        spans = shifts(before, now, lambda point: bool(self._own.reach or self._facts.expected_points(point)))
        found: set[str] = set()
        if own := self._own.reach:
            # Own detections judge absences by any point's coverage, so far from an event and its skew.
            for start, end in spans:
                found |= self._store.tasks_between(start - own - adrift, end + own + adrift)
        found |= self._store.tasks_during([(start - adrift, end + adrift) for start, end in spans])
        # What a target should have seen of a claim it may log a while after.
        targets = (one for one in before if one.vantage is Vantage.TARGET), (one for one in now if one.vantage is Vantage.TARGET)
        later = [(start - AROUND - adrift, end + adrift) for start, end in shifts(*targets)]
        found |= self._store.tasks_during(later, claiming=True)
        reach = grace(self._facts)
        return found | self._store.tasks_with(LOOKS_ON, [(start - reach - adrift, end + adrift) for start, end in spans])
