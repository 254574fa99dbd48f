"""Section 6 and 7: every finding with its chain, evidence, verdicts and accepted exception."""

from __future__ import annotations

from model.review import Remedy
from reports import finding_shapes as shapes
from reports.catalogue import Framework
from reports.crosswalk import Crosswalk
from reports.input import AnyTask, PackInput, StepRow
from reports.planning import Plan
from reports.sections.steps import absent, action, decision, outcome
from reports.standing import Desk
from reports.tally import Tally
from reports.text import excerpt, when


def finding_entries(
    given: PackInput,
    planned: Plan,
    desk: Desk,
    tally: Tally,
    kept: list[Framework],
    crosswalk: Crosswalk,
    tasks: dict[str, AnyTask],
) -> list[shapes.FindingEntry]:
    """Every finding in the planned order; the chain stands with those whose step was kept by the tally."""
    names = [f.id for f in kept]
    spoken: dict[str, tuple[str, list[str]]] = {}
    remedies = {one.finding: one for one in given.remedies}
    entries = []
    for row in planned.findings:
        finding, standing = row.finding, desk.standing(row.finding)
        if finding.detection not in spoken:
            spoken[finding.detection] = _spoken(crosswalk, finding.detection, names)
        task = tasks.get(finding.task)
        step = tally.kept.get(finding.step)
        exception = standing.exception
        entries.append(
            shapes.FindingEntry(
                id=finding.id,
                detection=finding.detection,
                title=finding.title,
                severity=finding.severity.value,
                state=standing.state,
                group=standing.group,
                task=finding.task,
                agent=task.agent if task else "",
                principal=task.principal if task else "",
                step=finding.step,
                at=when(finding.at),
                why=excerpt(finding.why),
                relevance=spoken[finding.detection][0],
                controls=spoken[finding.detection][1],
                evidence=[
                    shapes.Evidence(e.source, e.name, e.line, e.index, e.offset, e.digest)
                    for e in sorted(row.evidence, key=lambda e: (e.source, e.line, e.index or 0, e.offset, e.digest))
                ],
                evidence_digest=finding.evidence_digest,
                chain=_chain(step, task) if step else None,
                history=[
                    shapes.Judgement(
                        at=when(v.at),
                        verdict=v.verdict.value,
                        reviewer=v.reviewer,
                        reason=excerpt(v.reason),
                        asserted=v.asserted,
                        self_review=v.own,
                    )
                    for v in standing.history
                ],
                exception=shapes.Accepted(
                    owner=exception.owner,
                    ticket=exception.ticket,
                    expires=when(exception.expires),
                    expired=standing.expired,
                    reason=excerpt(exception.reason),
                    by=exception.by,
                    at=when(exception.at),
                )
                if exception
                else None,
                remedy=_remedy(remedies.get(finding.id), given.as_of),
            )
        )
    return entries


def _spoken(crosswalk: Crosswalk, detection: str, frameworks: list[str]) -> tuple[str, list[str]]:
    """What a detection's findings say, and the controls they speak to: one text and one list for all of them."""
    mapped = crosswalk.detections.get(detection)
    if mapped is None:
        return "", []
    relevance = " ".join(filter(None, (mapped.relevance.threat, mapped.relevance.control)))
    return relevance, [f"{name}:{control}" for name in frameworks for control in mapped.mappings.get(name, ())]


def _remedy(one: Remedy | None, as_of: int) -> shapes.Remedied | None:
    if one is None:
        return None
    return shapes.Remedied(
        cause=excerpt(one.cause),
        owner=one.owner,
        due=when(one.due or None),
        overdue=bool(one.due) and not one.closure and one.due <= as_of,
        closure=excerpt(one.closure),
        by=one.by,
        at=when(one.at),
    )


def _chain(step: StepRow, task: AnyTask | None) -> shapes.Link:
    return shapes.Link(
        intent=excerpt(task.title, 160) if task and task.title else "not stated",
        decision=decision(step),
        credential=", ".join(step.credentials) or "none seen",
        action=action(step),
        effect=outcome(step),
        absent=absent(step, bool(task and task.title)),
    )
