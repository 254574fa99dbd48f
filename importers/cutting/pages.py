"""The pages of a Parquet file, known by their headers alone: what unpacking them would take is known before it is done.

A header is a struct in Thrift's compact protocol (parquet-format, `PageHeader`); only the sizes and counts are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

MAX_HEADER = 1 << 20
"""Bytes a header may have: it holds statistics, which are values of the column."""
_DEPTH = 16
_STOP, _TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(13)
_KINDS = {5: "data", 7: "dictionary", 8: "data"}


class BadPage(ValueError):
    """What stands where a page begins is no page; the text says why."""


class Page(NamedTuple):
    """One page: bytes once unpacked, bytes as stored, values, and whether it is the dictionary."""

    unpacked: int
    stored: int
    values: int
    dictionary: bool


def pages(stream: BinaryIO, start: int, size: int) -> Iterator[Page]:
    """The pages of a column chunk that begins at `start` and has `size` bytes; raises BadPage, and OSError of the stream."""
    at, end = start, start + size
    while at < end:
        stream.seek(at)
        window = min(512, end - at)
        while True:
            data = stream.read(window)
            try:
                page, length = _header(data)
                break
            except IndexError:
                if len(data) < window or window >= min(MAX_HEADER, end - at):
                    raise BadPage("a page header that does not end") from None
                window = min(window * 8, MAX_HEADER, end - at)
                stream.seek(at)
        if page.stored < 0 or page.unpacked < 0 or page.values < 0:
            raise BadPage("a page of a negative size")
        at += length + page.stored
        if at > end:
            raise BadPage("a page that reaches beyond its column")
        yield page


def _header(data: bytes) -> tuple[Page, int]:
    """The page a header describes, and the header's length; IndexError where the data ends before it does."""
    thrift = _Compact(data)
    found = thrift.struct(0)
    body = next(((kind, found[field]) for field, kind in _KINDS.items() if isinstance(found.get(field), dict)), None)
    unpacked, stored = found.get(2), found.get(3)
    if not isinstance(unpacked, int) or not isinstance(stored, int):
        raise BadPage("a page header without sizes")
    values = body[1].get(1) if body is not None and isinstance(body[1], dict) else 0
    return Page(
        unpacked, stored, values if isinstance(values, int) else 0, body is not None and body[0] == "dictionary"
    ), thrift.at


class _Compact:
    """A reader of Thrift's compact protocol that keeps numbers and structs and steps over everything else."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def struct(self, depth: int) -> dict[int, object]:
        found: dict[int, object] = {}
        field = 0
        while kind := self._byte():
            step, kind = kind >> 4, kind & 15
            field = field + step if step else self._zigzag()
            found[field] = self._value(kind, depth)
        return found

    def _value(self, kind: int, depth: int) -> object:
        if depth > _DEPTH:
            raise BadPage("a page header nested too deeply")
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind in (_I16, _I32, _I64):
            return self._zigzag()
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind == _BYTE:
            self._skip(1)
        elif kind == _DOUBLE:
            self._skip(8)
        elif kind == _BINARY:
            self._skip(self._varint())
        elif kind in (_LIST, _SET):
            self._elements(depth)
        else:
            raise BadPage("a page header of unknown parts")
        return None

    def _elements(self, depth: int) -> None:
        head = self._byte()
        count, kind = head >> 4, head & 15
        count = self._varint() if count == 15 else count
        if count > MAX_HEADER:
            raise BadPage("a page header with an endless list")
        for _ in range(count):
            # In a list a truth value is a byte of its own.
            self._value(_BYTE if kind in (_TRUE, _FALSE) else kind, depth + 1)

    def _byte(self) -> int:
        found = self._data[self.at]
        self.at += 1
        return found

    def _skip(self, size: int) -> None:
        self.at += size
        if self.at > len(self._data):
            if self.at > MAX_HEADER:
                raise BadPage("a page header that does not end")
            raise IndexError

    def _varint(self) -> int:
        found = shift = 0
        while True:
            byte = self._byte()
            found |= (byte & 0x7F) << shift
            if byte < 0x80:
                return found
            shift += 7
            if shift > 63:
                raise BadPage("a page header with a number that does not end")

    def _zigzag(self) -> int:
        found = self._varint()
        return (found >> 1) ^ -(found & 1)
