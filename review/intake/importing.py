"""Import: files to records to events, redacted before anything is stored, reconciled to the last record."""

from __future__ import annotations

import math
import pickle
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from stat import S_ISREG
from types import TracebackType
from typing import Protocol
from zlib import compress, decompress

from chains.enrich import enrich
from importers import GROWING, NotRecognised, OpenSource, open_source
from importers.base import Importer
from importers.registry import importers
from lang.counted import count
from model.event import Reject
from model.evidence import SourceFile
from review.collecting import fewer_collections
from review.errors import RemitError
from review.intake.ahead import Ahead, Reading
from review.intake.cleaning import Cleaning
from review.intake.feed import Batch, Ending, Feed
from review.intake.found import Found, Missing
from review.intake.helper import Helper
from review.intake.imported import REJECTS_TOLD, FileReport, ImportReport
from review.intake.marks import Marks
from review.intake.resuming import Place
from review.intake.walking import walk
from review.workspace import Workspace
from store import Store, StoreError

MAPPING_BYTES = 1 << 20

Format = str | Importer | None
"""The id of a format, a format itself, or None to recognise it."""

Progress = Callable[[str, int, int], None]
"""Called now and then with the file's name, records read so far and files done."""


def mapping_from(path: str) -> Importer:
    """The format that a user's mapping file describes; raises RemitError with the place of what is wrong in it."""
    from importers.mapping.file import YamlError, read_mapping

    try:
        with Path(path).open("rb") as stream:
            found = read_mapping(stream.read(MAPPING_BYTES).decode())
    except (OSError, UnicodeDecodeError, YamlError) as error:
        raise RemitError(f"mapping {path}: {getattr(error, 'strerror', None) or error}") from error
    if found.id in importers():
        raise RemitError(f"mapping {path}: {found.id!r} is a format of this installation already; choose another id")
    return found


class Heed(Protocol):
    """Told after every batch which file is read, what it gave so far, the byte it was read to, and how many files are done.

    The answer False ends the import there: what was read is kept.
    """

    def __call__(self, found: Found, file: FileReport, offset: int, done: int) -> bool: ...


