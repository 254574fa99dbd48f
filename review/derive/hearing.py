"""What was heard of each point, for coverage: what an earlier build kept of it, and what came since.

Of a point with many sightings what was heard up to a while before its last is kept, so that a log that goes on costs what is new
of it. Where something earlier came or went, all of the point is heard again.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from chains.facts import OrgFacts
from chains.heard import Heard, Sighting, hear
from model.words import Vantage, Verb
from store import Store

LATE = 600_000_000
"""Microseconds before a point's last sighting up to which is kept: several logs of one point seldom come in the order of time."""
WORTH = 1_000
"""Sightings from which keeping what they say is cheaper than reading them again."""

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
    _read(store, facts, found, {row.point for row in store.points()}, quiet, until)
    return found


def heard_on(store: Store, facts: OrgFacts) -> dict[str, Heard]:
    """What was heard of every point, going on from what an earlier build kept; for a build alone, which keeps it for the next."""
    found: dict[str, Heard] = {}
    quiet, otherwise = store.quiet_points(), store.dirty_points()
    ends: dict[str, tuple[int, int]] = {}
    for row in store.points():
        events, last = ends.get(row.point, (0, 0))
        ends[row.point] = events + row.events, max(last, row.last or 0)
    after: dict[str, int] = {}
    for point, (until, body) in store.heard().items():
        kept = _KEPT.decode(body)
        if point in ends and kept.quiet == (point in quiet) and otherwise.get(point, until + 1) > until:
            found[point], after[point] = kept.heard, until
    keep: list[tuple[str, int, bytes]] = []
    for point, (events, last) in sorted(ends.items()):
        before, edge = found[point].records if point in found else 0, last - LATE
        if events - before >= WORTH and edge > after.get(point, edge - 1):
            _read(store, facts, found, {point}, quiet, edge, after)
            if point in found and found[point].records - before >= WORTH:
                keep.append((point, edge, msgspec.msgpack.encode(_Kept(point in quiet, found[point]))))
            after[point] = edge
        if last > after.get(point, last - 1):
            _read(store, facts, found, {point}, quiet, None, after)
    if keep:
        store.save_heard(keep)
    return found


def _read(
    store: Store,
    facts: OrgFacts,
    found: dict[str, Heard],
    points: set[str],
    quiet: dict[str, Vantage],
    until: int | None,
    after: dict[str, int] | None = None,
) -> None:
    """Hear of these points what happened after what was heard of them already, and until a moment."""
    moments = ((point, quiet[point], at, events) for point, at, events in store.moments(points & quiet.keys(), until, after))
    hear(found, facts, _sightings(store, points - quiet.keys(), until, after), moments)


def _sightings(store: Store, points: set[str], until: int | None, after: dict[str, int] | None) -> Iterator[Sighting]:
    for point, vantage, at, who, host, session, decides, verb in store.sightings(points, until, after):
        yield Sighting(point, _VANTAGES[vantage], at, who, host, session, decides, _VERBS[verb])
