"""Puts the report together from the state, the tally of the population and the assessed controls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

import msgspec

from model.chain import Task
from model.words import Effect, ResultWord, Severity
from reports import document as doc
from reports import wording
from reports.assessment import Assessor
from reports.catalogue import Framework
from reports.coverage import coverage_section
from reports.crosswalk import Crosswalk
from reports.input import FindingRow, PackInput, StepRow
from reports.oscal_names import oscal_names
from reports.standing import Desk
from reports.tally import Tally
from reports.text import excerpt, when
from reports.vocabulary import Vocabulary

RANK = {severity: rank for rank, severity in enumerate(Severity)}
DETAILED = 200
"""Findings shown with their whole chain; the rest are in the tables."""


class Plan(msgspec.Struct):
    """What must be known before the population streams by: findings in order, and which steps and tasks are kept."""

    findings: list[FindingRow]
    steps: frozenset[str]
    bad: list[str]
    good: list[str]
    clean: int


def plan(given: PackInput, desk: Desk) -> Plan:
    """Order the findings and draw the samples: the riskiest tasks with open findings, and tasks without any, by digest."""
    rows = sorted(given.findings, key=lambda r: (r.finding.blind_spot, RANK[r.finding.severity], r.finding.at or 0, r.finding.id))
    open_tasks = {r.finding.task for r in rows if desk.standing(r.finding).group == "open"}
    any_tasks = {r.finding.task for r in rows if not r.finding.blind_spot}
    bad = sorted((t for t in given.tasks if t.id in open_tasks), key=lambda t: (-t.risk, t.id))
    clean = [t for t in given.tasks if t.id not in any_tasks and t.steps > 0]
    drawn = sorted(clean, key=lambda t: sha256(f"{given.sample_seed}\0{t.id}".encode("utf-8", "replace")).digest())
    size = max(0, given.sample_size)
    return Plan(
        findings=rows,
        steps=frozenset(r.finding.step for r in rows[:DETAILED] if r.finding.step),
        bad=[t.id for t in bad[:size]],
        good=[t.id for t in drawn[:size]],
        clean=len(clean),
    )


def assemble(
    given: PackInput,
    chosen: list[Framework],
    crosswalk: Crosswalk,
    words: Vocabulary,
    planned: Plan,
    tally: Tally,
) -> doc.Report:
    """The report as data. `chosen` keeps its order; a framework that may not appear is named under `left_off`."""
    assessor = Assessor(given, tally.counts, crosswalk, words)
    left_off = [doc.LeftOff(f.id, reason) for f in chosen if (reason := assessor.left_off(f))]
    kept = [f for f in chosen if not assessor.left_off(f)]
    tasks = {task.id: task for task in given.tasks}
    findings = _findings(given, planned, assessor.desk, tally, kept, crosswalk, tasks)
    sections = [_framework(given, assessor, f, crosswalk, words) for f in kept]
    coverage = coverage_section(given)
    figures = _figures(given, tally, findings, coverage)
    return doc.Report(
        cover=_cover(given, kept),
        summary=_summary(findings, sections, assessor, coverage, figures),
        coverage=coverage,
        method=_method(given, assessor, crosswalk, words, planned),
        frameworks=sections,
        left_off=left_off,
        findings=findings,
        credentials=_credentials(given),
        samples=_samples(planned, tally, tasks, findings),
        sign_off=_sign_off(given, findings),
        annexes=_annexes(given, chosen, crosswalk),
        figures=figures,
        exchange=given.exchange,
    )


def _cover(given: PackInput, kept: list[Framework]) -> doc.Cover:
    return doc.Cover(
        organisation=given.organisation,
        system=given.system,
        period=doc.Period(when(given.start), when(given.end)),
        as_of=when(given.as_of) or "",
        status="signed off by a reviewer" if given.sign_offs else "draft",
        tool="remit",
        tool_version=given.tool_version,
        editions=[f"{f.title} ({f.catalogue}, edition {f.edition})" for f in kept],
    )


def _findings(
    given: PackInput,
    planned: Plan,
    desk: Desk,
    tally: Tally,
    kept: list[Framework],
    crosswalk: Crosswalk,
    tasks: dict[str, Task],
) -> list[doc.FindingEntry]:
    names = [f.id for f in kept]
    entries = []
    for row in planned.findings:
        finding, standing = row.finding, desk.standing(row.finding)
        mapped = crosswalk.detections.get(finding.detection)
        task = tasks.get(finding.task)
        step = tally.kept.get(finding.step)
        exception = standing.exception
        entries.append(
            doc.FindingEntry(
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
                relevance=" ".join(filter(None, (mapped.relevance.threat, mapped.relevance.control))) if mapped else "",
                controls=[f"{n}:{c}" for n in names for c in mapped.mappings.get(n, ())] if mapped else [],
                evidence=[
                    doc.Evidence(e.source, e.name, e.line, e.index, e.offset, e.digest)
                    for e in sorted(row.evidence, key=lambda e: (e.source, e.line, e.index or 0, e.offset, e.digest))
                ],
                evidence_digest=finding.evidence_digest,
                chain=_chain(step, task) if step else None,
                history=[
                    doc.Judgement(
                        at=when(v.at),
                        verdict=v.verdict.value,
                        reviewer=v.reviewer,
                        reason=excerpt(v.reason),
                        asserted=v.asserted,
                        self_review=_own(v.reviewer, task),
                    )
                    for v in standing.history
                ],
                exception=doc.Accepted(
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
            )
        )
    return entries


def _own(reviewer: str, task: Task | None) -> bool:
    return task is not None and reviewer.casefold() in {task.principal.casefold(), task.on_behalf_of.casefold()} - {""}


def _decision(step: StepRow) -> str:
    if not step.decided:
        return "none recorded; the decider's log covers this moment" if step.covered else "none seen; no log covers this moment"
    return " ".join(filter(None, (step.permitted.value, "by", step.decided_by or "unknown", step.rule)))


def _action(step: StepRow) -> str:
    return " ".join(filter(None, (step.verb.value, step.target, f"({step.environment})" if step.environment else "")))


def _outcome(step: StepRow) -> str:
    return f"tool {step.tool_outcome.value}, effect {step.effect.value}" + (", disputed" if step.disputed else "")


def _chain(step: StepRow, task: Task | None) -> doc.Link:
    return doc.Link(
        intent=excerpt(task.title, 160) if task and task.title else "not stated",
        decision=_decision(step),
        credential=", ".join(step.credentials) or "none seen",
        action=_action(step),
        effect=_outcome(step),
    )


def _framework(
    given: PackInput, assessor: Assessor, framework: Framework, crosswalk: Crosswalk, words: Vocabulary
) -> doc.FrameworkSection:
    by_id = framework.by_id
    stated = [c for c in given.classifications if c.framework == framework.id]
    labels = [
        doc.GivenLabel(r.label, r.reference, list(r.resolves_to), [by_id[i].title for i in r.resolves_to], r.correction)
        for r in crosswalk.references_of(framework.id)
    ]
    named = {label.given for label in labels}
    for alias, ids in sorted(framework.aliases.items()):
        if alias not in named:
            labels.append(doc.GivenLabel(alias, alias, list(ids), [by_id[i].title for i in ids], "another spelling"))
    return doc.FrameworkSection(
        id=framework.id,
        catalogue=framework.catalogue,
        edition=framework.edition,
        title=framework.title,
        publisher=framework.publisher,
        published=framework.published,
        reading="threats" if assessor.is_threat_list(framework) else "controls",
        attribution=framework.attribution,
        licence=framework.licence,
        verification=framework.verification,
        catalogue_sha256=framework.sha256,
        classification=[f"{c.role}, stated by {c.by}" + (f": {c.text}" if c.text else "") for c in stated],
        notes=_framework_notes(framework, words),
        given_labels=labels,
        headings={item.id: item.title for item in framework.items if item.heading},
        controls=assessor.assess(framework),
        attestations=[
            doc.Attested(a.control, a.who, when(a.at), excerpt(a.text))
            for a in sorted(given.attestations, key=lambda a: (a.control, a.at, a.who))
            if a.framework == framework.id and a.control in by_id
        ],
        oscal=oscal_names(framework, words),
    )


def _framework_notes(framework: Framework, words: Vocabulary) -> list[str]:
    notes = []
    if any(not item.official_id for item in framework.items):
        notes.append("The publisher gives no machine ids for some entries; those ids are this catalogue's own.")
    if any(not item.verified for item in framework.items):
        unread = ", ".join(item.id for item in framework.items if not item.verified)
        notes.append(f"Not read in the publisher's text: {unread}.")
    return [*notes, *words.printed_notes.get(framework.id, ())]


def _figures(given: PackInput, tally: Tally, findings: list[doc.FindingEntry], coverage: doc.Coverage) -> dict[str, int]:
    groups = Counter(f.group for f in findings)
    severities = Counter(f.severity for f in findings if f.group == "open")
    figures = {f"findings.{group}": groups[group] for group in ("open", "accepted", "dismissed", "blind-spot")}
    figures |= {f"findings.open.{severity.value}": severities[severity.value] for severity in Severity}
    names: tuple[str, ...] = ("steps", "tasks", "decided_steps", "covered_steps", "covered_decided_steps", "denied_steps")
    names += ("credentialed_steps", "task_bound_steps", "confirmed_steps", "disputed_steps")
    figures |= {name: tally.counts[name] for name in names}
    figures |= {f"permitted.{effect.value}": tally.permitted[effect.value] for effect in Effect}
    for name in ("read", "accepted", "duplicate", "rejected", "events"):
        figures[f"records.{name}"] = sum(getattr(s, name) for s in coverage.sources)
    figures["sources"] = len(coverage.sources)
    figures["points"] = len(coverage.points)
    figures["points.expected_unseen"] = len(coverage.expected)
    figures["credentials"] = len(given.credentials)
    figures["credentials.expiring"] = sum(c.expires is not None for c in given.credentials)
    figures["credentials.standing"] = sum("standing" in c.flags for c in given.credentials)
    for kind in ("unattributed", "outside period", "cannot judge", "not reported"):
        figures[f"limits.{kind}"] = sum(limit.count for limit in coverage.limits if limit.kind == kind)
    return figures


def _summary(
    findings: list[doc.FindingEntry],
    sections: list[doc.FrameworkSection],
    assessor: Assessor,
    coverage: doc.Coverage,
    figures: dict[str, int],
) -> doc.Summary:
    results = []
    for section in sections:
        counted = Counter(c.result for c in section.controls)
        results.append(doc.Tallied(section.id, section.title, {word.value: counted[word] for word in ResultWord}))
    unseen = ", ".join(p.id for p in coverage.expected) or "none"
    silent = [a.detection for a in assessor.abilities.values() if a.run and not a.speaks]
    limits = [
        f"Expected enforcement points of which nothing was imported: {unseen}.",
        f"{figures['limits.unattributed']} events belong to no task, {figures['findings.blind-spot']} blind spots and "
        f"{figures['limits.cannot judge']} cases that could not be judged are listed and not counted as findings.",
        f"Detections that ran without enough evidence to say anything by their silence: {', '.join(silent) or 'none'}.",
    ]
    if left := figures["limits.not reported"]:
        limits.append(f"{left} findings are not reported, by the organisation's own exclusions; each reason is listed.")
    worst = [doc.Worst(f.id, f.severity, f.title, f.task, f.state) for f in findings if f.group == "open"][:5]
    return doc.Summary(results, worst, limits)


def _method(given: PackInput, assessor: Assessor, crosswalk: Crosswalk, words: Vocabulary, planned: Plan) -> doc.Method:
    runs = []
    for detection in sorted(given.detections, key=lambda d: d.id):
        able, hits = assessor.abilities[detection.id], assessor.hits.get(detection.id)
        runs.append(
            doc.DetectorRun(
                id=detection.id,
                title=detection.title,
                version=detection.version,
                severity=detection.severity.value,
                params=dict(sorted(detection.params.items())),
                needs=[words.terms[t].title for t in words.need_of(detection.id).needs],
                lacking=able.lack(),
                population=able.population,
                units=able.units,
                cannot_judge=detection.cannot_judge,
                findings=hits.open + hits.accepted + hits.dismissed if hits else 0,
            )
        )
    ran = {d.id for d in given.detections}
    return doc.Method(
        linking=wording.LINKING,
        meanings=wording.MEANINGS,
        detectors=runs,
        not_run=[name for name in crosswalk.detections if name not in ran],
        sampling=(
            f"Detections run over the full population. For reading, {len(planned.bad)} tasks with the highest risk among those "
            f"with open findings, and {len(planned.good)} of {planned.clean} tasks without findings, drawn by the SHA-256 of "
            f"seed and task id (seed: {given.sample_seed}). No statistical claim is made."
        ),
        reviewers=_reviewers(given),
        mapping_note=wording.MAPPING_NOTE,
    )


def _reviewers(given: PackInput) -> list[str]:
    names = {(v.reviewer, v.asserted) for v in given.verdicts}
    return [f"{name} (as stated)" if asserted else name for name, asserted in sorted(names)]


def _credentials(given: PackInput) -> list[doc.CredentialEntry]:
    return [
        doc.CredentialEntry(
            id=c.id,
            kind=c.kind,
            issuer=c.issuer,
            subject=c.subject,
            issued=when(c.issued),
            expires=when(c.expires),
            revoked=when(c.revoked),
            ttl_seconds=c.ttl_seconds,
            first_use=when(c.first_use),
            last_use=when(c.last_use),
            uses=c.uses,
            tasks=sorted(c.tasks),
            flags=sorted(c.flags),
        )
        for c in sorted(given.credentials, key=lambda c: c.id)
    ]


def _samples(planned: Plan, tally: Tally, tasks: dict[str, Task], findings: list[doc.FindingEntry]) -> list[doc.Sample]:
    def rows(name: str) -> Iterable[doc.SampleStep]:
        for step in tally.samples[name]:
            yield doc.SampleStep(
                step=step.id,
                at=when(step.at),
                verb=step.verb.value,
                target=step.target,
                decision=_decision(step),
                credential=", ".join(step.credentials) or "none seen",
                outcome=_outcome(step),
            )

    drawn = [(name, "with open findings") for name in planned.bad] + [(name, "without findings") for name in planned.good]
    return [
        doc.Sample(
            task=name,
            title=excerpt(tasks[name].title, 160),
            agent=tasks[name].agent,
            principal=tasks[name].principal,
            kind=kind,
            findings=[f.id for f in findings if f.task == name and f.group != "blind-spot"][:20],
            shown=len(tally.samples[name]),
            steps=tally.sample_steps[name],
            rows=list(rows(name)),
        )
        for name, kind in drawn
    ]


def _sign_off(given: PackInput, findings: list[doc.FindingEntry]) -> doc.SignOffSection:
    own = [f"{f.id} by {j.reviewer}" for f in findings for j in f.history if j.self_review]
    separation = wording.ENFORCED if given.separation_enforced else wording.UNENFORCED
    return doc.SignOffSection(
        reviewers=_reviewers(given),
        separation=separation if given.verdicts or given.exceptions or given.sign_offs else wording.UNREVIEWED,
        self_reviews=sorted(set(own)),
        signed=[
            doc.Signed(s.who, when(s.at), excerpt(s.text), s.asserted)
            for s in sorted(given.sign_offs, key=lambda s: (s.at, s.who))
        ],
        statement=wording.STATEMENT,
    )


def _annexes(given: PackInput, chosen: list[Framework], crosswalk: Crosswalk) -> doc.Annexes:
    options = "".join(f" --framework {f.id}" for f in chosen)
    options += f" --from {when(given.start)}" if given.start is not None else ""
    options += f" --to {when(given.end)}" if given.end is not None else ""
    return doc.Annexes(
        configuration=dict(sorted(given.configuration.items())),
        policies=[
            doc.PolicyEntry(p.name, p.version, p.format, p.sha256, p.author, when(p.at))
            for p in sorted(given.policies, key=lambda p: (p.name, p.version))
        ],
        catalogues={f.id: f.sha256 for f in chosen},
        crosswalk_checked_on=crosswalk.checked_on,
        changes=wording.NO_CHANGES,
        verify=wording.VERIFY,
        rerun=f"remit report --out DIR{options} --as-of {when(given.as_of)}",
    )
