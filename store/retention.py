"""How long raw bytes are kept: a block goes when the last of its records is old enough, and leaves a tombstone behind.

What is let go is the bytes alone. A record keeps its row with its digest, its place and its time, so the same record is known
when it comes again; a block keeps its digest, so that a pack made before is still held against all that there was.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, delete, func, select
from sqlalchemy.exc import DBAPIError

from model.words import VerdictWord
from store.advice import NOT_AVAILABLE
from store.engine import BUSY_SECONDS, chunks
from store.errors import StoreError
from store.journals import Journals
from store.tables import BLOCK, DROPPED_BLOCK, RECORD, SOURCE_FILE, TASK
from store.text import clean

_PATIENCE = "500ms"
"""How long the tables of whole months are waited for."""


class Retained(msgspec.Struct):
    """What is, or would be, let go: blocks and their records, from when to when (microseconds), their bytes in the store and unpacked.

    `held` counts the blocks that are old enough and stay, because something still needs one of their records.
    """

    blocks: int = 0
    records: int = 0
    stored: int = 0
    bytes: int = 0
    first: int | None = None
    last: int | None = None
    held: int = 0
    by_source: dict[str, int] = {}


class Retention(Journals):
    """Letting raw bytes go."""

    def dropped(self, until: int | None = None) -> Retained:
        """What was let go so far, or up to a moment."""
        c = DROPPED_BLOCK.c
        sums = select(func.count(), func.sum(c.records), func.sum(c.size), func.min(c.first), func.max(c.last))
        if until is not None:
            sums = sums.where(c.at <= until)
        with self.db.read() as connection:
            blocks, records, size, first, last = connection.execute(sums).one()
        return Retained(int(blocks), int(records or 0), 0, int(size or 0), first, last)

    def not_kept(self, ids: Sequence[str]) -> int:
        """How many of these records are known of which the bytes are no longer kept."""
        c = RECORD.c
        found = 0
        with self.db.read() as connection:
            if connection.execute(select(DROPPED_BLOCK.c.id).limit(1)).first() is None:
                return 0
            for part in chunks(ids):
                wanted = select(func.count()).select_from(RECORD).join(DROPPED_BLOCK, DROPPED_BLOCK.c.id == c.block_id)
                found += connection.execute(wanted.where(c.id.in_(part), c.speaks)).scalar_one()
        return found

    def not_kept_in(self, source: str) -> int:
        """How many of the records that have their home in a source have bytes that are no longer kept."""
        c = RECORD.c
        wanted = select(func.count()).select_from(RECORD).join(DROPPED_BLOCK, DROPPED_BLOCK.c.id == c.block_id)
        with self.db.read() as connection:
            if connection.execute(select(DROPPED_BLOCK.c.id).limit(1)).first() is None:
                return 0
            return int(connection.execute(wanted.where(c.source_id == source)).scalar_one())

    def secrets_not_kept(self) -> int:
        """How many records in which secrets were replaced have bytes that are no longer kept."""
        c = RECORD.c
        wanted = select(func.count()).select_from(RECORD).join(DROPPED_BLOCK, DROPPED_BLOCK.c.id == c.block_id)
        with self.db.read() as connection:
            return int(connection.execute(wanted.where(c.secrets != "", c.speaks)).scalar_one())

    def not_kept_by_source(self) -> dict[str, int]:
        """By source, how many of its records have bytes that are no longer kept; sources of which all is kept are left out."""
        c = RECORD.c
        wanted = select(c.source_id, func.count()).join(DROPPED_BLOCK, DROPPED_BLOCK.c.id == c.block_id).group_by(c.source_id)
        with self.db.read() as connection:
            if connection.execute(select(DROPPED_BLOCK.c.id).limit(1)).first() is None:
                return {}
            return {str(source): int(count) for source, count in connection.execute(wanted)}

    def retention(self, before: int, held: Sequence[str] = (), sources: Sequence[str] = ()) -> Retained:
        """What would be let go at a moment, were the records `held` and all of these sources kept."""
        with self.db.read() as connection:
            return self._old(connection, before, held, sources)[0]

    def retain(self, before: int, held: Sequence[str], sources: Sequence[str], by: str, told: dict[str, Any]) -> Retained:
        """Let the raw bytes go of which every record is older than a moment; the review journal tells of it with `told`.

        An undated record is as old as the last dated one of its source, else as the source's last import. Raises StoreError where there is nothing to let go.
        """
        with self.db.write() as connection:
            found, blocks = self._old(connection, before, held, sources)
            if not blocks:
                raise StoreError("there is nothing to let go: no block of raw records is old enough throughout")
            now, who = time.time_ns() // 1_000, self._role(connection) or clean(by)
            for part in chunks(blocks):
                stones = [
                    (id, size, digest, records, first, last, before, now, who)
                    for id, records, first, last, size, _, digest in part
                ]
                self.db.insert(connection, DROPPED_BLOCK, stones)
            if not self.db.sqlite:
                self._drop_months(connection)
            for part in chunks([block for block, *_ in blocks]):
                connection.execute(delete(BLOCK).where(BLOCK.c.id.in_(part)))
            counts = {"blocks": found.blocks, "records": found.records, "held": found.held, "before": before}
            self._note(connection, by, "retain", {**told, **counts}, now)
            return found

    def escalated(self) -> list[str]:
        """Tasks whose verdict is *escalate*, also where it was given under a name they have outgrown."""
        with self.db.read() as connection:
            wanted = select(TASK.c.id).where(TASK.c.verdict == VerdictWord.ESCALATE.value).order_by(TASK.c.id)
            return [str(id) for id in connection.execute(wanted).scalars()]

    def _drop_months(self, connection: Connection) -> None:
        """Drop what goes as a whole as tables, unless somebody reads blocks for long: whoever reads next would wait behind the drop,
        and importers behind that. Its rows are then deleted like others, and its empty table goes another time."""
        try:
            with connection.begin_nested():
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
                connection.exec_driver_sql("SELECT remit_drop_blocks()")
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", "") != NOT_AVAILABLE:
                raise

    def _old(
        self, connection: Any, before: int, held: Sequence[str], sources: Sequence[str]
    ) -> tuple[Retained, list[tuple[Any, ...]]]:
        old = {row.block_id: row for row in connection.execute(_blocks(before))}
        r = RECORD.c
        kept: set[int] = set()
        for column, names in ((r.id, held), (r.source_id, sources)):
            for part in chunks(names):
                kept |= set(connection.execute(select(r.block_id).where(column.in_(part)).distinct()).scalars()) & old.keys()
        found = Retained(held=len(kept))
        going = sorted(tuple(row) for block, row in old.items() if block not in kept)
        for _, records, first, last, size, stored, _ in going:
            found.blocks += 1
            found.records += records
            found.bytes += size
            found.stored += stored
            found.first = min((one for one in (found.first, first) if one is not None), default=None)
            found.last = max((one for one in (found.last, last) if one is not None), default=None)
        # One pass over all records: asked for some blocks at a time, each time would be one.
        goes = {block for block, *_ in going}
        by_source: dict[str, int] = {}
        for block, source, count in connection.execute(
            select(r.block_id, r.source_id, func.count()).group_by(r.block_id, r.source_id)
        ):
            if block in goes:
                by_source[source] = by_source.get(source, 0) + count
        found.by_source = dict(sorted(by_source.items()))
        return found, going


def _blocks(before: int) -> Select[Any]:
    """The blocks kept of which every record is older: number, records, first and last time, bytes unpacked and as they lie, digest."""
    r, f = RECORD.c, SOURCE_FILE.c
    imported = select(f.source_id, func.max(f.at).label("at")).group_by(f.source_id).subquery()
    logged = select(r.source_id, func.max(r.at).label("at")).group_by(r.source_id).subquery()
    newest = func.max(func.coalesce(r.at, logged.c.at, imported.c.at, before))
    by_block = (
        select(r.block_id, func.count().label("records"), func.min(r.at).label("first"), func.max(r.at).label("last"))
        .select_from(RECORD)
        .outerjoin(logged, logged.c.source_id == r.source_id)
        .outerjoin(imported, imported.c.source_id == r.source_id)
        .group_by(r.block_id)
        .having(newest < before)
        .subquery()
    )
    b = BLOCK.c
    return select(by_block, b.size, func.length(b.data).label("stored"), b.digest).join(BLOCK, b.id == by_block.c.block_id)
