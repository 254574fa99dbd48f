"""Reading evidence: sources and their reconciliation, records and their places, raw bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import and_, func, or_, select, true

from model.event import RecordRef, Reject
from model.evidence import FULL_RECORD, SourceFile
from store.blocks import BlockReader
from store.engine import Database, chunks, marks
from store.errors import NotKept, NotShown, StoreError
from store.rows import NamedSource, RawRow, RecordRow, SourceRow
from store.streams import streamed
from store.tables import EVENT, RECORD, RECORD_ALSO, REJECT, SOURCE, SOURCE_FILE, TASK
from store.text import counted

_SEEN = "id, digest, source_id, line, idx, name, start"


class _Held(NamedTuple):
    """What a record's row says of where it lies and what it is."""

    id: str
    digest: bytes
    source_id: str
    name: str
    line: int
    idx: int
    start: int
    speaks: bool
    copied: bool
    voice: str
    type: str
    at: int | None
    unknown_type: str
    secrets: str

    @property
    def ref(self) -> RecordRef:
        return RecordRef(self.source_id, self.name, self.line, self.idx or None, self.start, bytes(self.digest).hex())


_HELD = ", ".join(_Held._fields)


class RecordReads:
    """What was imported, as it lies in the store."""

    db: Database

    def named_sources(self) -> list[NamedSource]:
        """Every source by name and id, without a look at its records, which counting them takes."""
        with self.db.read() as connection:
            self.db.whole(connection, "sources are reconciled")
            return _named(connection)

    def sources(self, until: int | None = None) -> list[SourceRow]:
        """Every source with its counts, taken from each record's home, by name and id.

        With `until` records that were logged later do not count, and a source that holds nothing else is left out.
        """
        within = true() if until is None else or_(RECORD.c.at.is_(None), RECORD.c.at <= until)
        with self.db.read() as connection:
            self.db.whole(connection, "sources are reconciled")
            accepted: dict[str, list[tuple[str, int, int | None, int | None]]] = {}
            c = RECORD.c
            counted = (
                select(c.source_id, c.unknown_type, func.count(), func.min(c.at), func.max(c.at))
                .where(within)
                .group_by(c.source_id, c.unknown_type)
                .order_by(c.source_id, c.unknown_type)
            )
            for source, *kind in connection.execute(counted):
                accepted.setdefault(source, []).append(tuple(kind))
            duplicate = _counts(connection, RECORD_ALSO)
            rejected = _counts(connection, REJECT)
            rows = _named(connection)
            later = set[str]()
            if until is not None:
                held = connection.execute(select(RECORD.c.source_id).where(RECORD.c.at > until).distinct()).scalars()
                later = set(held) - accepted.keys()
        found = []
        for one in rows:
            if one.id in later:
                continue
            kinds = accepted.get(one.id, [])
            count = sum(kind[1] for kind in kinds)
            twice, bad = duplicate.get(one.id, 0), rejected.get(one.id, 0)
            found.append(
                SourceRow(
                    one.id,
                    one.format,
                    one.name,
                    one.sha256,
                    one.bytes,
                    min((kind[2] for kind in kinds if kind[2] is not None), default=None),
                    max((kind[3] for kind in kinds if kind[3] is not None), default=None),
                    count + twice + bad,
                    count,
                    twice,
                    bad,
                    one.names,
                    {kind[0]: kind[1] for kind in kinds if kind[0]},
                )
            )
        return found

    def silences(self, least: int) -> Iterator[tuple[str, int, int]]:
        """(source, from, to) between one record of a source and the next in time, in that order, where at least so long (microseconds)."""
        c = RECORD.c
        before = func.lag(c.at).over(partition_by=c.source_id, order_by=c.at).label("before")
        timed = select(c.source_id, before, c.at).where(c.at.is_not(None)).subquery()
        wanted = (
            select(timed.c.source_id, timed.c.before, timed.c.at)
            .where(timed.c.at - timed.c.before >= least)
            .order_by(timed.c.source_id, timed.c.at)
        )
        with self.db.read() as connection:
            yield from ((source, start, end) for source, start, end in streamed(connection, wanted))

    def secrets_replaced(self) -> dict[str, dict[str, int]]:
        """By source, how many secrets of each kind were replaced in its records; one that a record holds twice counts once."""
        c = RECORD.c
        wanted = select(c.source_id, c.secrets, func.count()).where(c.secrets != "").group_by(c.source_id, c.secrets)
        found: dict[str, Counter[str]] = {}
        with self.db.read() as connection:
            for source, secrets, records in connection.execute(wanted):
                counts = found.setdefault(source, Counter())
                for kind, count in counted(secrets).items():
                    counts[kind] += count * records
        return {source: dict(sorted(counts.items())) for source, counts in sorted(found.items())}

    def notes(self) -> dict[str, tuple[str, ...]]:
        """By source, what people wrote about how its files were extracted."""
        c = SOURCE_FILE.c
        wanted = select(c.source_id, c.note).where(c.note != "").distinct().order_by(c.source_id, c.note)
        found: dict[str, tuple[str, ...]] = {}
        with self.db.read() as connection:
            for source, note in connection.execute(wanted):
                found[source] = (*found.get(source, ()), note)
        return found

    def known_records(self, ids: Sequence[str]) -> set[str]:
        """Those of these records that are kept already."""
        with self.db.read() as connection:
            wanted = (select(RECORD.c.id).where(RECORD.c.id.in_(part)) for part in chunks(ids))
            return {id for one in wanted for id in connection.execute(one).scalars()}

    def known_tasks(self, ids: Sequence[str]) -> set[str]:
        """Those of these tasks that there are already."""
        with self.db.read() as connection:
            wanted = (select(TASK.c.id).where(TASK.c.id.in_(part)) for part in chunks(ids))
            return {id for one in wanted for id in connection.execute(one).scalars()}

    def custody(self, source_id: str | None = None) -> list[SourceFile]:
        """Every import of every file, oldest first: the only part of a store that tells who imported what when.

        A file whose import was cut short has no `sha256`.
        """
        c = SOURCE_FILE.c
        wanted = select(SOURCE_FILE, SOURCE.c.format).join(SOURCE, SOURCE.c.id == c.source_id).order_by(c.seq)
        if source_id is not None:
            wanted = wanted.where(c.source_id == source_id)
        with self.db.read() as connection:
            return [
                SourceFile(r.source_id, r.format, r.name, r.sha256, r.bytes, r.path, r.by, r.at, r.note)
                for r in connection.execute(wanted)
            ]

    def reject_reasons(self) -> dict[str, dict[str, int]]:
        """By source, how many of its records could not be read for each reason."""
        c = REJECT.c
        wanted = select(c.source_id, c.reason, func.count()).group_by(c.source_id, c.reason).order_by(c.source_id, c.reason)
        found: dict[str, dict[str, int]] = {}
        with self.db.read() as connection:
            for source, reason, count in connection.execute(wanted):
                found.setdefault(source, {})[reason] = int(count)
        return found

    def rejects(self, most: int) -> dict[str, list[Reject]]:
        """What could not be read of each source in its order, the first so many of each."""
        c = REJECT.c
        order = (c.line, c.idx, c.start, c.name, c.digest)
        placed = select(REJECT, func.row_number().over(partition_by=c.source_id, order_by=order).label("place")).subquery()
        wanted = select(placed).where(placed.c.place <= most).order_by(placed.c.source_id, placed.c.place)
        found: dict[str, list[Reject]] = {}
        with self.db.read() as connection:
            for row in connection.execute(wanted):
                found.setdefault(row.source_id, []).append(Reject(row.line, row.idx or None, row.start, row.reason, row.digest))
        return found

    def records(self, ids: Sequence[str]) -> dict[str, RecordRow]:
        """These records by id: the reference that speaks, the other places it was seen, its variants."""
        wanted = sorted(set(ids))
        rows: dict[str, list[_Held]] = {}
        also: dict[tuple[str, bytes], list[RecordRef]] = {}
        with self.db.read() as connection:
            for part in chunks(wanted):
                # By hand, for every task shown or exported asks this: see `Database.fetch`.
                asked = f"SELECT {_HELD} FROM record WHERE id IN ({marks(part)}) ORDER BY id, digest"  # noqa: S608  marks
                for cells in self.db.fetch(connection, asked, part):
                    rows.setdefault(cells[0], []).append(_Held(*cells))
                asked = f"SELECT {_SEEN} FROM record_also WHERE id IN ({marks(part)}) ORDER BY {_SEEN}"  # noqa: S608  marks
                for id, digest, source, line, index, name, start in self.db.fetch(connection, asked, part):
                    place = RecordRef(source, name, line, index or None, start, bytes(digest).hex())
                    also.setdefault((id, bytes(digest)), []).append(place)
        found: dict[str, RecordRow] = {}
        for id, variants in rows.items():
            speaker = next(row for row in variants if row.speaks)
            others = tuple(row.ref for row in variants if not row.speaks)
            found[id] = RecordRow(
                id,
                speaker.ref,
                tuple(also.get((id, bytes(speaker.digest)), ())),
                others,
                speaker.type,
                speaker.at,
                speaker.unknown_type,
                tuple(counted(speaker.secrets)),
                {bytes(row.digest).hex(): (bool(row.copied), row.voice) for row in variants},
            )
        return found

    def record_by_digest(self, prefix: str) -> list[str]:
        """Ids of the records whose digest begins so (hex), at most ten."""
        bounds = _hex_bounds(prefix)
        if bounds is None:
            return []
        c = RECORD.c
        with self.db.read() as connection:
            wanted = select(c.id, c.digest).where(c.digest >= bounds[0], c.digest <= bounds[1]).order_by(c.digest, c.id).limit(10)
            return list(dict.fromkeys(connection.execute(wanted).scalars()))

    def odd_records(self, tasks: Sequence[str] | None = None) -> tuple[set[str], set[str]]:
        """Ids of the records that came with different bytes under one id, copies that call themselves so aside; and of those
        too large to be read in full. Of events of these tasks alone, where they are stated: no other record is looked at then.
        """
        c = RECORD.c
        varied = and_(c.speaks.is_(False), c.copied.is_(False))
        wanted = select(c.id, c.speaks).where(or_(varied, and_(c.speaks, c.length > FULL_RECORD))).distinct()
        theirs = wanted.join_from(EVENT, RECORD, c.id == EVENT.c.record_id)
        found: list[Any] = []
        with self.db.read() as connection:
            if tasks is None:
                found += connection.execute(wanted)
            else:
                for part in chunks(tasks):
                    found += connection.execute(theirs.where(EVENT.c.task_id.in_(part)))
        return {id for id, speaks in found if not speaks}, {id for id, speaks in found if speaks}

    def raw(self, record_id: str, digest: str | None = None) -> bytes:
        """The redacted bytes of a record, of the variant that speaks unless a digest names another; NotKept or StoreError if not there."""
        c = RECORD.c
        which = c.speaks.is_(True) if digest is None else c.digest == bytes.fromhex(digest)
        with self.db.read() as connection:
            row = connection.execute(select(c.block_id, c.block_start, c.length).where(c.id == record_id, which)).first()
            if row is None:
                raise StoreError(f"there is no record {record_id} in this store; list sources and tasks to find it")
            if self.db.divided(connection):
                raise NotShown(
                    "raw records lie in blocks with those of other teams and are shown to those who see every team's tasks"
                )
            return BlockReader(connection).get(row.block_id, row.block_start, row.length)

    def raw_with_secrets(self, part: bytes) -> Iterator[tuple[str, bytes]]:
        """Records in which secrets were replaced and that hold these bytes, with their bytes, as they lie in the store."""
        c = RECORD.c
        wanted = select(c.id, c.block_id, c.block_start, c.length).where(c.secrets != "", c.speaks.is_(True))
        with self.db.read() as connection:
            self.db.whole(connection, "raw records are looked through")
            reader = BlockReader(connection)
            for row in connection.execute(wanted.order_by(c.block_id, c.block_start)).all():
                try:
                    raw = reader.get(row.block_id, row.block_start, row.length)
                except NotKept:
                    continue
                if part in raw:
                    yield row.id, raw

    def raw_records(self, source_id: str) -> Iterator[RawRow]:
        """The records at home in a source whose bytes are kept, in (line, index) order: what re-reading all events starts from."""
        c = RECORD.c
        columns = (c.id, c.digest, c.block_id, c.block_start, c.length, c.line, c.idx, c.start, c.speaks, c.name)
        order = (c.line, c.idx, c.start, c.name, c.id, c.digest)
        wanted = select(*columns).where(c.source_id == source_id).order_by(*order)
        with self.db.read() as connection:
            blocks = BlockReader(connection, keep=16)
            for row in streamed(connection, wanted):
                try:
                    raw = blocks.get(row.block_id, row.block_start, row.length)
                except NotKept:
                    continue
                yield RawRow(row.id, bytes(row.digest).hex(), raw, row.line, row.idx or None, row.start, bool(row.speaks))


def _named(connection: Any) -> list[NamedSource]:
    names: dict[str, tuple[str, ...]] = {}
    f = SOURCE_FILE.c
    for source, name in connection.execute(select(f.source_id, f.name).distinct().order_by(f.source_id, f.name)):
        names[source] = (*names.get(source, ()), name)
    rows = connection.execute(select(SOURCE).order_by(SOURCE.c.name, SOURCE.c.id))
    return [NamedSource(id, format, name, sha256, size, names.get(id, ())) for id, format, name, sha256, size in rows]


def _counts(connection: Any, table: Any) -> dict[str, int]:
    rows = connection.execute(select(table.c.source_id, func.count()).group_by(table.c.source_id))
    return {source: count for source, count in rows}  # noqa: C416  rows are not pairs to a type checker


def _hex_bounds(prefix: str) -> tuple[bytes, bytes] | None:
    if not 6 <= len(prefix) <= 64 or any(char not in "0123456789abcdef" for char in prefix):
        return None
    return bytes.fromhex(prefix.ljust(64, "0")), bytes.fromhex(prefix.ljust(64, "f"))
