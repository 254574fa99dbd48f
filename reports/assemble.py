"""Puts the report together from the state, the tally of the population and the assessed controls."""

from __future__ import annotations

from reports import document as doc
from reports.assessment import Assessor, left_off, speaking
from reports.catalogue import Framework
from reports.crosswalk import Crosswalk
from reports.hits import Found
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
from reports.standing import Desk
from reports.tally import Tally
from reports.vocabulary import Vocabulary


class Assembling:
    """A report in two steps: what needs no more than the steps that the tally kept, its findings above all, and what needs its counts.

    `chosen` keeps its order; a framework that may not appear is named under `left_off`.
    """

    def __init__(
        self, given: PackInput, chosen: list[Framework], crosswalk: Crosswalk, words: Vocabulary, planned: Plan, tally: Tally
    ) -> None:
        self._given, self._chosen, self._crosswalk, self._words = given, chosen, crosswalk, words
        self._planned, self._tally = planned, tally
        self._left_off = {f.id: reason for f in chosen if (reason := left_off(given, words, f))}
        self._kept = [f for f in chosen if f.id not in self._left_off]
        self._tasks = {task.id: task for task in given.tasks}
        desk = Desk(given.verdicts, given.exceptions, given.as_of)
        self.findings = finding_entries(given, planned, desk, tally, self._kept, crosswalk, self._tasks)
        self._found = Found(given, desk)
        for framework in self._kept:
            for item in framework.assessable:
                self._found.listed(speaking(crosswalk, framework, item))
        self.credentials = credential_entries(given)
        self._ages = credential_ages(given.credentials, given.as_of)

    def report(self) -> doc.Report:
        """The whole report as data."""
        given, planned, tally, findings, crosswalk = self._given, self._planned, self._tally, self.findings, self._crosswalk
        assessor = Assessor(given, tally.counts, crosswalk, self._words, tally.reached, self._found)
        sections = [framework_section(given, assessor, f, crosswalk, self._words) for f in self._kept]
        coverage = coverage_section(given)
        figures = count_figures(given, planned, tally, findings, coverage)
        return doc.Report(
            cover=cover_section(given, self._kept),
            summary=summary_section(findings, sections, assessor, coverage, figures),
            coverage=coverage,
            method=method_section(given, assessor, crosswalk, self._words),
            frameworks=sections,
            editions=editions_side_by_side(self._kept, sections),
            left_off=[doc.LeftOff(id, reason) for id, reason in self._left_off.items()],
            findings=findings,
            credentials=self.credentials,
            trends=trends_section(
                tally.bins, [(r.finding.at, r.finding.severity) for r in planned.findings if not r.finding.blind_spot]
            ),
            credential_ages=self._ages,
            samples=sample_entries(planned, tally, self._tasks, findings),
            sign_off=sign_off_section(given, findings, self._kept),
            annexes=annexes_section(given, self._chosen, crosswalk),
            figures=figures,
            exchange=given.exchange,
        )
