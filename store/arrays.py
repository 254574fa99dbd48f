"""Many rows in one statement of PostgreSQL: a list of values for each column, of which the server makes rows again.

COPY knows neither a conflict nor an update, and a statement for each row costs the server more than most rows do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, Table

from store.columns import Serial, Words

ROWS = 5_000
"""Rows of one statement at most."""

_NAMES: dict[type[Any], str] = {
    Words: "text",
    Serial: "bigint",
    BigInteger: "bigint",
    Integer: "integer",
    LargeBinary: "bytea",
    Boolean: "boolean",
}


def unnested(columns: Sequence[Column[Any]]) -> str:
    """The rows of a statement's values, to stand where a table may."""
    return f"unnest({', '.join(f'%s::{_NAMES[type(column.type)]}[]' for column in columns)})"


def by_column(rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[list[Any], ...]]:
    """The values of one statement after the other for these rows."""
    for start in range(0, len(rows), ROWS):
        yield tuple(list(values) for values in zip(*rows[start : start + ROWS], strict=True))


def adding(table: Table, on_conflict: str) -> str:
    """The statement that adds rows to a table; `on_conflict` is what it does about those whose key exists."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    return f'INSERT INTO "{table.name}" ({names}) SELECT * FROM {unnested(list(table.columns))} ON CONFLICT {on_conflict}'  # noqa: S608  names of ours


def adding_up(table: Table) -> str:
    """The statement that adds counts to those of rows whose key exists, and the rows whose key does not."""
    keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
    counts = [column.name for column in table.columns if not column.primary_key]
    sums = ", ".join(f'"{name}" = "{table.name}"."{name}" + excluded."{name}"' for name in counts)
    return adding(table, f"({keys}) DO UPDATE SET {sums}")


def changing(table: Table, key: str, names: Sequence[str]) -> str:
    """The statement that sets these columns of the rows with these keys; the keys come last among its values."""
    columns = [table.c[name] for name in (*names, key)]
    named = ", ".join(f'"{column.name}"' for column in columns)
    sets = ", ".join(f'"{name}" = given."{name}"' for name in names)
    return f'UPDATE "{table.name}" SET {sets} FROM {unnested(columns)} AS given ({named}) WHERE "{table.name}"."{key}" = given."{key}"'  # noqa: S608  names of ours