@dataclass(frozen=True)
class Settings:
    """How files are imported: a format to force, the user's note, whom to tell; `live` holds back what may still be written."""

    format: Format = None
    note: str = ""
    progress: Progress | None = None
    live: bool = False
    heed: Heed | None = None


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

    Interrupting keeps all that was committed; a rerun completes it. Chains are built by `review.derive.building.build`.
    """
    if isinstance(format, str) and format not in importers():
        raise RemitError(f"unknown format {format!r}; known: {', '.join(importers())}")
    settings = Settings(format, note, progress)
    known = Marks(work.store, format)
    sources = walk(arguments, as_name, objects=partial(known.changed, as_name=as_name), store=work.location)
    report = import_sources(work, sources, settings)
    report.unchanged = known.unchanged
    return report


def import_sources(work: Workspace, sources: Iterable[Found | Missing], settings: Settings) -> ImportReport:
    """Import these sources, one after the other; what is bad is reported and everything else is stored."""
    started = time.monotonic()
    report = ImportReport()
    # A command line pasted into a note may hold what the log itself had replaced.
    settings = replace(settings, note=work.redactor.redact_text(settings.note))
    with (
        fewer_collections(),
        Helper(work.redactor) as helper,
        Ahead(work.store, work.redactor, settings.format) as ahead,
        _Joined(work.store) as joined,
    ):
        for done, (found, reading) in enumerate(ahead.over(sources)):
            if isinstance(found, Missing):
                report.skip(found.name, found.reason, lacks=found.explicit)
            else:
                _import_one(work, found, reading, settings, report, joined, helper, done)
                if report.stopped:
                    break
    report.seconds = time.monotonic() - started
    return report


def _import_one(
    work: Workspace,
    found: Found,
    reading: Reading | None,
    settings: Settings,
    report: ImportReport,
    joined: _Joined,
    helper: Helper,
    done: int,
) -> None:
    one: _Import | None = None
    try:
        joined.next(found)
        if reading is not None:
            one = _Import(work, found, reading.importer(), settings, done)
            one.run(joined, reading.batches())
        else:
            with found.open() as stream:
                source = open_source(stream, name=found.name, format=settings.format)
                one = _Import(work, found, source.importer, settings, done)
                one.run(joined, one.batches(source, helper))
    except NotRecognised as error:
        # A delivery without records is no failure: logs are shipped by the clock, not by what happened.
        report.skip(found.name, str(error), lacks=found.explicit and not error.empty)
    except OSError as error:
        why = str(error.strerror or error)
        report.broken += [found.path] if found.path is not None else []
        # No stranger met on the way: whether it is a log nobody can say, or a part of one is missing.
        if one is None or not one.report.read:
            report.skip(found.name, f"cannot be read: {why}", lacks=True)
            return
        report.sources.append(one.report)
        broken = f"breaks off after {count(one.report.read, 'record')}, which are kept: {why}; import it again"
        report.skip(found.name, broken, lacks=True)
    except StoreError as error:
        raise RemitError(str(error)) from error
    else:
        report.sources.append(one.report)
        report.stopped = one.stopped
        if found.done is not None and not one.stopped:
            found.done()


class _Joined:
    """Joins the writes of consecutive small files, so that a folder of a thousand transcripts is not a thousand commits."""

    SMALL = 256 * 1024
    RECORDS = 250

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: AbstractContextManager[None] | None = None
        self._records = 0

    def next(self, found: Found) -> None:
        """A file comes next: a small one joins, a large one commits on its own, and so does a pipe, which may keep one waiting.

        What lies inside a file joins whatever its size, for `count` commits it as it is read. Raises OSError where the file is gone.
        """
        inside = found.path is not None and found.inside is not None
        small = inside or found.held is not None or (found.path is not None and _size(found.path) <= self.SMALL)
        if not small:
            self._close()
        elif self._open is None:
            self._open = self._store.together()
            self._open.__enter__()

    def count(self, read: int) -> None:
        """So many records more were written: beyond `RECORDS` they are committed, within a file too, for a small archive holds much."""
        self._records += read
        if self._records >= self.RECORDS:
            self._close()

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


def _size(path: Path) -> float:
    """Bytes of a file; endless where it is a pipe or a device."""
    found = path.stat()
    return found.st_size if S_ISREG(found.st_mode) else math.inf


class _Import:
    """One file on its way into the store."""

    def __init__(self, work: Workspace, found: Found, importer: Importer, settings: Settings, done: int) -> None:
        self.store = work.store
        self.redactor = work.redactor
        self.found = found
        self.stopped = False
        self.settings = settings
        self.report = FileReport(found.name, importer.id)
        path = found.where if found.path is None else str(found.path.resolve())
        at, who = time.time_ns() // 1000, work.identity
        self.file = SourceFile("", importer.id, found.name, path=path, by=who, at=at, note=settings.note)
        self.done = done
        self.held: list[bytes] = []
        """What was rejected before a record named the source, packed: a file may begin with a million bad lines."""
        self.place = Place(self.store, found, importer)

    def run(self, joined: _Joined, batches: Iterable[Batch]) -> None:
        """Read and store to the end, or until whoever is told wants no more."""
        offset = 0
        for batch in batches:
            self._take(batch)
            if batch.end is not None:
                self._finish(batch.end)
            joined.count(len(batch.records) + len(batch.rejects))
            offset = batch.records[-1].offset if batch.records else offset
            if self.settings.heed is not None and not self.settings.heed(self.found, self.report, offset, self.done):
                self.stopped = True
                return
            # It may hold a record of 64 MB, and so may the next.
            del batch

    def batches(self, source: OpenSource, helper: Helper) -> Iterator[Batch]:
        """The rest of a file that was read before, the whole of any other; a large one is prepared in a process of its own."""
        if (feed := self.place.resume(source, self.redactor)) is not None:
            self._begin(feed.id)
            self.report.duplicate = feed.tally.read - feed.tally.rejected
            self.report.rejected = feed.tally.rejected
            self.report.rejects = self.place.rejects(feed, source, REJECTS_TOLD)
            if not self.settings.live:
                self.report.not_kept = self.store.not_kept_in(feed.id)
            return feed.batches()
        if (path := self.place.path) is not None and not source.carried and helper.wanted(path):
            source.leave()
            return helper.batches(path, self.report.name, self.report.format)
        return Feed(Cleaning(source, self.redactor), self.report.name, self.redactor, self.found.place).batches()

    def _begin(self, source_id: str) -> None:
        self.file.id = self.report.id = source_id
        self.store.begin_source(self.file)

    def _take(self, batch: Batch) -> None:
        if batch.source and not self.file.id:
            self._begin(batch.source)
        if batch.records:
            for record in batch.records:
                record.events = [enrich(event) for event in record.events]
            counted = self.store.add(batch.records)
            self.report.accepted += counted.accepted
            self.report.duplicate += counted.duplicate
            self.report.events += counted.events
            if counted.duplicate:
                self.report.not_kept += self.store.not_kept([record.id for record in batch.records])
        rejects = batch.rejects
        if self.settings.live:
            rejects = [one for one in rejects if one.reason not in GROWING]
            self.report.growing += len(batch.rejects) - len(rejects)
        self.report.reject(rejects)
        if self.file.id:
            self._keep(rejects)
        elif rejects:
            self.held.append(compress(pickle.dumps(rejects), 1))
        self.report.read = batch.read - self.report.growing
        if self.settings.progress:
            self.settings.progress(self.report.name, batch.read, self.done)

    def _keep(self, rejects: Sequence[Reject] = ()) -> None:
        """Store these and what was rejected before a record named the source."""
        held, self.held = self.held, []
        for packed in held:
            self.store.reject(self.file, pickle.loads(decompress(packed)))  # noqa: S301  packed above
        if rejects:
            self.store.reject(self.file, rejects)

    def _finish(self, end: Ending) -> None:
        report, tally = self.report, end.tally
        if self.held:
            self._begin(end.sha256)
            self._keep()
        self.file.sha256 = report.sha256 = end.sha256
        self.file.bytes = report.bytes = end.bytes
        report.noise_lines, report.first, report.last = end.noise_lines, tally.first, tally.last
        report.unknown_types, report.secrets = Counter(tally.unknown_types), Counter(tally.secrets)
        if self.file.id:
            self.store.end_source(self.file)
            self.store.settle_rejects(self.file, GROWING)
        self.place.keep(end.mark)
