"""Build: events to tasks, links, lifelines, coverage and findings; only what read something that changed is built again.

Whatever is interrupted is completed by the next build: what waits is kept in the store until a build has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from chains.affected import affected
from chains.attribution import attribute
from chains.build import build_task
from chains.conformance import compare
from chains.context import Context, Family
from chains.detections import Judged, judge
from chains.exclusions import Exclusions
from chains.facts import OrgFacts
from chains.family import parentage
from chains.reach import task_id
from chains.risk import score
from chains.skew import clock_pairs, estimate
from chains.stitch import life
from model.chain import Coverage, Credential, Finding, Link, Task, TaskChain
from model.event import Event
from model.evidence import Stub
from model.words import KeyRole
from review.claimants import Claimants
from review.collecting import fewer_collections
from review.covering import Covering
from review.enforced import Policies
from review.importing import Progress
from review.index import CachedIndex
from review.lifelines import Lifelines
from review.lineage import Lineage
from review.surroundings import Asked, Surroundings, Watched
from review.workspace import Workspace
from store import Store

BUILT = 3
"""Counts up when tasks are put together in another way: what a store has derived is then derived again."""

BATCH = 2_000
"""Events attributed at a time."""

CHAINS = 50
"""Tasks written at a time, fewer where they have more than `STEPS` steps together."""

STEPS = 2_000

SETTLING = 2
"""Builds tried until the clocks' skews stand: they follow from the records alone, so the second finds what the first did."""


def build(work: Workspace, *, progress: Progress | None = None) -> dict[str, int]:
    """Bring every derived row up to date; the totals of tasks, steps and findings afterwards."""
    store = work.store
    if _settings_changed(work) or store.dirty_count():
        with fewer_collections():
            _settle(work, progress)
        store.mark_built()
    counts = store.counts()
    return {name: int(counts[name]) for name in ("tasks", "steps", "findings")}


def _settle(work: Workspace, progress: Progress | None) -> None:
    """Build until the clocks' skews stand."""
    store = work.store
    skews = told_skews(store)
    for _ in range(SETTLING):
        now = _Build(work, skews, progress).run()
        if now == skews:
            break
        # All times were compared by clocks now known to be wrong. Cleared first: a crash in between is made good by
        # the next build, which finds everything to do.
        store.clear_derived()
        store.set_meta("skews", msgspec.json.encode(now).decode())
        skews = now
    else:
        _Build(work, skews, progress).run()


def told_skews(store: Store) -> dict[str, int]:
    """By point the clock skew derived rows were built with, in microseconds; points whose clock is right are not named."""
    kept = store.get_meta("skews")
    return msgspec.json.decode(kept, type=dict[str, int]) if kept else {}


def _settings_changed(work: Workspace) -> bool:
    """Another organisation file or other detections: everything that rests on them is built again."""
    stamp = settings_stamp(work)
    if work.store.get_meta("built_with") == stamp:
        return False
    if work.store.get_meta("built_with") is not None:
        work.store.clear_derived()
    work.store.set_meta("built_with", stamp)
    return True


def settings_stamp(work: Workspace) -> str:
    """What derived rows rest on besides the records: the organisation file, the policies it names, the detections' versions, one's
    own detections as they stand, and the way tasks are built."""
    from hashlib import sha256

    from chains.detections import registry

    versions = ",".join(f"{one.id}={one.version}" for one in registry().values())
    own = "".join(f",{one.id}={one.digest}" for one in work.own.detections)
    stamp = f"{versions}{own}{Policies(work.store, work.facts).stamp}{BUILT}"
    body = msgspec.json.encode(work.organisation) + stamp.encode()
    return sha256(body).hexdigest()


class Anew:
    """Tasks and lifelines built again from what a store shows, written nowhere: for a store seen as of an earlier moment."""

    def __init__(self, work: Workspace, coverage: list[Coverage], as_of: int) -> None:
        self._build = _Build(work, told_skews(work.store), None)
        self._coverage = Watched(coverage)
        self._as_of = as_of
        self._odd = _Odd(set(work.store.varied_records()), set(work.store.oversize_records()))

    def lifelines(self, name: str) -> list[Credential]:
        """The lifelines of what goes by a name."""
        return self._build.lifelines.named(name)

    def chains(self, tasks: Iterable[str]) -> Iterator[tuple[TaskChain, list[Finding]]]:
        """These tasks with their findings, those below others first; a task of which the store shows nothing is left out."""
        build = self._build
        events = {task: build.store.events_of_task(task) for task in tasks}
        for task, held in events.items():
            build._learn(task, held)
        built: dict[str, Task] = {}
        for task in sorted(events, key=lambda t: (-len(build.lineage.ancestors(t)), t)):
            if events[task]:
                chain, findings = build._one(task, events[task], self._coverage, self._odd, self._as_of, built)
                built[task] = chain.task
                yield chain, findings


