"""`show`: one task, step, finding, credential or record with everything it rests on."""

from __future__ import annotations

from chains.gaps import missing
from lang.times import iso
from model.chain import Finding, TaskChain
from model.words import KeyRole
from review import documents
from review.documents import Doc
from review.errors import NotFoundError, RemitError
from review.show import baselines
from review.show.authority import as_of, authority_document, cursor, load
from review.show.chain_walk import gap_documents, gaps_of, whole_outline
from review.show.conformance import compared_document
from review.show.credentials import credential_document
from review.show.delegation import delegation_document
from review.show.listings import chain_references, event_records, finding_documents, references
from review.show.near import nearest
from review.show.opened import changes_of
from review.state.overdue import named as overdue_named
from review.state.overdue import with_overdue
from review.state.standing import Standing, step_evidence
from review.workspace import Workspace
from store import FindingFilter, NotKept

KINDS = frozenset({"task", "step", "finding", "credential", "record"})
"""What may stand before an id, as in `credential:ID`."""


def show(work: Workspace, id: str, at: str | None = None, *, delegated: bool = False, steps: str | None = None) -> Doc:
    """The document of whatever the id names; raises NotFoundError with near ids where it names nothing or several things.

    `credential:ID` and the like look among the ids of that kind alone. `at`, `delegated` and `steps` are asked of tasks only.
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
    asked = {"--at": at is not None, "--delegation": delegated, "--steps": steps is not None}
    if kind != "task" and any(asked.values()):
        option = next(name for name, given in asked.items() if given)
        raise RemitError(f"{option} is asked of a task; {id[:80]} is a {kind}")
    match kind:
        case "task" if delegated:
            return delegation_document(work, whole)
        case "task":
            return task_document(work, whole, at, steps)
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


def task_document(
    work: Workspace, id: str, at: str | None = None, steps: str | None = None, standing: Standing | None = None
) -> Doc:
    """The contract's `show TASK`: `{"task", "intents", "steps", "children", "findings", "credentials", "records", "links"}`.

    With `steps` (`10-20`, `10-`, `7`) it holds only these steps, their findings and records, and those of the task as a whole.
    `standing` is read anew where it is not at hand.
    """
    with work.store.viewing():
        standing = standing or Standing(work.store)
        if steps is not None:
            return _part(work, id, at, steps, standing)
        chain = work.store.chain(id)
        if chain is None:
            raise NotFoundError(f"there is no task {id}")
        return _document(work, chain, at, chain, work.store.findings_of(id), standing)


def _part(work: Workspace, id: str, at: str | None, steps: str, standing: Standing) -> Doc:
    task = work.store.task(id)
    if task is None:
        raise NotFoundError(f"there is no task {id}")
    total = work.store.count_steps(id)
    first, last = step_range(steps, total)
    shown = work.store.steps(id, first, last - first + 1)
    records = list(dict.fromkeys(record for one in shown for record in one.records))
    chain = TaskChain(task, work.store.first_intents(id), shown, [], records)
    found = work.store.findings_of_steps(id, ["", *(one.id for one in shown)])
    document = _document(work, chain, at, None, found, standing)
    return document | {"steps_shown": {"from": first, "to": last, "of": total}}


def _document(
    work: Workspace, chain: TaskChain, at: str | None, whole: TaskChain | None, found: list[Finding], standing: Standing
) -> Doc:
    """A task's document over a chain, which may hold a part of the steps; `whole` is the chain with all of them, where it was read."""
    id = chain.task.id
    refs = chain_references(work, chain)
    held = work.store.credentials(task=id)
    row = work.store.task_row(id)
    watching = gaps_of(work, chain.task)
    document: Doc = {
        "kind": "task",
        "task": documents.task_row(chain.task, standing.of_task(id, row.evidence if row else "")),
        "intents": [documents.intent(one, refs) for one in chain.intents],
        "steps": [documents.step(one, refs) | {"gaps": gap_documents(missing(one, *watching))} for one in chain.steps],
        "children": list(chain.task.children),
        "findings": finding_documents(work, with_overdue(work, found, FindingFilter(task=id), standing=standing), standing),
        "credentials": [documents.credential(c, references(work, [c.issued_record])) for c in held],
        "records": refs.records(chain.records),
        "links": [documents.link(one, refs) for one in chain.links],
        "facts": baselines.task_facts(work, chain.task),
        "conformance": [compared_document(one) for _, _, one in work.store.compared(id)],
        "repeated": repeated(work, id),
    }
    if at is not None:
        ready = as_of(work, whole) if whole is not None else load(work, id)
        document["authorised"] = authority_document(work, ready, cursor(ready.chain.steps, at))
    return document


def step_range(text: str, total: int) -> tuple[int, int]:
    """First and last number of `10-20`, `10-`, `-20` or `7` among so many steps; raises RemitError."""
    first, dash, last = (part.strip() for part in text.strip().partition("-"))
    if not (first or last) or any(part and not (part.isascii() and part.isdigit() and len(part) < 10) for part in (first, last)):
        raise RemitError(f"--steps: {text[:40]!r} is no range of steps; write 10-20, 10- or 7")
    begin = int(first) if first else 1
    end = min(int(last), total) if last else total if dash else begin
    if not 1 <= begin <= end <= max(total, 1):
        raise RemitError(
            f"--steps: the task has steps 1 to {total}; {text[:40]!r} names none of them"
            if total
            else "--steps: the task has no steps"
        )
    return begin, end


def repeated(work: Workspace, id: str) -> list[Doc]:
    """Runs of steps that do the same and end the same, which the Task screen folds into one row."""
    outline = whole_outline(work, id)
    return [{"from": first, "to": last, "count": last - first + 1} for first, last in outline.runs]


def _step(work: Workspace, id: str) -> Doc:
    step = work.store.step(id)
    if step is None:
        raise NotFoundError(f"there is no step {id}")
    task = work.store.task(step.task)
    one = TaskChain(task, [], [step], [], list(step.records)) if task else None
    refs = chain_references(work, one) if one else references(work, step.records)
    standing = Standing(work.store)
    gaps = missing(step, *gaps_of(work, task)) if task else []
    return {
        "kind": "step",
        "step": documents.step(step, refs) | {"gaps": gap_documents(gaps)},
        "changes": changes_of(work, step),
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


def _raw(work: Workspace, id: str) -> Doc:
    """The redacted bytes of a record as text, or null and why they are no longer kept."""
    try:
        return {"raw": work.store.raw(id).decode("utf-8", "replace")}
    except NotKept as error:
        return {"raw": None, "not_kept": str(error)}


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
        **_raw(work, id),
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
