"""Builds an evidence pack: one pass over the population, then every format, then the manifest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import rfc8785

from reports import crosswalk, enclosures, manifest
from reports.asked import PackRequest
from reports.assemble import assemble
from reports.checking.folder import MANIFEST
from reports.compared_words import sentences
from reports.comparing import compare
from reports.document import Report, Since
from reports.errors import PackError
from reports.input import PackInput, StepRow
from reports.planning import plan
from reports.publishing import publish
from reports.redaction import disclosed
from reports.renderers.base import Document
from reports.sections.trends import bins
from reports.standing import Desk
from reports.tally import Tally
from reports.text import neutral, told, when
from reports.verify import NotAPack, verify
from reports.vocabulary import vocabulary

CUSTODY = "custody.json"


def build_pack(given: PackInput, out: Path, asked: PackRequest) -> dict[str, Any]:
    """Write a pack into the folder `out` and return its manifest.

    The same input gives the same bytes in every file but `custody.json` and the manifest over it.
    An earlier pack in `out` is replaced; a folder that holds anything else is refused (PackError).
    """
    out = out.resolve()
    _check_target(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as held:
            stage = Path(held, "pack")
            stage.mkdir()
            sealed = _build(given, stage, asked)
            publish(stage, out)
            return sealed
    except OSError as error:
        raise PackError(
            f"cannot write the pack: {error.filename or out}: {error.strerror or error}; name another folder"
        ) from error


def _build(given: PackInput, stage: Path, asked: PackRequest) -> dict[str, Any]:
    chosen, labels = asked.library.select(asked.frameworks)
    own = (crosswalk.own_row(d.id, d.title, d.controls) for d in given.detections if d.own)
    known, given = asked.library.reading(own, labels), asked.library.stated(given)
    formats, redactor = asked.formats(), asked.redactor
    planned = plan(given, Desk(given.verdicts, given.exceptions, given.as_of), full=asked.full)
    tally = Tally(planned.steps, {*planned.bad, *planned.good}, bins(given))
    shown = redactor.row if redactor is not None else None
    counts = _population(given, tally, [s for r in formats if (s := r.population(stage)) is not None], shown)
    entries = _entries(stage, counts)
    report = assemble(given, chosen, known, vocabulary(), planned, tally)
    _note(report, asked)
    document = _told(report) if redactor is None else _document(disclosed(report, redactor, tally))
    del report  # Twice the findings of a large store at once is what the memory of an export would come from.
    if asked.since is not None:
        compared = compare(asked.since.document, document)
        document["annexes"]["changes"] = _document(Since(sentences(compared), compared))
    for renderer in formats:
        document["records"] = {name: e["records"] for name, e in sorted(entries.items()) if "records" in e}
        document["digests"] = {name: e["sha256"] for name, e in sorted(entries.items())}
        document["cover"]["tables_digest"] = manifest.tables_digest(entries)
        entries |= _entries(stage, renderer.render(document, stage))
    roots, custody, about = enclosures.evidence(given.evidence), _custody(given), _about(given, asked)
    if redactor is not None:
        roots["sources"], custody["imports"] = redactor.value(roots["sources"]), redactor.value(custody["imports"])
        about = redactor.about(about)
    (stage / CUSTODY).write_bytes(rfc8785.dumps(custody))
    entries |= _entries(stage, {CUSTODY: -1, **enclosures.write(stage, roots)})
    about |= {
        "evidence": {"records": roots["records"], "root": roots["root"], "sources": len(roots["sources"])},
        "journal": {"entries": given.journal.seq, "head": given.journal.head},
    }
    return manifest.write(stage, entries, about, asked.signer)


def _note(report: Report, asked: PackRequest) -> None:
    """State in the report itself how its pages were made."""
    report.detail = "full" if asked.full else report.detail
    report.annexes.templates = asked.templates.digests if asked.templates else {}
    report.annexes.rerun += asked.options()
    report.method.inputs = asked.inputs()


def _entries(stage: Path, counts: dict[str, int]) -> dict[str, dict[str, Any]]:
    return {name: manifest.entry(stage, name, count) for name, count in counts.items()}


def _population(given: PackInput, tally: Tally, sinks: list[Any], shown: Callable[[StepRow], StepRow] | None) -> dict[str, int]:
    records: dict[str, int] = {}
    try:
        for row in given.steps:
            tally.add(row)
            told = shown(row) if shown is not None else row
            for sink in sinks:
                sink.add(told)
    finally:
        for sink in sinks:
            records |= sink.close()
    return records


def _told(report: Report) -> Document:
    """The report as plain harmless values. Findings are most of it, and all of one detection share their list of controls."""
    findings, report.findings = report.findings, []
    document = _document(report)
    controls: dict[str, list[str]] = {}
    for finding in findings:
        if finding.detection not in controls:
            controls[finding.detection] = neutral(list(finding.controls))
        finding.controls = []
        document["findings"].append(told(finding) | {"controls": controls[finding.detection]})
    return document


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
            "tables": given.tables,
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
    try:
        extra = verify(out).extra
    except NotAPack as error:
        raise PackError(str(error)) from error
    if extra:
        raise PackError(f"{out} holds files beside an earlier pack ({extra[0]}); move them or name another folder")
