"""What of a table SQLAlchemy Core needs to move its rows, names, types and keys of columns, written down as text and read again.

The text is what `make schema` makes of `store.declared`, and a test holds the two equal: loading SQLModel and declaring
the tables with it takes a third of a first small import.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import TEXT, BigInteger, Boolean, Column, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

_KEY = "key"


class Words(TypeDecorator[str]):
    """Text ordered by code point everywhere: PostgreSQL would otherwise order by the locale of its cluster."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return TEXT(collation="C") if dialect.name == "postgresql" else Text()


class Serial(TypeDecorator[int]):
    """A 64-bit number that SQLite can use as its row number."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())


_TYPES: dict[str, type[TypeEngine[Any]]] = {
    one.__name__: one for one in (Words, Serial, BigInteger, Integer, LargeBinary, Boolean)
}


def written(metadata: MetaData) -> str:
    """The text: a table's name, then a line for each column with its name, its type and whether it is of the key."""
    return "\n".join(line for name in sorted(metadata.tables) for line in _lines(metadata.tables[name]))


def _lines(table: Table) -> Iterator[str]:
    yield table.name
    for column in table.columns:
        yield f"  {column.name} {type(column.type).__name__}" + (f" {_KEY}" if column.primary_key else "")
    yield ""


def read(text: str) -> MetaData:
    """The tables of a text; raises KeyError for a type that is none of ours."""
    metadata = MetaData()
    for name, *columns in (part.splitlines() for part in text.rstrip().split("\n\n")):
        Table(name, metadata, *(_column(*line.split()) for line in columns))
    return metadata


def _column(name: str, kind: str, key: str = "") -> Column[Any]:
    return Column(name, _TYPES[kind], primary_key=key == _KEY, autoincrement=False)
