"""`show`: one task, step, finding, credential or record with everything it rests on."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from lang.times import iso
from model.chain import Link, TaskChain
from model.words import KeyRole
from review import baselines, documents
from review.authority import as_of, authority_document, cursor
from review.conformance import compared_document
from review.credentials import credential_document
from review.delegation import delegation_document
from review.documents import Doc, Refs
from review.errors import NotFoundError, RemitError
from review.listings import finding_documents, references
from review.overdue import named as overdue_named
from review.overdue import with_overdue
from review.standing import Standing, step_evidence
from review.workspace import Workspace
from store import FindingFilter

KINDS = frozenset({"task", "step", "finding", "credential", "record"})
"""What may stand before an id, as in `credential:ID`."""


def show(work: Workspace, id: str, at: str | None = None, *, delegated: bool = False) -> Doc:
    """The document of whatever the id names; raises NotFoundError with near ids where it names nothing or several things.

    `credential:ID` and the like look among the ids of that kind alone. `at` and `delegated` are asked of tasks only.
    """
    kind, id = _kind_of(id)
    found = [one for one in work.store.resolve(id) if not kind or one[0] == kind]
    if not found and kind in ("", "finding") and (late := overdue_named(work, id)):
        return {"kind": "finding", "finding": finding_documents(work, late)[0]}
    if not found:
        near = nearest(work, id, {kind} if kind else ())
        raise NotFoundError(f"nothing is called {id[:80]!r}{near}; `remit tasks`, `findings` and `credentials` list the ids")
    if len(found) > 1:
        shown = ", ".join(f"{kind} {one}" for kind, one in found[:6])
        raise NotFoundError(f"{id[:80]!r} could be any of {len(found)}: {shown}; give more of it")
    kind, whole = found[0]
    if kind != "task" and (at is not None or delegated):
        option = "--at" if at is not None else "--delegation"
        raise RemitError(f"{option} is asked of a task; {id[:80]} is a {kind}")
    match kind:
        case "task" if delegated:
            return delegation_document(work, whole)
        case "task":
            return task_document(work, whole, at)
        case "step":
            return _step(work, whole)
        case "finding":
            return _finding(work, whole)
        case "credential":
            return credential_document(work, whole)
        case "event":
            return record_document(work, event_records(work, [whole])[whole])
        case "source":
            raise NotFoundError(f"{whole} is a source; `remit sources` shows it")
        case _:
            return record_document(work, whole)


def _kind_of(text: str) -> tuple[str, str]:
    """The kind of thing an id is sought among, "" for any, and the id itself."""
    kind, _, id = text.partition(":")
    return (kind, id) if kind in KINDS and id else ("", text)


def nearest(work: Workspace, id: str, kinds: Collection[str] = ()) -> str:
    """What to say after an id that names nothing: the ids it may have been meant for, "" where none is like it."""
    near = [f"{kind} {one}" for kind, one in work.store.nearest(id) if not kinds or kind in kinds]
    return f"; did you mean {' or '.join(near)}?" if near else ""


def task_document(work: Workspace, id: str, at: str | None = None) -> Doc:
    """The contract's `show TASK`: `{"task", "intents", "steps", "children", "findings", "credentials", "records", "links"}`."""
    chain = work.store.chain(id)
    if chain is None:
        raise NotFoundError(f"there is no task {id}")
    refs = chain_references(work, chain)
    standing = Standing(work.store)
    held = work.store.credentials(task=id)
    row = work.store.task_row(id)
    document: Doc = {
        "kind": "task",
        "task": documents.task_row(chain.task, standing.of_task(id, row.evidence if row else "")),
        "intents": [documents.intent(one, refs) for one in chain.intents],
        "steps": [documents.step(one, refs) for one in chain.steps],
        "children": list(chain.task.children),
        "findings": finding_documents(work, with_overdue(work, work.store.findings_of(id), FindingFilter(task=id))),
        "credentials": [documents.credential(c, references(work, [c.issued_record])) for c in held],
        "records": refs.records(chain.records),
        "links": [documents.link(one, refs) for one in chain.links],
        "facts": baselines.task_facts(work, chain),
        "conformance": [compared_document(one) for _, _, one in work.store.compared(id)],
    }
    if at is not None:
        document["authorised"] = authority_document(work, as_of(work, chain), cursor(chain.steps, at))
    return document


def chain_references(work: Workspace, chain: TaskChain) -> Refs:
    """Where every record of a chain lies, and which record each event at either end of a link belongs to."""
    events = {item.id: item.record for step in chain.steps for item in step.items()}
    events |= {one.id: one.record for one in chain.intents}
    ends = {end for link in _links(chain) for end in (link.source, link.target)} - set(events)
    if ends:
        events |= event_records(work, sorted(ends))
    return references(work, [*chain.records, *events.values()], events)


def event_records(work: Workspace, events: list[str]) -> dict[str, str]:
    """The record each of these events was read from."""
    return work.store.event_records(events)


def _links(chain: TaskChain) -> Iterable[Link]:
    yield from chain.links
    for step in chain.steps:
        yield from step.links


def _step(work: Workspace, id: str) -> Doc:
    step = work.store.step(id)
    if step is None:
        raise NotFoundError(f"there is no step {id}")
    task = work.store.task(step.task)
    one = TaskChain(task, [], [step], [], list(step.records)) if task else None
    refs = chain_references(work, one) if one else references(work, step.records)
    standing = Standing(work.store)
    return {
        "kind": "step",
        "step": documents.step(step, refs),
        "task": documents.task_row(task, standing.of_task(step.task, work.store.task_evidence(step.task))) if task else None,
        "findings": finding_documents(work, work.store.findings(FindingFilter(step=id))),
        "review": standing.of(id, step_evidence(step)),
    }


def _finding(work: Workspace, id: str) -> Doc:
    found = work.store.finding(id)
    if found is None:
        raise NotFoundError(f"there is no finding {id}")
    times = {"times": baselines.finding_times(work, found)}
    return {"kind": "finding", "finding": finding_documents(work, [found])[0] | times}


def record_document(work: Workspace, id: str) -> Doc:
    """A record by its id: where it lies, its redacted bytes, and every event it holds with the keys that may join it."""
    row = work.store.records([id]).get(id)
    if row is None:
        raise NotFoundError(f"there is no record {id}")
    place = documents.reference(row.ref)
    if row.also:
        place["also"] = [documents.reference(ref) for ref in row.also]
    held = work.store.events_of_record(id)
    return {
        "kind": "record",
        "record": place | {"id": id},
        "variants": [documents.reference(ref) for ref in row.variants],
        "type": row.type,
        "raw": work.store.raw(id).decode("utf-8", "replace"),
        "events": [
            {
                "id": event.id,
                "kind": event.kind.value,
                "phase": event.phase.value,
                "vantage": event.vantage.value,
                "by": event.point,
                "at": iso(event.at),
                "clock": event.clock.value,
                "verb": event.verb.value,
                "tool": event.tool or None,
                "target": documents.target(event.target),
                "principal": event.principal.name if event.principal else None,
                "text": event.text,
                "task": task or None,
                "keys": [{"role": k.role.value, "key": k.name} for k in event.keys if k.role is not KeyRole.MATCH],
            }
            for event, task in held
        ],
    }
