"""ClickHouse inside this process (`chdb`) over Parquet files: ibis writes the statements, for its own driver wants a server."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
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
    "schema_inference_mode = 'union'",
)

_FOLDER = "LowCardinality(String)"
"""The type of a column that ClickHouse reads from the names of folders, where it is no number."""
_MISSING = "__HIVE_DEFAULT_PARTITION__"
"""The folder of the rows that have no value of its column."""


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
        self._do(_made(self._name, "VIEW", location.path, self._folders(location.path)))
        schema = {name: ClickHouseType.from_string(kind) for name, kind in self._columns(sge.to_table(self._name))}
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

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        found = pa.ipc.open_file(self._session.query(statement, "Arrow").bytes()).read_all()
        return list(zip(*(map(_text, column.to_pylist()) for column in found.columns), strict=True))

    def _columns(self, table: Any) -> list[tuple[str, str]]:
        described = self._rows(sge.Describe(this=table, kind="TABLE").sql("clickhouse"))
        return [(row[0], row[1]) for row in described]

    def _folders(self, path: str) -> list[str]:
        """The columns of text that stand in the names of folders (`env=prod`)."""
        kinds = self._columns(_files(path))
        if not any(kind == _FOLDER for _, kind in kinds):
            return []
        one = self._rows(sge.select("_path").from_(_files(path)).limit(1).sql("clickhouse"))
        named = {part.partition("=")[0] for (found,) in one for part in found.split("/")[:-1] if "=" in part}
        return [name for name, kind in kinds if kind == _FOLDER and name in named]


def _files(path: str) -> Any:
    return sge.Anonymous(this="file", expressions=[sge.Literal.string(path), sge.Literal.string("Parquet")])


def _meant(name: str) -> Any:
    """What a folder's name states, as other engines read it: nothing where it says so, and percent escapes undone."""
    column = sge.column(sge.to_identifier(name, quoted=True))
    text = sge.Anonymous(this="toString", expressions=[column])
    plain = sge.Anonymous(this="decodeURLComponent", expressions=[text])
    missing = sge.Anonymous(this="nullIf", expressions=[plain, sge.Literal.string(_MISSING)])
    return sge.alias_(missing, name, quoted=True)


def _made(name: str, kind: str, path: str, folders: Sequence[str] = ()) -> str:
    """The statement that makes a view or a table in memory of Parquet files; `folders` are columns that folders name."""
    all_of_it = sge.Star(replace=[_meant(one) for one in folders]) if folders else sge.Star()
    engine = sge.Properties(expressions=[sge.EngineProperty(this=sge.to_identifier("Memory"))])
    return sge.Create(
        this=sge.to_table(name),
        kind=kind,
        properties=engine if kind == "TABLE" else None,
        expression=sge.select(all_of_it).from_(_files(path)),
    ).sql("clickhouse")


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value
