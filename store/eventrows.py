"""Event rows with everything that hangs on them: keys, scope edges, what was seen of each point, and what a build must look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, update

from model.event import Event
from model.words import EventKind, KeyRole, Phase, Vantage
from store.codec import EVENT as DECODER
from store.codec import pack
from store.engine import Database, chunks
from store.meta import epoch, next_event
from store.scopes import Edge, Scopes, edges_of
from store.tables import DIRTY_KEY, DIRTY_POINT, DIRTY_TASK, EVENT, EVENT_KEY, POINT, SEQUENCE_BREAK, SIGHTING
from store.text import UNKNOWN_EARLY, UNKNOWN_LATE, bounded_name, clean, key_hash

Sighting = tuple[str, int, str, str, str, str, str]
"""Point, time, vantage, principal, host, session, verb decided on: the columns of a sighting before its count."""
_VERDICT = Phase.VERDICT.value
_DECISION = EventKind.DECISION.value


class _Seen:
    """What a transaction changes about one point."""

    __slots__ = ("events", "first", "last", "records", "verdicts")

    def __init__(self) -> None:
        self.records = 0
        self.events = 0
        self.verdicts = 0
        self.first: int | None = None
        self.last: int | None = None

    def at(self, at: int | None) -> None:
        if at is not None:
            self.first = at if self.first is None or at < self.first else self.first
            self.last = at if self.last is None or at > self.last else self.last


class EventWriter:
    """Collects events of one transaction; `flush` writes them."""

    def __init__(self, db: Database, connection: Connection) -> None:
        self._db = db
        self._connection = connection
        self._next = next_event(connection)
        self._events: list[tuple[Any, ...]] = []
        self._keys: list[tuple[int, int, str]] = []
        self._edges: Counter[Edge] = Counter()
        self._points: dict[tuple[str, str], _Seen] = {}
        self._sightings: Counter[Sighting] = Counter()
        self._breaks: list[tuple[str, str, int, int, str]] = []
        self._shrunk: set[tuple[str, str]] = set()
        self._dirty_keys: set[str] = set()
        self._dirty_tasks: set[str] = set()

    def add(self, record_id: str, events: Sequence[Event]) -> None:
        """Take the events of one record."""
        seen: set[tuple[str, str]] = set()
        number = self._next
        for ordinal, event in enumerate(events):
            at = event.at
            if at is None or not UNKNOWN_EARLY < at < UNKNOWN_LATE:
                at = None
                when = UNKNOWN_LATE
            else:
                when = at
            id = event.id
            point = clean(event.point)
            vantage = event.vantage._value_
            principal = clean(event.principal.name) if event.principal else ""
            kind = event.kind._value_
            phase = event.phase._value_
            self._events.append(
                (
                    number,
                    id,
                    record_id,
                    ordinal,
                    kind,
                    phase,
                    vantage,
                    point,
                    at,
                    principal,
                    event.verb._value_,
                    None,
                    None,
                    pack(event),
                )
            )
            number += 1
            scopes = 0
            hashes = set()
            for key in event.keys:
                hashes.add(key_hash(f"{key.kind}:{key.value}"))
                scopes += key.role is KeyRole.SCOPE
            self._keys += [(name, when, id) for name in hashes]
            if scopes > 1:
                self._edges.update(edges_of(event))
            place = (point, vantage)
            facts = self._points.get(place)
            if facts is None:
                facts = self._points[place] = _Seen()
            facts.events += 1
            if (broken := _break(event)) is not None:
                self._breaks.append((id, point, when, *broken))
            if at is not None:
                facts.at(at)
            if phase == _VERDICT and kind == _DECISION:
                facts.verdicts += 1
            seen.add(place)
            self._sightings[sighting_of(event, point, when, principal)] += 1
        self._next = number
        for place in seen:
            self._points[place].records += 1

    def remove(self, ids: Sequence[str]) -> None:
        """Take events away; their tasks and whatever shares a key with them must be looked at again."""
        wanted = select(EVENT.c.id, EVENT.c.record_id, EVENT.c.task_id, EVENT.c.at, EVENT.c.body)
        touched: dict[tuple[str, str], set[str]] = {}
        for part in chunks(ids):
            gone: list[tuple[int, int, str]] = []
            for id, record_id, task_id, at, body in self._connection.execute(wanted.where(EVENT.c.id.in_(part))).all():
                event = DECODER.decode(body)
                when = UNKNOWN_LATE if at is None else at
                gone += [(name, when, id) for name in {key_hash(key.name) for key in event.keys}]
                self._dirty_keys |= {key.name for key in event.keys}
                for edge in edges_of(event):
                    self._edges[edge] -= 1
                if task_id:
                    self._dirty_tasks.add(task_id)
                place = (clean(event.point), event.vantage.value)
                facts = self._points.setdefault(place, _Seen())
                facts.events -= 1
                principal = clean(event.principal.name) if event.principal else ""
                self._sightings[sighting_of(event, place[0], when, principal)] -= 1
                if event.phase is Phase.VERDICT and event.kind is EventKind.DECISION:
                    facts.verdicts -= 1
                touched.setdefault(place, set()).add(record_id)
            self._connection.execute(delete(EVENT).where(EVENT.c.id.in_(part)))
            self._connection.execute(delete(SEQUENCE_BREAK).where(SEQUENCE_BREAK.c.event_id.in_(part)))
            c = EVENT_KEY.c
            for name, when, id in gone:
                self._connection.execute(delete(EVENT_KEY).where(c.name == name, c.at == when, c.event_id == id))
        for place, records in touched.items():
            self._points[place].records -= len(records)
            self._shrunk.add(place)

    def touch(self, ids: Sequence[str]) -> None:
        """Have the tasks of these events looked at again: they stay, but what is known of their records is another."""
        for part in chunks(ids):
            tasks = select(EVENT.c.task_id).where(EVENT.c.id.in_(part), EVENT.c.task_id > "")
            self._dirty_tasks.update(self._connection.execute(tasks).scalars())

    def flush(self) -> None:
        """Write what was taken."""
        self._db.insert(self._connection, EVENT, self._events)
        self._db.insert(self._connection, EVENT_KEY, sorted(self._keys))
        self._db.insert(self._connection, SEQUENCE_BREAK, sorted(self._breaks))
        self._add_up(SIGHTING, self._sightings)
        self._flush_points()
        if self._edges:
            scopes = Scopes(self._db, self._connection)
            scopes.apply(self._edges)
            self._dirty_keys |= scopes.changed
        heard = self._heard_otherwise()
        if heard or self._dirty_keys or self._dirty_tasks:
            number = epoch(self._connection)
            self._db.insert(self._connection, DIRTY_POINT, [(number, *one) for one in heard], ignore=True)
            keys = sorted({bounded_name(name) for name in self._dirty_keys})
            self._db.insert(self._connection, DIRTY_KEY, [(number, name) for name in keys], ignore=True)
            self._db.insert(self._connection, DIRTY_TASK, [(number, task) for task in sorted(self._dirty_tasks)], ignore=True)

    def _heard_otherwise(self) -> list[tuple[str, int]]:
        """The points of which sightings came or went, and the earliest moment of them."""
        found: dict[str, int] = {}
        for (point, when, *_), count in self._sightings.items():
            if count and when < UNKNOWN_LATE:
                found[point] = min(when, found.get(point, when))
        return sorted(found.items())

    def _add_up(self, table: Table, counts: Counter[Any]) -> None:
        """Count up or down; a row that no event is left for goes."""
        changes = sorted((key, count) for key, count in counts.items() if count)
        self._db.add_up(self._connection, table, [(*key, count) for key, count in changes])
        if any(count < 0 for _, count in changes):
            self._connection.execute(delete(table).where(table.c.events <= 0))

    def _flush_points(self) -> None:
        for (point, vantage), new in sorted(self._points.items()):
            c = POINT.c
            where = (c.point == point, c.vantage == vantage)
            held = self._connection.execute(select(POINT).where(*where)).first()
            if held is None:
                row = (point, vantage, new.records, new.events, new.verdicts, new.first, new.last)
                self._db.insert(self._connection, POINT, [row])
                continue
            new.records += held.records
            new.events += held.events
            new.verdicts += held.verdicts
            if new.events <= 0:
                self._connection.execute(delete(POINT).where(*where))
                continue
            if (point, vantage) in self._shrunk:
                seen = SIGHTING.c
                times = (seen.point == point, seen.vantage == vantage, seen.at < UNKNOWN_LATE)
                span = select(func.min(seen.at), func.max(seen.at)).where(*times)
                new.first, new.last = self._connection.execute(span).one()
            else:
                new.at(held.first)
                new.at(held.last)
            self._connection.execute(
                update(POINT)
                .where(*where)
                .values(records=new.records, events=new.events, verdicts=new.verdicts, first=new.first, last=new.last)
            )


def _break(event: Event) -> tuple[int, str] | None:
    """How many records its log says are missing before an event, and how the event fails to fit; None where all fits."""
    missing, why = event.attrs.get("missing_before"), event.attrs.get("chain_broken")
    count = missing if isinstance(missing, int) and missing > 0 else 0
    return (min(count, UNKNOWN_LATE), clean(str(why or ""))) if count or why else None


def sighting_of(event: Event, point: str, when: int, principal: str) -> Sighting:
    """What an event says of its point's being alive."""
    host = session = decided = ""
    if event.vantage is Vantage.ENFORCER:
        host = clean(str(event.attrs.get("host") or ""))
        scope = event.first_key(KeyRole.SCOPE)
        session = bounded_name(scope.name) if scope else ""
    if event.kind is EventKind.DECISION and event.phase is Phase.VERDICT:
        decided = event.verb._value_
    return (point, when, event.vantage._value_, principal, host, session, decided)
