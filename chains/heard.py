"""What is known of one enforcement point from when it was heard: how long it is usually silent, and whom it names.

Usual silence is the median of the intervals between a point's records that are no burst (`BURST`). A gap is an interval
longer than `GAP_FACTOR` times that, and never one shorter than `GAP_FLOOR`. Where the organisation file states a
heartbeat, an interval longer than the heartbeat is a gap instead. What is known can be written down and gone on from.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from chains.facts import OrgFacts
from model.chain import Gap
from model.words import Vantage, Verb

MICRO = 1_000_000
BURST = 10 * MICRO
"""Records closer than this are one burst: they say how much was going on, not how long silence lasts."""
GAP_FACTOR = 10
GAP_FLOOR = 900 * MICRO
"""A quarter of an hour: silence shorter than this is never called a gap."""
MAX_SCOPES = 20_000
"""Principals, hosts or sessions kept for one point; a point that names more is taken to see everybody."""
SHARED_HOSTS = 5
"""A principal that was seen from more hosts than this is an account that several share: whom it stands for, only the host says."""


class Sighting(msgspec.Struct, frozen=True):
    """One record as coverage sees it: when, by which point, and for whom as far as it says."""

    point: str
    vantage: Vantage
    at: int
    principal: str = ""
    host: str = ""
    session: str = ""
    decides: bool = False
    verb: Verb = Verb.UNKNOWN


class Silences(msgspec.Struct, array_like=True):
    """The intervals between records of one origin: which is usual and which is a gap.

    Memory follows the variety of intervals, not their number.
    """

    intervals: dict[int, int] = {}
    long: list[Gap] = []

    def see(self, start: int, end: int) -> None:
        """Two records that are no burst, and nothing between them."""
        interval = end - start
        rounded = _rounded(interval)
        self.intervals[rounded] = self.intervals.get(rounded, 0) + 1
        if interval > GAP_FLOOR:
            self.long.append(Gap(start, end))

    def usual(self) -> int:
        """The median silence in microseconds; 0 where there was none worth the name."""
        total = sum(self.intervals.values())
        seen = 0
        for interval in sorted(self.intervals):
            seen += self.intervals[interval]
            if seen * 2 >= total:
                return interval
        return 0

    def longest(self, heartbeat: int | None = None) -> int:
        """Microseconds up to which a silence is no gap; `heartbeat` is stated in seconds."""
        return heartbeat * MICRO if heartbeat is not None else max(GAP_FLOOR, GAP_FACTOR * self.usual())

    def gaps(self, heartbeat: int | None = None) -> tuple[Gap, ...]:
        longest = self.longest(heartbeat)
        return tuple(gap for gap in self.long if gap.end - gap.start > longest)


class Heard(msgspec.Struct, array_like=True):
    """One point so far, its records told in order of time; memory follows the variety of intervals and names, not the number of records.

    `named` holds by kind of name and name the first time and the number of records, sessions where no other kind is named; `hosts`
    those a principal was seen from.
    """

    point: str
    vantage: Vantage
    first: int = 0
    last: int = 0
    records: int = 0
    decides: bool = False
    verbs: set[Verb] = set()
    silences: Silences = msgspec.field(default_factory=Silences)
    named: dict[str, dict[str, tuple[int, int]]] = {}
    hosts: dict[str, set[str]] = {}

    def alive(self, at: int, events: int = 1) -> None:
        if not self.records:
            self.first = self.last = at
        elif at > self.last:
            if at - self.last >= BURST:
                self.silences.see(self.last, at)
            self.last = at
        self.records += events

    def see(self, one: Sighting) -> None:
        self.alive(one.at)
        if one.decides:
            self.vantage = one.vantage
        if one.decides and one.vantage is Vantage.ENFORCER:
            self.decides = True
            if one.verb is not Verb.UNKNOWN:
                self.verbs.add(one.verb)
        for kind, name in (("principal", one.principal), ("host", one.host)):
            self._name(kind, name, one.at)
        if self.named.get("principal") or self.named.get("host"):
            # Sessions stand for whom a point sees only where it says nothing else of that, and there are many of them.
            self.named.pop("session", None)
        else:
            self._name("session", one.session, one.at)
        if one.principal and one.host and len(hosts := self.hosts.setdefault(one.principal, set())) <= SHARED_HOSTS:
            hosts.add(one.host)

    def _name(self, kind: str, name: str, at: int) -> None:
        names = self.named.setdefault(kind, {})
        if name and (name in names or len(names) <= MAX_SCOPES):
            first, count = names.get(name, (at, 0))
            names[name] = (first, count + 1)


def hear(
    heard: dict[str, Heard],
    facts: OrgFacts,
    sightings: Iterable[Sighting] = (),
    moments: Iterable[tuple[str, Vantage, int, int]] = (),
) -> None:
    """Take more of these points, in order of time within a point and behind what was heard of it.

    `moments` (point, vantage, time, records) tell of a point all that matters of it where it is seen from one vantage and
    decides nothing: whom it saw says nothing then.
    """
    for one in sightings:
        seen = heard.get(one.point)
        if seen is None:
            seen = heard[one.point] = Heard(one.point, one.vantage)
        who = facts.identity(one.principal)
        seen.see(one if who == one.principal else msgspec.structs.replace(one, principal=who))
    for point, vantage, at, records in moments:
        quiet = heard.get(point)
        if quiet is None:
            quiet = heard[point] = Heard(point, vantage)
        quiet.alive(at, records)


def _rounded(interval: int) -> int:
    """Three significant digits: a median needs no more, and memory stays bounded."""
    unit = int("1" + "0" * max(len(str(interval)) - 3, 0))
    return interval // unit * unit