class _Build:
    """One build. The order of its parts matters: attribution, descent, coverage, lifelines, then tasks from the leaves up."""

    def __init__(self, work: Workspace, skews: dict[str, int], progress: Progress | None) -> None:
        self.store: Store = work.store
        self.facts: OrgFacts = work.facts
        self.own = work.own
        self.exclusions = Exclusions(work.organisation)
        self.skews = skews
        self.progress = progress
        self.index = CachedIndex(self.store)
        # Before a first build nothing is placed, so nobody else's place can change.
        self.first = next(self.store.task_ids(), None) is None
        self.lineage = Lineage(self.store, empty=self.first)
        self.claimants = Claimants(self.store, skews)
        self.policies = Policies(self.store, self.facts)
        self.lifelines = Lifelines(self.store, self.facts, self.lineage, skews)
        self.covering = Covering(self.store, self.facts, work.own, skews, first=self.first)
        self.learned: dict[str, set[str]] = {}
        self.surroundings = Surroundings(self.store, self.lineage)
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
        return estimate(self.store.clocks(), self.store.word_clocks())

    def _tell(self, what: str, count: int) -> None:
        if self.progress:
            self.progress(what, count, 0)

    # events to tasks

    def _attribute(self) -> None:
        seen: set[str] = set()
        done = 0
        for batch in self.store.dirty_event_batches(BATCH):
            fresh = [stub for stub in batch if stub.id not in seen]
            if not fresh:
                continue
            self.told |= {k.name for stub in fresh for k in stub.keys if k.role is KeyRole.CREDENTIAL}
            self.index.prefetch(fresh)
            self.asked.take(fresh)
            self.claimants.see(fresh)
            moved = fresh if self.first else [s for s in affected(fresh, self.store, self.facts, self.skews) if s.id not in seen]
            seen.update(stub.id for stub in moved)
            for part in _parts(moved, BATCH):
                self.store.save_attributions(attribute(part, self.index, self.facts, self.skews))
            done += len(fresh)
            self._tell("attributing events", done)

    # tasks to their parents

    def _descend(self, dirty: set[str]) -> set[str]:
        """Find the parents of these tasks; the further tasks whose place in the family changed with them."""
        further: set[str] = set()
        shared: set[str] = set()
        for task in sorted(dirty):
            events = self.store.events_of_task(task)
            further |= self._place(task, events)
            if not self.first:
                shared |= {k.name for e in events for k in e.keys if k.role is KeyRole.REFERENCE or k.kind == "sha"}
        # A job's parent is whoever else acted on its commit or pull request: that may have changed without the job.
        for task in sorted(self._naming(shared) - set(self.lineage.found)):
            further |= self._place(task, self.store.events_of_task(task))
        self.lineage.settled()
        return further | self.lineage.descendants(further)

    def _place(self, task: str, events: list[Event]) -> set[str]:
        """Find a task's parent; the tasks whose place in the family changed with it."""
        before = self.lineage.parent(task)
        stubs = [stub_of(e) for e in events if any(k.role in _DESCENT for k in e.keys)]
        found = parentage(task, stubs, self.index, self.facts, self.skews)
        self.lineage.found[task] = found
        self._learn(task, events)
        row = self.lineage.stored(task)
        if before == found.parent and (row is None or row.parent_step == found.step):
            return set()
        return {before, found.parent, task} - {""}

    def _naming(self, keys: set[str]) -> set[str]:
        """Tasks whose own records carry one of these keys."""
        found: set[str] = set()
        ordered = sorted(keys)
        for start in range(0, len(ordered), 400):
            for stubs in self.index.carrying(ordered[start : start + 400]).values():
                for stub in stubs:
                    scope = next((k for k in stub.keys if k.role is KeyRole.SCOPE), None)
                    if scope is not None:
                        found.add(task_id(self.index.scope_root(scope.name)))
        return found

    # credentials

    def _credentials(self, dirty: set[str]) -> set[str]:
        """Make the lifelines the dirty tasks touch, and those that new events tell of in no task; the further tasks to which a changed one matters."""
        names: set[str] = set()
        for task in sorted(dirty):
            if task not in self.learned:
                self._learn(task, self.store.events_of_task(task))
            names |= self.learned[task]
        found: set[str] = set()
        ordered, loose = sorted(names | self.told), self.told - names
        for start in range(0, len(ordered), BATCH):
            changed, gone, tasks = self.lifelines.make(ordered[start : start + BATCH], loose)
            if changed:
                self.store.save_credentials(changed)
            if gone:
                self.store.delete_credentials(sorted(gone))
            found |= tasks
        return found

    def _learn(self, task: str, events: list[Event]) -> None:
        """Take what lifelines need of a task while its events are at hand: its parent is known by now."""
        self.lifelines.learn(task, events)
        self.learned[task] = self.lifelines.names(events)

    # tasks

    def _chains(self, dirty: set[str], measured: list[Coverage]) -> None:
        coverage = Watched(measured)
        odd = _Odd(set(self.store.varied_records()), set(self.store.oversize_records()))
        as_of = self.store.last_evidence()
        built: dict[str, Task] = {}
        waiting: list[tuple[TaskChain, list[Finding]]] = []
        held = 0
        order = sorted(dirty, key=lambda t: (-len(self.lineage.ancestors(t)), t))
        for done, task in enumerate(order, 1):
            events = self.store.events_of_task(task)
            if not events:
                self.store.delete_task(task)
                continue
            chain, findings = self._one(task, events, coverage, odd, as_of, built)
            built[task] = chain.task
            waiting.append((chain, findings))
            held += len(chain.steps)
            if len(waiting) >= CHAINS or held >= STEPS:
                self.store.save_chains(waiting)
                waiting, held = [], 0
                self._tell("building tasks", done)
        if waiting:
            self.store.save_chains(waiting)

    def _one(
        self,
        task: str,
        events: list[Event],
        coverage: Watched,
        odd: _Odd,
        as_of: int | None,
        built: dict[str, Task],
    ) -> tuple[TaskChain, list[Finding]]:
        found = self.lineage.found.get(task)
        row = None if found else self.lineage.stored(task)
        children = self.lineage.children(task)
        above = self.lineage.ancestors(task)
        family = Family(
            parent=found.parent if found else row.parent if row else "",
            parent_step=found.step if found else row.parent_step if row else "",
            depth=len(above),
            children=children,
        )
        links: list[Link] = self.store.attributions_of(task)
        if found and found.link:
            links.append(found.link)
        elif row and row.parent:
            links += self._kept_parent_links(task)
        credentials = self.lifelines.of(events)
        chain = build_task(task, events, links, self.facts, family, credentials, self.skews)
        chain.compared = tuple(compare(chain.steps, self.policies.expected(chain.task, chain.steps)))
        chain.task.clocks = clock_pairs(chain, links)
        chain.task.parent_call = found.call if found else row.parent_call if row else ""
        chain.task.first_issue = life(events).first_issue
        chain.task.children = tuple(sorted(children))
        settled = self.lifelines.settle(task, chain.task.environment, credentials.values())
        if settled:
            self.store.save_credentials(settled)
            credentials = self.lifelines.of(events)
        descent = self.lineage.descendants([task])
        below = {id: row for id in sorted(descent) if (row := built.get(id) or self.lineage.stored(id))}
        context = Context(
            facts=self.facts,
            coverages=coverage.of(self._names(chain)),
            credentials={one.id: one for one in credentials.values()},
            children={id: below[id] for id in children if id in below},
            below=below,
            relatives=frozenset(above) | descent,
            above=self.surroundings.above(task),
            tells_intents=self.surroundings.tells_intents,
            tickets=self.surroundings.tickets(chain) if self.facts.knows_tickets else {},
            conflicts=tuple(sorted(odd.varied.intersection(chain.records))),
            oversized=tuple(sorted(odd.oversized.intersection(chain.records))),
            skews=self.skews,
            as_of=as_of,
            reported=self.claimants.reported(chain.claims),
            compared=chain.compared,
        )
        judged = judge(chain, context, self.own.detections, self.exclusions)
        _count(chain.task, judged)
        return chain, judged.findings

    @staticmethod
    def _names(chain: TaskChain) -> set[str]:
        """Principals, hosts and scopes by which a decider may know a task."""
        names = {chain.task.principal, chain.task.on_behalf_of, chain.task.scope}
        names |= {str(step.request.get("principal.id") or "") for step in chain.steps}
        return names | {str(event.attrs.get("host") or "") for event in chain.events.values()}

    def _kept_parent_links(self, task: str) -> list[Link]:
        """The link to the parent of a task whose descent was not looked at in this build."""
        stubs = [stub_of(e) for e in self.store.events_of_task(task) if any(k.role in _DESCENT for k in e.keys)]
        found = parentage(task, stubs, self.index, self.facts, self.skews)
        return [found.link] if found.link else []


