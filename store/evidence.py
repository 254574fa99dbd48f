"""Writing evidence: records, their bytes and events, each exactly once, so that the order of imports leaves no trace."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, and_, delete, func, or_, select, update

from model.event import Event, Reject
from model.evidence import BatchCount, NewRecord, SourceFile
from store.blocks import BlockWriter
from store.codec import pack
from store.engine import Database, chunks
from store.eventrows import EventWriter
from store.tables import EVENT, RECORD, RECORD_ALSO, REJECT, SOURCE, SOURCE_FILE
from store.text import PATH_BYTES, clean, instant, tally

Place = tuple[str, int, int, str, int]
"""Source, line, index (0 outside arrays), name, offset: places compare, and a record's home is its smallest."""


class _Row:
    """A record row while its batch is being added."""

    __slots__ = ("changed", "copied", "digest", "events", "id", "place", "speaks")

    def __init__(self, id: str, digest: bytes, place: Place, speaks: bool, events: list[str], copied: bool) -> None:
        self.id = id
        self.digest = digest
        self.copied = copied
        self.place = place
        self.speaks = speaks
        self.events = events
        self.changed = False


class Evidence:
    """The import's half of a store."""

    db: Database

    def together(self) -> AbstractContextManager[None]:
        """Join the writes of several small files into one transaction."""
        return self.db.together()

    def begin_source(self, file: SourceFile) -> None:
        """Open custody of one file: who imports it, when, from where. Its source exists from now on."""
        with self.db.write() as connection:
            _source(self.db, connection, file, complete=False)

    def end_source(self, file: SourceFile) -> None:
        """Close custody: the file was read to its end, `sha256` and `bytes` are of the whole of it."""
        with self.db.write() as connection:
            _source(self.db, connection, file, complete=True)

    def add(self, batch: Sequence[NewRecord]) -> BatchCount:
        """Store records with their events in one transaction; what is known already is counted as duplicate.

        Records of one id and several digests are all kept; the events are those of the smallest digest as read at
        its smallest place, copies last, whatever came first.
        """
        if not batch:
            return BatchCount()
        with self.db.write() as connection:
            return _Addition(self.db, connection, batch).run()

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
            if _same_events(connection, ids, events):
                return
            writer.remove(ids)
            writer.add(record_id, events)
            writer.flush()
            connection.execute(
                update(RECORD)
                .where(RECORD.c.id == record_id, RECORD.c.digest == held.digest)
                .values(events=" ".join(event.id for event in events))
            )


class _Addition:
    """One batch on its way in."""

    def __init__(self, db: Database, connection: Connection, batch: Sequence[NewRecord]) -> None:
        self.db = db
        self.connection = connection
        self.batch = batch
        self.rows = _known(connection, sorted({record.id for record in batch}))
        self.also: set[tuple[Any, ...]] = set()
        self.new: list[tuple[_Row, NewRecord]] = []
        self.fresh: dict[str, NewRecord] = {}
        self.reread: dict[str, NewRecord] = {}
        self.removed: list[str] = []
        self.count = BatchCount()

    def run(self) -> BatchCount:
        for record in self.batch:
            self._one(record)
        self._settle_reread()
        writer = EventWriter(self.db, self.connection)
        writer.remove(self.removed)
        for record_id, record in self.fresh.items():
            writer.add(record_id, record.events)
            self.count.events += len(record.events)
        writer.flush()
        self.count.events = max(0, self.count.events - len(self.removed))
        self._write_rows()
        return self.count

    def _one(self, record: NewRecord) -> None:
        digest = bytes.fromhex(record.digest)
        place: Place = (record.source, record.line, record.index or 0, clean(record.name, PATH_BYTES), record.offset)
        variants = self.rows.get(record.id)
        row = variants.get(digest) if variants else None
        if row is not None:
            self.count.duplicate += 1
            self._seen_again(row, place, record)
            return
        self.count.accepted += 1
        speaker = next((v for v in variants.values() if v.speaks), None) if variants else None
        speaks = speaker is None or (record.copied, digest) < (speaker.copied, speaker.digest)
        row = _Row(record.id, digest, place, speaks, [], record.copied)
        if speaker is not None and row.speaks:
            speaker.speaks = False
            speaker.changed = True
            self._drop_events(speaker)
        if row.speaks:
            self.fresh[record.id] = record
        self.rows.setdefault(record.id, {})[digest] = row
        self.new.append((row, record))

    def _seen_again(self, row: _Row, place: Place, record: NewRecord) -> None:
        if place == row.place:
            return
        if place > row.place:
            self.also.add((row.id, row.digest, *place))
            return
        self.also.add((row.id, row.digest, *row.place))
        row.place = place
        row.changed = True
        if not row.speaks:
            return
        if record.id in self.fresh:
            self.fresh[record.id] = record
        else:
            self.reread[record.id] = record

    def _drop_events(self, row: _Row) -> None:
        self.removed += row.events
        row.events = []
        self.reread.pop(row.id, None)

    def _settle_reread(self) -> None:
        """A record that moved to a smaller home takes the events read there, where they differ (their order, say)."""
        for record_id, record in self.reread.items():
            row = self.rows[record_id][bytes.fromhex(record.digest)]
            if not _same_events(self.connection, row.events, record.events):
                self.removed += row.events
                row.changed = True
                self.fresh[record_id] = record

    def _write_rows(self) -> None:
        for record_id, record in self.fresh.items():
            self.rows[record_id][bytes.fromhex(record.digest)].events = [event.id for event in record.events]
        blocks = BlockWriter(self.db, self.connection)
        lines = []
        for row, record in self.new:
            block, start = blocks.put(record.raw)
            source, line, index, name, offset = row.place
            lines.append(
                (
                    row.id,
                    row.digest,
                    source,
                    name,
                    line,
                    index,
                    offset,
                    len(record.raw),
                    block,
                    start,
                    instant(record.at),
                    clean(record.type),
                    clean(record.unknown_type),
                    tally(record.secrets),
                    row.speaks,
                    " ".join(row.events),
                    row.copied,
                )
            )
            row.changed = False
        blocks.close()
        self.db.insert(self.connection, RECORD, lines)
        for variants in self.rows.values():
            for row in variants.values():
                if row.changed:
                    self._update(row)
        self.db.insert(self.connection, RECORD_ALSO, sorted(self.also), ignore=True)

    def _update(self, row: _Row) -> None:
        source, line, index, name, offset = row.place
        self.connection.execute(
            update(RECORD)
            .where(RECORD.c.id == row.id, RECORD.c.digest == row.digest)
            .values(
                source_id=source,
                line=line,
                idx=index,
                name=name,
                start=offset,
                speaks=row.speaks,
                events=" ".join(row.events),
            )
        )


