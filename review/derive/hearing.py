"""What was heard of each point, for coverage: what an earlier build kept of it, and what came since.

Of a point with many sightings what was heard is kept up to several moments, the further back the fewer: a build goes on from the
last of them before whatever came or went, so that it reads some times as much as lies behind that, and seldom all of a point.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec

from chains.facts import OrgFacts
from chains.heard import Heard, Sighting, hear
from model.words import Vantage, Verb
from store import HeardState, Store

WORTH = 1_000
"""Sightings from which keeping what they say is cheaper than reading them again; the last state kept has so many behind it."""
APART = 4
"""Of two states kept the earlier has at most so many times as many sightings behind it, as far as that has come about."""

_VANTAGES = {one.value: one for one in Vantage}
_VERBS = {one.value: one for one in Verb}


class _Kept(msgspec.Struct, array_like=True):
    """`quiet` tells that only the times were heard."""

    quiet: bool
    heard: Heard


_KEPT = msgspec.msgpack.Decoder(_Kept)


def heard(store: Store, facts: OrgFacts, until: int | None = None) -> dict[str, Heard]:
    """What was heard of every point, all of it read: by all that happened, or by what happened until a moment."""
    found: dict[str, Heard] = {}
    quiet = store.quiet_points()
    for point in sorted({row.point for row in store.points()}):
        _Stages(_told(store, point, quiet.get(point), until=until), point in quiet).hear(found, facts)
    return found


def heard_on(store: Store, facts: OrgFacts) -> dict[str, Heard]:
    """What was heard of every point, going on from what an earlier build kept; for a build alone, which keeps it for the next."""
    found: dict[str, Heard] = {}
    quiet, otherwise, kept = store.quiet_points(), store.dirty_points(), store.heard_states()
    totals: dict[str, int] = {}
    for row in store.points():
        totals[row.point] = totals.get(row.point, 0) + row.events
    keep: dict[HeardState, bytes] = {}
    gone = [state for point, states in kept.items() if point not in totals for state in states]
    for point, events in sorted(totals.items()):
        stored = kept.get(point, [])
        good = [state for state in stored if otherwise.get(point, state.until + 1) > state.until]
        if good and (held := _held(store, good[-1], point in quiet)) is not None:
            found[point] = held
        else:
            good = []
        told = _Stages(_told(store, point, quiet.get(point), after=good[-1].until if good else None), point in quiet)
        new = _go_on(told, facts, found, point, events)
        stay = _thinned([*good, *new], found[point].records if point in found else 0)
        gone += [state for state in stored if state not in stay or state in new]
        keep |= {state: body for state, body in new.items() if state in stay}
    if keep or gone:
        store.save_heard(list(keep.items()), gone)
    return found


def _go_on(told: _Stages, facts: OrgFacts, found: dict[str, Heard], point: str, events: int) -> dict[HeardState, bytes]:
    """Hear the rest of a point; what is kept on the way."""
    new: dict[HeardState, bytes] = {}
    for records in _targets(found[point].records if point in found else 0, events):
        have = found[point].records if point in found else 0
        if records <= have:
            continue
        told.hear(found, facts, records - have)
        if told.over or point not in found:
            break
        new[HeardState(point, told.until, found[point].records)] = msgspec.msgpack.encode(_Kept(told.quiet, found[point]))
    if not told.over:
        told.hear(found, facts)
    return new


def _held(store: Store, state: HeardState, quiet: bool) -> Heard | None:
    """What is kept of a point; None where other things are to be known of it by now."""
    kept = _KEPT.decode(store.heard_at(state))
    return kept.heard if kept.quiet == quiet else None


def _targets(before: int, events: int) -> Iterator[int]:
    """How many sightings are to be heard where what they say is kept, of all there may be: the fewer lie behind, the closer."""
    behind = WORTH
    while behind * APART < events - before:
        behind *= APART
    while behind >= WORTH:
        if events - behind - before >= WORTH:
            yield events - behind
        behind //= APART


def _thinned(states: Sequence[HeardState], records: int) -> list[HeardState]:
    """Those that stay of a point of which so much was heard, the latest first: one goes where its neighbours are near enough."""
    stay: list[HeardState] = []
    for place in range(len(states) - 1, -1, -1):
        earlier = states[place - 1] if place else None
        if stay and earlier is not None and records - earlier.records <= APART * (records - stay[-1].records):
            continue
        stay.append(states[place])
    return stay


_Moment = tuple[str, Vantage, int, int]


def _told(
    store: Store, point: str, quiet: Vantage | None, after: int | None = None, until: int | None = None
) -> Iterator[Sighting | _Moment]:
    """What a point tells in order of time: of a quiet one the moments alone."""
    if quiet is not None:
        yield from ((point, quiet, at, events) for at, events in store.moments(point, until, after))
        return
    for vantage, at, who, host, session, decides, verb in store.sightings(point, until, after):
        yield Sighting(point, _VANTAGES[vantage], at, who, host, session, decides, _VERBS[verb])


class _Stages:
    """What a point tells, heard in stages that end between two moments."""

    def __init__(self, told: Iterator[Sighting | _Moment], quiet: bool) -> None:
        self.until = 0
        """The last moment heard."""
        self.over = False
        self.quiet = quiet
        self._told = told
        self._ahead: list[Sighting | _Moment] = []

    def hear(self, found: dict[str, Heard], facts: OrgFacts, records: int | None = None) -> None:
        """Take so many sightings and what else happened at the last one's moment, or all there are."""
        stage = self._stage(records)
        if self.quiet:
            hear(found, facts, moments=stage)
        else:
            hear(found, facts, stage)

    def _stage(self, records: int | None) -> Iterator[Any]:
        taken = 0
        ahead, self._ahead = self._ahead, []
        for one in chain(ahead, self._told):
            at, events = (one.at, 1) if isinstance(one, Sighting) else one[2:]
            if records is not None and taken >= records and at != self.until:
                self._ahead = [one]
                return
            taken += events
            self.until = at
            yield one
        self.over = True
