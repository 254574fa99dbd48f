"""Rows of statements that may have millions of them, taken some at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVarTuple

from sqlalchemy import Connection, CursorResult

if TYPE_CHECKING:
    from sqlalchemy.sql.selectable import TypedReturnsRows

AT_ONCE = 2_000

_Ts = TypeVarTuple("_Ts")


def streamed(connection: Connection, wanted: TypedReturnsRows[*_Ts], rows: int = AT_ONCE) -> CursorResult[*_Ts]:
    """The rows of a statement, so many held at once.

    This has to be asked for beforehand: once a statement has run, PostgreSQL's driver holds all of its rows.
    """
    return connection.execute(wanted, execution_options={"yield_per": rows})
