"""Files that hold other files: zip and tar archives by member, SQLite databases by table, each member a source of its own.

A Parquet or an Avro file has one member without a name: its rows. A member that holds others itself gives those, `inner.tar!one.jsonl`.

Nothing is unpacked to where a name points: a member's name is a label. How many members there are, how much one of them
may grow and what a database may do are bounded; what is broken or locked is said with the member's name.
"""

from __future__ import annotations

import io
import sqlite3
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple, cast

from importers.cutting import avro, databases, parquet
from importers.cutting.origin import BOMB_FLOOR, BOMB_RATIO, CHUNK, Damaged, Origin
from importers.cutting.strange import OFFICE, SAVE_AS_CSV

MAX_MEMBERS = 100_000
MAX_INNER = 4 << 30
"""Bytes of an archive inside another, which is read from a copy."""
DEEPEST = 4
MAX_HELD = 200
"""So many databases of one archive, and their logs, are held open."""
_HEAD = 1 << 20
_TAR_BLOCK = 512
_BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError, NotImplementedError, RuntimeError, ValueError)


class Member(NamedTuple):
    """One source inside a file: its name there, and how to open it; valid until the next one is asked for."""

    name: str
    open: Callable[[], AbstractContextManager[BinaryIO]]


class Unreadable(NamedTuple):
    """A member, or the rest of the file, that cannot be read, and why; `strange` where it is known to be no log."""

    name: str
    reason: str
    strange: bool = False


Inside = Iterator[Member | Unreadable]


def members(path: Path) -> Inside | None:
    """What is inside a file, in its order; None where it is an ordinary file. Raises OSError where it cannot be read."""
    return _members(path, 1)


def _members(path: Path, depth: int) -> Inside | None:
    with path.open("rb") as stream:
        way = _way(stream)
    if way is None:
        return None
    return _deeper(way(path), depth) if way in (_zip, _tar) else way(path)


def _deeper(inside: Inside, depth: int) -> Inside:
    """The members of an archive; in place of one that holds others itself, those. Databases come last."""
    held = _Held()
    for one in inside:
        if isinstance(one, Unreadable):
            yield one
            continue
        try:
            with one.open() as stream:
                begun = _Begun(stream)
                if held.takes(one.name, begun.head(_TAR_BLOCK)):
                    if (refused := held.take(one.name, begun)) is not None:
                        yield refused
                    yield from held.surplus()
                elif not _may_hold(begun.head(_TAR_BLOCK)) or not holds_members(begun.head(_HEAD)):
                    yield Member(one.name, lambda begun=begun: nullcontext(cast("BinaryIO", begun)))  # type: ignore[misc]
                elif depth >= DEEPEST:
                    yield Unreadable(one.name, f"archives lie in archives more than {DEEPEST} deep; unpack it")
                else:
                    yield from _inner(one.name, begun, depth)
        except (Damaged, *_BROKEN) as error:
            yield Unreadable(one.name, str(error))
    yield from held.rest()


def _inner(name: str, stream: _Begun, depth: int) -> Inside:
    """The members of an archive inside another, from a copy that is gone before the next member is asked for."""
    with tempfile.TemporaryDirectory(prefix="remit-") as folder:
        copy = Path(folder, "inner")
        with copy.open("wb") as out:
            while data := stream.read(CHUNK):
                if out.tell() > MAX_INNER:
                    yield Unreadable(name, f"an archive of more than {MAX_INNER >> 30} GB inside another; unpack it")
                    return
                out.write(data)
        for one in _members(copy, depth + 1) or ():
            yield one._replace(name=f"{name}!{one.name}" if one.name else name)


