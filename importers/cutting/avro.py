"""Avro files as JSON records: one list, each record an element of it, each block on a line of its own.

A record's `line` is so the number of its block, its `index` the number of its record in the file. What a record says is what JSON would: no
member that is null, times in ISO 8601, bytes that are text as text. One block is read at a time; what its size, its packing, its records
and their depth may be is bounded (Apache Avro 1.11, "Object Container Files").
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from struct import unpack
from typing import BinaryIO, cast

import msgspec

from importers.cutting.origin import BOMB_FLOOR, Damaged, Made, Prefix
from importers.cutting.scanner import MAX_RECORD

MAGIC = b"Obj\x01"
MAX_HEADER = 4 << 20
MAX_BLOCK = 64 << 20
"""Bytes of a block, packed and unpacked; writers make blocks of some hundred kilobytes."""
MAX_VALUES = 1 << 20
"""Values of one record, however few bytes they take."""
MAX_NESTING = 64
BOMB_RATIO = 1_000
"""Bytes of JSON for each stored byte beyond the first 64 MB: names of members stand in the file once."""
_SYNC = 16
_UNSIGNED = (1 << 64) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"timestamp-millis": 1_000, "timestamp-micros": 1}


class _State:
    """A place in a block's bytes; `left` counts down the values one record may still have, `all` those of the whole block."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.left = data, 0, MAX_VALUES
        self.all = MAX_VALUES + 2 * len(data)

    def take(self, count: int) -> bytes:
        end = self.at + count
        if count < 0 or end > len(self.data):
            raise Damaged("a record reaches beyond its block")
        data, self.at = self.data[self.at : end], end
        return data

    def long(self) -> int:
        value = shift = 0
        while True:
            if self.at >= len(self.data) or shift > 63:
                raise Damaged("a number has no end")
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                value &= _UNSIGNED
                return (value >> 1) ^ -(value & 1)
            shift += 7

    def count(self, depth: int, values: int = 1) -> None:
        self.left -= values
        self.all -= values
        if self.left < 0 or self.all < 0:
            # Values without a byte of their own cost nothing to write.
            raise Damaged(f"a record of more than {MAX_VALUES} values" if self.left < 0 else "a block of more values than bytes")
        if depth > MAX_NESTING:
            raise Damaged(f"a record nested deeper than {MAX_NESTING}")


_Read = Callable[[_State, int], object]


def rows_of(path: Path) -> tuple[AbstractContextManager[BinaryIO] | None, str]:
    """The records of an Avro file as a stream of JSON lists, or None and the reason they cannot be read; raises OSError."""
    try:
        rows = _Rows(path)
    except Damaged as error:
        return None, f"an Avro file that is not read: {error}"
    return closing(cast("BinaryIO", rows)), ""


