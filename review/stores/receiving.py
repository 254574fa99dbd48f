"""Taking in a review that came as a file: nothing here is overwritten, and what was said elsewhere is kept as asserted.

The file is hostile until shown otherwise: sizes are bounded, digests and the journal excerpt worked out again, secrets
replaced once more. Taking the same file twice adds nothing.
"""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from lang.times import iso
from model.event import Event, short_id
from model.evidence import NewRecord, SourceFile
from model.review import Comment, Verdict
from model.words import VerdictWord
from review.derive.building import build
from review.derive.settings_stamp import require_organisation
from review.documents import Doc
from review.errors import AlteredError, UnreadableError
from review.stores.transfer import NAMED, VERSION, Derived, Entry, Header, Line, SourceLine, data_of
from review.workspace import Workspace
from store.journals import next_head

MOST_BYTES = 1 << 30
MOST_LINE = 64 << 20
MOST_LINES = 1_000_000
"""What a file may unpack to: bytes in all, bytes of one line, lines."""

TAKEN = "review imported"
"""The journal's word for taking a review in; its entry holds which rows elsewhere became which rows here."""

_BATCH = 500
_LINE = msgspec.json.Decoder(Line)
_EVENT = msgspec.json.Decoder(Event)


class Review(msgspec.Struct):
    """A file's content, checked in itself."""

    header: Header
    sources: list[SourceLine]
    records: list[NewRecord]
    derived: Derived
    entries: list[Entry]
    digest: str


def import_review(work: Workspace, path: str) -> Doc:
    """Take in a review; what was added, what was known, and where what was said elsewhere conflicts with what stands here.

    Raises UnreadableError or AlteredError, and then nothing was written.
    """
    review = read_review(path)
    added, known, other = _evidence(work, review)
    if added:
        build(work)
    said = _Saying(work, review)
    with work.store.together():
        said.run()
    here = {
        *(step.id for step in work.store.steps(review.header.task)),
        *(f.id for f in work.store.findings_of(review.header.task)),
    }
    told = [*review.derived.steps, *review.derived.findings]
    return {
        "task": review.header.task,
        "title": review.header.title,
        "from": {
            "origin": review.header.origin,
            "head": review.header.head,
            "entries": review.header.entries,
            "by": review.header.by,
            "at": iso(review.header.at),
            "same_key": review.header.key == (work.store.key_id() or ""),
        },
        "records": {"added": added, "known": known, "other_bytes": other},
        "derived": {"told": len(told), "same": sum(one in here for one in told)},
        "verdicts": {"added": said.verdicts, "withdrawn": said.withdrawn, "held": len(said.conflicts)},
        "known": said.known,
        "comments": said.comments,
        "without_subject": said.lost,
        "conflicts": said.conflicts,
    }


def read_review(path: str) -> Review:
    """A file's content; raises UnreadableError where it is no review, AlteredError where it does not agree with itself."""
    header: Header | None = None
    derived: Derived | None = None
    sources: list[SourceLine] = []
    records: list[NewRecord] = []
    entries: list[Entry] = []
    digest, whole, number = sha256(), False, 0
    for number, text in enumerate(_unpacked(path), 1):
        if whole:
            raise AlteredError(f"{path}: line {number} follows the end of the review; ask for the file again")
        line = _line(path, number, text)
        if header is None and line.header is None:
            raise UnreadableError(f"{path} is no review that was exported by Remit: it does not begin with a header")
        if line.end is not None:
            if (line.end.lines, line.end.sha256) != (number - 1, digest.hexdigest()):
                raise AlteredError(
                    f"{path} was altered: its lines have not the digest that its end tells; ask for the file again"
                )
            whole = True
        elif line.header is not None:
            if line.header.remit_review != VERSION:
                raise UnreadableError(f"{path} is a review of version {line.header.remit_review}; this Remit reads {VERSION}")
            header = line.header
        derived = line.derived or derived
        sources += [line.source] if line.source else []
        records += [line.record] if line.record else []
        entries += [line.entry] if line.entry else []
        digest.update(text)
    if header is None or derived is None or not whole:
        raise AlteredError(f"{path} ends before its review does; ask for the file again")
    for entry in entries:
        if entry.head != next_head(entry.before, entry.body) or not data_of(entry.body):
            raise AlteredError(f"{path}: entry {entry.seq} of its journal does not follow from the one before it")
    for record in records:
        _agrees(path, record)
    return Review(header, sources, records, derived, entries, digest.hexdigest())


