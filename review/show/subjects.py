"""What an id names that can be judged or spoken of: a task, a step or a finding."""

from __future__ import annotations

from review.errors import NotFoundError, RemitError
from review.show.near import nearest
from review.state.overdue import named
from review.state.seen import Subject
from review.state.standing import step_evidence
from review.workspace import Workspace

KINDS = ("task", "step", "finding")


def subject(work: Workspace, id: str) -> Subject:
    """What an id, or its unique beginning, names; raises NotFoundError with what is near."""
    found = [(kind, one) for kind, one in work.store.resolve(id) if kind in KINDS]
    if not found and (late := named(work, id)):
        raise RemitError(f"{late[0].id} is worked out from reviews and has none of its own; review what it names: {late[0].why}")
    if not found:
        near = nearest(work, id, KINDS)
        raise NotFoundError(f"no task, step or finding is called {id[:80]!r}{near}; `remit tasks` and `remit findings` list them")
    if len(found) > 1:
        raise NotFoundError(f"{id[:80]!r} could be any of {len(found)}; give more of it")
    kind, whole = found[0]
    if kind == "task":
        row = work.store.task_row(whole)
        return Subject(kind, whole, whole, row.evidence if row else "")
    if kind == "finding":
        finding = work.store.finding(whole)
        return Subject(kind, whole, finding.task if finding else "", finding.evidence_digest if finding else "")
    step = work.store.step(whole)
    return Subject(kind, whole, step.task if step else "", step_evidence(step) if step else "")
