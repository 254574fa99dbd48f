"""Writing evidence: records, their bytes and events, each exactly once, so that the order of imports leaves no trace."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import and_, delete, or_, select, update

from model.event import Event, Reject
from model.evidence import BatchCount, NewRecord, SourceFile
from store.addition import Addition, same_events
from store.engine import Database
from store.eventrows import EventWriter
from store.tables import RECORD, RECORD_ALSO, REJECT
from store.text import PATH_BYTES, clean

LARGE = 4 << 20
"""Bytes of records that are gathered at most before they are written."""


class Evidence:
    """The import's half of a store."""

    db: Database

    def together(self) -> AbstractContextManager[None]:
        """Join the writes of several small files into one transaction."""
        return self.db.together()

    def begin_source(self, file: SourceFile) -> None:
        """Open custody of one file: who imports it, when, from where. Its source exists from now on."""
        with self.db.gathering(Addition) as added:
            added.custody.begin(file)

    def end_source(self, file: SourceFile) -> None:
        """Close custody: the file was read to its end, `sha256` and `bytes` are of the whole of it."""
        with self.db.gathering(Addition) as added:
            added.custody.end(file)

    def add(self, batch: Sequence[NewRecord]) -> BatchCount:
        """Store records with their events; what is known already is counted as duplicate.

        Records of one id and several digests are all kept; the events are those of the smallest digest as read at
        its smallest place, copies last, whatever came first.
        """
        if not batch:
            return BatchCount()
        with self.db.gathering(Addition) as added:
            counted = added.add(batch)
            large = added.bytes > LARGE
        if large:
            self.db.settle()
        return counted

    def reject(self, source: SourceFile, rejects: Sequence[Reject]) -> int:
        """Keep what could not be read, and why; the number not known before."""
        rows = {
            (
                clean(source.id),
                reject.line,
                reject.index or 0,
                reject.offset,
                clean(source.name, PATH_BYTES),
                clean(reject.digest),
                clean(reject.reason, 1_000),
            )
            for reject in rejects
        }
        with self.db.write() as connection:
            return self.db.insert(connection, REJECT, sorted(rows), ignore=True)

    def settle_rejects(self, source: SourceFile, reasons: Collection[str]) -> None:
        """Forget what was rejected for these reasons at places of a file where a whole record stands by now."""
        with self.db.gathering(Addition) as added:
            if added.custody.begun_here(source.id):
                return
        c, name, id = REJECT.c, clean(source.name, PATH_BYTES), clean(source.id)
        whole = [select(t.c.start).where(t.c.source_id == id, t.c.name == name).scalar_subquery() for t in (RECORD, RECORD_ALSO)]
        here = and_(c.source_id == id, c.name == name, c.reason.in_(sorted(reasons)))
        with self.db.write() as connection:
            if connection.execute(select(c.start).where(here).limit(1)).first() is not None:
                connection.execute(delete(REJECT).where(here, or_(*(c.start.in_(one) for one in whole))))

    def replace_events(self, record_id: str, events: Sequence[Event]) -> None:
        """Put a record's events in place of those it had, after its bytes were read anew; equal ones change nothing."""
        with self.db.write() as connection:
            held = connection.execute(
                select(RECORD.c.digest, RECORD.c.events).where(RECORD.c.id == record_id, RECORD.c.speaks)
            ).first()
            if held is None:
                return
            writer = EventWriter(self.db, connection)
            ids = held.events.split()
            if same_events(connection, ids, events):
                return
            writer.remove(ids)
            writer.add(record_id, events)
            writer.flush()
            connection.execute(
                update(RECORD)
                .where(RECORD.c.id == record_id, RECORD.c.digest == held.digest)
                .values(events=" ".join(event.id for event in events))
            )
