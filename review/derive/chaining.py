"""Tasks built one after the other, with what each reads of the store, of its family and of what was built before it.

Nothing is written here. What one task reads of another is the other's own row and the lifelines of credentials issued to it:
`shares` parts tasks so that neither goes from one share to another, and each share may be built anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from chains import shelf
from chains.attribution import Resolver
from chains.build import build_task
from chains.conformance import compare
from chains.context import Context, Family
from chains.detections import Judged, judge
from chains.exclusions import Exclusions
from chains.family import Parentage, parentage, telling
from chains.risk import score
from chains.shelf import Shelf
from chains.skew import clock_pairs
from chains.stitch import life
from model.chain import Coverage, Credential, Finding, Link, Task, TaskChain
from model.event import Event
from review.derive.claimants import Claimants
from review.derive.enforced import Policies
from review.derive.index import CachedIndex
from review.derive.lifelines import Lifelines
from review.derive.lineage import Lineage
from review.derive.surroundings import Surroundings, Watched
from review.workspace import Workspace
from store import Built, Page, Store, rows_of

CHAINS = 50
"""Tasks handed over at a time, fewer where they have more than `STEPS` steps together."""

STEPS = 2_000

AT_ONCE = 16
"""Tasks whose events are read together, fewer where they have more than `TOGETHER`."""

TOGETHER = 2_000

SHARE = 20
"""Tasks in a share, more where a family is larger: small enough that neither of two who build waits long for the other."""


Events = list[Event] | Shelf[Event]


def events_of(store: Store, task: str) -> Events:
    """A task's events, put away where they are more than memory should hold."""
    few = store.few_events_of_task(task, shelf.FEW)
    return Shelf(Event, store.each_event_of_task(task)) if few is None else few


