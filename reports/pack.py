"""Builds an evidence pack: one pass over the population, then every format, then the manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import rfc8785

from reports import crosswalk, enclosures, manifest
from reports.asked import PackRequest
from reports.assemble import Assembling
from reports.beside import Beside
from reports.checking.folder import MANIFEST
from reports.compared_words import sentences
from reports.comparing import compare
from reports.document import Report, Since
from reports.errors import PackError
from reports.finding_shapes import FindingEntry
from reports.input import PackInput
from reports.planning import plan
from reports.publishing import publish
from reports.redaction import disclosed
from reports.renderers.base import Document, PopulationSink, Renderer
from reports.sections.trends import bins
from reports.standing import Desk
from reports.streaming import stream
from reports.tally import Tally
from reports.text import neutral, told, when
from reports.verify import foreign
from reports.vocabulary import vocabulary

CUSTODY = "custody.json"
Entries = dict[str, dict[str, Any]]
"""What the manifest says of each file, by its name."""


@dataclass(frozen=True)
class Gathered:
    """A pack before its files are written: the report, the files there are already, the evidence's roots, the custody, what
    gives the digests of the store's tables, and what the manifest says of the whole."""

    document: Document
    entries: Entries
    roots: dict[str, Any]
    custody: Document
    tables: Callable[[], dict[str, str]]
    about: Document


