"""Build: events to tasks, links, lifelines, coverage and findings; only what read something that changed is built again.

Whatever is interrupted is completed by the next build: what waits is kept in the store until a build has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import msgspec

from chains.affected import affected
from chains.attribution import Resolver, attribute
from chains.facts import OrgFacts
from chains.family import parentage, telling
from chains.reach import Reach
from chains.skew import estimate
from model.chain import Coverage, Credential, Finding, TaskChain
from model.evidence import Stub
from model.words import KeyRole
from review.collecting import fewer_collections
from review.derive.chaining import Chaining, Events, Ground, Made, Share, each_events_of, events_of, shares
from review.derive.claimants import Claimants
from review.derive.covering import Covering
from review.derive.crew import Crew
from review.derive.index import BuiltIndex, CachedIndex
from review.derive.lifelines import Lifelines
from review.derive.lineage import Lineage
from review.derive.placing import Placed, Stretch, place, stretches
from review.derive.settings_stamp import keep_stamps, require_organisation
from review.derive.surroundings import Asked
from review.intake.importing import Progress
from review.workspace import Workspace
from store import Store

BATCH = 2_000
"""Events attributed at a time."""

NAMES = 100
"""Names of credentials whose lifelines are made before they are written: each may have several hundred uses."""

SHARED = 500
"""Tasks whose parents are looked for over what was read once."""

SETTLING = 2
"""Builds tried until the clocks' skews stand: they follow from the records alone, so the second finds what the first did."""


class BuildsElsewhere(Exception):
    """Another process builds, and this one was not to wait for it."""


def build(
    work: Workspace,
    *,
    progress: Progress | None = None,
    told: Callable[[str], None] | None = None,
    anew: bool = False,
    waits: bool = True,
) -> dict[str, int]:
    """Bring every derived row up to date, or make all of them `anew`; the totals of tasks, steps and findings afterwards.

    Where another process builds it waits, and what is left then is built here, or raises BuildsElsewhere. `told` hears that
    it waits, and why everything is built again, where it is. Raises RemitError where that would be for want of an
    organisation file.
    """
    store = work.store
    require_organisation(work)
    tell = told or (lambda what: None)
    with store.building_alone(_Waiting(tell, progress) if waits else _elsewhere):
        if anew:
            store.clear_derived()
        if changed := keep_stamps(work):
            tell(changed)
        if changed is not None or store.dirty_count():
            with fewer_collections():
                _settle(work, progress)
            store.mark_built()
        return store.totals()


def _elsewhere() -> None:
    raise BuildsElsewhere


class _Waiting:
    """Says once that another process builds, and shows each time it is asked that this one is alive."""

    def __init__(self, tell: Callable[[str], None], progress: Progress | None) -> None:
        self._tell = tell
        self._progress = progress
        self._told = False

    def __call__(self) -> None:
        if not self._told:
            self._tell("another import is building: what is left is built when that has ended")
            self._told = True
        if self._progress:
            self._progress("once another build has ended", 0, 0)


def _settle(work: Workspace, progress: Progress | None) -> None:
    """Build until the clocks' skews stand."""
    store = work.store
    skews = told_skews(store)
    for _ in range(SETTLING):
        now = _build(work, skews, progress)
        if now == skews:
            break
        # All times were compared by clocks now known to be wrong. Cleared first: a crash in between is made good by
        # the next build, which finds everything to do.
        store.clear_derived()
        store.set_meta("skews", msgspec.json.encode(now).decode())
        skews = now
    else:
        _build(work, skews, progress)


def _build(work: Workspace, skews: dict[str, int], progress: Progress | None) -> dict[str, int]:
    """Build once; the clocks' skews as the records now tell them."""
    with Crew(work, work.store.dirty_count()) as crew, work.store.viewing():
        return _Build(work, skews, progress, crew).run()


def told_skews(store: Store) -> dict[str, int]:
    """By point the clock skew derived rows were built with, in microseconds; points whose clock is right are not named."""
    kept = store.get_meta("skews")
    return msgspec.json.decode(kept, type=dict[str, int]) if kept else {}


