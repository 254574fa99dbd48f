"""Import: files to records to events, redacted before anything is stored, reconciled to the last record."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any

from chains.enrich import enrich
from importers import NotRecognised, OpenSource, open_source
from importers.base import Importer, Reader, importers
from importers.reading import read_record
from lang.redact import Redactor, Secret
from lang.times import iso
from model.event import BadRecord, Event, Key, Parsed, RawRecord, Reject, short_id
from model.evidence import NewRecord, SourceFile
from model.words import EventKind, KeyRole, Phase, Vantage
from review.errors import RemitError
from review.walking import Found, Missing, walk
from review.workspace import Workspace, whoami
from store import Store, StoreError

BATCH = 500
MAPPING_BYTES = 1 << 20

Format = str | Importer | None
"""The id of a format, a format itself, or None to recognise it."""

Progress = Callable[[str, int, int], None]
"""Called now and then with the file's name, records read so far and files done."""


@dataclass
class FileReport:
    """What one file gave in this run."""

    name: str
    format: str
    id: str = ""
    sha256: str = ""
    bytes: int = 0
    first: int | None = None
    last: int | None = None
    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    events: int = 0
    noise_lines: int = 0
    rejects: list[Reject] = field(default_factory=list)
    unknown_types: Counter[str] = field(default_factory=Counter)
    secrets: Counter[str] = field(default_factory=Counter)

    def see(self, at: int | None) -> None:
        if at is not None:
            self.first = at if self.first is None else min(self.first, at)
            self.last = at if self.last is None else max(self.last, at)

    def document(self) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "format": self.format,
            "sha256": self.sha256,
            "bytes": self.bytes,
            "first": iso(self.first),
            "last": iso(self.last),
            "records": {
                "read": self.read,
                "accepted": self.accepted,
                "duplicate": self.duplicate,
                "rejected": len(self.rejects),
            },
            "events": self.events,
            "rejects": [{"line": r.line, "index": r.index, "offset": r.offset, "reason": r.reason} for r in self.rejects],
        }
        if self.unknown_types:
            shape["unknown_types"] = dict(sorted(self.unknown_types.items()))
        if self.secrets:
            shape["secrets_replaced"] = dict(sorted(self.secrets.items()))
        if self.noise_lines:
            shape["noise_lines"] = self.noise_lines
        return shape


@dataclass
class ImportReport:
    """What one run of `remit import` did; `unreadable` is true when a file named by the user gave nothing."""

    sources: list[FileReport] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    unreadable: bool = False
    totals: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def rejected(self) -> int:
        return sum(len(s.rejects) for s in self.sources)

    @property
    def events(self) -> int:
        return sum(s.events for s in self.sources)

    def document(self) -> dict[str, Any]:
        """The JSON shape of `import` in the command-line contract."""
        counted = {
            "read": sum(s.read for s in self.sources),
            "accepted": sum(s.accepted for s in self.sources),
            "duplicate": sum(s.duplicate for s in self.sources),
            "rejected": self.rejected,
            "events": self.events,
        }
        return {
            "sources": [s.document() for s in self.sources],
            "skipped": [{"name": name, "reason": reason} for name, reason in self.skipped],
            "totals": counted | self.totals,
            "seconds": round(self.seconds, 3),
        }


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
    with _Joined(work.store) as joined:
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
        self.ordinals: Counter[tuple[str, str]] = Counter()

    def run(self) -> FileReport:
        reader = self.source.importer.open()
        for order, item in enumerate(self.source.items()):
            self.report.read += 1
            if isinstance(item, Reject):
                self._reject(item)
            else:
                self._record(reader, item, order)
            if len(self.batch) >= BATCH:
                self._flush()
        self._finish()
        return self.report

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
        ordinal = self.ordinals[parsed.scope, digest]
        self.ordinals[parsed.scope, digest] += 1
        return short_id("rec", self.report.format, parsed.scope, digest, str(ordinal))

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
        if not self.file.id and self.held:
            self._begin(self.source.sha256)
        self._flush()
        self.file.sha256 = self.report.sha256 = self.source.sha256
        self.file.bytes = self.report.bytes = self.source.bytes
        self.report.noise_lines = self.source.noise_lines
        if self.file.id:
            self.store.end_source(self.file)


def prepare_events(
    parsed: Parsed, secrets: tuple[Secret, ...], record: str, format: str, order: int, redactor: Redactor
) -> list[Event]:
    """A record's events, complete: ids, joins on vendor token digests made keyed, exposures added, operations parsed."""
    for event in parsed.events:
        if any(key.kind == "token" for key in event.keys):
            event.keys = tuple(_keyed(key, redactor) for key in event.keys)
    events = parsed.events + _exposures(parsed, secrets, format)
    for ordinal, event in enumerate(events):
        event.format = format
        event.record = record
        event.order = order
        event.id = short_id("ev", record, str(ordinal))
        events[ordinal] = enrich(event)
    return events


def _keyed(key: Key, redactor: Redactor) -> Key:
    return Key(key.role, key.kind, redactor.token_pseudonym(key.value)) if key.kind == "token" else key


def _exposures(parsed: Parsed, secrets: tuple[Secret, ...], format: str) -> list[Event]:
    """One `credential/exposed` event for each usable secret that stood in clear, standing where its record stands."""
    usable = {secret.keys: secret for secret in secrets if secret.usable and secret.keys}
    if not usable:
        return []
    host = parsed.events[0] if parsed.events else Event(EventKind.CREDENTIAL, Phase.EXPOSED, Vantage.AGENT, format, at=parsed.at)
    place = tuple(key for key in host.keys if key.role in (KeyRole.SCOPE, KeyRole.CALL, KeyRole.PARENT))
    return [
        Event(
            EventKind.CREDENTIAL,
            Phase.EXPOSED,
            host.vantage,
            host.point,
            at=host.at,
            clock=host.clock,
            principal=host.principal,
            agent=host.agent,
            text=f"{secret.label or secret.kind} in clear",
            keys=place + secret.keys,
            ref=host.ref,
            after=host.after,
            attrs={"secret_kind": secret.kind, "pseudonym": secret.pseudonym},
        )
        for _, secret in sorted(usable.items())
    ]
