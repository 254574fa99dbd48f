"""A cleaned source as batches of records: decoded, read by their format, their events named. No store is needed for it.

Events still lack what `chains.enrich` adds: whoever stores them does that, so that a second process reading for him does
no more than its half of the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from importers.base import Reader, reader_of
from importers.bookmark import memory, stamp_of
from importers.cutting.scanner import Restart
from importers.reading import read_record
from lang.redact import Redactor
from model.event import BadRecord, Parsed, Reject, short_id
from model.event import digest as digest_of
from model.evidence import Bookmark, NewRecord
from review.intake.cleaning import Clean, Cleaned
from review.intake.preparing import named_events

RECORDS = 1_000
BYTES = 2 << 20
"""A batch is full with this many records or this many bytes of them: memory is bounded however long records are."""

TYPES_TOLD, FURTHER_TYPES = 1_000, "further types"

Ordinal = Callable[[str, Callable[[int], str]], int]
"""How often bytes of this digest were met in the part of the file that was read earlier; the function gives the ids to try."""


class Tally(msgspec.Struct):
    """What is told of a file besides its records: how many were read and rejected, their times, types and secrets."""

    read: int = 0
    rejected: int = 0
    first: int | None = None
    last: int | None = None
    unknown_types: dict[str, int] = msgspec.field(default_factory=dict)
    secrets: dict[str, int] = msgspec.field(default_factory=dict)

    def misses(self, kind: str) -> None:
        """Count a record of a type that nobody knows. Where each record has a type of its own, the first are told apart."""
        known = kind in self.unknown_types or len(self.unknown_types) < TYPES_TOLD
        kind = kind if known else FURTHER_TYPES
        self.unknown_types[kind] = self.unknown_types.get(kind, 0) + 1

    def see(self, at: int | None) -> None:
        if at is not None:
            self.first = at if self.first is None else min(self.first, at)
            self.last = at if self.last is None else max(self.last, at)


class Ending(msgspec.Struct):
    """What is known once a file was read to its end; `mark` is where more would be read on, None: from the beginning."""

    sha256: str
    bytes: int
    noise_lines: int
    tally: Tally
    mark: Bookmark | None


class Batch(msgspec.Struct):
    """Some records and rejects in the order of the source; `source` is "" until a record has named it, the last has an `end`."""

    source: str
    read: int
    records: list[NewRecord]
    rejects: list[Reject]
    end: Ending | None = None


class Feed:
    """One source on its way, which lies at a `place` (`importers.base.reader_of`). `source_id`, `tally` and `ordinal` are given where it is read on from a bookmark."""

    def __init__(
        self,
        source: Cleaned,
        name: str,
        redactor: Redactor,
        place: str = "",
        reader: Reader | None = None,
        source_id: str = "",
        tally: Tally | None = None,
        ordinal: Ordinal | None = None,
    ) -> None:
        self.source = source
        self.name = name
        self.redactor = redactor
        self.reader = reader or reader_of(source.importer, place)
        self.id = source_id
        self.tally = tally or Tally()
        self._format = source.importer.id
        self._ordinal = ordinal
        self._ordinals: dict[tuple[str, str], int] = {}
        self._records: list[NewRecord] = []
        self._rejects: list[Reject] = []
        self._bytes = 0

    def batches(self) -> Iterator[Batch]:
        """Everything, once."""
        mark: Bookmark | None = None
        noted = False
        for item in self.source.items():
            if item.open is not None:
                # The last line may still be growing: it is read again the next time.
                mark, noted = self._mark(item.open), True
            order = self.tally.read
            self.tally.read += 1
            if item.record is not None:
                self._record(item.record, order)
            elif item.reject is not None:
                self._reject(item.reject)
            if len(self._records) + len(self._rejects) >= RECORDS or self._bytes >= BYTES:
                yield self._batch()
        end = self.source.end()
        if not noted and end.place is not None:
            mark = self._mark(end.place)
        last = self._batch()
        if mark is not None:
            mark.size, mark.sha256 = end.bytes, end.sha256
        last.end = Ending(end.sha256, end.bytes, end.noise_lines, self.tally, mark)
        yield last

    def _batch(self) -> Batch:
        made = Batch(self.id, self.tally.read, self._records, self._rejects)
        self._records, self._rejects, self._bytes = [], [], 0
        return made

    def _record(self, clean: Clean, order: int) -> None:
        data, digest, secrets = clean.data, clean.digest, clean.secrets
        try:
            parsed = read_record(self.reader, data)
        except BadRecord as error:
            self._reject(Reject(clean.line, clean.index, clean.offset, self.redactor.redact_text(str(error)), digest))
            return
        identity = self._identity(parsed, digest)
        if not self.id:
            self.id = short_id("src", self._format, identity)
        events = named_events(parsed, secrets, identity, self._format, order, self.redactor)
        tally = self.tally
        for secret in secrets:
            tally.secrets[secret.kind] = tally.secrets.get(secret.kind, 0) + 1
        tally.see(parsed.at)
        if kind := parsed.unknown_type:
            tally.misses(kind)
        self._bytes += len(data)
        self._records.append(
            NewRecord(
                id=identity,
                digest=digest,
                source=self.id,
                name=self.name,
                line=clean.line,
                offset=clean.offset,
                raw=data,
                index=clean.index,
                at=parsed.at,
                type=parsed.type,
                unknown_type=parsed.unknown_type or "",
                secrets=tuple(s.kind for s in secrets),
                events=events,
                copied=parsed.copied,
                voice=digest_of(parsed.voice)[:12] if parsed.voice else "",
            )
        )

    def _identity(self, parsed: Parsed, digest: str) -> str:
        """A record is its format's own id; where there is none, its bytes and their ordinal among equal ones of this file."""
        if parsed.identity is not None:
            return short_id("rec", self._format, parsed.scope, parsed.identity)

        def named(n: int) -> str:
            return short_id("rec", self._format, parsed.scope, digest, str(n))

        count = self._ordinals.get((parsed.scope, digest))
        if count is None:
            count = self._ordinal(digest, named) if self._ordinal else 0
        self._ordinals[parsed.scope, digest] = count + 1
        return named(count)

    def _reject(self, reject: Reject) -> None:
        self.tally.rejected += 1
        self._rejects.append(reject)

    def _mark(self, at: Restart) -> Bookmark | None:
        """The place before the next item, None where what is known there cannot be kept; size and digest come at the end."""
        importer, tally = self.source.importer, self.tally
        kept = memory(importer, self.reader)
        if kept is None or not self.id:
            return None
        return Bookmark(
            stamp_of(importer),
            self.id,
            0,
            "",
            at.offset,
            at.line,
            at.cutter,
            kept,
            tally.read,
            tally.rejected,
            tally.first,
            tally.last,
            dict(tally.unknown_types),
            dict(tally.secrets),
        )