class Anew:
    """Tasks and lifelines built again from what a store shows, written nowhere: for a store seen as of an earlier moment."""

    def __init__(self, work: Workspace, coverage: list[Coverage], as_of: int) -> None:
        self._build = _Build(work, told_skews(work.store), None)
        self._chaining = self._build.chaining(coverage, as_of)

    def lifelines(self, name: str) -> list[Credential]:
        """The lifelines of what goes by a name."""
        return self._build.lifelines.named(name)

    def chains(self, tasks: Iterable[str]) -> Iterator[tuple[TaskChain, list[Finding]]]:
        """These tasks with their findings, those below others first; a task of which the store shows nothing is left out."""
        build = self._build
        events = {task: events_of(build.store, task) for task in tasks}
        for task, held in events.items():
            build.learn(task, held)
        for task in sorted(events, key=lambda t: (-len(build.lineage.ancestors(t)), t)):
            if events[task]:
                chain, findings, _ = self._chaining.one(task, events[task])
                yield chain, findings


class _Build:
    """One build. The order of its parts matters: attribution, descent, coverage, lifelines, then tasks from the leaves up."""

    def __init__(self, work: Workspace, skews: dict[str, int], progress: Progress | None, crew: Crew | None = None) -> None:
        self.work = work
        self.crew = crew
        self.store: Store = work.store
        self.facts: OrgFacts = work.facts
        self.skews = skews
        self.progress = progress
        self.index = CachedIndex(self.store)
        # Before a first build nothing is placed, so nobody else's place can change. One that found no task leaves events that wait for theirs.
        self.first = self.store.never_built() and next(self.store.task_ids(), None) is None
        self.lineage = Lineage(self.store, empty=self.first)
        self.claimants = Claimants(self.store, skews)
        self.lifelines = Lifelines(self.store, self.facts, self.lineage, skews)
        self.covering = Covering(self.store, self.facts, work.own, skews, first=self.first)
        self.learned: dict[str, tuple[str, ...]] = {}
        self.asked = Asked()
        self.told: set[str] = set()

    def run(self) -> dict[str, int]:
        """Build; the clocks' skews as the records now tell them, which the build was right to use if they are the same."""
        self._attribute()
        dirty = set(self.store.dirty_tasks())
        if not self.first:
            dirty |= self.claimants.concerned(self.store.dirty_keys())
        dirty |= self._descend(dirty)
        if not self.first:
            dirty |= self.asked.concerned(self.index, self.lineage)
        coverage = self.covering.measure(dirty)
        dirty |= self._credentials(dirty)
        dirty |= {above for task in dirty for above in self.lineage.ancestors(task)}
        self.index.forget()
        self._chains(dirty, coverage)
        return estimate(self.store.clock_sums(), self.store.word_clocks())

    def _tell(self, what: str, count: int) -> None:
        if self.progress:
            self.progress(what, count, 0)

    # events to tasks

    def _attribute(self) -> None:
        if self.first and self.crew and self._attribute_together(self.crew):
            return
        seen: set[str] = set()
        done = 0
        before = BuiltIndex(self.store)
        for batch in self.store.dirty_event_batches(BATCH):
            fresh = [stub for stub in batch if stub.id not in seen]
            if not fresh:
                continue
            self.told |= {k.name for stub in fresh for k in stub.keys if k.role is KeyRole.CREDENTIAL}
            self.index.prefetch(fresh)
            self.asked.take(fresh)
            self.claimants.see(fresh)
            moved = fresh if self.first else [s for s in affected(fresh, before, self.facts, self.skews) if s.id not in seen]
            if not self.first:
                seen.update(stub.id for stub in moved)
            for part in _parts(moved, BATCH):
                self.store.save_attributions(attribute(part, self.index, self.facts, self.skews))
            done += len(fresh)
            self._tell("attributing events", done)

    def _attribute_together(self, crew: Crew) -> bool:
        """Have both processes place events; False where there are some that a finished build has placed already."""
        after, last = self.store.begin_build()
        if after:
            return False
        done = 0

        def here(stretch: Stretch) -> Iterator[Placed]:
            yield place(self.store, self.index, self.facts, self.skews, stretch)

        for placed in crew.place(self.skews, stretches(after, last), here):
            self.told.update(placed.credentials)
            self.store.save_attributions(placed.attributions)
            done += len(placed.attributions)
            self._tell("attributing events", done)
        return True

    # tasks to their parents

    def _descend(self, dirty: set[str]) -> set[str]:
        """Find the parents of these tasks; the further tasks whose place in the family changed with them."""
        further: set[str] = set()
        shared: set[str] = set()
        for number, (task, events) in enumerate(each_events_of(self.store, sorted(dirty))):
            if number % SHARED == 0:
                # What one key leads to is the same for every task that carries it.
                resolver = Resolver(self.index, self.facts, self.skews)
            further |= self._place(task, events, resolver)
            if not self.first:
                shared |= {k.name for e in events for k in e.keys if k.role is KeyRole.REFERENCE or k.kind == "sha"}
        # A job's parent is whoever else acted on its commit or pull request: that may have changed without the job.
        resolver = Resolver(self.index, self.facts, self.skews)
        for task in sorted(self._naming(shared) - set(self.lineage.found)):
            further |= self._place(task, events_of(self.store, task), resolver)
        self.lineage.settled()
        return further | self.lineage.descendants(further)

    def _place(self, task: str, events: Events, resolver: Resolver) -> set[str]:
        """Find a task's parent; the tasks whose place in the family changed with it."""
        before = self.lineage.parent(task)
        found = parentage(task, telling(events), resolver)
        self.lineage.found[task] = found
        self.learn(task, events)
        row = self.lineage.stored(task)
        if before == found.parent and (row is None or row.parent_step == found.step):
            return set()
        return {before, found.parent, task} - {""}

    def _naming(self, keys: set[str]) -> set[str]:
        """Tasks whose own records carry one of these keys."""
        found: set[str] = set()
        reach = Reach(self.index)
        ordered = sorted(keys)
        for start in range(0, len(ordered), 400):
            for stubs in self.index.carrying(ordered[start : start + 400]).values():
                for stub in stubs:
                    if task := reach.scope_task(stub):
                        found.add(task)
        return found

    # credentials

    def _credentials(self, dirty: set[str]) -> set[str]:
        """Make the lifelines the dirty tasks touch, and those that new events tell of in no task; the further tasks to which a changed one matters."""
        names: set[str] = set()
        for task in sorted(dirty):
            if task not in self.learned:
                self.learn(task, events_of(self.store, task))
            names.update(self.learned[task])
        found: set[str] = set()
        ordered, loose = sorted(names | self.told), self.told - names
        for start in range(0, len(ordered), NAMES):
            changed, gone, tasks = self.lifelines.make(ordered[start : start + NAMES], loose)
            if changed:
                self.store.save_credentials(changed)
            if gone:
                self.store.delete_credentials(sorted(gone))
            found |= tasks
        return found

    def learn(self, task: str, events: Events) -> None:
        """Take what lifelines need of a task while its events are at hand: its parent is known by now."""
        self.lifelines.learn(task, events)
        self.learned[task] = tuple(self.lifelines.names(events))

    # tasks

    def chaining(self, coverage: list[Coverage], as_of: int | None, tasks: Sequence[str] | None = None) -> Chaining:
        """What builds tasks, or these tasks alone, on this coverage, as of this last evidence."""
        ground = Ground(coverage, self.skews, as_of, *self.store.odd_records(tasks))
        return Chaining(self.work, ground, self.lineage, self.lifelines, self.index, self.claimants)

    def _chains(self, dirty: set[str], measured: list[Coverage]) -> None:
        store = self.store
        order = sorted(dirty, key=lambda t: (-len(self.lineage.ancestors(t)), t))
        chaining = self.chaining(measured, store.last_evidence(), None if self.first else order)
        done = 0
        for made in self._made(chaining, order):
            for task in made.gone:
                store.delete_task(task)
            if made.credentials:
                store.save_credentials(list({one.id: one for one in made.credentials}.values()))
            self.lifelines.trim()
            if made.built or made.pages:
                store.save_built(made.built, made.pages)
            done += len(made.built)
            self._tell("building tasks", done)

    def _made(self, chaining: Chaining, order: list[str]) -> Iterator[Made]:
        """All of these tasks, built here alone or by two."""
        if not self.crew:
            return chaining.build(order)
        names = {task: self._carried(task) for task in order}
        parts = shares(order, self.lineage, self.lifelines, names)
        if not parts or len(parts) == 1:
            # One long session may need all the memory there is for an import.
            self.crew.dismiss()
            return chaining.build(order)

        def here(share: Share) -> Iterator[Made]:
            self.lifelines.ready(share.made)
            return chaining.build(share.tasks)

        return self.crew.build(chaining.ground, parts, here)

    def _carried(self, task: str) -> Collection[str]:
        """The names of the credentials that a task carries."""
        held = self.learned.get(task)
        return self.lifelines.names(events_of(self.store, task)) if held is None else held


def _parts(stubs: list[Stub], size: int) -> Iterator[list[Stub]]:
    for start in range(0, len(stubs), size):
        yield stubs[start : start + size]
