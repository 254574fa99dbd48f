"""Letting raw records go when their time is over, and what has to stay all the same.

Some records are needed still: those of a task that was escalated, or of which a step or finding was; those of a task with a finding whose
risk was accepted and is not over; and settings files, from which policies in force are read whenever chains are built. Their blocks stay and are counted.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from lang.counted import count
from lang.times import iso, parse_time
from model.review import Verdict
from model.words import VerdictWord
from review.derive.enforced import FORMATS
from review.documents import Doc
from review.errors import RemitError
from review.show.subjects import subject
from review.state.standing import covered
from review.workspace import Workspace
from store import StoreError
from store.retention import Retained

SHOWN = 10
"""Sources told one by one."""


def retain(work: Workspace, before: str, *, apply: bool = True) -> Doc:
    """Let go of raw records older than a moment (ISO 8601); without `apply` only say what would go."""
    moment, _ = parse_time(before)
    if moment is None:
        raise RemitError(f"{before[:80]!r} is no time; give one such as 2026-01-31 or 2026-01-31T00:00:00Z")
    if moment > time.time_ns() // 1_000:
        raise RemitError(f"{before[:80]} is still to come; what is kept is what was logged since a moment that has passed")
    if not apply:
        tasks, records, sources = _held(work)
        return _document(work, work.store.retention(moment, records, sources), moment, tasks, applied=False)
    # Together: what somebody escalates meanwhile waits, and what was escalated until now is held.
    with work.store.together():
        tasks, records, sources = _held(work)
        told = {"tasks_held": len(tasks), "at": iso(moment) or ""}
        found = work.store.retain(moment, records, sources, work.identity, told)
    document = _document(work, found, moment, tasks, applied=True)
    try:
        work.store.vacuum()
    except StoreError as error:
        document["space"] = str(error)
    return document


def dropped(work: Workspace) -> Doc | None:
    """What was let go so far; None where everything is kept."""
    found = work.store.dropped()
    if not found.blocks:
        return None
    return {"blocks": found.blocks, "records": found.records, "first": iso(found.first), "last": iso(found.last)}


def _held(work: Workspace) -> tuple[list[str], list[str], list[str]]:
    """What is needed still: tasks, their records, and sources that are settings."""
    tasks = _held_tasks(work)
    records = sorted({record for task in tasks for record in _records(work, task)})
    return tasks, records, [row.id for row in work.store.named_sources() if row.format in FORMATS]


def _held_tasks(work: Workspace) -> list[str]:
    """Tasks that are escalated or hold something that is, or on whose findings a risk is accepted and not over."""
    now = time.time_ns() // 1_000
    found = set(work.store.escalated())
    for one in _escalated_parts(work):
        try:
            found.add(subject(work, one.subject).task)
        except RemitError:
            found.add(one.task)
    for exception in work.store.exceptions():
        for id in covered(work.store, exception) if exception.expires > now else ():
            finding = work.store.finding(id)
            if finding is not None:
                found.add(finding.task)
    return sorted(found - {""})


def _escalated_parts(work: Workspace) -> list[Verdict]:
    """The verdicts that stand on steps and findings, where they are *escalate*."""
    judged = sorted({one.subject for one in work.store.verdicts() if one.kind != "task"})
    return [one for one in work.store.latest_verdicts(judged).values() if one.verdict is VerdictWord.ESCALATE]


def _records(work: Workspace, task: str) -> list[str]:
    chain = work.store.chain(task)
    found = [] if chain is None else list(chain.records)
    return [*found, *(record for finding in work.store.findings_of(task) for record in finding.evidence)]


def source_words(rows: Sequence[Doc]) -> list[str]:
    """Where what goes comes from: each source by itself where they are few, else how many of each format; the document has them all."""
    if len(rows) <= SHOWN:
        return [f"{one['records']:,} of {one['name'] or one['id']}" for one in rows]
    formats: dict[str, list[int]] = {}
    for one in rows:
        formats.setdefault(one["format"], []).append(one["records"])
    often = sorted(formats.items(), key=lambda pair: (-sum(pair[1]), pair[0]))
    return [f"{sum(counts):,} of {count(len(counts), 'source')} in {format or 'no known format'}" for format, counts in often]


def _document(work: Workspace, found: Retained, moment: int, tasks: list[str], *, applied: bool) -> Doc:
    rows = {row.id: row for row in work.store.named_sources()}
    sources = [
        {"id": id, "name": rows[id].name if id in rows else "", "format": rows[id].format if id in rows else "", "records": count}
        for id, count in found.by_source.items()
    ]
    return {
        "before": iso(moment),
        "applied": applied,
        "blocks": found.blocks,
        "records": found.records,
        "bytes": found.bytes,
        "stored_bytes": found.stored,
        "first": iso(found.first),
        "last": iso(found.last),
        "held": {"blocks": found.held, "tasks": tasks},
        "sources": sources,
    }
