"""Raw records in compressed blocks: many records share one block, each block is complete when its transaction ends."""

from __future__ import annotations

from hashlib import sha256

import zstandard
from sqlalchemy import Connection, func, select, union_all

from store.engine import Database
from store.errors import NotKept, StoreError
from store.tables import BLOCK, DROPPED_BLOCK
from store.text import day

BLOCK_BYTES = 256 * 1024


class BlockWriter:
    """Packs records of one transaction into blocks of about `BLOCK_BYTES` before compression."""

    def __init__(self, db: Database, connection: Connection) -> None:
        self._db = db
        self._connection = connection
        self._compressor = zstandard.ZstdCompressor(level=3)
        self._next = 0
        self._parts: list[bytes] = []
        self._size = 0
        self._rows: list[tuple[int, int, bytes, bytes]] = []

    def put(self, raw: bytes) -> tuple[int, int]:
        """Add one record; its block and its place in it."""
        if not self._next:
            if not self._db.sqlite:
                self._connection.exec_driver_sql("SELECT remit_open_blocks()")
            self._next = _last(self._connection) + 1
        if self._size and self._size + len(raw) > BLOCK_BYTES:
            self.seal()
        place = (self._next, self._size)
        self._parts.append(raw)
        self._size += len(raw)
        return place

    def close(self) -> None:
        """Write the blocks out."""
        self.seal()
        self._db.insert(self._connection, BLOCK, self._rows)

    def seal(self) -> None:
        """End the block: what is put next begins another."""
        if not self._parts:
            return
        data = b"".join(self._parts)
        self._rows.append((self._next, len(data), sha256(data).digest(), self._compressor.compress(data)))
        self._next += 1
        self._parts = []
        self._size = 0


class BlockReader:
    """Opens blocks and remembers the last few, since neighbours are asked for together."""

    def __init__(self, connection: Connection, keep: int = 8) -> None:
        self._connection = connection
        self._keep = keep
        self._held: dict[int, bytes] = {}

    def get(self, block: int, start: int, length: int) -> bytes:
        """The bytes of one record; raises StoreError where the block is damaged or gone."""
        if block not in self._held:
            row = self._connection.execute(select(BLOCK.c.size, BLOCK.c.digest, BLOCK.c.data).where(BLOCK.c.id == block)).first()
            if row is None:
                if (gone := dropped(self._connection, block)) is not None:
                    raise NotKept(gone)
                raise StoreError(f"block {block} of the raw records is missing; restore the store from a copy, or import again")
            while len(self._held) >= self._keep:
                del self._held[next(iter(self._held))]
            self._held[block] = open_block(block, row.size, bytes(row.digest), bytes(row.data))
        return self._held[block][start : start + length]


def _last(connection: Connection) -> int:
    """The last number a block was given; one that is no longer kept keeps its number."""
    numbers = union_all(*(select(func.max(rows.c.id)) for rows in (BLOCK, DROPPED_BLOCK)))
    return max(number or 0 for number in connection.execute(numbers).scalars())


def dropped(connection: Connection, block: int) -> str | None:
    """What to say of a record whose block is no longer kept; None where it was not let go."""
    c = DROPPED_BLOCK.c
    row = connection.execute(select(c.before, c.at, c.by).where(c.id == block)).first()
    if row is None:
        return None
    return (
        f"raw record no longer kept: {row.by or 'somebody'} let go on {day(row.at)} what was older than {day(row.before)}; "
        "its digest, its place and what was derived from it remain"
    )


def open_block(block: int, size: int, digest: bytes, data: bytes) -> bytes:
    """A block's bytes, checked against its digest; raises StoreError where they are not what was written."""
    try:
        raw = zstandard.ZstdDecompressor().decompress(data, max_output_size=size)
    except zstandard.ZstdError as error:
        raise StoreError(f"block {block} of the raw records is damaged ({error}); restore the store from a copy") from error
    if sha256(raw).digest() != digest:
        raise StoreError(f"block {block} of the raw records was altered; restore the store from a copy")
    return raw
