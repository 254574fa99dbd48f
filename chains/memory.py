"""An event index in memory: for tests, examples and small sets of events that never meet a store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from model.event import Event
from model.evidence import Stub
from model.words import KeyRole

_STRENGTH = {"session": 0, "claude.agent": 1, "trace": 2, "ci.job": 3}


def stub_of(event: Event, task: str = "") -> Stub:
    """The thin view of an event."""
    return Stub(
        id=event.id,
        record=event.record,
        kind=event.kind,
        phase=event.phase,
        vantage=event.vantage,
        point=event.point,
        at=event.at,
        verb=event.verb,
        target=event.target,
        principal=event.principal.name if event.principal else "",
        keys=event.keys,
        task=task,
    )


def scope_strength(name: str) -> tuple[int, str]:
    """Sorts the names of one task, the strongest first: an agent's session, its sub-agent, a trace, a CI job, any other."""
    return _STRENGTH.get(name.partition(":")[0], len(_STRENGTH)), name


class MemoryIndex:
    """A `model.evidence.EventIndex` over a set of events."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.stubs: dict[str, Stub] = {}
        self._by_name: dict[str, dict[str, Stub]] = {}
        self._parent: dict[str, str] = {}
        for event in events:
            self.add(stub_of(event))

    def add(self, stub: Stub) -> None:
        self.stubs[stub.id] = stub
        for key in stub.keys:
            self._by_name.setdefault(key.name, {})[stub.id] = stub
        scopes = [key.name for key in stub.keys if key.role is KeyRole.SCOPE]
        for name in scopes[1:]:
            first, second = sorted((self.scope_root(scopes[0]), self.scope_root(name)), key=scope_strength)
            if first != second:
                self._parent[second] = first

    def carrying(self, names: Sequence[str], limit: int = 500) -> dict[str, list[Stub]]:
        found: dict[str, list[Stub]] = {}
        for name in names:
            stubs = self._by_name.get(name)
            if stubs:
                found[name] = sorted(stubs.values(), key=in_time)[: limit + 1]
        return found

    def scope_root(self, name: str) -> str:
        while name in self._parent:
            name = self._parent[name]
        return name


def in_time(stub: Stub) -> tuple[bool, int, str]:
    """Order by time, then id; events without a time come last."""
    return stub.at is None, stub.at or 0, stub.id
