"""What of a store was known at a moment: evidence by when it happened, the words of people by when they were said.

Evidence imported later that had happened by then is known: a result depends on the records, never on when they were imported.
Coverage is measured anew, and every task and lifeline for which something later matters is built anew from what had happened,
without being written. What stays is which task an event belongs to, and the clocks' skews: a later record may have told of
them (`reports.wording.AS_OF`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from msgspec.structs import replace

from chains.claims import AROUND, LONGEST
from chains.coverage import coverage_of, shifts
from model.chain import Coverage, Credential, Finding, Link, Task, TaskChain
from model.event import Event
from model.evidence import SeenCredential, SeenStep, SeenTask, seen_step
from review.derive.building import Anew, told_skews
from review.derive.hearing import heard
from review.workspace import Workspace

if TYPE_CHECKING:
    from store import Store

_EARLIEST = -(2**62)


class Known:
    """A store as it was known at a moment. Where nothing is later, everything is as the store has it."""

    def __init__(self, work: Workspace, moment: int) -> None:
        self._work = work
        self._store = work.store
        self.moment = moment
        last = self._store.last_evidence()
        self.until = moment if last is not None and last > moment else None
        """What to bound counts by: the moment, or None where nothing is later."""
        self._rebuilt: dict[str, tuple[TaskChain, list[Finding]]] = {}
        self._affected: set[str] = set()
        self._lifelines: list[Credential] = []
        self._coverage = tuple(self._store.coverage())
        if self.until is not None:
            self._look_back()

    def _look_back(self) -> None:
        """Measure and build again all for which something later matters."""
        now, self._coverage = (
            self._coverage,
            tuple(coverage_of(heard(self._store, self._work.facts, self.until), self._work.facts)),
        )
        beyond = self._store.tasks_beyond(self.moment)
        view = dataclasses.replace(self._work, store=cast("Store", _Earlier(self._store, self.moment, beyond)))
        anew = Anew(view, list(self._coverage), self.moment)
        affected = set(beyond)
        seen: set[str] = set()
        for one in self._store.credentials():
            if not any(at is not None and at > self.moment for at in _moments(one)):
                self._lifelines.append(one)
                continue
            affected.update(one.tasks, {one.issued_task} - {""})
            for made in anew.lifelines(one.key):
                if made.id not in seen:
                    seen.add(made.id)
                    self._lifelines.append(made)
        reach = AROUND + LONGEST + max((abs(skew) for skew in told_skews(self._store).values()), default=0)
        for start, end in shifts(self._coverage, now):
            if start <= self.moment:
                affected |= self._store.tasks_between(start - reach, min(end + reach, self.moment))
        self._affected = affected
        self._rebuilt = {chain.task.id: (chain, findings) for chain, findings in anew.chains(sorted(affected))}

    def task(self, task: SeenTask) -> SeenTask | Task | None:
        """A task as it was known; None where nothing was known of it."""
        if task.id not in self._affected:
            return task
        found = self._rebuilt.get(task.id)
        return None if found is None else found[0].task

    def findings(self) -> Iterator[Finding]:
        """Every finding, in the store's order but for those of tasks that were looked back at."""
        for one in self._store.findings():
            if one.task not in self._affected and (self.until is None or _evident(one) <= self.moment):
                yield one
        for _, (_, findings) in sorted(self._rebuilt.items()):
            yield from findings

    def coverage(self) -> tuple[Coverage, ...]:
        """Coverage measured over what had happened."""
        return self._coverage

    def credentials(self) -> Sequence[SeenCredential | Credential]:
        """Lifelines up to the moment, by id; those of which nothing was known are left out."""
        return self._store.seen_credentials() if self.until is None else sorted(self._lifelines, key=lambda one: one.id)

    def clocks(self, tasks: Iterable[SeenTask | Task]) -> Iterator[tuple[str, int]]:
        """Comparisons of clocks in these tasks."""
        for task in tasks:
            yield from ((point, apart) for point, differences in task.clocks.items() for apart in differences)

    def steps(self, tasks: Sequence[str]) -> Iterator[SeenStep]:
        """The steps of tasks, which are named in order, as they were known."""
        part: list[str] = []
        for task in tasks:
            if task in self._affected:
                yield from self._store.steps_of(part)
                part = []
                yield from map(seen_step, self._rebuilt[task][0].steps) if task in self._rebuilt else ()
            else:
                part.append(task)
        yield from self._store.steps_of(part)


def _evident(one: Finding) -> int:
    at = one.evident if one.evident is not None else one.at
    return _EARLIEST if at is None else at


def _moments(one: Credential) -> Iterator[int | None]:
    yield from (use.at for use in one.use_list)
    yield from (use.at for use in one.exposures)
    yield from (turn.at for turn in one.turns)
    yield from (one.issued, one.last_use, one.revoked)


class _Earlier:
    """A store's reads without what happened after a moment, for building from; what would be written is dropped."""

    def __init__(self, store: Store, moment: int, beyond: set[str]) -> None:
        self._store = store
        self._moment = moment
        self._beyond = beyond

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _by(self, event: Event) -> bool:
        return event.at is None or event.at <= self._moment

    def events_of_task(self, task: str) -> list[Event]:
        return [event for event in self._store.events_of_task(task) if self._by(event)]

    def few_events_of_task(self, task: str, most: int) -> list[Event] | None:
        few = self._store.few_events_of_task(task, most)
        return None if few is None else [event for event in few if self._by(event)]

    def each_event_of_task(self, task: str) -> Iterator[Event]:
        return filter(self._by, self._store.each_event_of_task(task))

    def intents_of_task(self, task: str) -> list[Event]:
        return [event for event in self._store.intents_of_task(task) if self._by(event)]

    def events_with_key(self, *args: Any, **options: Any) -> list[tuple[Event, str]]:
        return [(event, task) for event, task in self._store.events_with_key(*args, **options) if self._by(event)]

    def attributions_of(self, task: str) -> list[Link]:
        links = self._store.attributions_of(task)
        if task not in self._beyond:
            return links
        later = {event.id for event in self._store.each_event_of_task(task) if not self._by(event)}
        return [link for link in links if link.source not in later and link.target not in later]

    def tellers(self, name: str) -> frozenset[tuple[str, str]]:
        points = {point for point, _ in self._store.carried_between(name, _EARLIEST, self._moment)}
        return frozenset(one for one in self._store.tellers(name) if one[0] in points)

    def carried_between(self, name: str, start: int, end: int) -> list[tuple[str, int]]:
        return list(self._store.carried_between(name, start, min(end, self._moment)))

    def children(self, task: str) -> list[str]:
        return [child for child in self._store.children(task) if self.task(child) is not None]

    def task(self, id: str) -> Task | None:
        found = self._store.task(id)
        if found is None or (found.started is not None and found.started > self._moment):
            return None
        return replace(found, ended=None) if found.ended is not None and found.ended > self._moment else found

    def save_credentials(self, credentials: Sequence[Credential]) -> None:
        return None
