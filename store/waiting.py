"""What a build must look at, and where it says that events belong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, select, tuple_

from model.evidence import Attribution, Stub
from store.codec import pack, stub
from store.engine import Database, chunks, marks
from store.meta import begin_build, built, end_build, epoch, next_epoch
from store.tables import DIRTY_KEY, DIRTY_POINT, DIRTY_TASK, EVENT, EVENT_KEY, WORD_PAIR
from store.text import clean, key_hash


class Waiting:
    """The queue of a build: new events, touched keys and tasks; and the attributions it begins with."""

    db: Database

    # what a build must look at

    def dirty_event_batches(self, size: int = 1_000) -> Iterator[list[Stub]]:
        """Begin a build: every event that no finished build has seen, and those an event's going or a scope's new name touches.

        An event may come twice. `mark_built` ends the build; a build that never ends is begun anew by the next.
        """
        yield from self._events_between(*self.begin_build(), size)
        for name in self.dirty_keys():
            yield from self._carriers(name, size)

    def begin_build(self) -> tuple[int, int]:
        """Begin a build as `dirty_event_batches` does; the events no finished build has seen are numbered after the first up to the second."""
        with self.db.write() as connection:
            next_epoch(connection)
            return begin_build(connection)

    def stubs_between(self, after: int, last: int) -> list[Stub]:
        """The events numbered after the first up to the second."""
        return next(self._events_between(after, last, last - after), [])

    def _events_between(self, after: int, last: int, size: int) -> Iterator[list[Stub]]:
        wanted = "SELECT seq, body, task_id FROM event WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
        while after < last:
            with self.db.read() as connection:
                rows = self.db.fetch(connection, wanted, (after, last, size))
            if not rows:
                return
            after = rows[-1][0]
            yield [stub(body, task) for _, body, task in rows]

    def _carriers(self, name: str, size: int) -> Iterator[list[Stub]]:
        c = EVENT_KEY.c
        wanted = (
            select(c.at, c.event_id, EVENT.c.body, EVENT.c.task_id)
            .join_from(EVENT_KEY, EVENT, EVENT.c.id == c.event_id)
            .where(c.name == key_hash(name))
            .order_by(c.at, c.event_id)
            .limit(size)
        )
        last: tuple[Any, ...] | None = None
        while True:
            with self.db.read() as connection:
                rows = connection.execute(wanted if last is None else wanted.where(tuple_(c.at, c.event_id) > last)).all()
            if not rows:
                return
            last = tuple(rows[-1][:2])
            yield [stub(row.body, row.task_id) for row in rows]

    def dirty_keys(self) -> list[str]:
        """Keys (`kind:value`) whose carriers an event's going, or a scope's new name, touches; `dirty_event_batches` yields them."""
        with self.db.read() as connection:
            limit = epoch(connection)
            rows = connection.execute(select(DIRTY_KEY.c.name).where(DIRTY_KEY.c.epoch < limit).distinct())
            return sorted(rows.scalars())

    def dirty_tasks(self) -> list[str]:
        """Tasks that lost, gained or kept an event looked at since the last finished build: those to build again."""
        with self.db.read() as connection:
            limit = epoch(connection)
            rows = connection.execute(select(DIRTY_TASK.c.task_id).where(DIRTY_TASK.c.epoch < limit).distinct())
            return sorted(rows.scalars())

    def dirty_points(self) -> dict[str, int]:
        """Points of which something came or went since the last finished build, with the earliest moment of it."""
        c = DIRTY_POINT.c
        with self.db.read() as connection:
            limit = epoch(connection)
            rows = connection.execute(select(c.point, func.min(c.at)).where(c.epoch < limit).group_by(c.point))
            return {point: int(at) for point, at in rows}

    def dirty_count(self) -> int:
        """How much waits for a build: events, keys and tasks."""
        with self.db.read() as connection:
            waiting = connection.execute(select(func.count()).where(EVENT.c.seq > built(connection))).scalar_one()
            for rows in (DIRTY_KEY, DIRTY_TASK):
                waiting += connection.execute(select(func.count()).select_from(rows)).scalar_one()
            return waiting

    def never_built(self) -> bool:
        """Whether no event was seen by a build that ended."""
        with self.db.read() as connection:
            return built(connection) == 0

    def mark_dirty(self, tasks: Sequence[str]) -> None:
        """Have these tasks built again in the running build, or in the next one."""
        with self.db.write() as connection:
            self._dirty(connection, set(tasks))

    def mark_built(self) -> None:
        """End a build: what it saw is no longer new. What was imported meanwhile stays for the next build."""
        with self.db.write() as connection:
            limit = epoch(connection)
            for waiting in (DIRTY_KEY, DIRTY_POINT, DIRTY_TASK):
                connection.execute(delete(waiting).where(waiting.c.epoch < limit))
            end_build(connection)

    def _dirty(self, connection: Connection, tasks: set[str]) -> None:
        number = epoch(connection) - 1
        self.db.insert(connection, DIRTY_TASK, [(number, task) for task in sorted(tasks) if task], ignore=True)

    # attribution

    def save_attributions(self, attributions: Sequence[Attribution]) -> set[str]:
        """Say where events belong; the tasks concerned, old and new, all of them remembered as dirty until `mark_built`."""
        touched: set[str] = set()
        with self.db.write() as connection:
            for part in chunks(attributions):
                self._write_pairs(connection, part)
                ids = [attribution.event for attribution in part]
                held = f"SELECT id, task_id, links FROM event WHERE id IN ({marks(ids)})"  # noqa: S608  only marks are put in
                before = {id: (task, links) for id, task, links in self.db.fetch(connection, held, ids)}
                rows = []
                for attribution in part:
                    if attribution.event not in before:
                        continue
                    task = clean(attribution.task)
                    links = pack(attribution.links) if attribution.links else None
                    touched.update({task, before[attribution.event][0] or ""})
                    if before[attribution.event] != (task, links):
                        rows.append((task, links, attribution.event))
                self.db.change(connection, EVENT, "id", ("task_id", "links"), rows)
            touched.discard("")
            self._dirty(connection, touched)
        return touched

    def _write_pairs(self, connection: Connection, part: Sequence[Attribution]) -> None:
        c = WORD_PAIR.c
        held = f"SELECT event_id, apart FROM word_pair WHERE event_id IN ({marks(part)})"  # noqa: S608  only marks are put in
        before = {str(id): int(apart) for id, apart in self.db.fetch(connection, held, [one.event for one in part])}
        now = {one.event: one.apart for one in part if one.apart is not None}
        gone = sorted(id for id, apart in before.items() if now.get(id) != apart)
        if gone:
            connection.execute(delete(WORD_PAIR).where(c.event_id.in_(gone)))
        new = sorted(id for id, apart in now.items() if before.get(id) != apart)
        if new:
            points = select(EVENT.c.id, EVENT.c.point).where(EVENT.c.id.in_(new))
            self.db.insert(connection, WORD_PAIR, [(id, point, now[id]) for id, point in connection.execute(points)])