def _agrees(path: str, record: NewRecord) -> None:
    ids = [short_id("ev", record.id, str(n)) for n in range(len(record.events))]
    hexadecimal = len(record.digest) == 64 and all(c in "0123456789abcdef" for c in record.digest)
    if not hexadecimal or [event.id for event in record.events] != ids or any(e.record != record.id for e in record.events):
        raise AlteredError(f"{path}: record {record.id[:80]!r} and its events do not belong together")


def _unpacked(path: str) -> Iterator[bytes]:
    try:
        with Path(path).expanduser().open("rb") as file, gzip.GzipFile(fileobj=file) as packed:
            total = 0
            for number in range(MOST_LINES + 1):
                line = packed.readline(MOST_LINE + 1)
                total += len(line)
                if not line:
                    return
                if len(line) > MOST_LINE or total > MOST_BYTES or number == MOST_LINES:
                    raise UnreadableError(f"{path} unpacks to more than a review may hold; nothing of it was taken")
                yield line
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise UnreadableError(f"{path} is no review that was exported by Remit, or was cut off: {error}") from error
    except OSError as error:
        raise UnreadableError(f"cannot read {path}: {error.strerror or error}") from error


def _line(path: str, number: int, text: bytes) -> Line:
    try:
        line = _LINE.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        what = "is no review that was exported by Remit" if number == 1 else f"is no review: line {number} cannot be read"
        raise UnreadableError(f"{path} {what} ({NAMED}): {error}") from error
    if sum(getattr(line, name) is not None for name in line.__struct_fields__) != 1:
        raise UnreadableError(f"{path} is no review: line {number} holds not one thing")
    return line


def _evidence(work: Workspace, review: Review) -> tuple[int, int, int]:
    """Add the records that are not here: how many were, how many were known, how many are here with other bytes.

    A known record stays as it is, and so does one that came here with other bytes: a file from elsewhere displaces nothing.
    """
    held = work.store.records([record.id for record in review.records])
    digests = {id: {place.digest for place in (row.ref, *row.variants)} for id, row in held.items()}
    fresh = [record for record in review.records if record.id not in held]
    known = sum(record.digest in digests.get(record.id, ()) for record in review.records)
    if fresh:
        require_organisation(work)
        with work.store.together():
            _custody(work, review, {record.source for record in fresh})
            for first in range(0, len(fresh), _BATCH):
                work.store.add([_cleaned(work, record) for record in fresh[first : first + _BATCH]])
    return len(fresh), known, len(review.records) - len(fresh) - known