class _Begun(io.RawIOBase):
    """A stream whose beginning was looked at and is read again."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._head = stream, b""

    def readable(self) -> bool:
        return True

    def head(self, size: int) -> bytes:
        while len(self._head) < size and (more := self._stream.read(size - len(self._head))):
            self._head += more
        return self._head

    def read(self, size: int = -1) -> bytes:
        if not self._head:
            return self._stream.read(CHUNK if size is None or size < 0 else size)
        size = len(self._head) if size is None or size < 0 else size
        data, self._head = self._head[:size], self._head[size:]
        return data


def _may_hold(head: bytes) -> bool:
    """Whether a member that begins so can hold others: an archive, rows in Parquet or Avro, or something compressed that may be a tar archive."""
    return head.startswith((b"PK", b"PAR", b"Obj\x01", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")) or is_tar(head)


def holds_members(head: bytes) -> bool:
    """Whether a file that begins so holds others: its first 64 KB suffice."""
    return _way(io.BytesIO(head)) is not None


def _way(stream: BinaryIO) -> Callable[[Path], Inside] | None:
    """How to look into a file, told by its beginning."""
    magic = stream.read(16)
    if magic[:4] == b"PK\x03\x04" or magic[:4] == b"PK\x05\x06":
        return _zip
    if magic == databases.MAGIC:
        return _database
    if magic[:4] in (parquet.MAGIC, parquet.SEALED):
        return _parquet
    if magic[:4] == avro.MAGIC:
        return _avro
    stream.seek(0)
    return _tar if _is_tar(stream) else None


def is_tar(block: bytes) -> bool:
    """Whether a block of 512 bytes is the header of a tar archive."""
    return block[257:262] == b"ustar"


def _is_tar(stream: BinaryIO) -> bool:
    try:
        origin, block = Origin(stream), b""
        while len(block) < _TAR_BLOCK and (more := origin.read(_TAR_BLOCK - len(block))):
            block += more
    except Damaged:
        return False
    return is_tar(block)


def _label(name: str) -> str:
    """A member's name as a relative path without steps upward."""
    return "/".join(part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".")) or "member"


class _Grown(io.RawIOBase):
    """A member's bytes; raises Damaged where they break off or grow out of all proportion to what is stored."""

    def __init__(self, stream: BinaryIO, stored: int) -> None:
        self._stream, self._stored, self._out = stream, stored, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        try:
            data = self._stream.read(CHUNK if size is None or size < 0 else size)
        except _BROKEN as error:
            raise Damaged(f"the archive is damaged here: {error}") from error
        self._out += len(data)
        if self._out > BOMB_FLOOR and self._out > BOMB_RATIO * max(self._stored, 1):
            raise Damaged(f"reading stopped after {self._out} bytes: more than {BOMB_RATIO} times what is stored")
        return data


def _zip(path: Path) -> Inside:
    try:
        archive = zipfile.ZipFile(path)
    except _BROKEN as error:
        yield Unreadable("", f"a damaged zip archive: {error}")
        return
    with archive:
        if OFFICE in archive.NameToInfo:
            yield Unreadable("", SAVE_AS_CSV, True)
            return
        for count, info in enumerate(archive.infolist()):
            if count >= MAX_MEMBERS:
                yield Unreadable("", f"more than {MAX_MEMBERS} members; the rest was not read")
                return
            if info.is_dir():
                continue
            if info.flag_bits & 1:
                yield Unreadable(_label(info.filename), "encrypted; unpack it with its password")
                continue
            yield Member(_label(info.filename), lambda info=info: _zipped(archive, info))  # type: ignore[misc]


def _zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> AbstractContextManager[BinaryIO]:
    try:
        return closing(cast("BinaryIO", _Grown(cast("BinaryIO", archive.open(info)), info.compress_size)))
    except _BROKEN as error:
        raise OSError(f"damaged zip member: {error}") from error


