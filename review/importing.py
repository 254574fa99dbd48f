"""Import: files to records to events, redacted before anything is stored, reconciled to the last record."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path
from types import TracebackType

from importers import NotRecognised, OpenSource, open_source
from importers.base import Importer, Reader, importers
from importers.reading import read_record
from lang.redact import Redactor
from model.event import BadRecord, Parsed, RawRecord, Reject, short_id
from model.evidence import Bookmark, NewRecord, SourceFile
from review.collecting import fewer_collections
from review.errors import RemitError
from review.imported import FileReport, ImportReport
from review.preparing import prepare_events
from review.resuming import Place, ordinal
from review.walking import Found, Missing, walk
from review.workspace import Workspace, whoami
from store import Store, StoreError

BATCH = 500
MAPPING_BYTES = 1 << 20

Format = str | Importer | None
"""The id of a format, a format itself, or None to recognise it."""

Progress = Callable[[str, int, int], None]
"""Called now and then with the file's name, records read so far and files done."""


def mapping_from(path: str) -> Importer:
    """The format that a user's mapping file describes; raises RemitError with the place of what is wrong in it."""
    from importers.mapping_file import YamlError, read_mapping

    try:
        with Path(path).open("rb") as stream:
            found = read_mapping(stream.read(MAPPING_BYTES).decode())
    except (OSError, UnicodeDecodeError, YamlError) as error:
        raise RemitError(f"mapping {path}: {getattr(error, 'strerror', None) or error}") from error
    if found.id in importers():
        raise RemitError(f"mapping {path}: {found.id!r} is a format of this installation already; choose another id")
    return found


def import_logs(
    work: Workspace,
    arguments: list[str],
    *,
    format: Format = None,
    as_name: str | None = None,
    note: str = "",
    progress: Progress | None = None,
) -> ImportReport:
    """Import every file the arguments lead to; what is bad is reported and everything else is stored.

    Interrupting keeps all that was committed; a rerun completes it. Chains are built by `review.building.build`.
    """
    if isinstance(format, str) and format not in importers():
        raise RemitError(f"unknown format {format!r}; known: {', '.join(importers())}")
    started = time.monotonic()
    report = ImportReport()
    redactor = work.redactor
    # A command line pasted into a note may hold what the log itself had replaced.
    note = redactor.redact_text(note)
    with fewer_collections(), _Joined(work.store) as joined:
        _import_each(work, arguments, as_name, format, note, progress, redactor, report, joined)
    report.seconds = time.monotonic() - started
    return report


def _import_each(
    work: Workspace,
    arguments: list[str],
    as_name: str | None,
    format: Format,
    note: str,
    progress: Progress | None,
    redactor: Redactor,
    report: ImportReport,
    joined: _Joined,
) -> None:
    for done, found in enumerate(walk(arguments, as_name)):
        if isinstance(found, Missing):
            report.skipped.append((found.name, found.reason))
            report.unreadable |= found.explicit
            continue
        try:
            joined.next(found)
            with found.open() as stream:
                source = open_source(stream, name=found.name, format=format)
                one = _Import(work, redactor, found, source, note, progress, done).run()
        except NotRecognised as error:
            report.skipped.append((found.name, str(error)))
            # A delivery without records is no failure: logs are shipped by the clock, not by what happened.
            report.unreadable |= found.explicit and not error.empty
        except OSError as error:
            report.skipped.append((found.name, f"cannot be read: {error.strerror or error}"))
            report.unreadable |= found.explicit
        except StoreError as error:
            raise RemitError(str(error)) from error
        else:
            report.sources.append(one)
            joined.count(one.read)


class _Joined:
    """Joins the writes of consecutive small files, so that a folder of a thousand transcripts is not a thousand commits."""

    SMALL = 256 * 1024
    RECORDS = 250

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: AbstractContextManager[None] | None = None
        self._records = 0

    def next(self, found: Found) -> None:
        """A file comes next: a small one joins, a large one commits on its own."""
        small = found.path is not None and found.path.stat().st_size <= self.SMALL
        if self._open is not None and (not small or self._records >= self.RECORDS):
            self._close()
        if small and self._open is None:
            self._open = self._store.together()
            self._open.__enter__()

    def count(self, records: int) -> None:
        self._records += records

    def _close(self) -> None:
        held, self._open, self._records = self._open, None, 0
        if held is not None:
            held.__exit__(None, None, None)

    def __enter__(self) -> _Joined:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        held, self._open = self._open, None
        if held is not None:
            held.__exit__(kind, error, trace)


