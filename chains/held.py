"""Which credential an event speaks of, by the names it carries: known store-wide, or from the task's own events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chains.credentials import credential_groups, lifeline
from chains.facts import OrgFacts
from model.chain import Credential
from model.event import Event
from model.words import KeyRole, Phase

_NOT_USED = frozenset({Phase.ISSUED, Phase.REQUESTED, Phase.EXPOSED})


class Held:
    """The credentials of one task by key name."""

    def __init__(self, task: str, events: Sequence[Event], known: Mapping[str, Credential], facts: OrgFacts) -> None:
        self._by_name: dict[str, Credential] = dict(known)
        carrying: dict[str, list[Event]] = {}
        for event in events:
            for key in event.keys:
                if key.role is KeyRole.CREDENTIAL and key.name not in known:
                    carrying.setdefault(key.name, []).append(event)
        for names in credential_groups(e for es in carrying.values() for e in es):
            found = next((known[name] for name in names if name in known), None)
            if found is None:
                mine = {e.id: e for name in names for e in carrying.get(name, ())}
                found = lifeline(names, ((e, task) for e in mine.values()), {}, facts)
            for name in names:
                self._by_name.setdefault(name, found)

    def named(self, name: str) -> Credential | None:
        return self._by_name.get(name)

    def of(self, event: Event) -> Credential | None:
        """The credential an event is about."""
        if not self._by_name:
            return None
        for key in event.keys:
            if key.role is KeyRole.CREDENTIAL and (found := self._by_name.get(key.name)) is not None:
                return found
        return None

    def used(self, events: Sequence[Event]) -> Credential | None:
        """The credential a step was done with: the one used, else the one another was obtained with."""
        if not self._by_name:
            return None
        for event in events:
            if event.phase not in _NOT_USED and (found := self.of(event)) is not None:
                return found
        for event in events:
            for key in event.keys:
                if key.role is KeyRole.VIA and key.name in self._by_name:
                    return self._by_name[key.name]
        return None

    def ids(self, events: Iterable[Event]) -> tuple[str, ...]:
        """Ids of all credentials of these events, in order, once each."""
        if not self._by_name:
            return ()
        return tuple(dict.fromkeys(found.id for event in events if (found := self.of(event)) is not None))
