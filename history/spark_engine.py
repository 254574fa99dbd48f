"""Spark: ibis writes the statements, and Spark's own Arrow brings the rows, for ibis brings them by way of floats where some are null."""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_hex
from typing import Any

import ibis
import pyarrow as pa

from history.moved import Moved
from history.problems import HistoryError


class SparkEngine:
    """A table of a Spark session, which other histories of this process may share."""

    dialect = "pyspark"

    def __init__(self, session: Any, backend: Any, table: Any, explained: Callable[[BaseException], HistoryError]) -> None:
        self._session = session
        self._backend = backend
        self._explained = explained
        self.table = table
        self.moved = Moved()

    def run(self, expression: Any) -> pa.Table:
        try:
            found: pa.Table = self._session.sql(str(ibis.to_sql(expression, dialect="pyspark"))).toArrow()
        except Exception as error:  # ibis, py4j and Spark have no common class of errors
            raise self._explained(error) from error
        self.moved.add(found)
        return found

    def uploaded(self, rows: pa.Table) -> Any:
        name = f"remit_{token_hex(8)}"
        listed = list(zip(*(rows[column].to_pylist() for column in rows.column_names), strict=True))
        self._session.createDataFrame(listed, list(rows.column_names)).createOrReplaceTempView(name)
        return self._backend.table(name)

    def close(self) -> None:
        """The session stays: it is one for the process."""
