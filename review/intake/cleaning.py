"""A source's records as they may be looked at: the digest of their own bytes taken, their secrets replaced.

What is done to one record here needs no other, and nothing of the format: a process of its own may do it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import msgspec

from importers import NotRecognised, OpenSource, open_source
from importers.base import Importer
from importers.cutting.scanner import Restart
from lang.redact import Redactor, Secret
from model.event import RawRecord, Reject
from review.collecting import fewer_collections
from review.processes import serve

RECORDS = 500
BYTES = 1 << 20
"""A pack is full with this many items or this many bytes of them."""

Request = tuple[str, str, str]
"""A file's path, the name it is told under, and its format."""

TOLD = (OSError, NotRecognised)
"""What reading a file may raise, told to whoever asked for it."""


class Clean(msgspec.Struct, array_like=True):
    """A record's place, the digest of its own bytes, and what they are without their secrets."""

    line: int
    offset: int
    index: int | None
    digest: str
    data: bytes
    secrets: tuple[Secret, ...]


class Item(msgspec.Struct, array_like=True):
    """One record or reject; `open` is where the last line of a source begins that has no end yet, while the item stands on it."""

    record: Clean | None
    reject: Reject | None
    open: Restart | None


class End(msgspec.Struct, array_like=True):
    """What is known of a source once all of it was read; `place` is where more would be read on, None: from the beginning."""

    sha256: str
    bytes: int
    noise_lines: int
    place: Restart | None


class Pack(msgspec.Struct, array_like=True):
    """Some items in the order of the source; the last pack has the end."""

    items: list[Item]
    end: End | None = None


class Cleaned(Protocol):
    """A source of cleaned items, to be read once; its end is known afterwards."""

    importer: Importer

    def items(self) -> Iterator[Item]: ...

    def end(self) -> End: ...


class Cleaning:
    """A source cleaned as it is read."""

    def __init__(self, source: OpenSource, redactor: Redactor) -> None:
        self.importer = source.importer
        self._source = source
        self._redactor = redactor

    def items(self) -> Iterator[Item]:
        # No name here holds a record while the next is read: each may be of 64 MB.
        return map(self._cleaned, self._source.items())

    def _cleaned(self, item: RawRecord | Reject) -> Item:
        if isinstance(item, Reject):
            return Item(None, item, self._source.line)
        digest = sha256(item.data if item.original is None else item.original).hexdigest()
        data, secrets = self._redactor.redact(item.data)
        return Item(Clean(item.line, item.offset, item.index, digest, data, secrets), None, self._source.line)

    def end(self) -> End:
        source = self._source
        return End(source.sha256, source.bytes, source.noise_lines, source.end())


class Unpacked:
    """A source that was cleaned elsewhere."""

    def __init__(self, importer: Importer, packs: Iterator[Pack]) -> None:
        self.importer = importer
        self._packs = packs
        self._end: End | None = None

    def items(self) -> Iterator[Item]:
        for pack in self._packs:
            self._end = pack.end
            yield from pack.items
            del pack

    def end(self) -> End:
        assert self._end is not None
        return self._end


def packs(cleaned: Cleaned) -> Iterator[Pack]:
    """The same source in packs, to be sent elsewhere."""
    held: list[Item] = []
    size = 0
    for item in cleaned.items():
        held.append(item)
        size += len(item.record.data) if item.record is not None else 0
        if len(held) >= RECORDS or size >= BYTES:
            del item
            yield Pack(held)
            held, size = [], 0
    yield Pack(held, cleaned.end())


def clean() -> None:
    """Answer with the cleaned records of each file asked for; a process's whole program."""

    def answering(redactor: Redactor) -> Callable[[Request], Iterator[Pack]]:
        def answer(request: Request) -> Iterator[Pack]:
            path, name, format = request
            with Path(path).open("rb") as stream:
                yield from packs(Cleaning(open_source(stream, name=name, format=format), redactor))

        return answer

    with fewer_collections():
        serve(answering, TOLD)
