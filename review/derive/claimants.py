"""Which tasks a target's word concerns: those whose agents claim what it saw, or what it is now known to tell of at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from chains.claims import AROUND, LONGEST, Reported
from chains.match import DID
from model.evidence import Stub
from model.figures import Claim
from model.words import KeyRole
from store import Store

_DID = f"{DID}:"

KEPT = 10_000
"""Acts whose tellers are remembered: what agents do often is told of in most tasks."""


class Claimants:
    """Collects what targets newly told while a build reads it, and answers what is known of a task's claims."""

    def __init__(self, store: Store, skews: Mapping[str, int]) -> None:
        self._store = store
        self._skews = skews
        self._drift = max((abs(skew) for skew in skews.values()), default=0)
        self._fresh: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._times: dict[str, set[int]] = defaultdict(set)
        self._tellers = lru_cache(KEPT)(lambda value: store.tellers(_DID + value))

    def see(self, stubs: Iterable[Stub]) -> None:
        """Take events no finished build has seen."""
        for stub in stubs:
            for key in stub.keys:
                if key.role is KeyRole.MATCH and key.kind == DID:
                    self._fresh[key.value].add((stub.point, stub.principal))
                    if stub.at is not None:
                        self._times[key.value].add(stub.at)

    def concerned(self, gone: Iterable[str]) -> set[str]:
        """The tasks to build again; `gone` are the keys of events that went away.

        Where a point tells of a verb and target for the first time, its silence on every claim of it now says something;
        otherwise only calls of that time are concerned.
        """
        found: set[str] = set()
        for name in gone:
            if name.startswith(_DID):
                found |= self._store.claimants(name.removeprefix(_DID))
        for value, tellers in sorted(self._fresh.items()):
            if not all(self._store.told_before(_DID + value, point, who) for point, who in sorted(tellers)):
                found |= self._store.claimants(value)
                continue
            for start, end in _near(sorted(self._times[value]), LONGEST + AROUND + self._drift, AROUND + self._drift):
                found |= self._store.claimants(value, start, end)
        return found

    def reported(self, claims: Iterable[Claim]) -> dict[str, Reported]:
        """By step, what targets logged of its claim; claims of which nothing was ever logged are left out."""
        found: dict[str, Reported] = {}
        for one in claims:
            if tellers := self._tellers(one.value):
                found[one.step] = Reported(tellers, self._around(one))
        return found

    def _around(self, claim: Claim) -> tuple[tuple[str, int], ...]:
        start, end = claim.start - AROUND, claim.end + AROUND
        seen = self._store.carried_between(_DID + claim.value, start - self._drift, end + self._drift)
        true = ((point, at - self._skews.get(point, 0)) for point, at in seen)
        return tuple((point, at) for point, at in true if start <= at <= end)


def _near(times: Sequence[int], before: int, after: int) -> list[tuple[int, int]]:
    """Stretches that reach from `before` each moment to `after` it, those that meet made one."""
    found: list[tuple[int, int]] = []
    for at in times:
        start, end = at - before, at + after
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found
