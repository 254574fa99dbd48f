"""Where a store lies: a path or a URL, and whether the file there is one of ours."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from store.errors import StoreError
from store.masked import is_miswritten, shown
from store.schema import APPLICATION_ID

_ESCAPED = "write @, : and / of a password as %40, %3A and %2F, and several hosts as ?host=ONE:5432&host=OTHER:5432"


def parse_location(location: str) -> URL:
    """A path or URL as SQLAlchemy's URL; raises StoreError for anything that is neither SQLite nor PostgreSQL."""
    if is_miswritten(location):
        raise StoreError(f"{shown(location)!r} is no store: write such a connection as postgresql://USER@HOST:PORT/DATABASE")
    if "://" not in location:
        return URL.create("sqlite", database=location)
    try:
        url = make_url(location)
    except ArgumentError as error:
        raise StoreError(f"{shown(location)!r} is no store: give the path of a file or a postgresql:// URL") from error
    except ValueError:
        # What it stumbled over may be a part of the password: nothing of it is told.
        raise StoreError(f"{shown(location)!r} is no store: behind the colon no port can be read; {_ESCAPED}") from None
    if "@" in (url.host or "") or ("@" in (url.username or "") and "%40" not in location):
        raise StoreError(f"{shown(location)!r} is no store: it has an @ more than an address may; {_ESCAPED}")
    if url.get_backend_name() == "sqlite" and url.database:
        return url.set(drivername="sqlite")
    if url.get_backend_name() in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise StoreError(f"{shown(location)!r} is no store: give the path of a file or a postgresql:// URL")


def prepare_file(path: Path, create: bool, readonly: bool) -> bool:
    """True when a new, empty file was made; raises StoreError where there is none to open, or something else in its place."""
    try:
        if path.is_dir():
            raise StoreError(f"{path} is a folder; give the path of a store file")
        if not path.exists():
            if readonly or not create:
                raise StoreError(f"there is no store at {path}; make one with `remit import PATH`, or check the path")
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            return True
        size = path.stat().st_size
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise StoreError(f"cannot open the store {path}: {error.strerror}; check the path and its permissions") from error
    if not size and create and not readonly:
        return True
    if not _ours(path):
        raise StoreError(f"{path} is not a Remit store; choose another path and leave this file alone")
    return False


def _ours(path: Path) -> bool:
    """Whether a SQLite file is a store, or one whose making was cut off; looked at without leaving a trace in it.

    SQLite looks, not we: closing a file of our own would take away the locks that this process's other connections hold on
    it (POSIX), and another process would then believe itself the last one and remove the log they write to.
    """
    try:
        return _holds_ours(path, "mode=ro&immutable=1")
    except sqlite3.Error:
        pass
    # A full disk, or an end by force, may leave half of the log carried into the file: only with its log the file is whole then.
    try:
        return Path(f"{path}-wal").exists() and _holds_ours(path, "mode=ro")
    except sqlite3.Error:
        return False


def _holds_ours(path: Path, how: str) -> bool:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)) as connection:
        if application := connection.execute("PRAGMA application_id").fetchone()[0]:
            return bool(application == APPLICATION_ID)
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return not tables or {"meta", "source", "record"} <= tables
