"""Raw records in compressed blocks: many records share one block, each block is complete when its transaction ends."""

from __future__ import annotations

from hashlib import sha256

import zstandard
from sqlalchemy import Connection, func, select

from store.engine import Database
from store.errors import StoreError
from store.tables import BLOCK

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
            self._next = (self._connection.execute(select(func.max(BLOCK.c.id))).scalar() or 0) + 1
        if self._size and self._size + len(raw) > BLOCK_BYTES:
            self._seal()
        place = (self._next, self._size)
        self._parts.append(raw)
        self._size += len(raw)
        return place

    def close(self) -> None:
        """Write the blocks out."""
        if self._parts:
            self._seal()
        self._db.insert(self._connection, BLOCK, self._rows)

    def _seal(self) -> None:
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
                raise StoreError(f"block {block} of the raw records is missing; restore the store from a copy, or import again")
            while len(self._held) >= self._keep:
                del self._held[next(iter(self._held))]
            self._held[block] = open_block(block, row.size, bytes(row.digest), bytes(row.data))
        return self._held[block][start : start + length]


def open_block(block: int, size: int, digest: bytes, data: bytes) -> bytes:
    """A block's bytes, checked against its digest; raises StoreError where they are not what was written."""
    try:
        raw = zstandard.ZstdDecompressor().decompress(data, max_output_size=size)
    except zstandard.ZstdError as error:
        raise StoreError(f"block {block} of the raw records is damaged ({error}); restore the store from a copy") from error
    if sha256(raw).digest() != digest:
        raise StoreError(f"block {block} of the raw records was altered; restore the store from a copy")
    return raw
