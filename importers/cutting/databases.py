"""The tables of a SQLite database, read from a private copy with what still lies in its write-ahead log."""

from __future__ import annotations

import contextlib
import io
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from importers.cutting.origin import CHUNK, Damaged, Origin

MAGIC = b"SQLite format 3\0"
LOG_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
MAX_CELL = 64 << 20
_ENCODER = msgspec.json.Encoder()
_PIECE = 1 << 20
_SHADOWS = ("_data", "_idx", "_content", "_docsize", "_config", "_segments", "_segdir", "_stat", "_node", "_parent", "_rowid")


def tables(database: BinaryIO, log: Callable[[], BinaryIO | None]) -> Iterator[tuple[str, Callable[[], BinaryIO]]]:
    """Each table's name and what opens its rows, one JSON object a line, valid until the next is asked for; raises sqlite3.Error.

    `log` is asked for after the database was copied, for it may be written all the while. Views, triggers and virtual tables
    are left alone: the schema is not trusted.
    """
    with tempfile.TemporaryDirectory(prefix="remit-") as folder:
        copy = Path(folder, "copy.db")
        with copy.open("wb") as out:
            shutil.copyfileobj(database, out, _PIECE)
        if (written := log()) is not None:
            with written, Path(f"{copy}-wal").open("wb") as out:
                shutil.copyfileobj(written, out, _PIECE)
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            _harden(connection)
            names = _tables(connection)
            _forget(folder)
            for table in names:
                yield table, lambda table=table: _rows(connection, table)  # type: ignore[misc]


def _forget(folder: str) -> None:
    """Takes an opened copy off the file system, where that can be done, so that no crash leaves its contents behind."""
    for path in Path(folder).iterdir():
        with contextlib.suppress(OSError):
            path.unlink()


def _harden(connection: sqlite3.Connection) -> None:
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_CELL)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _tables(connection: sqlite3.Connection) -> list[str]:
    try:
        found = connection.execute(
            "SELECT name, coalesce(sql, '') FROM sqlite_master WHERE type = 'table' ORDER BY name"
        ).fetchall()
    except UnicodeDecodeError as error:
        # What SQLite says of a damaged schema quotes it, and Python decodes the sentence.
        raise sqlite3.DatabaseError("malformed database schema") from error
    virtual = [name for name, sql in found if sql[:30].upper().startswith("CREATE VIRTUAL")]
    shadows = {name + end for name in virtual for end in _SHADOWS}
    return [name for name, _ in found if not name.startswith("sqlite_") and name not in virtual and name not in shadows]


def _rows(connection: sqlite3.Connection, table: str) -> BinaryIO:
    return cast("BinaryIO", _Lines(_row_lines(connection, table)))


def _row_lines(connection: sqlite3.Connection, table: str) -> Iterator[bytes]:
    """Each row as one line of JSON: `_table`, then its columns; text that is compressed is unpacked, other bytes are told by their length."""
    quoted = table.replace('"', '""')
    try:
        cursor = connection.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608  a name cannot be a parameter; it is quoted
        names = [column[0] for column in cursor.description]

        def line(row: tuple[object, ...]) -> bytes:
            cells = {name: _cell(value) for name, value in zip(names, row, strict=True)}
            return _ENCODER.encode_lines([{"_table": table, **cells}])

        # No name here holds a row while its line is read: each may be of 64 MB.
        yield from map(line, cursor)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        # A column's name need not be text in a database that is damaged.
        raise Damaged(f"the table cannot be read any further: {error}") from error


def _cell(value: object) -> object:
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        text = _unpacked(value)
        return {"_bytes": len(value)} if text is None else text


def _unpacked(value: bytes) -> str | None:
    """The text that a cell holds compressed; None where it holds none, or more than a cell may."""
    parts, size = [], 0
    try:
        origin = Origin(io.BytesIO(value))
        if not origin.compression:
            return None
        while data := origin.read(CHUNK):
            parts.append(data)
            size += len(data)
            if size > MAX_CELL:
                return None
        return b"".join(parts).decode("utf-8")
    except (Damaged, UnicodeDecodeError):
        return None


class _Lines(io.RawIOBase):
    """Lines made one by one, read as a stream."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._source = lines
        self._held = b""
        self._at = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        missing = CHUNK if size is None or size < 0 else size
        parts: list[bytes] = []
        while missing > 0:
            if self._at >= len(self._held):
                self._held, self._at = b"", 0
                self._held = next(self._source, b"")
                if not self._held:
                    break
            parts.append(self._held[self._at : self._at + missing])
            self._at += len(parts[-1])
            missing -= len(parts[-1])
        return b"".join(parts)
