"""Puts the report together from the state, the tally of the population and the assessed controls."""

from __future__ import annotations

from reports import document as doc
from reports.assessment import Assessor
from reports.catalogue import Framework
from reports.crosswalk import Crosswalk
from reports.input import PackInput
from reports.planning import Plan
from reports.sections.annexes import annexes_section
from reports.sections.coverage import coverage_section
from reports.sections.credentials import credential_entries
from reports.sections.findings import finding_entries
from reports.sections.frameworks import editions_side_by_side, framework_section
from reports.sections.method import method_section
from reports.sections.review import sign_off_section
from reports.sections.samples import sample_entries
from reports.sections.summary import count_figures, cover_section, summary_section
from reports.sections.trends import credential_ages, trends_section
from reports.tally import Tally
from reports.vocabulary import Vocabulary


def assemble(
    given: PackInput,
    chosen: list[Framework],
    crosswalk: Crosswalk,
    words: Vocabulary,
    planned: Plan,
    tally: Tally,
) -> doc.Report:
    """The report as data. `chosen` keeps its order; a framework that may not appear is named under `left_off`."""
    assessor = Assessor(given, tally.counts, crosswalk, words, tally.reached)
    left_off = [doc.LeftOff(f.id, reason) for f in chosen if (reason := assessor.left_off(f))]
    kept = [f for f in chosen if not assessor.left_off(f)]
    tasks = {task.id: task for task in given.tasks}
    findings = finding_entries(given, planned, assessor.desk, tally, kept, crosswalk, tasks)
    sections = [framework_section(given, assessor, f, crosswalk, words) for f in kept]
    coverage = coverage_section(given)
    figures = count_figures(given, planned, tally, findings, coverage)
    return doc.Report(
        cover=cover_section(given, kept),
        summary=summary_section(findings, sections, assessor, coverage, figures),
        coverage=coverage,
        method=method_section(given, assessor, crosswalk, words),
        frameworks=sections,
        editions=editions_side_by_side(kept, sections),
        left_off=left_off,
        findings=findings,
        credentials=credential_entries(given),
        trends=trends_section(
            tally.bins, [(r.finding.at, r.finding.severity) for r in planned.findings if not r.finding.blind_spot]
        ),
        credential_ages=credential_ages(given.credentials, given.as_of),
        samples=sample_entries(planned, tally, tasks, findings),
        sign_off=sign_off_section(given, findings),
        annexes=annexes_section(given, chosen, crosswalk),
        figures=figures,
        exchange=given.exchange,
    )
