"""Which earlier events must be placed again when new ones arrive: never too few, seldom too many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chains.facts import OrgFacts
from chains.infer import SLACK
from chains.match import match_names, values_of
from chains.reach import is_call
from model.event import Key
from model.evidence import EventIndex, Stub
from model.words import KeyRole

EVERY = 100_000
"""Carriers of one key that are looked at: a key that has just become hot must still release whom it placed."""


def affected(new: Sequence[Stub], index: EventIndex, facts: OrgFacts, skews: Mapping[str, int] | None = None) -> list[Stub]:
    """The new events and every event whose attribution they may change, sorted by id.

    The index must hold the new events already; they may be asked about in parts. What changes the strongest scope key of a whole task is not looked for
    here: the store moves such a task as one.
    """
    search = _Search(index, facts, {stub.id for stub in new}, skews or {})
    for stub in sorted(new, key=lambda s: s.id):
        search.touch(stub)
    while search.queue:
        search.spread(search.queue.pop())
    return [search.seen[id] for id in sorted(search.seen)]


class _Search:
    """Follows keys from event to event, as attribution does, but in the other direction."""

    def __init__(self, index: EventIndex, facts: OrgFacts, new: set[str], skews: Mapping[str, int]) -> None:
        self.index = index
        self.new = new
        self.seen: dict[str, Stub] = {}
        self.queue: list[Stub] = []
        self._asked: set[str] = set()
        drift = max((abs(skew) for skew in skews.values()), default=0)
        self._reach = facts.org.inference_window_seconds * 1_000_000 + SLACK + 2 * drift

    def touch(self, stub: Stub) -> None:
        """Take an event in, once."""
        if stub.id not in self.seen:
            self.seen[stub.id] = stub
            self.queue.append(stub)

    def spread(self, stub: Stub) -> None:
        scoped = any(key.role is KeyRole.SCOPE for key in stub.keys)
        for key in stub.keys:
            if key.role is KeyRole.CALL:
                self._touch_all(key.name, scoped=True)
            elif _leads(stub, key):
                self._touch_all(key.name)
            elif key.role is KeyRole.CREDENTIAL:
                self._touch_all(f"holder:{key.name}")
        if stub.at is not None and (scoped or stub.id in self.new):
            for name in match_names(sorted(values_of(stub.keys)), stub.at, self._reach):
                self._touch_all(name)
        if scoped and stub.id in self.new:
            if stub.principal:
                self._calls(stub)
            if any(key.role is KeyRole.PARENT for key in stub.keys):
                self._shared(stub)

    def _touch_all(self, name: str, *, scoped: bool = False) -> None:
        if name in self._asked:
            return
        self._asked.add(name)
        for stub in self.index.carrying((name,), EVERY).get(name, []):
            if scoped or not any(key.role is KeyRole.SCOPE for key in stub.keys):
                self.touch(stub)

    def _calls(self, stub: Stub) -> None:
        """Who acts in a task counts in the score of every call it made."""
        for call in self._scope(stub, "who"):
            if is_call(call) and call.at is not None:
                for bucket in match_names(sorted(values_of(call.keys)), call.at, self._reach):
                    self._touch_all(bucket)

    def _shared(self, stub: Stub) -> None:
        """A task that turns out to be a sub-agent shares its keys with its parent instead of contending for them."""
        for one in self._scope(stub, "parent"):
            for key in one.keys:
                if _leads(one, key):
                    self._touch_all(key.name)

    def _scope(self, stub: Stub, why: str) -> list[Stub]:
        """All events under the event's scope keys, once for each reason to ask."""
        found: list[Stub] = []
        for name in sorted({key.name for key in stub.keys if key.role is KeyRole.SCOPE}):
            if f"{why} {name}" not in self._asked:
                self._asked.add(f"{why} {name}")
                found += self.index.carrying((name,), EVERY).get(name, [])
        return found


def _leads(stub: Stub, key: Key) -> bool:
    """Whether others are placed by what this event says of a key; a mere unscoped use of a credential places nobody."""
    if key.role is KeyRole.CREDENTIAL:
        credentials = sum(k.role is KeyRole.CREDENTIAL for k in stub.keys)
        return credentials > 1 or any(k.kind == "holder" and k.value == key.name for k in stub.keys)
    if key.role is KeyRole.REFERENCE:
        return key.kind in ("pr", "ticket")
    return key.role is KeyRole.MATCH and key.kind in ("sha", "record")