class _Import:
    """One file on its way into the store."""

    def __init__(
        self,
        work: Workspace,
        redactor: Redactor,
        found: Found,
        source: OpenSource,
        note: str,
        progress: Progress | None,
        done: int,
    ) -> None:
        self.store = work.store
        self.redactor = redactor
        self.source = source
        self.report = FileReport(found.name, source.importer.id)
        path = "" if found.path is None else str(found.path.resolve())
        self.file = SourceFile("", source.importer.id, found.name, path=path, by=whoami(), at=time.time_ns() // 1000, note=note)
        self.progress = progress
        self.done = done
        self.batch: list[NewRecord] = []
        self.held: list[Reject] = []
        self.ordinals: dict[tuple[str, str], int] = {}
        self.place = Place(self.store, found, source)
        self.mark: Bookmark | None = None

    def run(self) -> FileReport:
        reader = self._begun()
        noted = False
        for item in self.source.items():
            if self.source.line is not None:
                # The last line may still be growing: it is read again the next time.
                self.place.note(self.source.line, self.report, reader)
                noted = True
            order = self.report.read
            self.report.read += 1
            if isinstance(item, Reject):
                self._reject(item)
            else:
                self._record(reader, item, order)
            if len(self.batch) >= BATCH:
                self._flush()
        if not noted:
            self.place.note(self.source.end(), self.report, reader)
        self._finish()
        return self.report

    def _begun(self) -> Reader:
        """A reader at the place where this file was read to, or at its beginning."""
        if (resumed := self.place.resume(self.report)) is None:
            return self.source.importer.open()
        self.mark, reader = resumed
        self.file.id = self.report.id = self.mark.source
        self.store.begin_source(self.file)
        return reader

    def _record(self, reader: Reader, raw: RawRecord, order: int) -> None:
        digest = sha256(raw.data if raw.original is None else raw.original).hexdigest()
        redacted = self.redactor.redact(raw.data)
        try:
            parsed = read_record(reader, redacted.data)
        except BadRecord as error:
            self._reject(Reject(raw.line, raw.index, raw.offset, self.redactor.redact_text(str(error)), digest))
            return
        identity = self._identity(parsed, digest)
        if not self.file.id:
            self._begin(identity)
        events = prepare_events(parsed, redacted.secrets, identity, self.report.format, order, self.redactor)
        for secret in redacted.secrets:
            self.report.secrets[secret.kind] += 1
        self.report.see(parsed.at)
        if parsed.unknown_type:
            self.report.unknown_types[parsed.unknown_type] += 1
        self.batch.append(
            NewRecord(
                id=identity,
                digest=digest,
                source=self.file.id,
                name=self.file.name,
                line=raw.line,
                offset=raw.offset,
                raw=redacted.data,
                index=raw.index,
                at=parsed.at,
                type=parsed.type,
                unknown_type=parsed.unknown_type or "",
                secrets=tuple(s.kind for s in redacted.secrets),
                events=events,
            )
        )

    def _identity(self, parsed: Parsed, digest: str) -> str:
        """A record is its format's own id; where there is none, its bytes and their ordinal among equal ones of this file."""
        if parsed.identity is not None:
            return short_id("rec", self.report.format, parsed.scope, parsed.identity)

        def named(n: int) -> str:
            return short_id("rec", self.report.format, parsed.scope, digest, str(n))

        count = self.ordinals.get((parsed.scope, digest))
        if count is None:
            count = ordinal(self.store, self.file.name, self.mark, digest, named) if self.mark else 0
        self.ordinals[parsed.scope, digest] = count + 1
        return named(count)

    def _begin(self, first_identity: str) -> None:
        self.file.id = short_id("src", self.report.format, first_identity)
        self.report.id = self.file.id
        self.store.begin_source(self.file)

    def _reject(self, reject: Reject) -> None:
        self.report.rejects.append(reject)
        self.held.append(reject)

    def _flush(self) -> None:
        if self.batch:
            counted = self.store.add(self.batch)
            self.report.accepted += counted.accepted
            self.report.duplicate += counted.duplicate
            self.report.events += counted.events
            self.batch = []
        if self.held and self.file.id:
            self.store.reject(self.file, self.held)
            self.held = []
        if self.progress:
            self.progress(self.report.name, self.report.read, self.done)

    def _finish(self) -> None:
        identified = bool(self.file.id)
        if not identified and self.held:
            self._begin(self.source.sha256)
        self._flush()
        self.file.sha256 = self.report.sha256 = self.source.sha256
        self.file.bytes = self.report.bytes = self.source.bytes
        self.report.noise_lines = self.source.noise_lines
        if self.file.id:
            self.store.end_source(self.file)
        if identified:
            self.place.keep(self.file.id)
