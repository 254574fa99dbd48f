"""What a store holds as digests: what a pack states of the store behind it, and by which an edit is found later."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import or_, select, true, union_all

from model.event import RecordRef
from store.blocks import open_block
from store.engine import Database
from store.errors import StoreError
from store.streams import streamed
from store.tables import BLOCK, DROPPED_BLOCK, RECORD, table

STATED = (
    "source",
    "record",
    "task",
    "task_body",
    "step",
    "finding",
    "credential",
    "verdict",
    "accepted_risk",
    "statement",
    "policy_version",
    "policy_in_force",
)
"""The tables whose every column is covered: what packs are made of, and what people said."""
_FETCH = 1_000


def _head(count: int) -> int:
    """Bytes by which msgpack begins a list of so many."""
    return 1 if count < 16 else 3 if count < 1 << 16 else 5


class Fingerprints:
    """Digests of records, of the blocks of their bytes, and of whole tables."""

    db: Database

    def record_digests(self, source_id: str, until: int | None = None) -> Iterator[tuple[str, bytes]]:
        """(id, digest) of the records at home in a source, in the order of their places, as their Merkle tree takes them.

        With `until` without those that were logged later.
        """
        c = RECORD.c
        within = true() if until is None else or_(c.at.is_(None), c.at <= until)
        wanted = (
            select(c.id, c.digest)
            .where(c.source_id == source_id, within)
            .order_by(c.line, c.idx, c.start, c.name, c.id, c.digest)
        )
        with self.db.read() as connection:
            for id, digest in streamed(connection, wanted):
                yield id, bytes(digest)

    def block_digests(self) -> Iterator[tuple[int, bytes]]:
        """(number, digest) of every block of raw bytes ever written, in that order, also of those no longer kept."""
        both = union_all(*(select(rows.c.id, rows.c.digest) for rows in (BLOCK, DROPPED_BLOCK))).subquery()
        with self.db.read() as connection:
            for number, digest in streamed(connection, select(both).order_by(both.c.id)):
                yield number, bytes(digest)

    def damaged_blocks(self) -> Iterator[int]:
        """The numbers of the blocks whose bytes are not those of their digest."""
        wanted = select(BLOCK.c.id, BLOCK.c.size, BLOCK.c.digest, BLOCK.c.data).order_by(BLOCK.c.id)
        with self.db.read() as connection:
            for row in streamed(connection, wanted, 16):
                try:
                    open_block(row.id, row.size, bytes(row.digest), bytes(row.data))
                except StoreError:
                    yield row.id

    def records_in_block(self, number: int) -> list[RecordRef]:
        """Where the records lie whose bytes a block holds, by source and line."""
        c = RECORD.c
        columns = (c.source_id, c.name, c.line, c.idx, c.start, c.digest)
        wanted = select(*columns).where(c.block_id == number).order_by(c.source_id, c.line, c.idx, c.start, c.digest)
        with self.db.read() as connection:
            rows = connection.execute(wanted).all()
        return [RecordRef(r.source_id, r.name, r.line, r.idx or None, r.start, bytes(r.digest).hex()) for r in rows]

    def table_digests(self) -> dict[str, str]:
        """`table_digest` of each table that counts."""
        return {name: self.table_digest(name) for name in STATED}

    def table_digest(self, name: str) -> str:
        """SHA-256 over the rows of one of the `STATED` tables by key, every column of them: the same rows, the same digest."""
        encode, digest, rows = msgspec.msgpack.Encoder().encode, sha256(), table(name)
        keys = ", ".join(c.name for c in rows.primary_key.columns)
        columns = ", ".join(c.name for c in rows.columns)
        asked = f"SELECT {columns} FROM {name} ORDER BY {keys}"  # noqa: S608  names of our own
        with self.db.read() as connection:
            # As the driver gives them: nothing of the rows is looked at here.
            cursor: Any = connection.exec_driver_sql(asked, execution_options={"stream_results": True}).cursor
            while part := cursor.fetchmany(_FETCH):
                # Encoded as one list, less what says how many they are: the rows one after the other.
                digest.update(memoryview(encode(part))[_head(len(part)) :])
        return digest.hexdigest()
