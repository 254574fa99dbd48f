"""Sections 1 and 2, and the figures that every other section prints."""

from __future__ import annotations

from collections import Counter

from model.words import Effect, ResultWord, Severity
from reports import document as doc
from reports.assessment import Assessor
from reports.catalogue import Framework
from reports.coverage_shapes import Coverage
from reports.finding_shapes import FindingEntry
from reports.input import PackInput, reviewed_until
from reports.planning import Plan
from reports.sections.coverage import bounds
from reports.sections.review import status
from reports.standing import GROUPS
from reports.tally import Tally
from reports.text import when


def cover_section(given: PackInput, kept: list[Framework]) -> doc.Cover:
    """What the report is of: organisation, period, moment, status, editions."""
    first, last = bounds(given)
    return doc.Cover(
        organisation=given.organisation,
        system=given.system,
        period=doc.Period(when(given.start), when(given.end), when(first) or "", when(last) or ""),
        as_of=when(given.as_of) or "",
        reviewed_until=when(reviewed_until(given)) or "",
        status=status(given, kept),
        tool="remit",
        tool_version=given.tool_version,
        editions=[f"{f.title} ({f.catalogue}, edition {f.edition})" for f in kept],
    )


def count_figures(
    given: PackInput, planned: Plan, tally: Tally, findings: list[FindingEntry], coverage: Coverage
) -> dict[str, int]:
    """Every number that prose and charts print, by name; each follows from the tables of the pack."""
    groups = Counter(f.group for f in findings)
    severities = Counter((f.group, f.severity) for f in findings)
    states = Counter(f.state for f in findings)
    figures = {f"findings.{group}": groups[group] for group in ("open", "accepted", "dismissed", "blind-spot")}
    for group in ("open", "accepted", "dismissed"):
        figures |= {f"findings.{group}.{severity.value}": severities[group, severity.value] for severity in Severity}
    figures["findings"] = len(findings) - groups["blind-spot"]
    figures |= {f"findings.state.{state}": states[state] for state in GROUPS}
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
    figures["samples.bad"], figures["samples.good"], figures["samples.clean"] = len(planned.bad), len(planned.good), planned.clean
    for kind in ("unattributed", "outside period", "cannot judge", "not reported"):
        figures[f"limits.{kind}"] = sum(limit.count for limit in coverage.limits if limit.kind == kind)
    return figures


def summary_section(
    findings: list[FindingEntry],
    sections: list[doc.FrameworkSection],
    assessor: Assessor,
    coverage: Coverage,
    figures: dict[str, int],
) -> doc.Summary:
    """Controls by result, the five worst open findings, and the limits."""
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
        f"Detections that lacked evidence, so that their finding nothing means nothing (section 4): {', '.join(silent) or 'none'}.",
    ]
    if not figures["steps"]:
        limits.insert(0, "No step of any task lies within the period and moment of this report.")
    if left := figures["limits.not reported"]:
        limits.append(f"{left} findings are not reported, by the organisation's own exclusions; each reason is listed.")
    worst = [doc.Worst(f.id, f.severity, f.title, f.task, f.state, f.why) for f in findings if f.group == "open"][:5]
    return doc.Summary(results, worst, limits)
