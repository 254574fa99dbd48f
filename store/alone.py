"""One builder at a time, over all processes that have the store open: two at once would do the same work, and end each other's build.

In PostgreSQL an advisory lock of the session says whose turn it is, beside a SQLite file a locked file that is there meanwhile. Both end
with the process that holds them, however that ends.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

from store.engine import BUILDER_LOCK, Database

if sys.platform != "win32":
    import fcntl

_AGAIN_SECONDS = 0.2


class Turns:
    """Whose turn it is to build."""

    db: Database

    @contextmanager
    def building_alone(self, waiting: Callable[[], None] | None = None) -> Iterator[None]:
        """Nobody else builds until the end; `waiting` is called again and again while somebody does. May not be nested."""
        with _file(self.db, waiting) if self.db.sqlite else _session(self.db, waiting):
            yield


@contextmanager
def _session(db: Database, waiting: Callable[[], None] | None) -> Iterator[None]:
    with db.sentences("write"):
        session = db.engine.connect()
    with session as connection:
        with db.sentences("write"):
            # A session of its own, and no transaction that would keep the server from cleaning up: its end lets the lock go.
            connection.execution_options(isolation_level="AUTOCOMMIT").detach()
            # It rests for as long as the build takes: a server that ends sessions for that would let a second builder in.
            connection.exec_driver_sql("SET idle_session_timeout = 0")

        def taken() -> bool:
            with db.sentences("write"):
                return bool(connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({BUILDER_LOCK})").scalar_one())

        _wait(taken, waiting)
        yield


@contextmanager
def _file(db: Database, waiting: Callable[[], None] | None) -> Iterator[None]:
    path = Path(f"{db.url.database}-building")
    held: list[int] = []

    def taken() -> bool:
        try:
            held.append(_locked(path))
        except BlockingIOError:
            return False
        except OSError:
            return True  # No file can be locked there, so nobody has locked one: nothing says to wait.
        return True

    _wait(taken, waiting)
    try:
        yield
    finally:
        for file in held:
            # Taken away before it is let go: whoever waits finds its own file gone, and makes another.
            path.unlink(missing_ok=True)
            fcntl.flock(file, fcntl.LOCK_UN)
            os.close(file)


def _locked(path: Path) -> int:
    """A locked file of this name. Raises BlockingIOError where another holds it, OSError where none can be locked."""
    if sys.platform == "win32":
        raise OSError("no such locks here")
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(file), path.stat()):
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _wait(taken: Callable[[], bool], waiting: Callable[[], None] | None) -> None:
    while not taken():
        if waiting is not None:
            waiting()
        sleep(_AGAIN_SECONDS)
