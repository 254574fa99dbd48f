"""Changing the schema of a PostgreSQL store while people work with it: nobody waits for longer than a moment.

An index of a table that has rows already is built beside the work, outside the migration's transaction (`CREATE INDEX
CONCURRENTLY`); a migration names such indexes in `INDEXES` and calls `make`. New columns of such a table are filled there too, some
rows at a time; a migration names them in `FILLS` and calls `add`. Everything else in a migration takes its locks
within `LOCK_SECONDS` or gives them all back and tries again, so that no reader queues behind a change that itself waits.
Which statements a migration may have is held by `tests/test_store_migrations.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from time import sleep
from typing import Any, NamedTuple

from alembic import op
from sqlalchemy import text

from store.advice import NOT_AVAILABLE
from store.engine import Database
from store.errors import StoreError
from store.roles import become_owner, owner_of
from store.schema import REVISIONS

LOCK_SECONDS = 2
TRIES = 5
FILLED = 20_000
"""Rows filled in one transaction."""
_VERSIONS = Path(__file__).parent / "migrations" / "versions"


class Index(NamedTuple):
    """An index to be: its name, its table, its columns as SQL."""

    name: str
    table: str
    columns: str


class Fill(NamedTuple):
    """Columns to be and what fills them: their table, each column as SQL, the number its rows are taken by, and an UPDATE of the rows
    between two such numbers that are not filled yet.
    """

    table: str
    columns: tuple[str, ...]
    number: str
    update: str


def make(indexes: Iterable[Index]) -> None:
    """Within a migration, make the indexes that are not there yet: all of them in a new store or a SQLite file."""
    connection = op.get_bind()
    for index in indexes:
        if connection.dialect.name == "postgresql" and _valid(connection.connection.dbapi_connection, index.name):
            continue
        op.execute(f"CREATE INDEX {index.name} ON {index.table} ({index.columns})")


def add(fills: Iterable[Fill]) -> None:
    """Within a migration, add the columns that are not there yet."""
    for fill in fills:
        _add(fill, op.execute)


def pending(found: str | None, to: str) -> tuple[list[Index], list[Fill]]:
    """The indexes and columns of the migrations between two versions of the schema; none for a store that is still to be made."""
    if found not in REVISIONS or to not in REVISIONS:
        return [], []
    wanted = REVISIONS[REVISIONS.index(found) + 1 : REVISIONS.index(to) + 1]
    names = (path.stem for number in wanted for path in _VERSIONS.glob(f"{number}_*.py"))
    modules = [import_module(f"store.migrations.versions.{name}") for name in names]
    indexes = [index for module in modules for index in getattr(module, "INDEXES", ())]
    return indexes, [fill for module in modules for fill in getattr(module, "FILLS", ())]


def build(database: Database, indexes: Iterable[Index]) -> None:
    """Build these indexes in PostgreSQL while others read and write; one that was broken off is built anew."""
    with _beside(database) as raw:
        for index in indexes:
            if _valid(raw, index.name) or raw.execute("SELECT to_regclass(%s)", (index.table,)).fetchone()[0] is None:
                continue
            raw.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}")
            raw.execute(f"CREATE INDEX CONCURRENTLY {index.name} ON {index.table} ({index.columns})")


def fill(database: Database, fills: Iterable[Fill]) -> None:
    """Add these columns and fill them while others read and write; what is filled already, or was broken off, is gone on with.

    Before the schema has its new version, and once more after it: programs of the old one write rows without them until then.
    """
    wanted = list(fills)
    for one in wanted:
        patiently(database, lambda connection, one=one: _add(one, lambda part: connection.execute(text(part)), owned=connection))  # type: ignore[misc]
    filled(database, wanted)


def filled(database: Database, fills: Iterable[Fill]) -> None:
    """Fill these columns, which are there, where they are not filled yet."""
    for one in fills:
        with _beside(database) as raw:
            low = 0
            while (most := raw.execute(f"SELECT max({one.number}) FROM {one.table}").fetchone()[0] or 0) > low:  # noqa: S608  names of ours
                for start in range(low, most, FILLED):
                    raw.execute(one.update, (start, min(start + FILLED, most)))
                low = most


def _add(fill: Fill, execute: Callable[[str], object], owned: Any = None) -> None:
    if owned is not None:
        become_owner(owned)
    for column in fill.columns:
        execute(f"ALTER TABLE {fill.table} ADD COLUMN IF NOT EXISTS {column}")


@contextmanager
def _beside(database: Database) -> Iterator[Any]:
    """A connection outside all transactions, as the owner of the tables."""
    with database.sentences("write"), closing(database.engine.raw_connection()) as pooled:
        raw: Any = pooled.dbapi_connection
        pooled.detach()
        raw.autocommit = True
        if (owner := owner_of(raw)) is not None:
            raw.execute(f"SET ROLE {owner}")
        yield raw


def _valid(raw: Any, name: str) -> bool:
    asked = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"
    row = raw.execute(asked, (name,)).fetchone()
    return bool(row and row[0])


def patiently(database: Database, change: Callable[[Any], None]) -> None:
    """Run a change of the schema in one transaction; where a lock is not to be had at once, begin again."""
    for left in reversed(range(TRIES)):
        try:
            with database.write() as connection:
                if not database.sqlite:
                    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
                change(connection)
            return
        except StoreError as error:
            if not left or getattr(getattr(error.__cause__, "orig", error.__cause__), "sqlstate", "") != NOT_AVAILABLE:
                raise
            sleep(LOCK_SECONDS)