def _custody(work: Workspace, review: Review, wanted: set[str]) -> None:
    here = {row.id for row in work.store.named_sources()}
    note = f"part of a review exported elsewhere (origin {review.header.origin[:12]}, task {review.header.task})"
    for source in review.sources:
        if source.id in wanted and source.id not in here:
            name = work.redactor.redact_text(source.name)
            file = SourceFile(source.id, source.format, name, "", 0, "", work.identity, time.time_ns() // 1000, note)
            work.store.begin_source(file)


def _cleaned(work: Workspace, record: NewRecord) -> NewRecord:
    """A record without secrets in clear, whatever its exporter left in it."""
    redact = work.redactor.redact
    events = [_EVENT.decode(redact(msgspec.json.encode(event)).data) for event in record.events]
    return msgspec.structs.replace(
        record, raw=redact(record.raw).data, events=events, name=work.redactor.redact_text(record.name)
    )


class _Saying:
    """What was said elsewhere, on its way into this store's own review."""

    def __init__(self, work: Workspace, review: Review) -> None:
        self.work = work
        self.review = review
        self.taken: dict[str, int] = {}
        self.verdicts = self.withdrawn = self.comments = self.known = self.lost = 0
        self.conflicts: list[Doc] = []

    def run(self) -> None:
        """Under the writer's lock: row by row in the order of the journal it comes from."""
        self.before = self._before()
        for entry in self.review.entries:
            said = msgspec.json.decode(entry.body)
            what = str(said.get("what"))
            take = {"verdict": self._verdict, "withdraw": self._withdraw, "comment": self._comment}.get(what)
            if take is None:
                continue
            data = data_of(entry.body)
            if f"{data.get('seq')}{what[0]}" in self.before:
                self.known += 1
            elif not self._is_here(data):
                self.lost += 1
            else:
                take(data)
        if self.taken:
            header = self.review.header
            told = {"origin": header.origin, "head": header.head, "entries": header.entries, "task": header.task}
            self.work.store.journal_append(
                self.work.identity, TAKEN, told | {"file": self.review.digest, "exported_by": header.by, "rows": self.taken}
            )

    def _before(self) -> dict[str, int]:
        """Which rows of that store were taken in earlier: theirs to ours, 0 for one that was held back."""
        found: dict[str, int] = {}
        for entry in self.work.store.journal():
            if entry.what == TAKEN and (data := data_of(entry.body)).get("origin") == self.review.header.origin:
                found.update(data["rows"])
        return found

    def _is_here(self, data: dict[str, Any]) -> bool:
        return any(one == data.get("subject") for _, one in self.work.store.resolve(str(data.get("subject", ""))))

    def _converted(self, data: dict[str, Any], kind: type[Any]) -> Any:
        try:
            return msgspec.convert(data, kind)
        except msgspec.ValidationError as error:
            raise AlteredError(f"the journal excerpt of this review tells of a row that is none: {error}") from error

    def _text(self, text: str) -> str:
        return self.work.redactor.redact_text(text)

    def _verdict(self, data: dict[str, Any]) -> None:
        given: Verdict = self._converted(data, Verdict)
        origin = self.review.header.origin
        own = [one for one in self.work.store.verdicts(given.subject) if one.origin != origin]
        key = f"{given.seq}v"
        if own:
            self.conflicts.append(_conflict(given, own[-1]))
            word = VerdictWord(given.verdict).value
            self._say(given.subject, given.kind, given.task, f"{given.reviewer} judged {word}", given.at, given.reason)
            self.taken[key] = 0
            return
        kept = self.work.store.add_verdict(
            msgspec.structs.replace(
                given,
                reason=self._text(given.reason),
                reviewer=self._text(given.reviewer),
                by=self.work.identity,
                asserted=True,
                origin=origin,
                seq=0,
                withdraws=0,
            )
        )
        self.taken[key] = kept.seq
        self.verdicts += 1

    def _withdraw(self, data: dict[str, Any]) -> None:
        given: Verdict = self._converted(data, Verdict)
        key = f"{given.withdraws}v"
        # What this file itself brought is not yet to be read by others, nor by another connection of ours.
        mine = self.taken.get(key) or self.before.get(key, 0)
        if mine and (key in self.taken or any(one.seq == mine for one in self.work.store.verdicts(given.subject))):
            self.work.store.withdraw_verdict(mine, self._text(given.reason), self.work.identity, given.at)
            self.withdrawn += 1
        self.taken[f"{given.seq}w"] = mine

    def _comment(self, data: dict[str, Any]) -> None:
        said: Comment = self._converted({name: value for name, value in data.items() if name != "type"}, Comment)
        self._say(said.subject, said.kind, said.task, f"{said.by} said", said.at, said.text)
        self.taken[f"{said.seq}c"] = 0
        self.comments += 1

    def _say(self, subject: str, kind: str, task: str, who: str, at: int, text: str) -> None:
        """A comment of whoever imports, which tells who said it elsewhere."""
        told = f"({who} at {iso(at)}, asserted by export {self.review.header.origin[:12]})\n\n{text}"
        self.work.store.add_statement(Comment(subject, kind, task, self._text(told), self.work.identity, time.time_ns() // 1000))


def _conflict(there: Verdict, here: Verdict) -> Doc:
    return {
        "subject": there.subject,
        "kind": there.kind,
        "agrees": there.verdict == here.verdict,
        "here": {"verdict": here.verdict.value, "reviewer": here.reviewer, "at": iso(here.at)},
        "there": {"verdict": there.verdict.value, "reviewer": there.reviewer, "at": iso(there.at), "reason": there.reason},
    }
