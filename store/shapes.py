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

from sqlalchemy import ColumnElement, Connection, and_, delete, func, select, true

from store import codec
from store.engine import Database, chunks
from store.tables import REQUEST, SHAPE, STEP_CHANGE, TASK

DIGEST_BYTES = 16
DAY = 86_400_000_000
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

    def __init__(self, connection: Connection) -> None:
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

    def cells(self, tasks: Sequence[str] | None = None) -> Iterator[RequestCell]:
        """The requests, or those of these tasks, counted by the database per task, shape, answer and day."""
        c = REQUEST.c
        key = (c.task_id, c.shape, c.answered)
        day = c.at - ((c.at % DAY) + DAY) % DAY
        wanted = select(*key, func.count(), func.min(c.at), func.max(c.at)).group_by(*key, day)
        parts = self._ranges() if tasks is None else (c.task_id.in_(part) for part in chunks(sorted(tasks)))
        for part in parts:
            yield from self._streamed(wanted.where(part))

    def shapes(self, names: Sequence[bytes] | None = None) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """Name and content of every shape, or of these."""
        c = SHAPE.c
        wanted = select(c.digest, c.request)
        decode = codec.REQUEST.decode
        for part in (None,) if names is None else chunks(sorted(names)):
            for name, request in self._streamed(wanted if part is None else wanted.where(c.digest.in_(part))):
                yield name, decode(request)

    def _ranges(self) -> Iterator[ColumnElement[bool]]:
        """The requests in parts, by ranges of tasks: counting them all at once would sort them all in memory."""
        c, low = REQUEST.c.task_id, None
        tasks = select(TASK.c.id).order_by(TASK.c.id)
        for number, task in enumerate(list(self._connection.execute(tasks).scalars()), 1):
            if number % _TASKS_AT_ONCE == 0:
                yield c <= task if low is None else and_(c > low, c <= task)
                low = task
        yield true() if low is None else c > low

    def _streamed(self, wanted: Any) -> Iterator[Any]:
        for row in self._connection.execute(wanted).yield_per(_FETCH):
            yield tuple(row)


class Shapes:
    """The requests of the history, for replay."""

    db: Database

    @contextmanager
    def request_view(self) -> Iterator[RequestView]:
        """The requests as they stand now, for as long as the view is held."""
        with self.db.read() as connection:
            yield RequestView(connection)

    def has_requests(self, number: int) -> bool:
        """Whether the history holds at least so many requests."""
        with self.db.read() as connection:
            return connection.execute(select(REQUEST.c.task_id).offset(number - 1).limit(1)).first() is not None

    def requests_of(self, tasks: Sequence[str]) -> Iterator[RequestPlace]:
        """The requests of these tasks, without their content."""
        with self.db.read() as connection:
            for part in chunks(tasks):
                marks = ", ".join("?" * len(part))
                statement = f"SELECT step_id, task_id, at, answered, shape FROM request WHERE task_id IN ({marks})"  # noqa: S608  # marks alone
                yield from self.db.fetch(connection, statement, part)
