"""Columns as the tables declare them, and what all tables are of."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, LargeBinary, MetaData
from sqlmodel import Field, SQLModel

from store.columns import Serial, Words


def text_column(default: str = "", *, key: bool = False, index: bool = False) -> Any:
    """Text, compared by code point."""
    return Field(default=default, sa_type=Words, primary_key=key, index=index)


def optional_text_column() -> Any:
    """Text that may be unknown."""
    return Field(default=None, sa_type=Words)


def number_column(default: int | None = 0, *, key: bool = False) -> Any:
    """A whole number; None as its default where it may be unknown."""
    return Field(default=default, sa_type=BigInteger, primary_key=key, sa_column_kwargs={"autoincrement": False} if key else {})


def serial_column() -> Any:
    """A key that the database counts up."""
    return Field(default=0, sa_type=Serial, primary_key=True, sa_column_kwargs={"autoincrement": False})


def bytes_column(*, key: bool = False, index: bool = False) -> Any:
    """Bytes."""
    return Field(default=b"", sa_type=LargeBinary, primary_key=key, index=index)


def optional_bytes_column() -> Any:
    """Bytes that may be missing."""
    return Field(default=None, sa_type=LargeBinary)


PACKED = {"sqlite_with_rowid": False}
"""A table whose rows lie in the order of its key."""


class Base(SQLModel):
    """What every table is of."""

    metadata = MetaData()
