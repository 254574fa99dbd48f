"""Connections: SQLite or PostgreSQL behind one door, one writer at a time, errors as sentences, rows in bulk."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cached_property
from importlib import import_module
from pathlib import Path
from threading import Lock, get_ident, local
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, Table, create_engine, event, func, literal
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from store.advice import explained, first_line
from store.arrays import adding, adding_up, by_column, changing
from store.dialects import COMPILED, POSTGRESQL, SQLITE
from store.duties import INSUFFICIENT, refusal
from store.errors import Refused, StoreError
from store.held import HeldFile
from store.location import parse_location, prepare_file
from store.masked import shown
from store.schema import VERSION_TABLE, changed
from store.sessions import ISOLATION, keep_alike, patience
from store.sharing import VIEW_SECONDS, Gathered, Joined, View
from store.wal import WriteAheadLog, begin_log

BUSY_SECONDS = 30
CHUNK = 500
WRITER_LOCK = 0x52656D6974
BUILDER_LOCK = WRITER_LOCK + 1
_CACHE_KIB = 8 * 1024
"""Pages that each connection to a SQLite file keeps. The system keeps what was read of a file as well, and once for all connections:
three times as many made no import quicker, and each process of it larger."""
_CHECKPOINT_PAGES = 64_000
"""Pages in SQLite's log (a quarter of a gigabyte) before they are carried into the file: whoever imports waits for the disk
meanwhile, and pages of indexes are written anew again and again, so that seldom is less in all."""
_KEPT_LOG = 32_000_000
"""Bytes that the log keeps when it begins anew."""
_COPIED = 16
"""Rows from which PostgreSQL takes them faster by COPY than by statements in one pipeline (`python -m benchmarks.bulk_load`)."""
_OPTIONS = {"compiled_cache": COMPILED}
_TEXTS: dict[tuple[bool, str, bool | str], str] = {}
"""Statements that add rows, by database (whether SQLite), table and sort."""
_Gathered = TypeVar("_Gathered", bound=Gathered)


class Database:
    """A store's connections. `read` gives a consistent view, `write` one transaction under the writer's lock."""

    def __init__(self, location: str, *, create: bool, readonly: bool) -> None:
        self.url = parse_location(location)
        self.readonly = readonly
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.shown = str(self.url.database) if self.sqlite else shown(self.url.render_as_string(hide_password=True))
        self._live: dict[Any, int] = {}
        self._lock = Lock()
        self._joined = Joined()
        self._shared = local()
        self.schema: str | None = None
        """The version of the schema whose rows this program writes, from when the store is open on; it is held to it at every write."""
        self.fresh = prepare_file(Path(str(self.url.database)), create, readonly) if self.sqlite else False
        self._in_place = HeldFile(Path(str(self.url.database))).check if self.sqlite else _anywhere
        self.engine = self._sqlite_engine() if self.sqlite else self._postgresql_engine()
        self._log = WriteAheadLog(Path(str(self.url.database))) if self.sqlite and not readonly else None

    def _sqlite_engine(self) -> Engine:
        path = Path(str(self.url.database)).absolute()
        target = f"{path.as_uri()}?mode={'ro' if self.readonly else 'rw'}"
        if self.readonly and not os.access(path.parent, os.W_OK) and not Path(f"{path}-wal").exists():
            target += "&immutable=1"

        def connect() -> sqlite3.Connection:
            return sqlite3.connect(target, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)

        engine = create_engine(
            f"{SQLITE}://", creator=connect, poolclass=QueuePool, pool_use_lifo=True, execution_options=_OPTIONS
        )
        event.listen(engine, "connect", self._tune_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _tune_sqlite(self, connection: sqlite3.Connection, _record: object) -> None:
        pragmas = [f"cache_size = -{_CACHE_KIB}", "temp_store = MEMORY", "trusted_schema = OFF"]
        if not self.readonly:
            begin_log(connection, BUSY_SECONDS)
            pragmas += ["synchronous = NORMAL", f"wal_autocheckpoint = {_CHECKPOINT_PAGES}"]
            pragmas.append(f"journal_size_limit = {_KEPT_LOG}")
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    def _postgresql_engine(self) -> Engine:
        engine = create_engine(
            self.url.set(drivername=POSTGRESQL),
            connect_args=patience(self.url),
            paramstyle="format",
            isolation_level=ISOLATION,
            execution_options=_OPTIONS,
        )
        keep_alike(engine, self.shown, self._errors)
        return engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the store for as long as it is held."""
        view: View | None = getattr(self._shared, "view", None)
        with self.sentences("read"), self._looking() if view is None else view.looking() as connection:
            yield connection

    @contextmanager
    def viewing(self, seconds: float = VIEW_SECONDS) -> Iterator[None]:
        """Reads of this thread until the end share a view, taken anew behind each of its writes and every few `seconds`.

        For many small questions in a row: beginning and ending a read costs as much as the answer.
        """
        if getattr(self._shared, "view", None) is not None:
            yield
            return
        self._shared.view = view = View(self._looking, seconds)
        try:
            yield
        finally:
            self._shared.view = None
            with self.sentences("read"):
                view.end()

    @contextmanager
    def _looking(self) -> Iterator[Connection]:
        with self._reader.connect() as connection:
            raw = connection.connection.dbapi_connection
            with self._lock:
                self._live[raw] = get_ident()
            try:
                self._in_place()
                with connection.begin():
                    yield connection
            finally:
                with self._lock:
                    self._live.pop(raw, None)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction; nobody else writes meanwhile. It is undone as a whole when anything in it fails."""
        if (view := getattr(self._shared, "view", None)) is not None:
            with self.sentences("read"):
                view.end()
        joined = self._joined.connection
        if joined is not None:
            with self.sentences("write"):
                self._joined.settle()
                with joined.begin_nested():
                    yield joined
            return
        if self.readonly:
            raise StoreError(f"{self.shown} was opened for reading only; open it without the read-only option to change it")
        with self.sentences("write"):
            with self._writer.begin() as connection:
                if not self.sqlite:
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")
                self._in_place()
                self._held_to(connection)
                yield connection
                self._in_place()
            if self._log is not None and self._log.long:
                with closing(self.engine.raw_connection()) as pooled:
                    self._log.begin_anew(pooled.dbapi_connection)  # type: ignore[arg-type]

    def _held_to(self, connection: Connection) -> None:
        """Raises StoreError where the schema is another than this program knows: a watch that runs on beside a migration would leave
        out of its rows what the new schema is read by."""
        if self.schema is None:
            return
        rows = self.fetch(connection, f"SELECT version_num FROM {VERSION_TABLE}", ())  # noqa: S608  a constant of ours
        found = str(rows[0][0]) if rows else ""
        if found != self.schema:
            raise StoreError(changed(self.shown, found, self.schema))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Every write of this thread until the end is one transaction: many small files cost one commit.

        A write that fails is undone by itself, and what was written before it stays; one that was gathered undoes all.
        """
        if self._joined.connection is not None:
            yield
            return
        with self.write() as connection, self._joined.holding(connection):
            yield

    @contextmanager
    def gathering(self, kind: type[_Gathered]) -> Iterator[_Gathered]:
        """What takes a write and writes it: at the end of this, or with all others of its kind where writes are joined.

        Whatever else is written to the joined transaction finds it written.
        """
        joined = self._joined.connection
        if joined is not None:
            with self.sentences("write"), self._joined.or_none():
                yield self._joined.gathered(kind, self, joined)
            return
        with self.write() as connection:
            alone = kind(self, connection)
            yield alone
            alone.write()

    def settle(self) -> None:
        """Write what was gathered so far."""
        with self.sentences("write"):
            self._joined.settle()

    def outside_transaction(self, statement: str) -> None:
        """Run a statement that no transaction may hold, such as VACUUM."""
        with self.sentences("write"), closing(self.engine.raw_connection()) as pooled:
            raw: Any = pooled.dbapi_connection
            pooled.detach()
            if not self.sqlite:
                raw.autocommit = True
            raw.execute(statement)

    def interrupt(self, threads: Collection[int] | None = None) -> None:
        """Stop every read that is under way, or those of these threads; each raises Interrupted in its own thread."""
        with self._lock:
            for connection in [one for one, thread in self._live.items() if threads is None or thread in threads]:
                connection.interrupt() if self.sqlite else connection.cancel()

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def sentences(self, what: str) -> Iterator[None]:
        """What the database objects to in here becomes one sentence (StoreError)."""
        try:
            yield
        except DBAPIError as error:
            raise self._explained(what, error.orig or error) from error
        except self._errors as error:
            raise self._explained(what, error) from error
        except SQLAlchemyError as error:
            raise StoreError(f"cannot {what} the store {self.shown}: {error}") from error

    def _explained(self, what: str, error: BaseException) -> StoreError:
        if getattr(error, "sqlstate", None) == INSUFFICIENT:
            return Refused(refusal(self.shown, self.url.username or "", what, first_line(error)))
        return explained(self.shown, what, error)

    def holds(self, column: Any, part: bytes) -> ColumnElement[bool]:
        """Whether a column of bytes holds these bytes somewhere."""
        if self.sqlite:
            return func.instr(column, literal(part)) > 0
        return func.position(literal(part).op("IN")(column)) > 0

    @cached_property
    def dialect(self) -> Any:
        """The SQL dialect's insert construct with `on_conflict_do_nothing` and `on_conflict_do_update`."""
        return import_module(f"sqlalchemy.dialects.{'sqlite' if self.sqlite else 'postgresql'}").insert

    @cached_property
    def _errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises; PostgreSQL's is loaded only where it is used, since loading it takes a tenth of a second."""
        return (sqlite3.Error,) if self.sqlite else (import_module("psycopg").Error,)

    @cached_property
    def _reader(self) -> Engine:
        if self.sqlite:
            return self.engine
        return self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @cached_property
    def _writer(self) -> Engine:
        return self.engine.execution_options(writer=True)

    def fetch(self, connection: Connection, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Rows of a hand-written statement with `?` marks, straight from the driver.

        For the few small questions that stitching asks a hundred thousand times: building such a statement costs ten
        times what the database needs to answer it.
        """
        raw: Any = connection.connection.dbapi_connection
        if not self.sqlite:
            statement = statement.replace("%", "%%").replace("?", "%s")
        rows: list[tuple[Any, ...]] = raw.execute(statement, values).fetchall()
        return rows

    def insert(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]], *, ignore: bool = False) -> int:
        """Add rows, each a tuple in the order of the table's columns; with `ignore`, rows whose key exists are left out.

        Returns the number of rows added.
        """
        if not rows:
            return 0
        if not self.sqlite and len(rows) >= _COPIED:
            if ignore:
                return self._at_once(connection, adding(table, "DO NOTHING"), rows)
            return self.copy(connection, table.name, [column.name for column in table.columns], rows)
        return connection.exec_driver_sql(self._insert_text(table, ignore), list(rows)).rowcount

    def copy(self, connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> int:
        """Add rows to a table of PostgreSQL by COPY, which plans once and sends no statement for each; the number added."""
        raw: Any = connection.connection.dbapi_connection
        names = ", ".join(f'"{name}"' for name in columns)
        with raw.cursor() as cursor:
            # COPY takes no part in row-level security: PostgreSQL refuses it to all but the owner, whatever the rules say.
            if table in import_module("store.policies").guarded(connection):
                cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({", ".join(["%s"] * len(columns))})', rows)  # noqa: S608  names of ours
                return int(cursor.rowcount)
            with cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as stream:
                for row in rows:
                    stream.write_row(row)
            return int(cursor.rowcount)

    def divided(self, connection: Connection) -> bool:
        """Whether this login sees the tasks of some teams alone (`store.teams`)."""
        if self.sqlite:
            return False
        asked = "SELECT row_security_active('task') AND NOT remit_sees_all()"
        return bool(self.fetch(connection, asked, ())[0][0])

    def whole(self, connection: Connection, what: str) -> None:
        """Raises Refused where this login sees some teams alone: `what` (a sentence's beginning) would be wrong, or tell of others."""
        if self.divided(connection):
            raise Refused(
                f"{what} over the evidence of every team, and {self.url.username or 'you'} sees some teams' tasks alone "
                "(`remit store teams`); an administrator shows everything with `remit store teams --grant '*' USER`"
            )

    def add_up(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Add rows whose columns beside the key are counts; where the key exists already, its counts grow by that much.

        No key may come twice.
        """
        if not rows:
            return
        if not self.sqlite and len(rows) >= _COPIED:
            self._at_once(connection, adding_up(table), rows)
            return
        found = _TEXTS.get((self.sqlite, table.name, "add up"))
        if found is None:
            statement = self.dialect(table)
            keys = [column.name for column in table.primary_key]
            counts = {
                column.name: column + statement.excluded[column.name] for column in table.columns if column.name not in keys
            }
            statement = statement.on_conflict_do_update(index_elements=keys, set_=counts)
            found = _TEXTS[self.sqlite, table.name, "add up"] = self._text(statement, table)
        connection.exec_driver_sql(found, list(rows))

    def change(
        self, connection: Connection, table: Table, key: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Set columns of rows found by their keys: each row has the new values and ends with its key, which no other has."""
        if not self.sqlite:
            self._at_once(connection, changing(table, key, names), rows)
        elif rows:
            sets = ", ".join(f"{name} = ?" for name in names)
            connection.exec_driver_sql(f"UPDATE {table.name} SET {sets} WHERE {key} = ?", list(rows))  # noqa: S608  names of ours

    def _at_once(self, connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
        return sum(connection.exec_driver_sql(statement, values).rowcount for values in by_column(rows))

    def _insert_text(self, table: Table, ignore: bool) -> str:
        found = _TEXTS.get((self.sqlite, table.name, ignore))
        if found is None:
            statement = self.dialect(table)
            if ignore:
                statement = statement.on_conflict_do_nothing()
            found = _TEXTS[self.sqlite, table.name, ignore] = self._text(statement, table)
        return found

    def _text(self, statement: Any, table: Table) -> str:
        names = [column.name for column in table.columns]
        return str(statement.compile(dialect=self.engine.dialect, column_keys=names))


def marks(values: Sequence[Any]) -> str:
    """As many `?` marks as there are values, for `Database.fetch`."""
    return ",".join("?" * len(values))


def chunks(items: Sequence[Any], size: int = CHUNK) -> Iterator[Sequence[Any]]:
    """Slices of at most `size` items, so that no statement carries too many parameters."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _anywhere() -> None:
    """A server's store lies in no file of ours."""


def _begin_sqlite(connection: Connection) -> None:
    raw: Any = connection.connection.dbapi_connection
    raw.execute("BEGIN IMMEDIATE" if connection.get_execution_options().get("writer") else "BEGIN")
