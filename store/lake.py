"""Events and requests by day, in an order that no import changes: what an export to other engines reads.

No index of either table begins with the time, and one more would cost every import. So days are counted in one pass over an
index, spans of at most so many rows are chosen, and each span is one more pass over it; rows are then fetched by key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from model.event import Event, RecordRef
from store import codec
from store.codec import EVENT as DECODER
from store.engine import Database, chunks
from store.tables import EVENT, RECORD, SHAPE

DAY = 86_400_000_000
_HOUR = 3_600_000_000
SPAN_ROWS = 250_000
_SHAPES_HELD = 20_000


class EventOut(NamedTuple):
    """One event: its task ("" for none), and where its record lies."""

    event: Event
    task: str
    ref: RecordRef | None


class RequestOut(NamedTuple):
    """One request of the history, with what was answered."""

    step: str
    task: str
    at: int | None
    recorded: str
    request: dict[str, Any]


class LakeView:
    """Events and requests as one transaction sees them; days are counted from 1970, UTC, None is an unknown time."""

    def __init__(self, db: Database, connection: Connection) -> None:
        self._db = db
        self._connection = connection
        self._shapes: dict[bytes, dict[str, Any]] = {}

    def event_days(self) -> dict[int | None, int]:
        """How many events each day has, of those that chains were built of."""
        return self._counted("event", "task_id IS NOT NULL", DAY)

    def request_days(self) -> dict[int | None, int]:
        """How many requests each day has."""
        return self._counted("request", "1 = 1", DAY)

    def events(self, day: int | None, count: int) -> Iterator[list[EventOut]]:
        """The events of a day, of which there are `count`, by time and id, in parts."""
        for low, high in self._spans("event", "task_id IS NOT NULL", day, count):
            where, values = _within(low, high)
            asked = f"SELECT at, id FROM event WHERE task_id IS NOT NULL AND {where}"  # noqa: S608  words of this module alone
            found = sorted(self._db.fetch(self._connection, asked, values))
            for part in chunks([id for _, id in found]):
                yield self._event_rows(part)

    def requests(self, day: int | None, count: int) -> Iterator[list[RequestOut]]:
        """The requests of a day, of which there are `count`, by time, task and step, in parts."""
        for low, high in self._spans("request", "1 = 1", day, count):
            where, values = _within(low, high)
            asked = f"SELECT at, task_id, step_id, answered, shape FROM request WHERE {where}"  # noqa: S608  as above
            found = sorted(self._db.fetch(self._connection, asked, values), key=lambda row: row[:3])
            for part in chunks(found):
                self._learn({bytes(row[4]) for row in part})
                yield [RequestOut(step, task, at, said, self._shapes[bytes(shape)]) for at, task, step, said, shape in part]

    def _counted(self, table: str, where: str, unit: int, values: Sequence[int] = ()) -> dict[int | None, int]:
        # Rounded down also before 1970, where division alone rounds up.
        number = f"(at - (at % {unit} + {unit}) % {unit}) / {unit}"
        asked = f"SELECT {number}, count(*) FROM {table} WHERE {where} GROUP BY {number}"  # noqa: S608  words of this module alone
        found = self._db.fetch(self._connection, asked, values)
        return {None if unit is None else int(unit): int(count) for unit, count in found}

    def _spans(self, table: str, where: str, day: int | None, count: int) -> Iterator[tuple[int | None, int | None]]:
        """A day in spans of at most `SPAN_ROWS`, an hour at the least."""
        if day is None or count <= SPAN_ROWS:
            yield (None, None) if day is None else (day * DAY, (day + 1) * DAY)
            return
        inside, values = _within(day * DAY, (day + 1) * DAY)
        hours = self._counted(table, f"{where} AND {inside}", _HOUR, values)
        low, held = day * DAY, 0
        for hour in sorted(one for one in hours if one is not None):
            if held and held + hours[hour] > SPAN_ROWS:
                yield low, hour * _HOUR
                low, held = hour * _HOUR, 0
            held += hours[hour]
        yield low, (day + 1) * DAY

    def _event_rows(self, ids: Sequence[str]) -> list[EventOut]:
        e, r = EVENT.c, RECORD.c
        columns = (e.id, e.task_id, e.body, r.source_id, r.name, r.line, r.idx, r.start, r.digest)
        wanted = select(*columns).outerjoin(RECORD, (r.id == e.record_id) & r.speaks.is_(True)).where(e.id.in_(ids))
        found: dict[str, EventOut] = {}
        for row in self._connection.execute(wanted):
            ref = None
            if row.source_id is not None:
                ref = RecordRef(row.source_id, row.name, row.line, row.idx or None, row.start, bytes(row.digest).hex())
            found[row.id] = EventOut(DECODER.decode(row.body), row.task_id or "", ref)
        return [found[id] for id in ids]

    def _learn(self, names: set[bytes]) -> None:
        if len(self._shapes) > _SHAPES_HELD:
            self._shapes.clear()
        for part in chunks(sorted(names - self._shapes.keys())):
            wanted = select(SHAPE.c.digest, SHAPE.c.request).where(SHAPE.c.digest.in_(part))
            for name, request in self._connection.execute(wanted):
                self._shapes[bytes(name)] = codec.REQUEST.decode(request)


def _within(low: int | None, high: int | None) -> tuple[str, list[int]]:
    return ("at IS NULL", []) if low is None or high is None else ("at >= ? AND at < ?", [low, high])


class Lakes:
    """Reading for exports."""

    db: Database

    @contextmanager
    def lake_view(self) -> Iterator[LakeView]:
        """Events and requests as they stand now, for as long as the view is held."""
        with self.db.read() as connection:
            yield LakeView(self.db, connection)
