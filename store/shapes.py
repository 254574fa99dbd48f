"""Requests by shape, and which tasks' requests changed since when: what replay reads instead of every step.

Equal requests are kept once, under a digest of their bytes, and each step has a short row that names its request. Each transaction that changes
steps leaves a *mark*: a number that grows and a random token, with the tasks it changed. Who knows a mark and finds it
still there needs only the tasks of later marks; a mark that is gone (the store was built anew, put back from a copy, or
the mark is too old to be kept) means reading everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from secrets import token_hex
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, select

from store import codec
from store.engine import Database, chunks
from store.tables import REQUEST, SHAPE, STEP_CHANGE

DIGEST_BYTES = 16
KEPT_MARKS = 20_000
"""Marks remembered: fifty tasks each while much is built, one each while a log is followed."""
_FETCH = 10_000


class RequestCell(msgspec.Struct, frozen=True, array_like=True):
    """Requests of one task that have one shape and one answer, and the first and the last time of any of them."""

    task: str
    shape: bytes
    recorded: str
    count: int
    first: int | None
    last: int | None


class RequestPlace(msgspec.Struct, frozen=True, array_like=True):
    """One request without its content: its step, its task, its time, what was answered, its shape."""

    step: str
    task: str
    at: int | None
    recorded: str
    shape: bytes


def shape_digest(request: bytes) -> bytes:
    """The key of a packed request."""
    return sha256(request).digest()[:DIGEST_BYTES]


def note_change(db: Database, connection: Connection, tasks: Iterable[str]) -> None:
    """Leave a mark in the running transaction for tasks whose steps it changes; the task "" stands for all of them."""
    rows = sorted(set(tasks))
    if not rows:
        return
    number = int(connection.execute(select(func.max(STEP_CHANGE.c.seq))).scalar() or 0) + 1
    token = token_hex(8)
    db.insert(connection, STEP_CHANGE, [(number, task, token) for task in rows])
    if number > KEPT_MARKS:
        connection.execute(delete(STEP_CHANGE).where(STEP_CHANGE.c.seq <= number - KEPT_MARKS))


def forget_changes(db: Database, connection: Connection) -> None:
    """Every step is gone: what was known at any earlier mark is worth nothing."""
    number = int(connection.execute(select(func.max(STEP_CHANGE.c.seq))).scalar() or 0) + 1
    connection.execute(delete(STEP_CHANGE))
    db.insert(connection, STEP_CHANGE, [(number, "", token_hex(8))])


class Shapes:
    """The requests of the history, for replay. Reads of one `with store.db.read()` see one state."""

    db: Database

    def request_mark(self, connection: Connection) -> str:
        """The last change of any step as `number:token`; "" where the store knows of none."""
        c = STEP_CHANGE.c
        found = connection.execute(select(c.seq, c.token).order_by(c.seq.desc()).limit(1)).first()
        return f"{found.seq}:{found.token}" if found else ""

    def tasks_changed_since(self, connection: Connection, mark: str) -> list[str] | None:
        """Tasks whose steps changed after a mark; None where everything has to be read."""
        number, _, token = mark.partition(":")
        c = STEP_CHANGE.c
        if not number.isdigit() or len(number) > 18:
            return None
        known = select(c.task_id).where(c.seq == int(number), c.token == token).limit(1)
        if connection.execute(known).first() is None:
            return None
        tasks = list(connection.execute(select(c.task_id).where(c.seq > int(number)).distinct()).scalars())
        return None if "" in tasks else sorted(tasks)

    def request_places(self, connection: Connection, tasks: Sequence[str] | None = None) -> Iterator[RequestPlace]:
        """Every request without its content, or those of these tasks."""
        c = REQUEST.c
        wanted = select(c.step_id, c.task_id, c.at, c.answered, c.shape)
        for part in (None,) if tasks is None else chunks(sorted(tasks)):
            chosen = wanted if part is None else wanted.where(c.task_id.in_(part))
            for row in self._streamed(connection, chosen):
                yield RequestPlace(*row)

    def request_cells(self, connection: Connection, tasks: Sequence[str] | None = None) -> Iterator[RequestCell]:
        """The requests, or those of these tasks, counted by the database per task, shape and answer."""
        c = REQUEST.c
        key = (c.task_id, c.shape, c.answered)
        wanted = select(*key, func.count(), func.min(c.at), func.max(c.at)).group_by(*key)
        for part in (None,) if tasks is None else chunks(sorted(tasks)):
            chosen = wanted if part is None else wanted.where(c.task_id.in_(part))
            for row in self._streamed(connection, chosen):
                yield RequestCell(*row)

    def shape_requests(self, connection: Connection, shapes: Sequence[bytes] | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Digest and packed request of every shape, or of these; `unpacked` reads one."""
        c = SHAPE.c
        wanted = select(c.digest, c.request)
        for part in (None,) if shapes is None else chunks(sorted(shapes)):
            yield from self._streamed(connection, wanted if part is None else wanted.where(c.digest.in_(part)))

    def places_of(self, tasks: Sequence[str], shapes: Sequence[bytes]) -> list[RequestPlace]:
        """The requests of these tasks that have one of these shapes."""
        c = REQUEST.c
        found: list[RequestPlace] = []
        with self.db.read() as connection:
            for part in chunks(sorted(tasks)):
                for some in chunks(sorted(shapes)):
                    wanted = select(c.step_id, c.task_id, c.at, c.answered, c.shape).where(c.task_id.in_(part), c.shape.in_(some))
                    found += (RequestPlace(*row) for row in connection.execute(wanted))
        return found

    def _streamed(self, connection: Connection, wanted: Any) -> Iterator[Any]:
        return iter(connection.execute(wanted).yield_per(_FETCH))


def unpacked(request: bytes) -> dict[str, Any]:
    """What a packed request states."""
    return codec.REQUEST.decode(request)
