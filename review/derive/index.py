"""The store as an event index that remembers: the same keys are asked for again and again while a build runs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from model.evidence import Stub
from model.words import KeyRole
from store import Store

KEPT = 20_000
"""Keys remembered with their carriers."""

CARRIERS = 20_000
"""Carriers remembered in all: a key may have hundreds, and each takes a kilobyte."""

AT_ONCE = 400

LIMIT = 500

_LEADS = frozenset({KeyRole.CALL, KeyRole.PARENT, KeyRole.REFERENCE})


class CachedIndex:
    """An EventIndex over a store whose events do not change meanwhile: one build's.

    `prefetch` reads all keys of many events in a few queries; single questions are answered from what was read.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._carriers: OrderedDict[str, list[Stub]] = OrderedDict()
        self._held = 0
        self._roots: OrderedDict[str, str] = OrderedDict()

    def prefetch(self, stubs: Sequence[Stub]) -> None:
        """Read what attribution will ask about these events, which are as the store holds them now.

        Of an event that names its scope it asks who carries its calls, parents and references, seldom more.
        """
        known = {stub.id: stub for stub in stubs}
        names: set[str] = set()
        scopes: set[str] = set()
        for stub in stubs:
            mine = {key.name for key in stub.keys if key.role is KeyRole.SCOPE}
            scopes |= mine
            names.update(key.name for key in stub.keys if key.role in _LEADS or not (mine or key.role is KeyRole.SCOPE))
        missing = sorted(names - self._carriers.keys())
        for start in range(0, len(missing), AT_ONCE):
            self._keep(self._store.carrying(missing[start : start + AT_ONCE], LIMIT, known))
        unknown = sorted(scopes - self._roots.keys())
        for start in range(0, len(unknown), AT_ONCE):
            self._roots |= self._store.scope_roots(unknown[start : start + AT_ONCE])
        _trim(self._roots)

    def forget(self) -> None:
        """Let go of what was read: later questions are asked of the store."""
        self._carriers.clear()
        self._roots.clear()
        self._held = 0

    def carrying(
        self, names: Sequence[str], limit: int = LIMIT, known: Mapping[str, Stub] | None = None
    ) -> dict[str, list[Stub]]:
        if limit != LIMIT:
            return {name: self._first(name, limit) for name in names}
        missing = [name for name in names if name not in self._carriers]
        found = self._store.carrying(missing, limit, known) if missing else {}
        answer = {name: found[name] if name in found else self._carriers[name] for name in names}
        self._keep(found)
        return answer

    def _first(self, name: str, limit: int) -> list[Stub]:
        """A sample of a key's carriers, under a name of its own."""
        place = f"{limit}\0{name}"
        if place not in self._carriers:
            self._keep({place: self._store.carrying((name,), limit)[name]})
        return self._carriers[place]

    def scope_root(self, name: str) -> str:
        if name not in self._roots:
            self._roots[name] = self._store.scope_root(name)
            _trim(self._roots)
        return self._roots[name]

    def _keep(self, found: dict[str, list[Stub]]) -> None:
        for name, stubs in found.items():
            self._held += len(stubs) - len(self._carriers.get(name, ()))
            self._carriers[name] = stubs
        while len(self._carriers) > 1 and (len(self._carriers) > KEPT or self._held > CARRIERS):
            _, stubs = self._carriers.popitem(last=False)
            self._held -= len(stubs)


def _trim(kept: OrderedDict[str, str]) -> None:
    while len(kept) > KEPT:
        kept.popitem(last=False)


class BuiltIndex:
    """An EventIndex of what a finished build has seen, beside what is asked about: what is new is placed anyway."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def carrying(
        self, names: Sequence[str], limit: int = LIMIT, known: Mapping[str, Stub] | None = None
    ) -> dict[str, list[Stub]]:
        return self._store.carrying(names, limit, known, built=True)

    def scope_root(self, name: str) -> str:
        return self._store.scope_root(name)
