"""Reading events: by key for stitching, by task for building."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from model.chain import Link
from model.event import Event, Key
from model.evidence import Stub
from model.words import KeyRole
from store.codec import EVENT as DECODER
from store.codec import LINKS, stub
from store.engine import CHUNK, Database, chunks, marks
from store.meta import built as built_until
from store.scopes import roots_of
from store.streams import streamed
from store.tables import EVENT, EVENT_KEY, RECORD, SCOPE_EDGE
from store.text import UNKNOWN_LATE, bounded_name, key_hash

_FETCH = 2_000
_ALIKE = 500
"""Events of a task from which holding alike parts once saves more memory than it costs time."""
_CARRYING = "SELECT e.body, e.task_id FROM event_key k JOIN event e ON e.id = k.event_id WHERE k.name = ?"
_KEYS = "SELECT name, event_id FROM event_key"
_KEY_ORDER = "ORDER BY name, at, event_id LIMIT ?"


class EventReads:
    """What stitching and building ask of the events; `carrying` and `scope_root` make it a model.evidence.EventIndex."""

    db: Database

    def carrying(
        self, names: Sequence[str], limit: int = 500, known: Mapping[str, Stub] | None = None, *, built: bool = False
    ) -> dict[str, list[Stub]]:
        """Events that carry each `kind:value`, in (at, id) order, unknown times last; at most `limit` + 1, which marks a hot key.

        `known` are events as the store holds them now, by id, that need not be read again. With `built` only events that a
        finished build has seen are told of, beside those.
        """
        by_hash: dict[int, list[str]] = {}
        for name in names:
            by_hash.setdefault(key_hash(name), []).append(name)
        with self.db.read() as connection:
            ids = _carriers(self.db, connection, sorted(by_hash), limit)
            wanted = {id for found in ids.values() for id in found}
            stubs = {id: known[id] for id in wanted & known.keys()} if known else {}
            until = built_until(connection) if built else None
            stubs |= _stubs(self.db, connection, sorted(wanted - stubs.keys()), until)
        carried = {id: {key.name for key in stub.keys} for id, stub in stubs.items()}
        answer: dict[str, list[Stub]] = {}
        for number, found in ids.items():
            for name in by_hash[number]:
                answer[name] = [stubs[id] for id in found if id in stubs and name in carried[id]]
        return {name: answer.get(name, []) for name in names}

    def crowded_keys(self, most: int) -> list[tuple[Key, int]]:
        """Keys that more than so many events carry, with how many, the most crowded first; those made for matching are left out."""
        crowded = f"SELECT name, COUNT(*), MIN(event_id) FROM event_key GROUP BY name HAVING COUNT(*) > {int(most)}"  # noqa: S608
        with self.db.read() as connection:
            counts = self.db.fetch(connection, crowded, ())
            stubs = _stubs(self.db, connection, sorted({id for _, _, id in counts}))
        found = [
            (key, count)
            for number, count, id in counts
            for key in stubs[id].keys
            if key.role is not KeyRole.MATCH and key_hash(key.name) == number
        ]
        return sorted(found, key=lambda one: (-one[1], one[0].name))

    def wide_scopes(self, most: int) -> dict[str, int]:
        """Scope keys that events name together with more than so many stronger ones, and with how many."""
        c = SCOPE_EDGE.c
        wanted = select(c.b, func.count()).group_by(c.b).having(func.count() > most).order_by(c.b)
        with self.db.read() as connection:
            return {name: int(count) for name, count in connection.execute(wanted)}

    def scope_root(self, name: str) -> str:
        """The strongest scope key (`kind:value`) among all that are known to name the same task as this one."""
        with self.db.read() as connection:
            held = bounded_name(name)
            root = roots_of(self.db, connection, [held])[held]
        return name if root == held else root

    def scope_roots(self, names: Sequence[str]) -> dict[str, str]:
        """`scope_root` of many names at once."""
        held = {name: bounded_name(name) for name in names}
        with self.db.read() as connection:
            roots = roots_of(self.db, connection, sorted(set(held.values())))
        return {name: name if roots[short] == short else roots[short] for name, short in held.items()}

    def stubs(self, ids: Sequence[str]) -> dict[str, Stub]:
        """The thin view of these events, by id; unknown ids are left out."""
        with self.db.read() as connection:
            return _stubs(self.db, connection, ids)

    def events(self, ids: Sequence[str]) -> dict[str, Event]:
        """These events in full, by id; unknown ids are left out."""
        found: dict[str, Event] = {}
        with self.db.read() as connection:
            for part in chunks(ids):
                rows = connection.execute(select(EVENT.c.id, EVENT.c.body).where(EVENT.c.id.in_(part)))
                found.update({id: DECODER.decode(body) for id, body in rows})
        return found

    def event(self, id: str) -> Event | None:
        return self.events([id]).get(id)

    def tasks_of_events(self, ids: Sequence[str]) -> dict[str, str]:
        """The task of each event, "" where it has none."""
        found: dict[str, str] = {}
        with self.db.read() as connection:
            for part in chunks(ids):
                rows = connection.execute(select(EVENT.c.id, EVENT.c.task_id).where(EVENT.c.id.in_(part)))
                found.update({id: task or "" for id, task in rows})
        return found

    def events_of_task(self, task_id: str) -> list[Event]:
        """A task's events by time, place in their source, and id; those of unknown time last."""
        with self.db.read() as connection:
            rows = self.db.fetch(connection, "SELECT body FROM event WHERE task_id = ?", (task_id,))
            return _in_time(_decoded(rows))

    def few_events_of_task(self, task_id: str, most: int) -> list[Event] | None:
        """`events_of_task`, None where they are more than so many."""
        with self.db.read() as connection:
            rows = self.db.fetch(connection, "SELECT body FROM event WHERE task_id = ? LIMIT ?", (task_id, most + 1))
            return None if len(rows) > most else _in_time(_decoded(rows))

    def few_events_of_tasks(self, tasks: Sequence[str], most: int) -> dict[str, list[Event]] | None:
        """`events_of_task` of several at once, None where they are more than so many together."""
        asked = f"SELECT task_id, body FROM event WHERE task_id IN ({marks(tasks)}) LIMIT ?"  # noqa: S608  only marks are put in
        with self.db.read() as connection:
            rows = self.db.fetch(connection, asked, (*tasks, most + 1))
        if len(rows) > most:
            return None
        bodies: dict[str, list[tuple[bytes]]] = {task: [] for task in tasks}
        for task, body in rows:
            bodies[task].append((body,))
        return {task: _in_time(_decoded(held)) for task, held in bodies.items()}

    def each_event_of_task(self, task_id: str) -> Iterator[Event]:
        """A task's events one after the other, in no order that means anything: for tasks that no memory should hold."""
        with self.db.read() as connection:
            asked = select(EVENT.c.body).where(EVENT.c.task_id == task_id)
            for body in streamed(connection, asked).scalars():
                yield DECODER.decode(body)

    def attributions_of(self, task_id: str) -> list[Link]:
        """The links that brought events into a task, in the order of their events' ids."""
        wanted = "SELECT links FROM event WHERE task_id = ? AND links IS NOT NULL ORDER BY id"
        with self.db.read() as connection:
            return [link for (links,) in self.db.fetch(connection, wanted, (task_id,)) for link in LINKS.decode(links)]

    def attributions_of_tasks(self, tasks: Sequence[str]) -> dict[str, list[Link]]:
        """`attributions_of` of several at once."""
        found: dict[str, list[Link]] = {task: [] for task in tasks}
        asked = f"SELECT task_id, links FROM event WHERE task_id IN ({marks(tasks)}) AND links IS NOT NULL ORDER BY id"  # noqa: S608  marks
        with self.db.read() as connection:
            for task, links in self.db.fetch(connection, asked, tasks):
                found[task] += LINKS.decode(links)
        return found

    def links_of_event(self, id: str) -> list[Link]:
        """The links stored with an event's attribution."""
        with self.db.read() as connection:
            links = connection.execute(select(EVENT.c.links).where(EVENT.c.id == id)).scalar()
        return [] if links is None else LINKS.decode(links)

    def events_of_record(self, record_id: str) -> list[tuple[Event, str]]:
        """What a record says, in the order it says it, each event with its task ("" = none)."""
        with self.db.read() as connection:
            held = connection.execute(select(RECORD.c.events).where(RECORD.c.id == record_id, RECORD.c.speaks)).scalar()
            ids = held.split() if held else []
            rows = connection.execute(select(EVENT.c.id, EVENT.c.body, EVENT.c.task_id).where(EVENT.c.id.in_(ids)))
            found = {id: (DECODER.decode(body), task or "") for id, body, task in rows}
        return [found[id] for id in ids if id in found]

    def event_records(self, ids: Sequence[str]) -> dict[str, str]:
        """The record of each event; unknown ids are left out."""
        found: dict[str, str] = {}
        with self.db.read() as connection:
            for part in chunks(ids):
                rows = connection.execute(select(EVENT.c.id, EVENT.c.record_id).where(EVENT.c.id.in_(part)))
                found.update({id: record for id, record in rows})  # noqa: C416  rows are not pairs to a type checker
        return found

    def unattributed(self, after: tuple[int, str] | None = None, limit: int = 200) -> list[Event]:
        """Events that belong to no task, by (time, id), unknown times first; `after` is `place_of` the last one seen."""
        when = func.coalesce(EVENT.c.at, -UNKNOWN_LATE)
        wanted = select(EVENT.c.body).where(EVENT.c.task_id == "").order_by(when, EVENT.c.id).limit(limit)
        if after is not None:
            at, id = after
            wanted = wanted.where((when > at) | ((when == at) & (EVENT.c.id > id)))
        with self.db.read() as connection:
            return [DECODER.decode(body) for body in connection.execute(wanted).scalars()]

    def intents_of_task(self, task_id: str) -> list[Event]:
        """What a task was asked, in the order of `events_of_task`."""
        with self.db.read() as connection:
            rows = self.db.fetch(connection, "SELECT body FROM event WHERE task_id = ? AND kind = 'intent'", (task_id,))
            events = [DECODER.decode(body) for (body,) in rows]
        events.sort(key=lambda event: (UNKNOWN_LATE if event.at is None else event.at, event.order, event.id))
        return events

    def events_with_key(self, name: str, vantage: str = "", limit: int | None = None) -> list[tuple[Event, str]]:
        """Every event that carries a key, with its task ("" = none), in (at, id) order: what a credential lifeline reads.

        `vantage` leaves out what others saw; `limit` takes the first and the last so many.
        """
        # By hand, for a build asks this of every credential: see `Database.fetch`.
        seen, values = (" AND e.vantage = ?", (vantage,)) if vantage else ("", ())
        wanted = f"{_CARRYING}{seen} ORDER BY k.at{{0}}, k.event_id{{0}}" + ("" if limit is None else f" LIMIT {int(limit)}")
        with self.db.read() as connection:
            rows = self.db.fetch(connection, wanted.format(""), (key_hash(name), *values))
            if limit is not None and len(rows) == limit:
                rows += reversed(self.db.fetch(connection, wanted.format(" DESC"), (key_hash(name), *values)))
        found: dict[str, tuple[Event, str]] = {}
        for body, task in rows:
            event = DECODER.decode(body)
            if any(key.name == name for key in event.keys):
                found.setdefault(event.id, (event, task or ""))
        return list(found.values())

    def carried(self, name: str) -> tuple[int, int | None]:
        """How many records carry a key, and when the last did."""
        c = EVENT_KEY.c
        wanted = (
            select(func.count(EVENT.c.record_id.distinct()), func.max(EVENT.c.at))
            .join_from(EVENT_KEY, EVENT, EVENT.c.id == c.event_id)
            .where(c.name == key_hash(name))
        )
        with self.db.read() as connection:
            count, last = connection.execute(wanted).one()
        return int(count), None if last is None else int(last)