def each_events_of(
    store: Store, tasks: Iterable[str], together: Callable[[list[str]], None] | None = None
) -> Iterator[tuple[str, Events]]:
    """Tasks in this order with their events: of several short ones they are read at once, and `together` is told which these are."""
    ordered = iter(tasks)
    size = AT_ONCE
    while group := list(islice(ordered, size)):
        few = store.few_events_of_tasks(group, TOGETHER) if size > 1 else None
        size = max(1, size // 2) if few is None and size > 1 else min(AT_ONCE, size + 1)
        if few is not None and together is not None:
            together(group)
        for task in group:
            yield task, events_of(store, task) if few is None else few.pop(task)


class Ground(msgspec.Struct):
    """What every task of one build is built on: coverage, clocks, the last evidence, records that detections are told of besides."""

    coverage: list[Coverage]
    skews: dict[str, int]
    as_of: int | None
    varied: set[str]
    oversized: set[str]


class Made(msgspec.Struct, array_like=True):
    """Some tasks as they are to be written, those that are no more, and lifelines that read otherwise now; the last has an `end`."""

    built: list[Built]
    gone: list[str]
    credentials: list[Credential]
    pages: list[Page]
    end: bool | None = None


class Share(msgspec.Struct):
    """Tasks in the order they are built in, and what the build knows of their families and credentials."""

    tasks: list[str]
    found: dict[str, Parentage]
    made: dict[str, str]
    """By name the ids of the lifelines that its tasks carry: they are in the store."""


class Chaining:
    """Builds tasks on one ground."""

    def __init__(
        self,
        work: Workspace,
        ground: Ground,
        lineage: Lineage,
        lifelines: Lifelines,
        index: CachedIndex,
        claimants: Claimants | None = None,
    ) -> None:
        self.store = work.store
        self.facts = work.facts
        self.own = work.own
        self.exclusions = Exclusions(work.organisation)
        self.ground = ground
        self.skews = ground.skews
        self.coverage = Watched(ground.coverage)
        self.lineage = lineage
        self.lifelines = lifelines
        self.index = index
        self.policies = Policies(work.store, work.facts)
        self.claimants = claimants or Claimants(work.store, ground.skews)
        self.surroundings = Surroundings(work.store, lineage)
        self.built: dict[str, Task] = {}
        """Tasks made here that have a parent: of another task nobody asks what is below."""
        self._links: dict[str, list[Link]] = {}

    def build(self, tasks: Iterable[str]) -> Iterator[Made]:
        """Build these, in this order: whoever descends from another before the other."""
        made = Made([], [], [], [])
        held = 0
        for task, events in each_events_of(self.store, tasks, self._read_links):
            if not events:
                made.gone.append(task)
                continue
            chain, findings, settled = self.one(task, events)
            # Rows are made of steps alone, while the events behind them are more than half of what a task holds.
            chain.events = {}
            del events
            built, pages = rows_of(chain, findings)
            made.built.append(built)
            made.credentials += settled
            held += len(built.page.steps)
            # A task is written before the pages that follow its first.
            if len(made.built) >= CHAINS or held >= STEPS or built.page.full:
                yield made
                made, held = Made([], [], [], []), 0
            for page in pages:
                yield Made([], [], [], [page])
        made.end = True
        yield made

    def one(self, task: str, events: Events) -> tuple[TaskChain, list[Finding], list[Credential]]:
        """A task, its findings, and the lifelines that its environment settled."""
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
        links = self._links.pop(task, None)
        if links is None:
            links = self.store.attributions_of(task)
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
            credentials = self.lifelines.of(events)
        descent = self.lineage.descendants([task])
        below = {id: row for id in sorted(descent) if (row := self.built.get(id) or self.lineage.stored(id))}
        context = Context(
            facts=self.facts,
            coverages=self.coverage.of(self._names(chain)),
            credentials={one.id: one for one in credentials.values()},
            children={id: below[id] for id in children if id in below},
            below=below,
            relatives=frozenset(above) | descent,
            above=self.surroundings.above(task),
            tells_intents=self.surroundings.tells_intents,
            tickets=self.surroundings.tickets(chain) if self.facts.knows_tickets else {},
            conflicts=tuple(sorted(self.ground.varied.intersection(chain.records))),
            oversized=tuple(sorted(self.ground.oversized.intersection(chain.records))),
            skews=self.skews,
            as_of=self.ground.as_of,
            reported=self.claimants.reported(chain.claims),
            compared=chain.compared,
        )
        judged = judge(chain, context, self.own.detections, self.exclusions)
        _count(chain.task, judged)
        if family.parent:
            self.built[task] = chain.task
        return chain, judged.findings, settled

    def _read_links(self, tasks: list[str]) -> None:
        self._links = self.store.attributions_of_tasks(tasks)
        self.lineage.ahead(tasks)

    @staticmethod
    def _names(chain: TaskChain) -> set[str]:
        """Principals, hosts and scopes by which a decider may know a task."""
        names = {chain.task.principal, chain.task.on_behalf_of, chain.task.scope}
        names |= {str(step.request.get("principal.id") or "") for step in chain.steps}
        return names | {str(event.attrs.get("host") or "") for event in chain.events.values()}

    def _kept_parent_links(self, task: str) -> list[Link]:
        """The link to the parent of a task whose descent was not looked at in this build."""
        found = parentage(task, telling(events_of(self.store, task)), Resolver(self.index, self.facts, self.skews))
        return [found.link] if found.link else []


def shares(
    order: Sequence[str], lineage: Lineage, lifelines: Lifelines, names: Mapping[str, Collection[str]]
) -> list[Share] | None:
    """These tasks in shares of about `SHARE`, each with whole families and with everybody who holds what was issued to one of them.

    `names` are those of the credentials that each task carries. None where a lifeline is still to be made: what it says may
    hang on any task built before.
    """
    held, issued = lifelines.made, lifelines.issued
    if any(name not in held and name not in lifelines.none for task in order for name in names[task]):
        return None
    union = _Union()
    for task, parent in ((task, lineage.parent(task)) for task in {*order, *lineage.found}):
        if parent:
            union.join(task, parent)
    dirty = set(order)
    for task in order:
        for name in names[task]:
            if name in held and (holder := issued[held[name]]) in dirty:
                union.join(task, holder)
    parts: dict[str, list[str]] = {}
    for task in order:
        parts.setdefault(union.of(task), []).append(task)
    families: dict[str, dict[str, Parentage]] = {}
    for task, place in lineage.found.items():
        families.setdefault(union.of(task), {})[task] = place
    found: list[Share] = []
    for root, tasks in parts.items():
        if not found or len(found[-1].tasks) >= SHARE:
            found.append(Share([], {}, {}))
        found[-1].tasks += tasks
        found[-1].found |= families.get(root, {})
        found[-1].made |= {name: held[name] for task in tasks for name in names[task] if name in held}
    return found


class _Union:
    """Sets of tasks, each known by one of them."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def of(self, task: str) -> str:
        while (above := self._above.get(task, task)) != task:
            self._above[task] = self._above.get(above, above)
            task = above
        return task

    def join(self, one: str, other: str) -> None:
        self._above[self.of(one)] = self.of(other)


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