def _known(connection: Connection, ids: Sequence[str]) -> dict[str, dict[bytes, _Row]]:
    c = RECORD.c
    wanted = select(c.id, c.digest, c.source_id, c.line, c.idx, c.name, c.start, c.speaks, c.events, c.copied)
    found: dict[str, dict[bytes, _Row]] = {}
    for part in chunks(ids):
        for id, digest, source, line, index, name, start, speaks, events, copied in connection.execute(
            wanted.where(c.id.in_(part))
        ):
            row = _Row(id, bytes(digest), (source, line, index, name, start), bool(speaks), events.split(), bool(copied))
            found.setdefault(id, {})[row.digest] = row
    return found


def _same_events(connection: Connection, ids: Sequence[str], events: Sequence[Event]) -> bool:
    if list(ids) != [event.id for event in events]:
        return False
    held = {id: bytes(body) for id, body in connection.execute(select(EVENT.c.id, EVENT.c.body).where(EVENT.c.id.in_(ids)))}
    return all(held.get(event.id) == pack(event) for event in events)


def _source(db: Database, connection: Connection, file: SourceFile, *, complete: bool) -> None:
    """A source is called by the smallest name it came under, and has the digest and size of its largest file."""
    name = clean(file.name, PATH_BYTES)
    source_id = clean(file.id)
    held = connection.execute(select(SOURCE).where(SOURCE.c.id == source_id)).first()
    size = (file.bytes, file.sha256) if complete else (0, "")
    if held is None:
        db.insert(connection, SOURCE, [(source_id, clean(file.format), name, size[1], size[0])])
    else:
        best = min((held.name, name), key=lambda text: (len(text), text))
        largest = max((held.bytes, held.sha256), size)
        connection.execute(update(SOURCE).where(SOURCE.c.id == source_id).values(name=best, bytes=largest[0], sha256=largest[1]))
    c = SOURCE_FILE.c
    if complete:
        begun = connection.execute(
            select(func.max(c.seq)).where(
                c.source_id == source_id, c.name == name, c.path == clean(file.path, 4_096), c.complete.is_(False)
            )
        ).scalar()
        if begun is not None:
            done = {"sha256": file.sha256, "bytes": file.bytes, "complete": True}
            connection.execute(update(SOURCE_FILE).where(c.seq == begun).values(**done))
            return
    seq = (connection.execute(select(func.max(c.seq))).scalar() or 0) + 1
    custody = (clean(file.path, 4_096), file.sha256, file.bytes, file.at, clean(file.by), clean(file.note, 4_096), complete)
    db.insert(connection, SOURCE_FILE, [(seq, source_id, name, *custody)])