def place_of(event: Event) -> tuple[int, str]:
    """Where an event stands among the unattributed, for the next page."""
    return (-UNKNOWN_LATE if event.at is None else event.at), event.id


def _carriers(db: Database, connection: Connection, hashes: Sequence[int], limit: int) -> dict[int, list[str]]:
    """At most `limit` + 1 event ids per key in few statements, however many events a hot key has."""
    found: dict[int, list[str]] = {number: [] for number in hashes}
    cap = max(4 * limit, _FETCH)
    left = list(hashes)
    while left:
        part = left[:CHUNK]
        most = limit + 1 if len(part) == 1 else cap
        rows = db.fetch(connection, f"{_KEYS} WHERE name IN ({marks(part)}) {_KEY_ORDER}", (*part, most))
        for number, id in rows:
            if len(found[number]) <= limit:
                found[number].append(id)
        if len(rows) < most or len(part) == 1:
            left = left[len(part) :]
            continue
        cut = rows[-1][0]
        if len(found[cut]) <= limit:
            found[cut] = [id for _, id in db.fetch(connection, f"{_KEYS} WHERE name = ? {_KEY_ORDER}", (cut, limit + 1))]
        left = [number for number in left if number > cut]
    return found


def _stubs(db: Database, connection: Connection, ids: Sequence[str], until: int | None = None) -> dict[str, Stub]:
    """These events, or those of them that are numbered up to one."""
    found: dict[str, Stub] = {}
    for part in chunks(ids):
        wanted = f"SELECT id, body, task_id FROM event WHERE id IN ({marks(part)})"  # noqa: S608  only marks are put in
        rows = (
            db.fetch(connection, wanted, part)
            if until is None
            else db.fetch(connection, f"{wanted} AND seq <= ?", (*part, until))
        )
        for id, body, task in rows:
            found[id] = stub(body, task)
    return found


def _in_time(events: list[Event]) -> list[Event]:
    events.sort(key=lambda event: (UNKNOWN_LATE if event.at is None else event.at, event.order, event.id))
    return events


def _decoded(rows: Sequence[tuple[bytes]]) -> list[Event]:
    decode = DECODER.decode
    found = [decode(body) for (body,) in rows]
    return found if len(found) < _ALIKE else _sharing(found)


def _sharing(events: Iterable[Event]) -> list[Event]:
    """The events with what several of them say alike held once: identifiers, targets, people and names repeat within a task."""
    pool: dict[Any, Any] = {}
    one = pool.setdefault
    found = []
    for event in events:
        event.keys = tuple([one(key, key) for key in event.keys])
        event.target, event.principal = one(event.target, event.target), one(event.principal, event.principal)
        event.point, event.format, event.tool = (
            one(event.point, event.point),
            one(event.format, event.format),
            one(event.tool, event.tool),
        )
        event.agent, event.outcome = one(event.agent, event.agent), one(event.outcome, event.outcome)
        found.append(event)
    return found