class _Odd(NamedTuple):
    """Records that a detection is told of besides their events."""

    varied: set[str]
    oversized: set[str]


_DESCENT = frozenset({KeyRole.PARENT, KeyRole.REFERENCE})


def _count(task: Task, judged: Judged) -> None:
    """What the queue shows of findings, and the risk that follows from them."""
    found = judged.findings
    real = [f for f in found if not f.blind_spot]
    counts: dict[str, int] = {}
    for finding in real:
        counts[finding.severity.value] = counts.get(finding.severity.value, 0) + 1
    task.counts = counts
    task.detections = tuple(dict.fromkeys(f.detection for f in real))
    task.blind_spots = len(found) - len(real)
    task.unjudged = dict(sorted(judged.unjudged.items()))
    task.hidden = dict(sorted(judged.hidden.items()))
    task.risk, task.risk_factors = score(found, task)


def stub_of(event: Event) -> Stub:
    """An event as stitching sees it."""
    return Stub(
        event.id,
        event.record,
        event.kind,
        event.phase,
        event.vantage,
        event.point,
        event.at,
        event.verb,
        event.target,
        event.principal.name if event.principal else "",
        event.keys,
    )


def _parts(stubs: list[Stub], size: int) -> Iterator[list[Stub]]:
    for start in range(0, len(stubs), size):
        yield stubs[start : start + size]
