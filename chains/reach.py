"""What stitching asks of the index, asked once each; and rules 1 and 5: where an event belongs by its own keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from chains.memory import in_time
from model.chain import Link
from model.event import Event, Key, short_id
from model.evidence import CONNECTIONS, EventIndex, Stub
from model.words import EventKind, KeyRole, LinkKind, Phase, Vantage

HOT = 500
"""A key carried by more events than this identifies nothing."""

SCOPE_SAMPLE = 200
"""So many of a task's first events are read to learn who acts in it."""

GENERATIONS = 8
"""So far up a family is followed to see whether two tasks are of one line."""

_WEAK = frozenset({"trace"})

Place = tuple[str, tuple[Link, ...]]


@lru_cache(maxsize=4096)
def task_id(scope: str) -> str:
    """The id of the task a strongest scope key (`kind:value`) names."""
    return short_id("task", scope)


class Reach:
    """A session of look-ups. Results rest on the index alone, so the same question has one answer."""

    def __init__(self, index: EventIndex) -> None:
        self._index = index
        self._found: dict[str, list[Stub]] = {}
        self._callers: dict[str, tuple[Stub, ...]] = {}
        self._roots: dict[str, str] = {}
        self._direct: dict[str, Place | None] = {}
        self._samples: dict[str, list[Stub]] = {}
        self._scopes: dict[str, str] = {}

    def fetch(self, names: Iterable[str]) -> None:
        """Read many keys in one go; `carriers` then answers from memory."""
        missing = sorted({name for name in names if name not in self._found})
        for start in range(0, len(missing), HOT):
            part = missing[start : start + HOT]
            found = self._index.carrying(part, HOT)
            for name in part:
                self._found[name] = found.get(name, [])

    def carriers(self, name: str) -> Sequence[Stub]:
        """Events that carry a key, in order of time; none where the key is hot."""
        if name not in self._found:
            self.fetch((name,))
        found = self._found[name]
        return found if len(found) <= HOT else ()

    def callers(self, name: str) -> Sequence[Stub]:
        """Of the carriers of a key the agents' calls and what came back of them: many records ask for them, and most find none."""
        if name not in self._callers:
            self._callers[name] = tuple(stub for stub in self.carriers(name) if is_call(stub) or prints(stub))
        return self._callers[name]

    def hot(self, name: str) -> bool:
        """Whether so many events carry a key that none of them is listened to."""
        return not self.carriers(name) and bool(self._found[name])

    def first_of_scope(self, name: str) -> Sequence[Stub]:
        """The first events that carry a scope key, hot or not."""
        if name not in self._samples:
            self._samples[name] = self._index.carrying((name,), SCOPE_SAMPLE).get(name, [])
        return self._samples[name]

    def root(self, name: str) -> str:
        if name not in self._roots:
            self._roots[name] = self._index.scope_root(name)
        return self._roots[name]

    def scope(self, stub: Stub) -> Key | None:
        """The scope an event belongs to by its own word: a connection's only where it names no other."""
        scopes = [key for key in stub.keys if key.role is KeyRole.SCOPE]
        return next((key for key in scopes if key.kind not in CONNECTIONS), scopes[0] if scopes else None)

    def scope_task(self, stub: Stub) -> str:
        key = self.scope(stub)
        return self._task(key.name) if key else ""

    def direct(self, stub: Stub) -> Place | None:
        """Task and links by call and scope keys alone; None for an event that has none that leads anywhere."""
        if stub.id not in self._direct:
            self._direct[stub.id] = self._place(stub)
        return self._direct[stub.id]

    def _place(self, stub: Stub) -> Place | None:
        scope = self.scope(stub)
        own = self.scope_task(stub)
        calls = [key for key in stub.keys if key.role is KeyRole.CALL]
        if self.connected(stub):
            return self._owner(stub, calls, "") or self._peer(stub, calls, weak=False)
        if not calls or is_call(stub):
            return (own, ()) if own else None
        if place := self._owner(stub, calls, own):
            return place
        if own and scope is not None and scope.kind not in _WEAK:
            return own, ()
        for weak in (False, True):
            if own and weak:
                break
            if place := self._peer(stub, calls, weak):
                return place
        return (own, ()) if own else None

    def connected(self, stub: Stub) -> bool:
        """Whether an event names a connection of which no event says whose session it is: it belongs to the call it is about, and only
        where none is known to a task of that connection."""
        scope = self.scope(stub)
        return scope is not None and names_connection(stub) and self.root(scope.name).partition(":")[0] in CONNECTIONS

    def _owner(self, stub: Stub, calls: Sequence[Key], own: str) -> Place | None:
        """Rule 5: the agent's call that carries the key decides, whatever session the event names."""
        for key in calls:
            owners = {self.scope_task(s): s for s in reversed(self.carriers(key.name)) if is_call(s) and self.scope(s)}
            if own in owners:
                return own, ()
            if len(owners) == 1:
                ((task, owner),) = owners.items()
                return task, (Link(owner.id, stub.id, LinkKind.EXACT, key.name),)
        return None

    def _peer(self, stub: Stub, calls: Sequence[Key], weak: bool) -> Place | None:
        """A request or span key shared with an event that names its session (or, failing that, its trace)."""
        for key in calls:
            peers: dict[str, Stub] = {}
            for other in reversed(self.carriers(key.name)):
                scope = self.scope(other)
                if other.id != stub.id and scope is not None and (scope.kind in _WEAK) == weak and not self.connected(other):
                    peers[self.scope_task(other)] = other
            if len(peers) == 1:
                ((task, peer),) = peers.items()
                first, second = sorted((peer, stub), key=in_time) if peer.point == stub.point else (peer, stub)
                return task, (Link(first.id, second.id, LinkKind.EXACT, key.name),)
        return None

    # -- families

    def ancestors(self, task: str) -> set[str]:
        """The tasks above one that was met, as its own first events name them."""
        found: set[str] = set()
        current = task
        for _ in range(GENERATIONS):
            scope = self._scopes.get(current)
            above = self._parent(scope) if scope else ""
            if not above or above in found or above == task:
                break
            found.add(above)
            current = above
        return found

    def _parent(self, scope: str) -> str:
        for stub in self.first_of_scope(scope):
            for key in stub.keys:
                if key.role is KeyRole.PARENT and key.kind not in ("call", "request", "span"):
                    return self._task(key.name)
        return ""

    def _task(self, scope: str) -> str:
        root = self.root(scope)
        task = task_id(root)
        self._scopes[task] = root
        return task


def names_connection(stub: Stub | Event) -> bool:
    """Whether an event names no scope but a connection's, seen from outside."""
    kinds = {key.kind for key in stub.keys if key.role is KeyRole.SCOPE}
    return bool(kinds) and kinds <= CONNECTIONS and stub.vantage is not Vantage.AGENT


def is_call(stub: Stub | Event) -> bool:
    """Whether this is the agent's own word that it makes a call: the owner of its call keys."""
    return stub.vantage is Vantage.AGENT and stub.kind is EventKind.ACTION and stub.phase is Phase.CALL


def prints(stub: Stub) -> bool:
    """Whether this is what came back of an agent's call and tells, as its program printed, what the call reached."""
    ended = stub.vantage is Vantage.AGENT and stub.kind is EventKind.ACTION and stub.phase is Phase.RESULT
    return ended and any(key.role is KeyRole.MATCH and key.kind == "match" for key in stub.keys)