class _Rows(Made):
    """The stream; raises Damaged where the file cannot be read any further."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as stream:
            prefix = Prefix(stream, path.stat().st_size)
            stream.seek(0)
            meta, self._sync = _header(stream)
            self._begin = stream.tell()
        self.stored = (prefix.hash.hexdigest(), prefix.size)
        self._unpack = _codec(meta.get("avro.codec", b"null").decode("utf-8", "replace"))
        try:
            schema = msgspec.json.decode(meta.get("avro.schema", b""))
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise Damaged(f"its schema is no JSON: {error}") from error
        self._read = _Schema().reader(schema, 0)
        self._path = path
        super().__init__(self._text())

    def _text(self) -> Iterator[bytes]:
        before, made = b"[", 0
        with self._path.open("rb") as stream:
            stream.seek(self._begin)
            while (count := _number(stream)) is not None:
                size = _number(stream)
                if size is None or count < 0 or not 0 <= size <= MAX_BLOCK:
                    raise Damaged(f"a block of {count} records in {size} bytes")
                packed, sync = stream.read(size), stream.read(_SYNC)
                if len(packed) < size or sync != self._sync:
                    raise Damaged(
                        "a block is cut off (the file may still be growing)" if len(sync) < _SYNC else "a block has no end"
                    )
                state = _State(self._unpack(packed))
                for _ in range(count):
                    begin, state.left = state.at, MAX_VALUES
                    record = self._read(state, 0)
                    if state.at == begin:
                        raise Damaged("a record of no bytes")
                    told = msgspec.json.encode(record)
                    if len(told) > MAX_RECORD:
                        told = msgspec.json.encode({"_unreadable": f"a record of more than {MAX_RECORD} bytes"})
                    made += len(told)
                    if made > BOMB_FLOOR and made > BOMB_RATIO * self.stored[1]:
                        raise Damaged(f"reading stopped after {made} bytes: more than {BOMB_RATIO} times what is stored")
                    yield before + told
                    before = b","
                yield b"\n"
        yield b"[]" if before == b"[" else b"]"


def _number(stream: BinaryIO) -> int | None:
    """A number of a file; None at its end."""
    held = b""
    while len(held) < 10 and (byte := stream.read(1)):
        held += byte
        if byte < b"\x80":
            return _State(held).long()
    if held:
        raise Damaged("a number has no end")
    return None


def _header(stream: BinaryIO) -> tuple[dict[str, bytes], bytes]:
    head = stream.read(MAX_HEADER)
    state = _State(head)
    state.take(len(MAGIC))
    meta: dict[str, bytes] = {}
    while count := state.long():
        if count < 0:
            state.long()
        for _ in range(min(abs(count), len(head))):
            name = state.take(state.long()).decode("utf-8", "replace")
            meta[name] = state.take(state.long())
    sync = state.take(_SYNC)
    stream.seek(state.at)
    return meta, sync


def _codec(name: str) -> Callable[[bytes], bytes]:
    match name:
        case "null":
            return bytes
        case "deflate":
            return partial(_unpacked, lambda data: zlib.decompressobj(-15).decompress(data, MAX_BLOCK + 1))
        case "bzip2":
            return partial(_unpacked, lambda data: bz2.BZ2Decompressor().decompress(data, MAX_BLOCK + 1))
        case "xz":
            return partial(_unpacked, lambda data: lzma.LZMADecompressor(memlimit=256 << 20).decompress(data, MAX_BLOCK + 1))
        case "zstandard":
            return _zstandard
    raise Damaged(f"its blocks are packed with {name[:40]}; write it with deflate, or export its events as JSON")


def _zstandard(data: bytes) -> bytes:
    import zstandard

    try:
        with zstandard.ZstdDecompressor(max_window_size=128 << 20).stream_reader(data) as reader:
            return _whole(reader.read(MAX_BLOCK + 1))
    except zstandard.ZstdError as error:
        raise Damaged(f"a block is damaged: {error}") from error


def _unpacked(unpack: Callable[[bytes], bytes], data: bytes) -> bytes:
    try:
        return _whole(unpack(data))
    except (zlib.error, OSError, EOFError, ValueError, lzma.LZMAError) as error:
        raise Damaged(f"a block is damaged: {error}") from error


def _whole(data: bytes) -> bytes:
    if len(data) > MAX_BLOCK:
        raise Damaged(f"a block that unpacks to more than {MAX_BLOCK} bytes")
    return data


class _Schema:
    """What reads the values of a schema; a name stands for what was defined under it before."""

    def __init__(self) -> None:
        self._named: dict[str, _Read] = {}

    def reader(self, schema: object, depth: int, space: str = "") -> _Read:
        """What reads a value of this schema; raises Damaged where it is none."""
        if depth > MAX_NESTING:
            raise Damaged(f"its schema is nested deeper than {MAX_NESTING}")
        if isinstance(schema, list):
            return partial(_union, [self.reader(one, depth + 1, space) for one in schema])
        if isinstance(schema, str):
            return _PRIMITIVE.get(schema) or partial(self._of_name, _full(schema, space))
        if not isinstance(schema, dict):
            raise Damaged("its schema says no type")
        kind = schema.get("type")
        if kind in ("array", "map"):
            inner = self.reader(schema.get("items" if kind == "array" else "values"), depth + 1, space)
            return partial(_array if kind == "array" else _map, inner)
        if kind in ("record", "error", "enum", "fixed"):
            return self._define(schema, depth, space)
        if (unit := _UNITS.get(str(schema.get("logicalType")))) is not None and kind == "long":
            return partial(_moment, unit)
        return self.reader(kind, depth + 1, space)

    def _define(self, schema: dict[str, object], depth: int, space: str) -> _Read:
        own = schema.get("namespace")
        name = _full(str(schema.get("name")), own if isinstance(own, str) else space)
        read: _Read
        if schema["type"] == "enum":
            symbols = schema.get("symbols")
            read = partial(_enum, symbols if isinstance(symbols, list) else [])
        elif schema["type"] == "fixed":
            size = schema.get("size")
            read = partial(_fixed, size if isinstance(size, int) else -1)
        else:
            members: list[tuple[str, _Read]] = []
            self._named[name] = partial(_record, members)
            listed = schema.get("fields")
            for one in listed if isinstance(listed, list) else ():
                if not isinstance(one, dict):
                    raise Damaged("its schema has a member without a name")
                members.append((str(one.get("name")), self.reader(one.get("type"), depth + 1, name.rpartition(".")[0])))
            return self._named[name]
        self._named[name] = read
        return read

    def _of_name(self, name: str, state: _State, depth: int) -> object:
        read = self._named.get(name)
        if read is None:
            raise Damaged(f"its schema does not say what {name[:80]!r} is")
        return read(state, depth)


def _full(name: str, space: str) -> str:
    return name if "." in name or not space else f"{space}.{name}"


def _union(branches: list[_Read], state: _State, depth: int) -> object:
    place = state.long()
    if not 0 <= place < len(branches):
        raise Damaged("a value of none of its types")
    return branches[place](state, depth + 1)


def _record(members: list[tuple[str, _Read]], state: _State, depth: int) -> object:
    state.count(depth, 1 + len(members))
    told = {name: read(state, depth + 1) for name, read in members}
    return {name: value for name, value in told.items() if value is not None}


def _blocks(state: _State, depth: int) -> Iterator[None]:
    """Once for each element of an array or a map."""
    while count := state.long():
        if count < 0:
            state.long()
        for _ in range(abs(count)):
            state.count(depth)
            yield


def _array(inner: _Read, state: _State, depth: int) -> object:
    return [inner(state, depth + 1) for _ in _blocks(state, depth)]


def _map(inner: _Read, state: _State, depth: int) -> object:
    return {str(_text(state, depth)): inner(state, depth + 1) for _ in _blocks(state, depth)}


def _enum(symbols: list[object], state: _State, depth: int) -> object:
    place = state.long()
    return symbols[place] if 0 <= place < len(symbols) else None


def _fixed(size: int, state: _State, depth: int) -> object:
    return _told(state.take(size))


def _moment(unit: int, state: _State, depth: int) -> object:
    value = state.long()
    try:
        return (_EPOCH + timedelta(microseconds=value * unit)).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return value


def _text(state: _State, depth: int) -> object:
    return state.take(state.long()).decode("utf-8", "replace")


def _told(data: bytes) -> object:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"_bytes": len(data)}


_PRIMITIVE: dict[str, _Read] = {
    "null": lambda state, depth: None,
    "boolean": lambda state, depth: state.take(1) != b"\0",
    "int": lambda state, depth: state.long(),
    "long": lambda state, depth: state.long(),
    "float": lambda state, depth: unpack("<f", state.take(4))[0],
    "double": lambda state, depth: unpack("<d", state.take(8))[0],
    "bytes": lambda state, depth: _told(state.take(state.long())),
    "string": _text,
}
