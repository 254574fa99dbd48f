"""What a thread's reads and writes share while they follow close upon each other: one view to read from, one transaction to write in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import local
from time import monotonic
from typing import TYPE_CHECKING, Protocol, TypeVar

from sqlalchemy import Connection

from store.errors import StoreError

if TYPE_CHECKING:
    from store.engine import Database

VIEW_SECONDS = 5
"""So long at most reads share one view: it keeps PostgreSQL from cleaning up, and SQLite's log from being emptied."""


class Gathered(Protocol):
    """What several writes of one joined transaction leave to be written at once."""

    def __init__(self, db: Database, connection: Connection) -> None: ...

    def write(self) -> None: ...


_Gathered = TypeVar("_Gathered", bound=Gathered)


class Joined(local):
    """The transaction that all writes of a thread go into, where there is one, and what they have gathered for it."""

    connection: Connection | None = None
    _gathered: Gathered | None = None
    _failed = False

    @contextmanager
    def holding(self, connection: Connection) -> Iterator[None]:
        """Join what is written in here; what was gathered is written at its end."""
        self.connection, self._gathered, self._failed = connection, None, False
        try:
            yield
            self.settle()
        finally:
            self.connection = self._gathered = None

    def gathered(self, kind: type[_Gathered], db: Database, connection: Connection) -> _Gathered:
        """What this thread has gathered of a kind so far; anything of another kind is written first."""
        if not isinstance(self._gathered, kind):
            self.settle()
            self._gathered = kind(db, connection)
        return self._gathered

    def settle(self) -> None:
        """Write what was gathered. Raises StoreError where an earlier part of it failed."""
        if self._failed:
            raise StoreError("nothing of these writes was kept, since an earlier one of them failed")
        held, self._gathered = self._gathered, None
        if held is not None:
            with self.or_none():
                held.write()

    @contextmanager
    def or_none(self) -> Iterator[None]:
        """What fails in here keeps all of the transaction from being committed, whoever goes on after it."""
        try:
            yield
        except BaseException:
            self._failed = True
            raise


class View:
    """One thread's reads on one connection, as long as nothing is written; a read within a read sees what that one sees."""

    def __init__(self, open: Callable[[], AbstractContextManager[Connection]], seconds: float) -> None:
        self._open, self._seconds = open, seconds
        self._held: AbstractContextManager[Connection] | None = None
        self._connection: Connection | None = None
        self._since = 0.0
        self._depth = 0
        self._old = False

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        if self._connection is None:
            self._held = self._open()
            self._connection = self._held.__enter__()
            self._since, self._old = monotonic(), False
        self._depth += 1
        try:
            yield self._connection
        except BaseException:
            # PostgreSQL answers nothing more in a transaction in which a statement failed.
            self._old = True
            raise
        finally:
            self._depth -= 1
            if self._old or monotonic() - self._since > self._seconds:
                self.end()

    def end(self) -> None:
        """Let the view go, or have the last read that is under way do so."""
        self._old = True
        if self._depth == 0 and self._held is not None:
            held, self._held, self._connection = self._held, None, None
            held.__exit__(None, None, None)
