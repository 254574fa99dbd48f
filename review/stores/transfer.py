"""A review as a file, for those without a shared database: a task's evidence, the ids that follow from it, and what was said of it.

The file is gzip of JSON lines: a `header`, then `source`, `record` and `derived` lines, an `entry` for each entry of the
review journal that speaks of the task, and an `end` with the digest of all before it. Records are as they are stored,
redacted. `review.stores.receiving` takes such a file in.
"""

from __future__ import annotations

import gzip
import io
import os
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from lang.times import iso
from model.evidence import NewRecord
from review.documents import Doc
from review.errors import NotFoundError, RemitError
from review.judge.journals import note_access
from review.workspace import Workspace

VERSION = 1
NAMED = "remit_review"


class Header(msgspec.Struct):
    """Which task of which store, by the first and the last head of its review journal; `key` is the id of its pseudonyms' key."""

    remit_review: int
    task: str
    scope: str
    title: str
    origin: str
    head: str
    entries: int
    key: str
    by: str
    at: int


class SourceLine(msgspec.Struct):
    """A file that records came from."""

    id: str
    format: str
    name: str
    sha256: str
    bytes: int


class Derived(msgspec.Struct):
    """What the evidence came to where it was exported: ids that must come out the same elsewhere."""

    evidence: str
    steps: list[str]
    findings: list[str]


class Entry(msgspec.Struct):
    """An entry of the review journal with the head before it, so that each can be worked out again by itself."""

    seq: int
    before: str
    body: str
    head: str


class End(msgspec.Struct):
    lines: int
    sha256: str


class Line(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """One line: exactly one of these."""

    header: Header | None = None
    source: SourceLine | None = None
    record: NewRecord | None = None
    derived: Derived | None = None
    entry: Entry | None = None
    end: End | None = None


def export_review(work: Workspace, id: str, out: str | None) -> Doc:
    """Write the review of a task to a file, or to standard output; what was written, in figures."""
    found = [one for kind, one in work.store.resolve(id) if kind == "task"]
    if len(found) != 1:
        raise NotFoundError(f"{id[:80]!r} is {'several tasks' if found else 'no task'} here; `remit tasks` lists them")
    task = found[0]
    counts: dict[str, int] = {}
    raw = io.BytesIO()
    with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as packed:
        digest, lines = sha256(), 0
        for line in _lines(work, task):
            text = msgspec.json.encode(line) + b"\n"
            digest.update(text)
            packed.write(text)
            lines += 1
            kind = next(name for name in line.__struct_fields__ if getattr(line, name) is not None)
            counts[kind] = counts.get(kind, 0) + 1
        packed.write(msgspec.json.encode(Line(end=End(lines, digest.hexdigest()))) + b"\n")
    _write(raw.getvalue(), out)
    note_access(work, "export", {"task": task, "file": sha256(raw.getvalue()).hexdigest()})
    return {
        "task": task,
        "out": out,
        "bytes": len(raw.getvalue()),
        "sha256": sha256(raw.getvalue()).hexdigest(),
        "records": counts.get("record", 0),
        "entries": counts.get("entry", 0),
    }


def _write(data: bytes, out: str | None) -> None:
    if out is None:
        sys.stdout.buffer.write(data)
        return
    try:
        descriptor = os.open(Path(out).expanduser(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except OSError as error:
        raise RemitError(f"cannot write {out}: {error.strerror}; choose another place with --out") from error


def _lines(work: Workspace, task: str) -> Iterator[Line]:
    store = work.store
    chain = store.chain(task)
    if chain is None:
        raise NotFoundError(f"task {task} is gone; `remit tasks` lists what there is")
    first, last = store.journal(0, 1), store.journal_head()
    yield Line(
        header=Header(
            VERSION,
            task,
            chain.task.scope,
            chain.task.title,
            first[0].head if first else "",
            last.head if last else "",
            last.seq if last else 0,
            store.key_id() or "",
            work.identity,
            time.time_ns() // 1000,
        )
    )
    ids = sorted({*chain.records, *(event.record for event in store.events_of_task(task))})
    records = store.records(ids)
    sources = {place.source for row in records.values() for place in (row.ref, *row.variants)}
    for row in store.named_sources():
        if row.id in sources:
            yield Line(source=SourceLine(row.id, row.format, row.name, row.sha256, row.bytes))
    for id in ids:
        if id in records:
            yield from _record_lines(work, id, records[id])
    findings = [one.id for one in store.findings_of(task)]
    steps = [step.id for step in chain.steps]
    yield Line(derived=Derived(store.task_evidence(task), steps, findings))
    yield from _entry_lines(work, {task, *steps, *findings})


def _record_lines(work: Workspace, id: str, row: Any) -> Iterator[Line]:
    """A record as it is stored; bytes that came under its id as well follow, without events: they do not speak."""
    for place in (row.ref, *row.variants):
        speaks = place is row.ref
        copied, voice = row.told.get(place.digest, (False, ""))
        yield Line(
            record=NewRecord(
                id,
                place.digest,
                place.source,
                place.name,
                place.line,
                place.offset,
                work.store.raw(id, place.digest),
                index=place.index,
                at=row.at,
                type=row.type,
                unknown_type=row.unknown_type,
                secrets=row.secrets if speaks else (),
                events=[event for event, _ in work.store.events_of_record(id)] if speaks else [],
                copied=copied,
                voice=voice,
            )
        )


def _entry_lines(work: Workspace, subjects: set[str]) -> Iterator[Line]:
    before = ""
    for entry in work.store.journal():
        if subjects & set(named(entry.body)):
            yield Line(entry=Entry(entry.seq, before, entry.body, entry.head))
        before = entry.head


def named(body: str) -> list[str]:
    """What an entry of the journal speaks of: its subject, its task, its finding."""
    data = data_of(body)
    return [data[name] for name in ("subject", "task", "finding") if isinstance(data.get(name), str)]


def data_of(body: str) -> dict[str, Any]:
    """The content of an entry's body; nothing where it is none."""
    try:
        said = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    found = said.get("data") if isinstance(said, dict) else None
    return found if isinstance(found, dict) else {}


def header_sentence(header: Header) -> str:
    """Where a file comes from, in a few words."""
    return f"exported by {header.by} at {iso(header.at)} from the store whose journal begins {header.origin[:12] or 'nowhere'}"
