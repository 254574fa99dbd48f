"""The listings: one function per listing of the command line, each the rows in the contract's shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from chains.rotation import rotations
from lang.counted import count
from lang.times import iso
from model.chain import Finding, Link, TaskChain
from model.event import Event, RecordRef
from model.review import Remedy
from model.words import KeyRole, Phase
from review import documents
from review.documents import Doc, Refs
from review.show.baselines import rotation_document
from review.show.filters import finding_filter
from review.show.shares import holes, sequence_breaks
from review.state.overdue import with_overdue
from review.state.remedied import remedied, remedy_document
from review.state.standing import Standing
from review.workspace import Workspace
from store import FindingFilter
from store.findings import finding_place

AT_ONCE = 500
"""Findings or credentials told with the places of their evidence before the next are."""


def findings(work: Workspace, filter: str = "", limit: int | None = None) -> Iterator[Doc]:
    """Findings and blind spots, the most severe first."""
    chosen = finding_filter(filter)
    standing = Standing(work.store)
    found = with_overdue(work, _pages(work, chosen, limit), chosen, limit, standing)
    return _told(work, found, work.store.statements(Remedy, task=chosen.task), standing)


def _pages(work: Workspace, chosen: FindingFilter, limit: int | None) -> Iterator[Finding]:
    """The findings of the store that pass a filter, of which a page at a time is held."""
    size = min(limit or AT_ONCE, AT_ONCE)
    after = None
    while page := work.store.findings(chosen, size, after):
        yield from page
        after = finding_place(page[-1])


def finding_documents(work: Workspace, found: Iterable[Finding], standing: Standing | None = None) -> list[Doc]:
    """Findings as `remit findings` tells them, each with how it is put right where somebody said so; `standing` is read anew where it is not at hand."""
    listed = list(found)
    if not listed:
        return []
    tasks = {one.task for one in listed}
    stated = work.store.statements(Remedy, task=tasks.pop() if len(tasks) == 1 else None)
    return list(_told(work, listed, stated, standing or Standing(work.store)))


def _told(work: Workspace, found: Iterable[Finding], stated: Iterable[Remedy], standing: Standing) -> Iterator[Doc]:
    from reports.crosswalk import controls_of

    remedies = {one.finding: {"remedy": remedy_document(one)} for one in remedied(stated)}
    controls = {one.id: [{"framework": f, "id": id} for f, id in one.controls] for one in work.own.detections}
    waiting = iter(found)
    while some := list(islice(waiting, AT_ONCE)):
        refs = references(work, [record for one in some for record in one.evidence])
        for one in some:
            named = controls.get(one.detection) or controls_of(one.detection)
            told = documents.finding(one, refs, named, standing.of(one.id, one.evidence_digest))
            yield told | remedies.get(one.id, {})


def references(work: Workspace, records: Iterable[str], events: Mapping[str, str] | None = None) -> Refs:
    """Where records lie."""
    rows = work.store.records(sorted(set(records)))
    places: dict[str, tuple[RecordRef, tuple[RecordRef, ...]]] = {id: (row.ref, row.also) for id, row in rows.items()}
    return Refs(places, events or {})


def chain_references(work: Workspace, chain: TaskChain) -> Refs:
    """Where every record of a chain lies, and which record each event at either end of a link belongs to."""
    events = {item.id: item.record for step in chain.steps for item in step.items()}
    events |= {one.id: one.record for one in chain.intents}
    ends = {end for link in links_of(chain) for end in (link.source, link.target)} - set(events)
    if ends:
        events |= event_records(work, sorted(ends))
    return references(work, [*chain.records, *events.values()], events)


def event_records(work: Workspace, events: list[str]) -> dict[str, str]:
    """The record each of these events was read from."""
    return work.store.event_records(events)


def links_of(chain: TaskChain) -> Iterable[Link]:
    yield from chain.links
    for step in chain.steps:
        yield from step.links


def coverage(work: Workspace) -> list[Doc]:
    breaks = sequence_breaks(work)
    return [documents.coverage(one, work.facts, breaks.get(one.point, ())) for one in work.store.coverage()]


def credentials(work: Workspace) -> Iterator[Doc]:
    """Credential lifelines: those that a task knows, flagged ones first, then those of no task that was seen."""
    held = work.store.credentials()
    replaced = {id: rotation_document(one) for id, one in rotations(held).items()}
    held.sort(key=lambda c: (not c.tasks, -len(c.flags), c.issued or c.first_use or 0, c.id))
    for start in range(0, len(held), AT_ONCE):
        some = held[start : start + AT_ONCE]
        refs = references(work, [c.issued_record for c in some if c.issued_record])
        yield from (documents.credential(c, refs) | {"rotated": replaced.get(c.id)} for c in some)


def unattributed(work: Workspace, limit: int) -> list[Doc]:
    """Events that belong to no task, in order of time: seen by somebody, tied to nobody."""
    events = work.store.unattributed(limit=limit)
    refs = references(work, [event.record for event in events])
    return [
        {
            "id": event.id,
            "at": iso(event.at),
            "kind": event.kind.value,
            "phase": event.phase.value,
            "vantage": event.vantage.value,
            "by": event.point,
            "principal": event.principal.name if event.principal else None,
            "verb": event.verb.value,
            "target": documents.target(event.target),
            "what": event.target.name or event.tool or _in_force(event) or None,
            "text": event.text[:400],
            "keys": [{"role": key.role.value, "key": key.name} for key in event.keys if key.role is not KeyRole.MATCH],
            "record": refs.record(event.record),
        }
        for event in events
    ]


def _in_force(event: Event) -> str:
    """What settings state, in their first words; "" for other events."""
    if event.phase is not Phase.POSTURE:
        return ""
    told = (f"{name} {event.attrs[name]}" for name in ("mode", "sandbox") if event.attrs.get(name))
    return event.text.partition("\n")[0][:100] or ", ".join(told)


def unattributed_sentence(row: Doc) -> str:
    if row["phase"] == Phase.POSTURE.value:
        stated = "; ".join(row["text"].splitlines()) or row["what"] or "nothing that is policy"
        return f"{row['at'] or 'at an unknown time'}: in force by settings of {row['by']}: {stated}"
    who = row["principal"] or "an unknown principal"
    return f"{row['at'] or 'at an unknown time'}: {row['by']} saw {who} do {row['verb']} on {row['what'] or 'an unknown target'}"


def search(work: Workspace, text: str, limit: int) -> list[Doc]:
    return [{"task": hit.task, "step": hit.step or None, "text": hit.snippet} for hit in work.store.search(text, limit)]


def formats() -> list[Doc]:
    from importers.registry import importers

    return [{"id": one.id, "title": one.title, "evidence": one.evidence, "version": one.version} for one in importers().values()]


def broken_formats() -> dict[str, str]:
    """Third parties' importers that cannot be used, by their name, and why."""
    from importers.registry import broken

    return broken()


def finding_sentence(row: Doc) -> str:
    kind = "Blind spot" if row["blind_spot"] else row["severity"].capitalize()
    return f"{kind} {row['detection']} {row['title']}: {row['why']} (task {row['task']})"


def coverage_sentence(row: Doc) -> str:
    return f"{row['enforcement_point']} ({row['vantage']}) for {row['scope'] or 'all'}: {row['from']} to {row['to']}{holes(row)}"


def credential_sentence(row: Doc) -> str:
    return (
        f"{row['kind'] or 'credential'} of {row['subject'] or 'unknown subject'}: issued {row['issued'] or 'not seen'}, "
        f"last used {row['last_use'] or 'never'}, {count(row['uses'], 'use')} in {count(len(row['tasks']), 'task')}; "
        f"{', '.join(row['flags']) or 'no flags'}"
    )
