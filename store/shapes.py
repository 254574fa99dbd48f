"""Requests by shape, and which tasks' requests changed since when: what replay reads instead of every step.

Equal requests are kept once, under a digest of their bytes, and each step has a short row that names its request. Each transaction that changes
steps leaves a *mark*: a number that grows and a random token, with the tasks it changed. Who knows a mark and finds it
still there needs only the tasks of later marks; a mark that is gone (the store was built anew, put back from a copy, or
the mark is too old to be kept) means reading everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from secrets import token_hex
from typing import Any, TypeAlias

from sqlalchemy import Connection, delete, func, select

from store import codec
from store.engine import Database, chunks
from store.streams import streamed
from store.tables import REQUEST, SHAPE, STEP_CHANGE, TASK

DIGEST_BYTES = 16
DAY = 86_400_000_000
_KEY = f"task_id, shape, answered, at / {DAY}"
_PLACES = "SELECT step_id, task_id, at, answered, r.shape FROM wanted JOIN request r ON task_id = task AND r.shape = wanted.shape"
_CELLS = "SELECT task_id, shape, answered, count(*), min(at), max(at) FROM request"
KEPT_MARKS = 20_000
"""Marks remembered: fifty tasks each while much is built, one each while a log is followed."""
_FETCH = 10_000
_TASKS_AT_ONCE = 1_000


RequestCell: TypeAlias = "tuple[str, bytes, str, int, int | None, int | None]"
"""Requests of a task and a day (UTC) that have one shape and one answer: task, shape, answer, number, first and last time."""

RequestPlace: TypeAlias = "tuple[str, str, int | None, str, bytes]"
"""One request without its content: its step, its task, its time, what was answered, its shape."""


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


class RequestView:
    """The requests of the history as one transaction sees them."""

    def __init__(self, db: Database, connection: Connection) -> None:
        self._db = db
        self._connection = connection

    def mark(self) -> str:
        """The last change of any step as `number:token`; "" where the store knows of none."""
        c = STEP_CHANGE.c
        found = self._connection.execute(select(c.seq, c.token).order_by(c.seq.desc()).limit(1)).first()
        return f"{found.seq}:{found.token}" if found else ""

    def changed_since(self, mark: str) -> list[str] | None:
        """Tasks whose steps changed after a mark; None where everything has to be read."""
        number, _, token = mark.partition(":")
        c = STEP_CHANGE.c
        if not number.isdigit() or len(number) > 18:
            return None
        known = select(c.task_id).where(c.seq == int(number), c.token == token).limit(1)
        if self._connection.execute(known).first() is None:
            return None
        tasks = list(self._connection.execute(select(c.task_id).where(c.seq > int(number)).distinct()).scalars())
        return None if "" in tasks else sorted(tasks)

    def cells(self, tasks: Sequence[str] | None = None) -> Iterator[list[RequestCell]]:
        """The requests, or those of these tasks, counted by the database per task, shape, answer and day, in parts."""
        for where, values in self._ranges() if tasks is None else self._among(tasks):
            yield self._db.fetch(self._connection, f"{_CELLS} WHERE {where} GROUP BY {_KEY}", values)

    def shapes(self, names: Sequence[bytes] | None = None) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """Name and content of every shape, or of these."""
        c = SHAPE.c
        wanted = select(c.digest, c.request)
        decode = codec.REQUEST.decode
        for part in (None,) if names is None else chunks(sorted(names)):
            for name, request in self._streamed(wanted if part is None else wanted.where(c.digest.in_(part))):
                yield name, decode(request)

    def _ranges(self) -> Iterator[tuple[str, list[str]]]:
        """The requests in parts, by ranges of tasks: counting them all at once would sort them all in memory."""
        tasks = list(self._connection.execute(select(TASK.c.id).order_by(TASK.c.id)).scalars())
        bounds = tasks[_TASKS_AT_ONCE - 1 :: _TASKS_AT_ONCE]
        for low, high in zip(["", *bounds], bounds, strict=False):
            yield "task_id > ? AND task_id <= ?", [low, high]
        yield "task_id > ?", bounds[-1:] or [""]

    def _among(self, tasks: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
        for part in chunks(sorted(tasks)):
            yield f"task_id IN ({', '.join('?' * len(part))})", list(part)

    def _streamed(self, wanted: Any) -> Iterator[Any]:
        for row in streamed(self._connection, wanted, _FETCH):
            yield tuple(row)


class Shapes:
    """The requests of the history, for replay."""

    db: Database

    @contextmanager
    def request_view(self) -> Iterator[RequestView]:
        """The requests as they stand now, for as long as the view is held."""
        with self.db.read() as connection:
            yield RequestView(self.db, connection)

    def has_requests(self, number: int) -> bool:
        """Whether the history holds at least so many requests."""
        with self.db.read() as connection:
            return connection.execute(select(REQUEST.c.task_id).offset(number - 1).limit(1)).first() is not None

    def requests_of(self, pairs: Sequence[tuple[str, bytes]]) -> Iterator[RequestPlace]:
        """The requests of each of these pairs of a task and a shape, without their content."""
        with self.db.read() as connection:
            for part in chunks(pairs):
                values = ", ".join(["(?, ?)"] * len(part))
                statement = f"WITH wanted (task, shape) AS (VALUES {values}) {_PLACES}"
                yield from self.db.fetch(connection, statement, [value for pair in part for value in pair])
