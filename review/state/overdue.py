"""HUM-03: findings nobody reviewed in time and accepted risks that are over, worked out whenever findings are read.

Nothing of it is stored: verdicts are people's, and no derived row may depend on them.
"""

from __future__ import annotations

from collections.abc import Iterable

from chains.context import Context, Reviewed
from chains.detections import run_one
from model.chain import Finding, Task, TaskChain
from model.words import ReviewState
from review.state.standing import Standing, step_evidence
from review.workspace import Workspace
from store import FindingFilter
from store.read import finding_place

DETECTION = "HUM-03"


def overdue(
    work: Workspace,
    found: Iterable[Finding] | None = None,
    *,
    task: str | None = None,
    as_of: int | None = None,
    until: int | None = None,
    standing: Standing | None = None,
) -> list[Finding]:
    """One finding for each task that holds overdue ones, as of the last evidence unless another moment is given.

    `found` are the findings looked at: all of the store, or of one task, where they are not handed over. `until` leaves out
    verdicts given later; `standing` is what was said by then, read anew where it is not at hand.
    """
    if found is None:
        found = work.store.findings(FindingFilter(task=task, blind_spot=False))
    moment = as_of if as_of is not None else work.store.last_evidence()
    standing = standing or Standing(work.store, until)
    by_task: dict[str, list[Reviewed]] = {}
    for one in found:
        if not one.blind_spot:
            by_task.setdefault(one.task, []).append(Reviewed(one, _closed(work, standing, one), standing.accepted_until(one.id)))
    told: list[Finding] = []
    for id, reviewed in sorted(by_task.items()):
        chain = TaskChain(Task(id, ""), [], [], [], [])
        told += run_one(DETECTION, chain, Context(work.facts, as_of=moment, reviewed=reviewed))
    return told


def with_overdue(
    work: Workspace, found: list[Finding], chosen: FindingFilter, limit: int | None = None, standing: Standing | None = None
) -> list[Finding]:
    """The findings of a listing with those of HUM-03 that pass its filter, in the listing's order."""
    if chosen.detections and DETECTION not in chosen.detections:
        return found
    more = [one for one in overdue(work, task=chosen.task, standing=standing) if _passes(one, chosen)]
    return sorted((*found, *more), key=finding_place)[:limit]


def named(work: Workspace, id: str) -> list[Finding]:
    """Those of HUM-03 whose id begins so."""
    return [one for one in overdue(work) if one.id.startswith(id)] if len(id) > 5 and id.startswith("find-") else []


def _closed(work: Workspace, standing: Standing, one: Finding) -> bool:
    """Whether a verdict covers a finding: its own, its step's, or its task's, each on the evidence as it is now."""
    if standing.of(one.id, one.evidence_digest)["state"] == ReviewState.REVIEWED.value:
        return True
    step = work.store.step(one.step) if one.step and standing.judged(one.step) else None
    if step is not None and standing.of(step.id, step_evidence(step))["state"] == ReviewState.REVIEWED.value:
        return True
    if not standing.judged(one.task):
        return False
    return bool(standing.of(one.task, work.store.task_evidence(one.task))["state"] == ReviewState.REVIEWED.value)


def _passes(one: Finding, chosen: FindingFilter) -> bool:
    inside = (chosen.after is None or (one.at or 0) >= chosen.after) and (chosen.before is None or (one.at or 0) < chosen.before)
    severe = not chosen.severities or one.severity.value in chosen.severities
    return inside and severe and chosen.step is None and chosen.blind_spot is not True
