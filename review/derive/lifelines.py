"""Credential lifelines while a build runs: those whose events or tasks changed are made again, the rest is read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Container, Iterable, Mapping
from functools import cached_property

from msgspec.structs import replace

from chains.credentials import TaskLife, credential_groups, in_environment, lifeline
from chains.facts import OrgFacts
from chains.reach import HOT
from chains.stitch import life
from model.chain import Credential
from model.event import Event
from model.words import KeyRole
from review.derive.lineage import Lineage
from store import Store

UNTIED = 500
"""So many of the first and of the last events of a credential that no task knows are read."""

KEPT = 20_000
"""So many lifelines are at hand, under all their names."""

MOMENTS = 50_000
"""So many uses, turns and exposures they may have together: one takes some six hundred bytes."""


class Lifelines:
    """Makes the lifelines that a set of tasks touches."""

    def __init__(self, store: Store, facts: OrgFacts, lineage: Lineage, skews: Mapping[str, int]) -> None:
        self._store = store
        self._facts = facts
        self._lineage = lineage
        self._skews = skews
        self._lives: dict[str, TaskLife] = {}
        self._at_hand: OrderedDict[str, Credential] = OrderedDict()
        self._moments = 0
        self.made: dict[str, str] = {}
        """The lifelines that were made and are in the store since: their ids by name."""
        self.issued: dict[str, str] = {}
        """By their ids the tasks that they were issued to, "" for none."""
        self.none: set[str] = set()
        """Names that were asked for and have no lifeline."""

    @cached_property
    def _fresh(self) -> bool:
        """Whether there was no lifeline before the first was made: none need be looked for."""
        return not self._store.credentials(limit=1)

    def learn(self, task: str, events: Collection[Event]) -> None:
        """A task of this build: its life comes from its events, not from what was stored of it.

        Its environment follows from its steps alone, so until they are built it counts as what it was before.
        """
        row = self._lineage.stored(task)
        self._lives[task] = life(events, self._lineage.parent(task), row.environment if row else "", self._facts)

    def settle(self, task: str, environment: str, held: Iterable[Credential]) -> list[Credential]:
        """The lifelines of credentials issued to a task that read otherwise now that its environment is known."""
        if task in self._lives:
            self._lives[task] = replace(self._lives[task], environment=environment)
        found = {}
        for one in held:
            settled = in_environment(one, environment, self._facts) if one.issued_task == task else one
            if settled is not one:
                self._hold(settled.names, settled)
                found[one.id] = settled
        return list(found.values())

    def names(self, events: Iterable[Event]) -> set[str]:
        return {k.name for e in events for k in e.keys if k.role in (KeyRole.CREDENTIAL, KeyRole.VIA)}

    def make(self, names: Iterable[str], loose: Container[str] = ()) -> tuple[list[Credential], set[str], set[str]]:
        """Lifelines that changed, ids that are no more, and the tasks to which either matters.

        The `loose` among the names come from no task of this build; one that no other task knows either is told by its
        first and last events and the number of its uses, however often it was used.
        """
        changed: list[Credential] = []
        gone: set[str] = set()
        tasks: set[str] = set()
        fresh = self._fresh
        for name in sorted(names):
            if name in self.made:
                continue
            known = self._store.credential_by_key(name) if name in loose and not fresh else None
            untied = name in loose and (known is None or not known.tasks)
            for made, group in self._group(name, UNTIED if untied else None):
                self.made |= dict.fromkeys(group, made.id)
                self.issued[made.id] = made.issued_task
                for old in self._stored(group):
                    if old.id != made.id:
                        gone.add(old.id)
                        tasks.update(old.tasks)
                before = None if fresh else self._store.credential(made.id)
                if before != made:
                    changed.append(made)
                    tasks.update(made.tasks)
                    tasks.update(before.tasks if before else ())
            if name not in self.made:
                self.none.add(name)
        self.trim()
        return changed, gone - self.issued.keys(), tasks

    def _group(self, name: str, limit: int | None = None) -> list[tuple[Credential, tuple[str, ...]]]:
        """All names of the credential called `name`, followed from event to event, and its lifeline; `limit` events of each."""
        events: dict[str, tuple[Event, str]] = {}
        cut: set[str] = set()
        asked: set[str] = set()
        queue = [name]
        while queue and len(asked) < HOT:
            current = queue.pop()
            if current in asked:
                continue
            asked.add(current)
            carrying = self._store.events_with_key(current, limit=limit)
            if limit is not None and len(carrying) >= limit:
                if any(task for _, task in carrying):
                    return self._group(name)
                cut.add(current)
            for event, task in carrying:
                own = [k.name for k in event.keys if k.role is KeyRole.CREDENTIAL]
                if current in own:
                    events[event.id] = (event, task)
                    queue += [other for other in own if other not in asked]
        found: list[tuple[Credential, tuple[str, ...]]] = []
        held = list(events.values())
        for group in credential_groups(event for event, _ in held):
            lives = self._lives_of({task for _, task in held if task})
            made = lifeline(group, held, lives, self._facts, self._skews)
            for one in cut.intersection(group):
                count, last = self._store.carried(one)
                made.uses = max(made.uses, count)
                made.last_use = max((at for at in (made.last_use, last) if at is not None), default=None)
            self._hold(group, made)
            found.append((made, group))
        return found

    def _hold(self, names: Iterable[str], made: Credential) -> None:
        for name in names:
            before = self._at_hand.get(name)
            self._moments += _moments(made) - (_moments(before) if before is not None else 0)
            self._at_hand[name] = made
            self._at_hand.move_to_end(name)

    def trim(self) -> None:
        """Let go of what was asked for longest ago: whatever was made or settled until now is in the store."""
        while len(self._at_hand) > 1 and (len(self._at_hand) > KEPT or self._moments > MOMENTS):
            self._moments -= _moments(self._at_hand.popitem(last=False)[1])

    def ready(self, names: Mapping[str, str]) -> None:
        """Have the lifelines of these names at hand, which are in the store under these ids."""
        missing = {name: id for name, id in names.items() if name not in self._at_hand}
        if missing:
            stored = {one.id: one for one in self._store.credentials(ids=list(missing.values()))}
            for name, id in missing.items():
                if id in stored:
                    self._hold((name,), stored[id])

    def named(self, name: str) -> list[Credential]:
        """The lifelines of what goes by a name, from its events alone."""
        return [made for made, _ in self._group(name)]

    def _stored(self, group: tuple[str, ...]) -> list[Credential]:
        return [] if self._fresh else [kept for name in group if (kept := self._store.credential_by_key(name)) is not None]

    def _lives_of(self, tasks: set[str]) -> dict[str, TaskLife]:
        """The lives of these tasks and of all their ancestors."""
        wanted = {line for task in tasks for line in (task, *self._lineage.ancestors(task))}
        lives: dict[str, TaskLife] = {}
        for task in sorted(wanted):
            if task not in self._lives:
                row = self._lineage.stored(task)
                self._lives[task] = (
                    TaskLife(row.ended, row.parent, row.first_issue, row.environment, agent=row.agent, principal=row.principal)
                    if row
                    else TaskLife()
                )
            lives[task] = self._lives[task]
        return lives

    def of(self, events: Iterable[Event]) -> dict[str, Credential]:
        """Lifelines by name for everything these events carry."""
        wanted = sorted(self.names(events))
        self.ready({name: self.made[name] for name in wanted if name in self.made})
        for name in wanted:
            if name not in self._at_hand and name not in self.none:
                self._group(name)
        return {name: self._at_hand[name] for name in wanted if name in self._at_hand}


def _moments(made: Credential) -> int:
    return len(made.use_list) + len(made.turns) + len(made.exposures)