def _tar(path: Path) -> Inside:
    with path.open("rb") as stream:
        origin = _Decompressed(Origin(stream))
        try:
            with tarfile.open(fileobj=origin, mode="r|", errorlevel=1) as archive:
                for count, info in enumerate(archive):
                    if count >= MAX_MEMBERS:
                        yield Unreadable("", f"more than {MAX_MEMBERS} members; the rest was not read")
                        return
                    if info.isfile() and (inside := archive.extractfile(info)) is not None:
                        stream_ = cast("BinaryIO", _Grown(cast("BinaryIO", inside), max(info.size, 1)))
                        yield Member(_label(info.name), lambda stream_=stream_: nullcontext(stream_))  # type: ignore[misc]
                    archive.members.clear()  # type: ignore[attr-defined]  # a stream keeps them all otherwise
            if any(origin.tail):
                yield Unreadable("", "the tar archive has no end: it is cut off, what was whole was read")
        except _BROKEN as error:
            yield Unreadable("", f"a damaged tar archive: {error}")


class _Decompressed(io.RawIOBase):
    """A possibly compressed file as the plain stream that tarfile reads; `tail` is the last of it, zeros in a whole archive."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self.tail = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        size = CHUNK if size is None or size < 0 else size
        parts = b""
        while len(parts) < size and (more := self._origin.read(size - len(parts))):
            parts += more
        self.tail = (self.tail + parts)[-_TAR_BLOCK:]
        return parts


def _parquet(path: Path) -> Inside:
    rows, reason = parquet.rows_of(path)
    yield Unreadable("", reason) if rows is None else Member("", lambda: rows)


def _avro(path: Path) -> Inside:
    rows, reason = avro.rows_of(path)
    yield Unreadable("", reason) if rows is None else Member("", lambda: rows)


def _database(path: Path) -> Inside:
    with path.open("rb") as database:
        yield from _tables(database, lambda: _log_beside(path))


def _log_beside(path: Path) -> BinaryIO | None:
    try:
        return Path(f"{path}-wal").open("rb")
    except FileNotFoundError:
        return None


def _tables(database: BinaryIO, log: Callable[[], BinaryIO | None]) -> Inside:
    try:
        for name, rows in databases.tables(database, log):
            yield Member(_label(name), lambda rows=rows: nullcontext(rows()))  # type: ignore[misc]
    except sqlite3.Error as error:
        yield Unreadable("", f"a damaged or encrypted SQLite database: {error}")


class _Held:
    """The databases among an archive's members: each waits for what it has not yet taken over from its log, which is another member.

    They lie in unnamed files, for their secrets are in clear.
    """

    def __init__(self) -> None:
        self._files: dict[str, BinaryIO] = {}
        self._size = 0

    def takes(self, name: str, head: bytes) -> bool:
        return head.startswith(databases.MAGIC) or (name.endswith("-wal") and head.startswith(databases.LOG_MAGIC))

    def take(self, name: str, stream: _Begun) -> Unreadable | None:
        file = cast("BinaryIO", tempfile.TemporaryFile(prefix="remit-"))  # noqa: SIM115  held until the archive ends
        while data := stream.read(CHUNK):
            self._size += len(data)
            if self._size > MAX_INNER:
                file.close()
                return Unreadable(name, f"databases of more than {MAX_INNER >> 30} GB inside an archive; unpack it")
            file.write(data)
        self._files[name] = file
        return None

    def surplus(self) -> Inside:
        """Tables of the first databases where more are held than may stay open; their logs come too late."""
        while len(self._files) > MAX_HELD and (name := next((one for one in self._files if not one.endswith("-wal")), "")):
            yield from self._told(name)

    def rest(self) -> Inside:
        """Tables of all databases, once every member was seen."""
        for name in [one for one in self._files if not (one.endswith("-wal") and one[:-4] in self._files)]:
            if name in self._files:
                yield from self._told(name)

    def _told(self, name: str) -> Inside:
        file, log = self._files.pop(name), self._files.pop(f"{name}-wal", None)
        with file:
            file.seek(0)
            if file.read(len(databases.MAGIC)) != databases.MAGIC:
                yield Unreadable(name, "what a database had not taken over from its log; the database is not beside it")
                return
            file.seek(0)
            if log is not None:
                log.seek(0)
            for one in _tables(file, lambda: log):
                yield one._replace(name=f"{name}!{one.name}" if one.name else name)
