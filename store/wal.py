"""SQLite's write-ahead log, kept short: beside a process that reads all the time no moment comes at which it would begin anew."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep

LONG = 300_000_000
"""Bytes from which the log is made to begin anew. SQLite does so by itself earlier, at a commit during which nobody reads an older state."""
STEP = 64_000_000
"""Bytes it grows by before it is tried again where a reader did not let go in time."""
PATIENCE_MS = 3_000
"""So long a writer waits for readers of older states; a read of this program shares its view for less (`store.sharing`)."""
_PAUSE = 0.01


def begin_log(connection: sqlite3.Connection, seconds: float) -> None:
    """Have a store keep a log, from its first connection on.

    Where several programs begin it at once SQLite refuses all but one of them at once: here they wait, for `seconds` at most.
    """
    end = monotonic() + seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() >= end:
                raise
            sleep(_PAUSE)
        else:
            return


class WriteAheadLog:
    """The log of one store. A page that is read is looked for in all of it, and each commit carries over what grew."""

    def __init__(self, store: Path) -> None:
        self._file = Path(f"{store}-wal")
        self._next = LONG

    @property
    def long(self) -> bool:
        try:
            size = self._file.stat().st_size
        except OSError:
            return False
        if size < LONG:
            self._next = LONG
        return size >= self._next

    def begin_anew(self, connection: sqlite3.Connection) -> None:
        """Carry the log into the store's file, so that the next write begins it anew; given up where a reader holds an older state."""
        with closing(connection.execute("PRAGMA busy_timeout")) as held:
            before = held.fetchone()[0]
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
        try:
            with closing(connection.execute("PRAGMA wal_checkpoint(RESTART)")) as done:
                busy = done.fetchone()[0]
        finally:
            connection.execute(f"PRAGMA busy_timeout = {before}")
        if busy:
            self._next = self._file.stat().st_size + STEP
