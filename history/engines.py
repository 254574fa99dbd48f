"""The engines a history may lie in: each opens a table for reading and runs an expression of ibis over it.

Statements are built by ibis alone. What comes back is an Arrow table, and how much came back is counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import urlsplit

import ibis
import pyarrow as pa
from ibis.common.exceptions import TableNotFound

from history.dialects import as_written
from history.location import STORES, Location, located, resolved, scrubbed, secrets
from history.moved import Moved
from history.problems import HistoryError

TITLES = {
    "duckdb": "DuckDB",
    "clickhouse": "ClickHouse",
    "pyspark": "Spark",
    "trino": "Trino",
    "bigquery": "BigQuery",
    "snowflake": "Snowflake",
}
_EXTRA = {
    "duckdb": "remit[history]",
    "parquet": "remit[history]",
    "chdb": "remit[clickhouse]",
    "spark": "remit[spark]",
    "clickhouse": "ibis-framework[clickhouse]",
    "trino": "ibis-framework[trino]",
    "bigquery": "ibis-framework[bigquery]",
    "snowflake": "ibis-framework[snowflake]",
}

_RAISED = re.compile(r"(?!LINE )[A-Za-z_][\w.]*(?:: |$)")


class Engine(Protocol):
    """An open table of an engine; `dialect` is ibis's name for its SQL."""

    dialect: str
    moved: Moved
    table: Any

    def run(self, expression: Any) -> pa.Table:
        """The rows of an expression; raises HistoryError."""
        ...

    def uploaded(self, rows: pa.Table) -> Any:
        """A few small rows as a table that expressions may join with."""
        ...

    def close(self) -> None: ...


class IbisEngine:
    """Any backend that ibis drives."""

    def __init__(self, backend: Any, table: Any, dialect: str, explained: Callable[[BaseException], HistoryError]) -> None:
        self._backend = backend
        self._explained = explained
        self.table = table
        self.dialect = dialect
        self.moved = Moved()

    def run(self, expression: Any) -> pa.Table:
        try:
            found: pa.Table = self._backend.to_pyarrow(expression)
        except Exception as error:  # each driver has errors of its own, with no common class
            raise self._explained(error) from error
        self.moved.add(found)
        return found

    def uploaded(self, rows: pa.Table) -> Any:
        return ibis.memtable(rows)

    def close(self) -> None:
        with suppress(Exception):  # a driver that fails at its end has given its answers
            self._backend.disconnect()


def open_engine(location: Location | str, table: str) -> Engine:
    """Opens a table for reading; raises HistoryError with what to install, set or write otherwise."""
    if isinstance(location, str):
        location = located(location)
    values = secrets(location)

    def explained(error: BaseException) -> HistoryError:
        said = _said(str(error)) or type(error).__name__
        return HistoryError(f"{location.url}: {scrubbed(said, values)[:400]}")

    if location.is_files and table:
        raise HistoryError("Parquet files are the table; leave --table away")
    if location.scheme == "chdb" and not location.is_files:
        raise HistoryError("chdb:// reads Parquet files: chdb:///DIR/*.parquet; a server's address is clickhouse://")
    if not location.is_files and not table:
        raise HistoryError("name the table with --table")
    try:
        if location.scheme == "chdb":
            from history.chdb_engine import ChdbEngine

            return ChdbEngine(location, explained)
        backend = _CONNECT[location.scheme](location, values)
        if location.scheme == "spark":
            from history.spark_engine import SparkEngine

            return SparkEngine(backend._session, backend, _table(backend, location, table), explained)
        return IbisEngine(backend, _table(backend, location, table), backend.name, explained)
    except HistoryError:
        raise
    except ImportError as error:
        what = _EXTRA[location.scheme]
        if location.store:
            what = f"{what}' 'remit[cloud]" + (f"' '{driver}" if (driver := STORES[location.store]) else "")
        raise HistoryError(
            f"{location.url.partition(':')[0]}:// needs packages that are not installed: `pip install '{what}'`"
        ) from error
    except Exception as error:  # each driver has errors of its own, with no common class
        raise explained(error) from error


def _said(text: str) -> str:
    """The line of a driver's error that says what is wrong; what Python raised below it stands at the end of where it was raised."""
    lines = [line for line in text.replace("s3a://", "s3://").splitlines() if line.strip()]
    if lines and lines[0].startswith("Traceback "):
        return next((line for line in reversed(lines) if _RAISED.match(line)), lines[0])
    return lines[0] if lines else ""


def _table(backend: Any, location: Location, name: str) -> Any:
    if location.is_files:
        # By its other name: for `s3://` ibis has DuckDB fetch a driver of its own from the network.
        path = re.sub(r"^s3://", "s3a://", location.path)
        return (
            _precise(backend.read_parquet(path, union_by_name=True)) if backend.name == "duckdb" else backend.read_parquet(path)
        )
    *within, last = name.split(".")
    database = tuple(within) if len(within) > 1 else within[0] if within else None
    try:
        found = backend.table(last, database=database)
    except TableNotFound as error:
        raise HistoryError(
            f"{location.url}: there is no table or view `{name}`; write one of another schema as SCHEMA.TABLE"
        ) from error
    return _literal(_precise(found)) if backend.name == "duckdb" else found


def _precise(table: Any) -> Any:
    """A table of DuckDB with its nanoseconds of a zone as microseconds: ibis has no word for that type."""
    zoned = [name for name, kind in table.schema().items() if kind.is_unknown() and "TIMESTAMPTZ_NS" in str(kind)]
    return table.mutate(**{name: table[name].cast("timestamp('UTC', 6)") for name in zoned}) if zoned else table


def _literal(table: Any) -> Any:
    """A table of DuckDB without the collations of its columns, under which texts that differ are one; it tells nobody which have any."""
    texts = [name for name, kind in table.schema().items() if kind.is_string()]
    return table.mutate(**{name: as_written(table[name]) for name in texts}) if texts else table


def _duckdb(location: Location, values: dict[str, str]) -> Any:
    backend = ibis.duckdb.connect(resolved(location.path, values), read_only=True)
    backend.con.execute("SET TimeZone = 'UTC'")
    return backend


def _parquet(location: Location, values: dict[str, str]) -> Any:
    backend = ibis.duckdb.connect()
    backend.con.execute("SET TimeZone = 'UTC'")
    if location.store:
        import fsspec

        backend.register_filesystem(fsspec.filesystem(location.store, skip_instance_cache=True))
    return backend


def _spark(location: Location, values: dict[str, str]) -> Any:
    from pyspark.sql import SparkSession

    host = urlsplit(location.url).netloc or "local"
    master = "local[*]" if host == "local" else f"spark://{host}"
    session = (
        SparkSession.builder.master(master)
        .appName("remit")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    return ibis.pyspark.connect(session)


def _clickhouse(location: Location, values: dict[str, str]) -> Any:
    parts = urlsplit(location.url)
    return ibis.clickhouse.connect(
        host=parts.hostname or "localhost",
        port=parts.port,
        user=resolved(parts.username or "default", values),
        password=resolved(parts.password or "", values),
        database=parts.path.strip("/") or "default",
        settings={"readonly": 2},
    )


def _by_url(location: Location, values: dict[str, str]) -> Any:
    return ibis.connect(resolved(location.url, values))


_CONNECT: dict[str, Callable[[Location, dict[str, str]], Any]] = {
    "duckdb": _duckdb,
    "parquet": _parquet,
    "spark": _spark,
    "clickhouse": _clickhouse,
    "trino": _by_url,
    "bigquery": _by_url,
    "snowflake": _by_url,
}
