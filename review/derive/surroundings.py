"""What building a task reads of its surroundings: what the tasks above were asked, what tickets it names went through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from chains.affected import EVERY
from chains.heads import owns
from chains.reach import task_id
from chains.steps import MAX_TEXT
from importers.base import states_intents
from importers.registry import importers
from model.chain import Coverage, Intent, TaskChain
from model.event import Event, Key
from model.evidence import Stub
from model.words import EventKind, KeyRole, Phase, Vantage, Verb
from review.derive.index import CachedIndex
from review.derive.lineage import Lineage
from store import Store

ASKED = 20
"""Intents kept of a task that others descend from: the first ones."""
NAMED = 20
"""Tickets of a task that are looked up."""
KEPT = 1_000
"""Tasks and tickets of which what was read is remembered: more than a family and its neighbours name."""
_TICKETS = frozenset({Verb.TICKET_OPEN, Verb.TICKET_UPDATE})


class Surroundings:
    """Reads of one build, what was read lately from memory."""

    def __init__(self, store: Store, lineage: Lineage) -> None:
        self._store = store
        self._lineage = lineage
        self._asked_of = lru_cache(KEPT)(self._read_asked)
        self._told = lru_cache(KEPT)(self._read_told)
        self.tells_intents = frozenset(id for id, one in importers().items() if states_intents(one))

    def above(self, task: str) -> tuple[Intent, ...]:
        """What the tasks above one were asked in their own records, the nearest first."""
        return tuple(intent for one in self._lineage.ancestors(task) for intent in self._asked_of(one))

    def _read_asked(self, task: str) -> tuple[Intent, ...]:
        own = [e for e in self._store.intents_of_task(task) if owns(e) and e.text]
        return tuple(Intent(e.id, e.record, e.phase, e.text[:MAX_TEXT], e.at) for e in own[:ASKED])

    def tickets(self, chain: TaskChain) -> dict[str, tuple[Event, ...]]:
        """What ticket systems logged of the tickets that the task's own records carry as references, whosever task it is in."""
        names = sorted({k.value for e in chain.events.values() if owns(e) for k in ticket_keys(e)})
        return {name: told for name in names[:NAMED] if (told := self._told(name))}

    def _read_told(self, name: str) -> tuple[Event, ...]:
        seen = (event for event, _ in self._store.events_with_key(f"ticket:{name}", Vantage.TARGET.value))
        return tuple(e for e in seen if e.verb in _TICKETS or e.phase is Phase.TICKET)


class Asked:
    """What new events say of tasks that are not theirs: gathered while they are placed, told once all are."""

    def __init__(self) -> None:
        self._scopes: set[str] = set()
        self._tickets: set[str] = set()

    def take(self, stubs: Iterable[Stub]) -> None:
        for stub in stubs:
            if stub.kind is EventKind.INTENT:
                self._scopes.update(key.name for key in stub.keys if key.role is KeyRole.SCOPE)
            if stub.vantage is Vantage.TARGET:
                self._tickets.update(key.name for key in ticket_keys(stub))

    def concerned(self, index: CachedIndex, lineage: Lineage) -> set[str]:
        """Tasks below those that were asked something, and tasks that name a ticket of which something was logged."""
        asked = {task_id(index.scope_root(name)) for name in self._scopes}
        found = lineage.descendants(asked)
        ordered = sorted(self._tickets)
        for start in range(0, len(ordered), 400):
            for stubs in index.carrying(ordered[start : start + 400], EVERY).values():
                scopes = (next((k for k in stub.keys if k.role is KeyRole.SCOPE), None) for stub in stubs)
                found.update(task_id(index.scope_root(key.name)) for key in scopes if key is not None)
        return found


class Watched:
    """Coverage by whom it is for, so that a task reads only what can say anything of it."""

    def __init__(self, rows: list[Coverage]) -> None:
        self._rows: dict[str, list[Coverage]] = {}
        for row in rows:
            for name in {row.scope, row.scope.partition(":")[2]} - {""}:
                self._rows.setdefault(name, []).append(row)

    def of(self, names: set[str]) -> list[Coverage]:
        found = {id(row): row for name in sorted({"*", *names} - {""}) for row in self._rows.get(name, ())}
        return sorted(found.values(), key=lambda c: (c.point, c.scope != "*", c.scope))


def ticket_keys(event: Event | Stub) -> Iterator[Key]:
    """The tickets an event refers to."""
    return (k for k in event.keys if k.role is KeyRole.REFERENCE and k.kind == "ticket")
