"""Evidence on its way into the store: records with their events, gathered and written in a few statements.

What a file costs beside its records is paid once for all the files of a joined transaction: where sessions are short it is most of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from model.event import Event
from model.evidence import BatchCount, NewRecord
from store.blocks import BlockWriter
from store.codec import pack
from store.custody import Custody
from store.engine import Database, chunks, marks
from store.eventrows import EventWriter
from store.tables import EVENT, RECORD, RECORD_ALSO
from store.text import PATH_BYTES, clean, instant, tally

Place = tuple[str, int, int, str, int]
"""Source, line, index (0 outside arrays), name, offset: places compare, and a record's home is its smallest."""


class _Row:
    """A record row while it is being added."""

    __slots__ = ("changed", "copied", "digest", "events", "id", "place", "speaks", "voice")

    def __init__(self, id: str, digest: bytes, place: Place, speaks: bool, events: list[str], copied: bool, voice: str) -> None:
        self.id = id
        self.digest = digest
        self.copied = copied
        self.voice = voice
        self.place = place
        self.speaks = speaks
        self.events = events
        self.changed = False

    @property
    def rank(self) -> tuple[bool, str, bytes]:
        """Of all under one id the smallest speaks."""
        return self.copied, self.voice, self.digest

    def give_way(self, speaker: _Row) -> None:
        """Let another speak: what a voice that is not heard tells is a copy, and no second version."""
        copied = self.copied or self.voice != speaker.voice
        # Of thousands of voices each new one may be the smallest: the others have mostly given way before.
        self.changed = self.changed or self.speaks or copied != self.copied
        self.speaks, self.copied = False, copied


class Addition:
    """What the batches of one transaction bring; `write` puts it in.

    Nothing of it stands in the store before, so each batch is held against the store and against those before it.
    """

    def __init__(self, db: Database, connection: Connection) -> None:
        self.db = db
        self.connection = connection
        self.custody = Custody(db, connection)
        self.bytes = 0
        self._rows: dict[str, dict[bytes, _Row]] = {}
        self._also: set[tuple[Any, ...]] = set()
        self._new: list[list[tuple[_Row, NewRecord]]] = []
        self._fresh: dict[str, NewRecord] = {}
        self._reread: dict[str, NewRecord] = {}
        self._removed: list[str] = []
        self._varied: set[str] = set()

    def add(self, batch: Sequence[NewRecord]) -> BatchCount:
        """Take records with their events; what is known already is counted as duplicate."""
        self._rows |= _known(self.db, self.connection, sorted({record.id for record in batch} - self._rows.keys()))
        count = BatchCount()
        new: list[tuple[_Row, NewRecord]] = []
        before = self._events()
        for record in batch:
            self._one(record, count, new)
        self._settle_reread()
        self._new.append(new)
        self.bytes += sum(len(record.raw) for _, record in new)
        count.events = max(0, self._events() - before)
        return count

    def _events(self) -> int:
        """How many events there will be more."""
        return sum(len(record.events) for record in self._fresh.values()) - len(self._removed)

    def _one(self, record: NewRecord, count: BatchCount, new: list[tuple[_Row, NewRecord]]) -> None:
        digest = bytes.fromhex(record.digest)
        place: Place = (record.source, record.line, record.index or 0, clean(record.name, PATH_BYTES), record.offset)
        variants = self._rows.get(record.id)
        row = variants.get(digest) if variants else None
        if row is not None:
            count.duplicate += 1
            self._seen_again(row, place, record)
            return
        count.accepted += 1
        speaker = next((v for v in variants.values() if v.speaks), None) if variants else None
        row = _Row(record.id, digest, place, True, [], record.copied, record.voice)
        if speaker is not None and row.rank < speaker.rank:
            for other in variants.values() if variants else ():
                other.give_way(row)
            self._drop_events(speaker)
        elif speaker is not None:
            row.give_way(speaker)
            if not row.copied:
                self._varied.update(speaker.events)
        if row.speaks:
            self._fresh[record.id] = record
        self._rows.setdefault(record.id, {})[digest] = row
        new.append((row, record))

    def _seen_again(self, row: _Row, place: Place, record: NewRecord) -> None:
        if place == row.place:
            return
        if place > row.place:
            self._also.add((row.id, row.digest, *place))
            return
        self._also.add((row.id, row.digest, *row.place))
        row.place = place
        row.changed = True
        if not row.speaks:
            return
        if record.id in self._fresh:
            self._fresh[record.id] = record
        else:
            self._reread[record.id] = record

    def _drop_events(self, row: _Row) -> None:
        self._removed += row.events
        row.events = []
        self._reread.pop(row.id, None)

    def _settle_reread(self) -> None:
        """A record that moved to a smaller home takes the events read there, where they differ (their order, say)."""
        for record_id, record in self._reread.items():
            row = self._rows[record_id][bytes.fromhex(record.digest)]
            if not same_events(self.connection, row.events, record.events):
                self._removed += row.events
                row.events = []
                row.changed = True
                self._fresh[record_id] = record
        self._reread = {}

    def write(self) -> None:
        """Put everything in."""
        self.custody.write()
        if not self._rows:
            return
        writer = EventWriter(self.db, self.connection)
        writer.remove(self._removed)
        writer.touch(sorted(self._varied))
        for record_id, record in self._fresh.items():
            writer.add(record_id, record.events)
            self._rows[record_id][bytes.fromhex(record.digest)].events = [event.id for event in record.events]
        writer.flush()
        self._write_rows()

    def _write_rows(self) -> None:
        blocks = BlockWriter(self.db, self.connection)
        lines = []
        for batch in self._new:
            for row, record in batch:
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
                        row.voice,
                    )
                )
                row.changed = False
            # What is old enough goes block by block: batches of different files share none.
            blocks.seal()
        blocks.close()
        self.db.insert(self.connection, RECORD, lines)
        for variants in self._rows.values():
            for row in variants.values():
                if row.changed:
                    self._update(row)
        self.db.insert(self.connection, RECORD_ALSO, sorted(self._also), ignore=True)

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
                copied=row.copied,
            )
        )


_ROW = "id, digest, source_id, line, idx, name, start, speaks, events, copied, voice"


def _known(db: Database, connection: Connection, ids: Sequence[str]) -> dict[str, dict[bytes, _Row]]:
    found: dict[str, dict[bytes, _Row]] = {}
    for part in chunks(ids):
        # By hand, for every file asks this: see `Database.fetch`.
        asked = f"SELECT {_ROW} FROM record WHERE id IN ({marks(part)})"  # noqa: S608  marks
        for id, digest, source, line, index, name, start, speaks, events, copied, voice in db.fetch(connection, asked, part):
            row = _Row(id, bytes(digest), (source, line, index, name, start), bool(speaks), events.split(), bool(copied), voice)
            found.setdefault(id, {})[row.digest] = row
    return found


def same_events(connection: Connection, ids: Sequence[str], events: Sequence[Event]) -> bool:
    """Whether the store's events of these ids are just these, in this order."""
    if list(ids) != [event.id for event in events]:
        return False
    held = {id: bytes(body) for id, body in connection.execute(select(EVENT.c.id, EVENT.c.body).where(EVENT.c.id.in_(ids)))}
    return all(held.get(event.id) == pack(event) for event in events)
