"""An event index in memory: for tests, examples and small sets of events that never meet a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from model.event import Event
from model.evidence import Stub, is_wide
from model.words import KeyRole

_STRENGTH = {"session": 0, "claude.agent": 1, "trace": 2, "ci.job": 3, "mcp.session": 5}
_OTHER = 4


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
    """Sorts the names of one task, the strongest first: an agent's session, its sub-agent, a trace, a CI job, any other, a connection."""
    return _STRENGTH.get(name.partition(":")[0], _OTHER), name


class MemoryIndex:
    """A `model.evidence.EventIndex` over a set of events."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.stubs: dict[str, Stub] = {}
        self._by_name: dict[str, dict[str, Stub]] = {}
        self._stronger: dict[str, set[str]] = {}
        self._roots: dict[str, str] = {}
        for event in events:
            self.add(stub_of(event))

    def add(self, stub: Stub) -> None:
        self.stubs[stub.id] = stub
        for key in stub.keys:
            self._by_name.setdefault(key.name, {})[stub.id] = stub
        first, *others = sorted({key.name for key in stub.keys if key.role is KeyRole.SCOPE}, key=scope_strength) or [""]
        for name in others:
            self._stronger.setdefault(name, set()).add(first)
            self._roots.clear()

    def carrying(self, names: Sequence[str], limit: int = 500, known: Mapping[str, Stub] | None = None) -> dict[str, list[Stub]]:
        found: dict[str, list[Stub]] = {}
        for name in names:
            stubs = self._by_name.get(name)
            if stubs:
                found[name] = sorted(stubs.values(), key=in_time)[: limit + 1]
        return found

    def scope_root(self, name: str) -> str:
        if not self._roots:
            self._roots = self._joined()
        return self._roots.get(name, name)

    def _joined(self) -> dict[str, str]:
        """The strongest name of every key that stands with another."""
        above: dict[str, str] = {}

        def root(name: str) -> str:
            while name in above:
                name = above[name]
            return name

        narrow = {
            name: stronger
            for name, stronger in self._stronger.items()
            if not is_wide(name, len(stronger), sum(not one.startswith("trace:") for one in stronger))
        }
        for name, stronger in narrow.items():
            for other in stronger:
                first, second = sorted((root(name), root(other)), key=scope_strength)
                if first != second:
                    above[second] = first
        return {name: root(name) for name in above}


def in_time(stub: Stub) -> tuple[bool, int, str]:
    """Order by time, then id; events without a time come last."""
    return stub.at is None, stub.at or 0, stub.id
