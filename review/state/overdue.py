"""HUM-03: findings nobody reviewed in time and accepted risks that are over, worked out whenever findings are read.

Nothing of it is stored: verdicts are people's, and no derived row may depend on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import chain, islice

from chains.context import Context, Reviewed
from chains.detections import run_one, severity_of
from model.chain import Finding, Task, TaskChain
from model.words import ReviewState, Severity
from review.state.standing import Standing, step_evidence
from review.workspace import Workspace
from store import FindingFilter
from store.chainrows import RANKS
from store.findings import finding_place

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
    """One finding for each task that holds overdue ones, as of the last evidence unless another moment is given, by task.

    `found` are the findings looked at: all of the store, or of one task, where they are not handed over. `until` leaves out
    verdicts given later; `standing` is what was said by then, read anew where it is not at hand.
    """
    moment = as_of if as_of is not None else work.store.last_evidence()
    standing = standing or Standing(work.store, until)
    told: list[Finding] = []
    for findings in _by_task(work, found, task):
        reviewed = [Reviewed(one, _closed(work, standing, one), standing.accepted_until(one.id)) for one in findings]
        task_alone = TaskChain(Task(findings[0].task, ""), [], [], [], [])
        told += run_one(DETECTION, task_alone, Context(work.facts, as_of=moment, reviewed=reviewed))
    return sorted(told, key=lambda one: one.task)


def _by_task(work: Workspace, found: Iterable[Finding] | None, task: str | None) -> Iterable[list[Finding]]:
    if found is None and task is None:
        return work.store.findings_by_task()
    by_task: dict[str, list[Finding]] = {}
    for one in work.store.findings(FindingFilter(task=task, blind_spot=False)) if found is None else found:
        if not one.blind_spot:
            by_task.setdefault(one.task, []).append(one)
    return by_task.values()


def with_overdue(
    work: Workspace, found: Iterable[Finding], chosen: FindingFilter, limit: int | None = None, standing: Standing | None = None
) -> Iterator[Finding]:
    """The findings of a listing, in its order, with those of HUM-03 that pass its filter.

    These take a look at every finding, which waits until the listing has come to where they stand: its first page has seldom.
    """
    severity = severity_of(DETECTION, Context(work.facts))
    if severity is None or not _may_pass(severity, chosen):
        return islice(found, limit)
    return islice(_merged(work, iter(found), (0, RANKS[severity], DETECTION, ""), chosen, standing), limit)


def _merged(
    work: Workspace, found: Iterator[Finding], place: tuple[int, int, str, str], chosen: FindingFilter, standing: Standing | None
) -> Iterator[Finding]:
    rest: list[Finding] = []
    for one in found:
        if finding_place(one) > place:
            rest.append(one)
            break
        yield one
    late = (one for one in overdue(work, task=chosen.task, standing=standing) if _within(one, chosen))
    yield from merge(chain(rest, found), sorted(late, key=finding_place), key=finding_place)


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


def _may_pass(severity: Severity, chosen: FindingFilter) -> bool:
    """Whether a listing may hold findings of HUM-03."""
    asked = not chosen.detections or DETECTION in chosen.detections
    severe = not chosen.severities or severity.value in chosen.severities
    return asked and severe and chosen.step is None and chosen.blind_spot is not True


def _within(one: Finding, chosen: FindingFilter) -> bool:
    return (chosen.after is None or (one.at or 0) >= chosen.after) and (chosen.before is None or (one.at or 0) < chosen.before)