def build_pack(given: PackInput, out: Path, asked: PackRequest) -> dict[str, Any]:
    """Write a pack into the folder `out` and return its manifest.

    The same input gives the same bytes in every file but `custody.json` and the manifest over it.
    """
    with staging(out) as stage:
        return finish(gather(given, stage, asked), stage, asked)


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """The folder in which a pack is made, which becomes `out` in the end; an earlier pack there is replaced.

    A folder that holds anything else is refused (PackError).
    """
    out = out.resolve()
    _check_target(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as held:
            stage = Path(held, "pack")
            stage.mkdir()
            yield stage
            publish(stage, out)
    except OSError as error:
        raise PackError(
            f"cannot write the pack: {error.filename or out}: {error.strerror or error}; name another folder"
        ) from error


def gather(given: PackInput, stage: Path, asked: PackRequest, beside: Beside | None = None) -> Gathered:
    """Work out everything a pack says, and write the tables of its population into the folder `stage`.

    What was given is not needed any more: whoever holds a large store lets go of it before the files are written.
    """
    chosen, labels = asked.library.select(asked.frameworks)
    own = (crosswalk.own_row(d.id, d.title, d.controls) for d in given.detections if d.own)
    known, given = asked.library.reading(own, labels), asked.library.stated(given)
    formats, redactor = asked.formats(), asked.redactor
    planned = plan(given, Desk(given.verdicts, given.exceptions, given.as_of), full=asked.full)
    tally = Tally(planned.steps, {*planned.bad, *planned.good}, bins(given))
    shown = redactor.row if redactor is not None else None
    counter = beside if beside is not None and beside.counting else None
    sinks = _sinks([one for one in formats if counter is None or not _streamed(one)], stage)
    counts: dict[str, int] = {}
    if counter is None:
        counts = stream(given.steps, tally, sinks, shown)
    else:
        for row in counter.rows({*planned.bad, *planned.good}, planned.steps):
            tally.keep(row)
    assembling = Assembling(given, chosen, known, vocabulary(), planned, tally)
    large = _large(assembling) if redactor is None else {}
    if counter is not None:
        if (counted := counter.counted()) is None:
            mine, sinks = Tally(), sinks + _sinks([one for one in formats if _streamed(one)], stage)
            counted = mine.counted(stream(given.steps, mine, sinks, shown))
        tally.take(counted)
        counts = counted.records
    report = assembling.report()
    _note(report, asked)
    if redactor is None:
        report.findings, report.credentials = [], []
        document = _plain(report) | large
    else:
        document = _document(disclosed(report, redactor, tally))
    if asked.since is not None:
        compared = compare(asked.since.document, document)
        document["annexes"]["changes"] = _document(Since(sentences(compared), compared))
    return _sealed(given, asked, document, _entries(stage, counts))


def _sealed(given: PackInput, asked: PackRequest, document: Document, entries: Entries) -> Gathered:
    roots, custody, about = enclosures.evidence(given.evidence), _custody(given), _about(given, asked)
    if asked.redactor is not None:
        roots["sources"], custody["imports"] = asked.redactor.value(roots["sources"]), asked.redactor.value(custody["imports"])
        about = asked.redactor.about(about)
    about |= {
        "evidence": {"records": roots["records"], "root": roots["root"], "sources": len(roots["sources"])},
        "journal": {"entries": given.journal.seq, "head": given.journal.head},
    }
    return Gathered(document, entries, roots, custody, given.tables, about)


def finish(gathered: Gathered, stage: Path, asked: PackRequest, beside: Beside | None = None) -> dict[str, Any]:
    """Write the files of a pack, and the manifest over them, which is returned."""
    entries = _render(gathered.document, asked.formats(), stage, gathered.entries, beside)
    (stage / CUSTODY).write_bytes(rfc8785.dumps(gathered.custody | {"tables": gathered.tables()}))
    entries |= _entries(stage, {CUSTODY: -1, **enclosures.write(stage, gathered.roots)})
    return manifest.write(stage, entries, gathered.about, asked.signer)


def _render(document: Document, formats: list[Renderer], stage: Path, entries: Entries, beside: Beside | None) -> Entries:
    """Every format in order, but those that stand alone and are somebody else's: these are awaited by whoever tells of their files."""
    found = dict(entries)
    given_away = [one for one in formats if beside is not None and getattr(one, "alone", False)]
    if beside is not None and given_away:
        beside.render([one.id for one in given_away], document)

    def here(one: Renderer) -> None:
        document["records"] = {name: e["records"] for name, e in sorted(found.items()) if "records" in e}
        document["digests"] = {name: e["sha256"] for name, e in sorted(found.items())}
        document["cover"]["tables_digest"] = manifest.tables_digest(found)
        found.update(_entries(stage, one.render(document, stage)))

    awaited: list[Renderer] = []
    for one in formats:
        if one in given_away:
            awaited.append(one)
            continue
        while awaited:
            _await(awaited.pop(), found, here, beside)
        here(one)
    while awaited:
        _await(awaited.pop(), found, here, beside)
    return found


def _await(one: Renderer, found: Entries, here: Callable[[Renderer], None], beside: Beside | None) -> None:
    made = beside.rendered(one.id) if beside is not None else None
    if made is None:
        here(one)
    else:
        found.update(made)


def _sinks(formats: Iterable[Renderer], stage: Path) -> list[PopulationSink]:
    return [sink for one in formats if (sink := one.population(stage)) is not None]


def _streamed(one: Renderer) -> bool:
    """Whether somebody else may fill this format's table of the population."""
    return getattr(one, "streamed", False)


def _note(report: Report, asked: PackRequest) -> None:
    """State in the report itself how its pages were made."""
    report.detail = "full" if asked.full else report.detail
    report.annexes.templates = asked.templates.digests if asked.templates else {}
    report.annexes.rerun += asked.options()
    report.method.inputs = asked.inputs()


def _entries(stage: Path, counts: dict[str, int]) -> Entries:
    return {name: manifest.entry(stage, name, count) for name, count in counts.items()}


def _large(assembling: Assembling) -> Document:
    """The members of a document that hold most of it, as plain values; nothing of them hangs on the population's counts."""
    return {"findings": _told(assembling.findings), "credentials": neutral(msgspec.to_builtins(assembling.credentials))}


def _plain(report: Report) -> Document:
    """A report as plain values, in which controls that rest on the same findings share one list of them."""
    lists: dict[tuple[str, ...], list[str]] = {}
    held: list[list[tuple[str, ...]]] = []
    for section in report.frameworks:
        held.append([control.findings for control in section.controls])
        for control in section.controls:
            control.findings = ()
    document = _document(report)
    for section, found in zip(document["frameworks"], held, strict=True):
        for control, ids in zip(section["controls"], found, strict=True):
            if ids not in lists:
                lists[ids] = neutral(list(ids))
            control["findings"] = lists[ids]
    return document


def _told(findings: list[FindingEntry]) -> list[Document]:
    """Findings as plain harmless values. They are most of a report, and all of one detection share their list of controls."""
    made: list[Document] = []
    controls: dict[str, list[str]] = {}
    for finding in findings:
        if finding.detection not in controls:
            controls[finding.detection] = neutral(list(finding.controls))
        finding.controls = []
        made.append(told(finding) | {"controls": controls[finding.detection]})
    return made


def _document(report: object) -> Document:
    document = neutral(msgspec.to_builtins(report))
    assert isinstance(document, dict), "a struct becomes a dict"
    return document


def _custody(given: PackInput) -> Document:
    """Who imported what and when, and the journal's head: all that may differ between two builds of one state."""
    entries = sorted(given.custody, key=lambda e: (e.at, e.path, e.source, e.sha256, e.by))
    return _document(
        {
            "schema": "remit-custody/1",
            "note": "Everything that depends on when, by whom and in which order sources were imported stands here alone.",
            "imports": [{"source": e.source, "path": e.path, "by": e.by, "at": when(e.at), "sha256": e.sha256} for e in entries],
            "journal": {"entries": given.journal.seq, "head": given.journal.head},
            "blocks": list(given.blocks),
        }
    )


def _about(given: PackInput, asked: PackRequest) -> Document:
    """What the manifest says of the whole: what the pack is about, and what was asked for."""
    about = {
        "organisation": given.organisation,
        "as_of": when(given.as_of) or "",
        "from": when(given.start) or "",
        "to": when(given.end) or "",
        "tool": f"remit {given.tool_version}",
    }
    files = {one.what: {"name": one.name, "sha256": one.sha256} for one in asked.inputs()}
    return _document({"about": about, "parameters": given.parameters | files})


def _check_target(out: Path) -> None:
    """Refuse to write among files that are not an earlier pack's."""
    if out.exists() and not out.is_dir():
        raise PackError(f"{out} is a file; name a folder for the pack")
    if not out.is_dir() or not any(out.iterdir()):
        return
    if not (out / MANIFEST).is_file():
        raise PackError(f"{out} is not empty and holds no earlier pack; name another folder")
    if extra := foreign(out):
        raise PackError(f"{out} holds files beside an earlier pack ({extra[0]}); move them or name another folder")
