"""ClickHouse inside this process (`chdb`) over Parquet files: ibis writes the statements, for its own driver wants a server."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import sqlglot.expressions as sge
from ibis.backends.sql.datatypes import ClickHouseType

from history.location import Location
from history.moved import Moved
from history.problems import HistoryError

_SETTINGS = (
    "session_timezone = 'UTC'",
    "max_query_size = 16777216",
    "max_ast_elements = 1000000",
    "max_expanded_ast_elements = 2000000",
    "output_format_arrow_string_as_string = 1",
)


class ChdbEngine:
    """A session of ClickHouse's engine whose only table is a view of the files."""

    dialect = "clickhouse"

    def __init__(self, location: Location, explained: Callable[[BaseException], HistoryError]) -> None:
        from chdb.session import Session

        self._explained = explained
        self._session = Session()
        self._folder = tempfile.TemporaryDirectory(prefix="remit-")
        self._sent = 0
        # Sessions of one process share their tables.
        self._name = f"remit_{token_hex(8)}"
        self.moved = Moved()
        for setting in _SETTINGS:
            self._do(f"SET {setting}")
        self._do(_made(self._name, "VIEW", location.path))
        described = self._session.query(f"DESCRIBE TABLE {self._name}", "Arrow").bytes()
        columns = pa.ipc.open_file(described).read_all()
        names, kinds = columns["name"].to_pylist(), columns["type"].to_pylist()
        schema = {_text(name): ClickHouseType.from_string(_text(kind)) for name, kind in zip(names, kinds, strict=True)}
        self.table: Any = ibis.table(schema, name=self._name)

    def run(self, expression: Any) -> pa.Table:
        try:
            statement = str(ibis.to_sql(expression, dialect="clickhouse"))
            found = pa.ipc.open_file(self._session.query(statement, "Arrow").bytes()).read_all()
        except Exception as error:  # chdb raises plain RuntimeErrors, ibis and Arrow their own
            raise self._explained(error) from error
        self.moved.add(found)
        return found

    def uploaded(self, rows: pa.Table) -> Any:
        self._sent += 1
        path = Path(self._folder.name) / f"{self._sent}.parquet"
        pq.write_table(rows, path)
        name = f"{self._name}_{self._sent}"
        self._do(_made(name, "TABLE", str(path)))
        return ibis.table(ibis.memtable(rows).schema(), name=name)

    def close(self) -> None:
        self._session.close()
        self._folder.cleanup()

    def _do(self, statement: str) -> None:
        self._session.query(statement)


def _made(name: str, kind: str, path: str) -> str:
    """The statement that makes a view or a table in memory of Parquet files."""
    files = sge.Anonymous(this="file", expressions=[sge.Literal.string(path), sge.Literal.string("Parquet")])
    engine = sge.Properties(expressions=[sge.EngineProperty(this=sge.to_identifier("Memory"))])
    return sge.Create(
        this=sge.to_table(name),
        kind=kind,
        properties=engine if kind == "TABLE" else None,
        expression=sge.select("*").from_(files),
    ).sql("clickhouse")


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
