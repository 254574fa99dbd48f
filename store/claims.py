"""Who claims and who saw: events by the key that names a verb and its target, as `chains.match` files them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, select

from store.engine import Database
from store.meta import built
from store.tables import CLAIM, EVENT, EVENT_KEY
from store.text import clean, key_hash

_MOST = 1_000
"""Records told of one stretch of time: more say no more."""


class Claims:
    """What is asked of claims, and of the MATCH keys that hold no time."""

    db: Database

    def tellers(self, name: str) -> frozenset[tuple[str, str]]:
        """The (point, principal) pairs of all events that carry a key (`kind:value`)."""
        wanted = _carrying(name, EVENT.c.point, EVENT.c.principal).distinct()
        with self.db.read() as connection:
            return frozenset((point, who) for point, who in connection.execute(wanted))

    def told_before(self, name: str, point: str, principal: str) -> bool:
        """Whether a finished build has seen this point tell of this principal under a key."""
        e = EVENT.c
        with self.db.read() as connection:
            wanted = _carrying(name, e.id).where(
                e.point == clean(point), e.principal == clean(principal), e.seq <= built(connection)
            )
            return connection.execute(wanted.limit(1)).first() is not None

    def carried_between(self, name: str, start: int, end: int) -> list[tuple[str, int]]:
        """(point, time) of the events that carry a key within a stretch, in order of time."""
        c = EVENT_KEY.c
        wanted = _carrying(name, EVENT.c.point, c.at).where(c.at >= start, c.at <= end).order_by(c.at, c.event_id).limit(_MOST)
        with self.db.read() as connection:
            return [(point, at) for point, at in connection.execute(wanted)]

    def claimants(self, value: str, start: int | None = None, end: int | None = None) -> set[str]:
        """The tasks whose agents claim an act nobody confirmed, begun at any time or within a stretch."""
        c = CLAIM.c
        wanted = select(c.task_id).where(c.value == value).distinct()
        if start is not None and end is not None:
            wanted = wanted.where(c.at >= start, c.at <= end)
        with self.db.read() as connection:
            return set(connection.execute(wanted).scalars())


def _carrying(name: str, *columns: ColumnElement[Any]) -> Select[Any]:
    joined = EVENT.c.id == EVENT_KEY.c.event_id
    return select(*columns).join_from(EVENT_KEY, EVENT, joined).where(EVENT_KEY.c.name == key_hash(name))
