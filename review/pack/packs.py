"""Evidence packs: gather the state of a store for one period and hand it to the reports."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from chains.detections import registry
from chains.skew import compare
from model.event import Attr
from model.review import Attestation as Stated
from model.review import ExceptionRecord, Remedy, standing_rows
from model.words import Severity
from reports.asked import PackRequest
from reports.earlier import Altered, read_report
from reports.errors import ReportError
from reports.exchange import Exchange
from reports.exchange import check as check_exchange
from reports.input import (
    AnyTask,
    Attestation,
    CustodyEntry,
    Delivered,
    Detection,
    FindingRow,
    Journal,
    PackInput,
    SignOff,
    SourceRow,
    StepRow,
)
from reports.pack import finish, gather, staging
from reports.publishing import recover
from reports.redaction import PROFILES, Redactor, check_profile
from reports.renderers.base import choose, renderers
from reports.renderers.folder import TemplateFolder
from reports.signing import Signer
from reports.zipped import is_zipped, write_zip
from review.collecting import fewer_collections
from review.derive.settings_stamp import require_organisation
from review.documents import Doc
from review.errors import AlteredError, RemitError
from review.intake.sources import Told, clocks_of, widest
from review.judge.journals import note_access
from review.keys import pseudonym_key
from review.pack.pack_crew import PackCrew
from review.pack.pack_population import ground, rows, within
from review.pack.pack_wish import PackWish
from review.pack.proving import evidence_roots
from review.show.known import Known
from review.state.overdue import overdue
from review.state.remedied import remedied
from review.state.second import on_own_task
from review.state.standing import covered
from review.workspace import Workspace, open_workspace
from store.errors import StoreError

_FORMATS = {"md": "markdown"}

Heed = Callable[[str, int, int], None]

HEEDED = 250
"""Steps between two words about how far a pack is."""

DEFAULT_FRAMEWORKS = ("owasp-asi-2026", "owasp-nhi-2025", "nist-ai-rmf-1.0")


def formats() -> str:
    """The formats that a pack holds without a wish, in the order they are written, and those that it holds where they are named."""
    named = [name for name, one in renderers().items() if getattr(one, "on_request", False)]
    usual = ", ".join(name for name in renderers() if name not in named)
    return f"{usual}; {', '.join(named)} if named" if named else usual


def chosen_formats(text: str) -> tuple[str, ...]:
    """The formats a person named, with commas between them; none is all. Raises RemitError with the nearest names."""
    named = {_FORMATS.get(name, name) for one in text.split(",") if (name := one.strip())}
    try:
        return tuple(one.id for one in choose(named)) if named else ()
    except ReportError as error:
        raise RemitError(str(error)) from error


def write_pack(
    work: Workspace, out: Path, wish: PackWish, *, force: bool = False, sign: Signer | None = None, heed: Heed | None = None
) -> Doc:
    """Write a pack into a folder, or a ZIP file where `out` is called so, and return its manifest; raises RemitError where the folder or the wish is wrong.

    `force` replaces an earlier pack; with `sign` (`review.pack.signing.signing_key`) the manifest is signed; `heed` is told how far
    it is: what is done, of how many.
    """
    zipped = is_zipped(out)
    recover(out)
    if out.exists() and not out.is_dir() and not (zipped and force):
        advice = "give --force to replace it" if zipped else "--out wants a folder or a name that ends in .zip"
        raise RemitError(f"{out} is a file; {advice}")
    if out.is_dir() and any(out.iterdir()) and not force:
        raise RemitError(f"{out} is not empty; choose another folder, or give --force to replace the pack in it")
    try:
        named = list(wish.frameworks or DEFAULT_FRAMEWORKS)  # As they were given: a pack shows labels beside the published ids.
        wish = _settled(work, wish)
        settings = check_exchange(Exchange(**wish.exchange))
        earlier = read_report(Path(wish.since)) if wish.since else None
        templates = TemplateFolder(Path(wish.templates)) if wish.templates else None
        asked = PackRequest(
            frameworks=named,
            only=wish.only or None,
            also=wish.also,
            full=wish.full,
            templates=templates,
            since=earlier,
            signer=sign,
            library=work.library,
        )
        streams = bool(wish.full or wish.redact)
        with _folder(out, zipped) as folder, fewer_collections():
            with staging(folder) as stage, PackCrew(work, stage, asked.formats(), heed, streams=streams) as beside:
                given = pack_input(work, wish.start, wish.end, wish.as_of, reviewed_until=wish.reviewed_until, beside=beside)
                given.exchange, given.tables = settings, beside.tables
                wish.label(given)
                given.parameters = wish.parameters()
                if wish.redact:
                    asked = dataclasses.replace(
                        asked, redactor=Redactor(wish.redact, work.library.stated(given), pseudonym_key(), work.library.overrides)
                    )
                if heed is not None:
                    given.steps = _heeded(given.steps, sum(task.steps for task in given.tasks), heed)
                gathered = gather(given, stage, asked, beside)
                del given
                sealed = finish(gathered, stage, asked, beside)
            if zipped:
                write_zip(folder, out)
        return sealed
    except Altered as error:
        raise AlteredError(str(error)) from error
    except ReportError as error:
        raise RemitError(str(error)) from error
    except OSError as error:
        raise RemitError(f"cannot write the pack to {out}: {error.strerror or error}") from error


def export_pack(
    work: Workspace, out: Path, wish: PackWish, *, force: bool = False, sign: Signer | None = None, heed: Heed | None = None
) -> tuple[Doc, bool]:
    """`write_pack` for somebody who takes the pack away: its manifest, and whether the access journal could be told of it.

    The pack is read from a store opened for reading; where that is all that may be done with it, the journal is not told.
    """
    sealed = write_pack(work, out, wish, force=force, sign=sign, heed=heed)
    frameworks = sealed["parameters"]["frameworks"]
    body = {"out": out.name, "frameworks": frameworks, "files": len(sealed["files"]), "root": sealed["root"]}
    try:
        with open_workspace(work.location, str(work.org_path) if work.org_path else None) as writing:
            return sealed, note_access(writing, "export", body)
    except (RemitError, StoreError):
        return sealed, False


def _settled(work: Workspace, wish: PackWish) -> PackWish:
    """The wish with the frameworks and formats by their ids and a span as a period: what the manifest states."""
    start, end = wish.start, wish.end
    if wish.last is not None:
        end = wish.as_of if wish.as_of is not None else work.store.last_evidence() or 0
        start = end - wish.last
    chosen, _ = work.library.select(list(wish.frameworks or DEFAULT_FRAMEWORKS))
    only = tuple(sorted({_FORMATS.get(name, name) for name in wish.only})) if wish.only else None
    return replace(wish, frameworks=tuple(one.id for one in chosen), start=start, end=end, last=None, only=only)


@contextmanager
def _folder(out: Path, zipped: bool) -> Iterator[Path]:
    """Where the files of a pack are written: its folder, or one that is gone once the ZIP file is made."""
    if not zipped:
        yield out
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as made:
        yield Path(made) / "pack"


def profiles() -> list[str]:
    """The profiles by which a pack leaves texts out."""
    return list(PROFILES)


def chosen_profile(text: str) -> str:
    """A profile by its name, "" for none; raises RemitError with the names there are."""
    try:
        return check_profile(name) if (name := text.strip()) else ""
    except ReportError as error:
        raise RemitError(str(error)) from error


def _heeded(steps: Iterable[StepRow], total: int, heed: Heed) -> Iterator[StepRow]:
    done = 0
    for done, row in enumerate(steps, 1):
        if not done % HEEDED:
            heed("steps", done, max(total, done))
        yield row
    heed("assessing and writing the formats", done, done)


def pack_input(
    work: Workspace,
    start: int | None,
    end: int | None,
    as_of: int | None,
    *,
    reviewed_until: int | None = None,
    beside: PackCrew | None = None,
) -> PackInput:
    """The state of the store, selected for a period; the default as-of is the last evidence time, never now.

    What people said by `reviewed_until` counts, or by `as_of`; where neither is stated, all of it. A task belongs to the
    period where any of it may lie in it; its steps are held against the period one by one. `beside` counts them meanwhile, where it can.
    """
    store = work.store
    require_organisation(work)
    moment = as_of if as_of is not None else store.last_evidence() or 0
    last = moment if end is None else min(end, moment)
    known = Known(work, moment)
    held = sorted((t for t in map(known.task, store.seen_tasks()) if t is not None), key=lambda t: t.id)
    tasks = tuple(t for t in held if within(t.started, None, last) and within(t.ended, start, None))
    by_id = {task.id: task for task in tasks}
    coverages = known.coverage()
    # A pack speaks of tasks; what nobody saw a task hold is no evidence for or against any of them.
    credentials = {c.id: c for c in known.credentials() if c.tasks or c.issued_task}
    until = reviewed_until if reviewed_until is not None else as_of
    verdicts = tuple(replace(v, own=on_own_task(work, v, by_id)) for v in store.verdicts(until=until))
    words = {v.subject: v.verdict.value for v in verdicts}
    judged = ground(tasks, credentials, words, coverages, start, last)
    if beside is not None and known.until is None:
        beside.begin(judged, sum(task.steps for task in tasks))
    found = [f for f in known.findings() if (not f.task or f.task in by_id) and within(f.at, start, last)]
    found += overdue(work, found, as_of=moment, until=until)
    refs = store.records(sorted({r for f in found for r in f.evidence}))
    stated = [one for one in store.statements(Stated) if until is None or one.at <= until]
    remedies = remedied([one for one in store.statements(Remedy) if until is None or one.at <= until])
    policies = tuple(p for p in store.policies() if until is None or p.at <= until)
    exceptions = tuple(_exceptions(work, until))
    said = [
        *(v.at for v in verdicts),
        *(e.at for e in exceptions),
        *(s.at for s in stated),
        *(r.at for r in remedies),
        *(p.at for p in policies),
    ]
    head = store.journal_head(until)
    sources = tuple(_sources(work, known, held))
    shown = {one.id for one in sources}
    unjudged: dict[str, Counter[str]] = defaultdict(Counter)
    hidden: dict[str, Counter[str]] = defaultdict(Counter)
    blind: dict[str, set[str]] = defaultdict(set)
    for task in tasks:
        for detection, fact in task.unjudged.items():
            unjudged[detection][fact] += 1
            blind[detection].add(task.id)
        for detection, why in task.hidden.items():
            hidden[detection].update(why)
    delivered = tuple(Delivered(*row) for row in store.delivered(known.until))
    return PackInput(
        organisation=work.organisation.name,
        start=start,
        end=end,
        as_of=moment,
        tool_version=version("remit"),
        tasks=tasks,
        steps=rows(known.steps(sorted(by_id)), judged),
        findings=tuple(FindingRow(f, tuple(refs[r].ref for r in f.evidence if r in refs)) for f in found),
        credentials=tuple(c for _, c in sorted(credentials.items())),
        coverage=coverages,
        sources=sources,
        delivered=delivered,
        exceptions=exceptions,
        remedies=tuple(remedies),
        attestations=tuple(_attestation(a) for a in standing_rows(stated) if a.framework),
        sign_offs=tuple(
            SignOff(a.reviewer or a.by, a.at, a.text, a.asserted, a.about) for a in standing_rows(stated) if not a.framework
        ),
        separation_enforced=store.names_roles,
        verdicts=verdicts,
        policies=policies,
        detections=tuple(_detections(work, unjudged, blind, hidden)),
        unattributed=store.unattributed_counts(known.until),
        outside_period=store.steps_outside(start, end, moment),
        not_kept=store.dropped(as_of).records,
        reviewed_until=until if until is not None else max(said, default=moment),
        org=work.organisation,
        configuration={
            "inference threshold": str(work.organisation.inference_threshold),
            "inference window": f"{work.organisation.inference_window_seconds} s",
        },
        journal=Journal(head.seq, head.head) if head else Journal(),
        custody=tuple(CustodyEntry(c.id, c.path, c.by, c.at, c.sha256) for c in store.custody() if c.id in shown),
        evidence=tuple(evidence_roots(work, known.until)),
        blocks=tuple(digest.hex() for _, digest in store.block_digests()),
        tables=store.table_digests,
    )


def _attestation(one: Stated) -> Attestation:
    return Attestation(
        one.framework, one.control, one.reviewer or one.by, one.at, one.text, one.evidence, one.expires or None, one.asserted
    )


def _exceptions(work: Workspace, until: int | None) -> Iterator[ExceptionRecord]:
    """Accepted risks, one for each finding that they speak of."""
    for one in work.store.exceptions(until=until):
        for finding in covered(work.store, one):
            yield replace(one, finding=finding)


def _sources(work: Workspace, known: Known, tasks: Sequence[AnyTask]) -> Iterator[SourceRow]:
    told = Told(work.store, known.until)
    clocks = compare(known.clocks(tasks), work.store.word_clocks(known.until))
    reasons, notes = work.store.reject_reasons(), work.store.notes()
    for row in work.store.sources(known.until):
        points = told.points.get(row.id, [])
        yield SourceRow(
            id=row.id,
            name=row.name,
            format=row.format,
            sha256=row.sha256,
            bytes=row.bytes,
            first=row.first,
            last=row.last,
            read=row.read,
            accepted=row.accepted,
            duplicate=row.duplicate,
            rejected=row.rejected,
            events=told.events[row.id],
            points=tuple(points),
            reject_reasons=reasons.get(row.id, {}),
            unknown_types=row.unknown_types,
            zone_assumed=told.zones[row.id],
            skew_micros=widest(clocks_of(points, clocks)),
            note="; ".join(notes.get(row.id, ())),
        )


def _detections(
    work: Workspace,
    unjudged: Mapping[str, Mapping[str, int]],
    blind: Mapping[str, set[str]],
    hidden: Mapping[str, Mapping[str, int]],
) -> Iterator[Detection]:
    """Those that ran, built-in and own; one that is switched off did not, and what it speaks to is not assessed by it."""
    for one in (*registry().values(), *work.own.detections):
        settings = work.facts.parameters(one.id)
        if settings.get("enabled") is False:
            continue
        missing = dict(sorted(unjudged.get(one.id, {}).items()))
        yield Detection(
            id=one.id,
            title=one.title,
            version=one.version,
            severity=Severity(str(settings.get("severity") or one.severity.value)),
            params={name: _attr(settings.get(name, default)) for name, (default, _) in one.parameters.items()},
            cannot_judge=sum(missing.values()),
            missing_facts=missing,
            unjudged=frozenset(blind.get(one.id, ())),
            excluded=dict(sorted(hidden.get(one.id, {}).items())),
            own=one.own,
            controls=one.controls,
        )


def _attr(value: object) -> Attr:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return [str(v) for v in value] if isinstance(value, list | tuple) else str(value)
