"""The tables of a new SQLite store as one text, so that making a store runs no migrations; `make schema` writes it down.

Migrations stay what the schema is: the text is what they make of an empty file, used only while it is of today's schema,
and a test holds the two equal.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from store.schema import HEAD

TEXT = Path(__file__).with_name("new_store.sql")
_FIRST = f"-- schema {HEAD}"
_BETWEEN = "\n\n"
_SHADOWS = "search_fts_%"
"""Tables that SQLite makes by itself with the search index."""


def statements() -> list[str]:
    """What makes the tables of a new store; empty where what is written down is of another schema than today's."""
    first, *found = TEXT.read_text("utf-8").rstrip().split(_BETWEEN)
    return found if first == _FIRST else []


def written(connection: sqlite3.Connection) -> str:
    """The text, from a store that migrations have just made."""
    made = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE ? ORDER BY rowid"
    found = [(name, _tidy(sql)) for name, sql in connection.execute(made, (_SHADOWS,))]
    tables = [name for name, sql in found if sql.startswith("CREATE TABLE")]
    return (
        _BETWEEN.join([_FIRST, *(sql for _, sql in found), *(row for name in tables for row in _rows(connection, name))]) + "\n"
    )


def _rows(connection: sqlite3.Connection, table: str) -> list[str]:
    """What a migration has put into a table, as statements that put it there."""
    columns = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
    values = " || ', ' || ".join(f'quote("{name}")' for name in columns)
    return [f"INSERT INTO {table} VALUES ({row})" for (row,) in connection.execute(f"SELECT {values} FROM {table}")]  # noqa: S608  names of ours


def _tidy(sql: str) -> str:
    return "\n".join(line.rstrip() for line in sql.replace("\t", "    ").splitlines() if line.strip())
