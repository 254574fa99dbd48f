"""Looking after a store: what it holds, whether it is whole, building it again, printing its derived content."""

from __future__ import annotations

from collections.abc import Iterator

from importers.base import placed, reader_of
from importers.reading import read_record
from importers.registry import importers
from model.event import BadRecord
from review.derive.building import build
from review.derive.settings_stamp import require_organisation
from review.documents import Doc
from review.intake.importing import Progress
from review.intake.preparing import prepare_events
from review.policy.keeping import keep_history
from review.show.listings import credentials, findings
from review.show.showing import task_document
from review.show.tasks import tasks
from review.state.standing import Standing
from review.stores.retaining import dropped
from review.stores.teams import sight
from review.workspace import Workspace

_OF_ALL = ("bytes", "sources", "rejects")
"""Figures of a store that no team has a part of."""


def info(work: Workspace) -> Doc:
    """Where the store is and how much it holds; to who sees some teams alone how much of theirs, and which teams these are."""
    found: Doc = dict(work.store.info())
    if (seen := sight(work)) is not None:
        found |= dict.fromkeys(_OF_ALL)
        found["sees"] = seen
    return found


def check(work: Workspace) -> Doc:
    """Digests, references and the journal, one by one; and how much of what was imported is no longer kept as it was logged."""
    problems = list(work.store.check())
    journal = work.store.verify_journal()
    if not journal.ok:
        problems.append(f"journal: entry {journal.seq}: {journal.problem}")
    found: Doc = {"state": "altered" if problems else "intact", "problems": problems, "journal_head": journal.head}
    if (gone := dropped(work)) is not None:
        found["not_kept"] = gone
    return found


def rebuild(work: Workspace, *, events: bool = False, progress: Progress | None = None) -> Doc:
    """Build every derived row again; with `events` the kept records are read again by today's importers first."""
    require_organisation(work)
    if events:
        _reread(work, progress)
    totals = dict(build(work, progress=progress, anew=True))
    keep_history(work)
    return totals


def _reread(work: Workspace, progress: Progress | None) -> None:
    """Events come from redacted bytes, so no secret can come back; exposures found at import stay as they were."""
    known = importers()
    places = {one.id: placed(one.path, one.name) for one in work.store.custody()}
    redactor = work.redactor
    for done, source in enumerate(work.store.named_sources()):
        importer = known.get(source.format)
        if importer is None:
            continue
        reader = reader_of(importer, places.get(source.id, ""))
        order = -1
        for order, row in enumerate(work.store.raw_records(source.id)):
            try:
                parsed = read_record(reader, row.raw)
            except BadRecord:
                continue
            if not row.speaks:
                continue
            kept = [event for event, _ in work.store.events_of_record(row.id) if event.phase.value == "exposed"]
            fresh = prepare_events(parsed, (), row.id, source.format, order, redactor)
            work.store.replace_events(row.id, [*fresh, *kept])
        if progress:
            progress(source.name, order + 1, done)


def export(work: Workspace) -> Iterator[Doc]:
    """The derived content, one object a line, the same for the same evidence: tasks with their chains, findings, credentials."""
    standing = Standing(work.store)
    for row in tasks(work.store, sort="risk"):
        yield task_document(work, row["id"], standing=standing)
    for finding in findings(work):
        yield {"kind": "finding", "finding": finding}
    for one in credentials(work):
        yield {"kind": "credential", "credential": one}
