"""The report room: what a pack of a period would say, control by control and down to its evidence, before it is written.

The screen and `remit controls` read it, and the pack is made from the same state, so their figures agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from lang.times import iso
from model.review import Attestation as Stated
from model.review import Verdict, standing_rows
from model.words import Severity
from reports.assessment import Assessor, Control
from reports.catalogue import Framework
from reports.crosswalk import own_row
from reports.errors import ReportError
from reports.input import AnyTask, FindingRow, StepRow
from reports.sections.review import signed_state
from reports.tally import Tally
from reports.vocabulary import vocabulary
from review.documents import Doc, reference
from review.errors import NotFoundError, RemitError
from review.pack.attesting import attestation_document
from review.pack.pack_wish import PackWish
from review.pack.packs import pack_input
from review.pack.report_choices import Choices, Period
from review.pack.report_words import RESULTS
from review.show.filters import moment
from review.state.remedied import remedy_document
from review.workspace import Workspace

GROUPS = ("open", "accepted", "blind-spot", "dismissed")
"""How findings of a control stand, what counts first."""

_SEVERITIES = tuple(Severity)


def nothing() -> None:
    """Long work goes on."""


class Room:
    """A store's state for one period. It is read once; a framework is assessed when it is first asked for.

    `check` is called now and then while reading and may raise to end it. Attestations are read anew each time they are
    told: they change no result.
    """

    def __init__(self, work: Workspace, period: Period | None = None, check: Callable[[], None] = nothing) -> None:
        self._work = work
        self.period = period or Period()
        start, end, as_of = bounds(self.period)
        check()
        self._given = work.library.stated(pack_input(work, start, end, as_of))
        self._until = as_of
        tally = Tally()
        for row in _checked(self._given.steps, check):
            tally.add(row)
        self.steps = tally.counts["steps"]
        own = (own_row(d.id, d.title, d.controls) for d in self._given.detections if d.own)
        self._assessor = Assessor(self._given, tally.counts, work.library.reading(own), vocabulary(), tally.reached)
        self._findings = {row.finding.id: row for row in self._given.findings}
        self._titles = {task.id: task.title or task.scope for task in self._given.tasks}
        self._remedies = {one.finding: one for one in self._given.remedies}
        self._told: dict[str, Doc] = {}

    @property
    def tasks(self) -> Sequence[AnyTask]:
        return self._given.tasks

    @property
    def verdicts(self) -> Sequence[Verdict]:
        """Those given on the period's tasks and what is in them, as of the room's moment."""
        return [v for v in self._given.verdicts if (v.task or v.subject) in self._titles or v.subject in self._findings]

    @property
    def unreviewed(self) -> int:
        """Findings that nobody judged or accepted, or not on the evidence there is now."""
        desk = self._assessor.desk
        return sum(desk.standing(row.finding).state in ("open", "reopened") for row in self._given.findings)

    @property
    def state(self) -> str:
        """The digest of the evidence and the findings of the room's state, which a sign-off keeps."""
        return signed_state(self._given)

    def head(self) -> Doc:
        """What is looked at: the period, the moment of the state, and how much there is of it."""
        given = self._given
        return {
            "organisation": given.organisation,
            "from": iso(given.start),
            "to": iso(given.end),
            "as_of": iso(given.as_of) if given.tasks or self._until is not None else None,
            "as_of_given": self._until is not None or given.end is not None,
            "sources": len(given.sources),
            "tasks": len(given.tasks),
            "steps": self.steps,
            "findings": sum(not row.finding.blind_spot for row in given.findings),
            "blind_spots": sum(row.finding.blind_spot for row in given.findings),
            "attestations": len(given.attestations),
            "sign_offs": [{"reviewer": one.who, "at": iso(one.at), "asserted": one.asserted} for one in given.sign_offs],
        }

    def framework(self, name: str) -> Doc:
        """A framework with each of its controls assessed, and how many have which result; RemitError where there is none.

        `attestations` holds what was stated of its controls by hand, by control.
        """
        held = self._found(name)
        return {**self._assessed(held), "attestations": self._attested().get(held.id, {})}

    def frameworks(self) -> list[Doc]:
        """Every framework there is, as `framework` tells it, in the order of their ids."""
        by_hand = self._attested()
        return [
            {**self._assessed(held), "attestations": by_hand.get(held.id, {})} for held in self._work.library.frameworks.values()
        ]

    def _found(self, name: str) -> Framework:
        """A framework by any name of it; raises RemitError with the nearest names."""
        try:
            return self._work.library.framework(name)
        except ReportError as error:
            raise RemitError(str(error)) from error

    def _assessed(self, held: Framework) -> Doc:
        if held.id not in self._told:
            self._told[held.id] = self._framework(held)
        return self._told[held.id]

    def _framework(self, held: Framework) -> Doc:
        reason = self._assessor.left_off(held)
        controls = [] if reason else [_control(one) for one in self._assessor.assess(held)]
        counts = {word: sum(one["result"] == word for one in controls) for word in RESULTS}
        return {
            "id": held.id,
            "title": held.title,
            "edition": held.edition,
            "publisher": held.publisher,
            "reading": "threats" if self._assessor.is_threat_list(held) else "controls",
            "left_off": reason,
            "counts": counts,
            "words": {one["result"]: one["word"] for one in controls if one["kind"] != "layer"},
            "controls": controls,
        }

    def control(self, framework: str, control: str) -> Doc:
        """One control with what was attested of it by hand and its findings; `control` may be written in any known spelling."""
        told = self.framework(framework)
        named = self._found(told["id"]).find(control) or (control,)
        one = next((c for c in told["controls"] if c["id"].casefold() == named[0].casefold()), None)
        if one is None:
            ids = [c["id"] for c in told["controls"]]
            raise NotFoundError(
                f"{told['id']} has no control {control[:60]!r} that is assessed; its ids are written like {', '.join(ids[:6])}"
                if ids
                else f"{told['id']} is {told['left_off']}"
            )
        return {
            **one,
            "framework": told["id"],
            "attestations": told["attestations"].get(one["id"], []),
            "exceptions": self.findings(one["findings"]),
        }

    def _attested(self) -> dict[str, dict[str, list[Doc]]]:
        """What stands attested as of the room's moment, by framework and control."""
        by: dict[str, dict[str, list[Doc]]] = {}
        for one in standing_rows(self._work.store.statements(Stated), self._until):
            if one.framework:
                by.setdefault(one.framework, {}).setdefault(one.control, []).append(attestation_document(one))
        return by

    def findings(self, ids: Sequence[str]) -> list[Doc]:
        """These findings as they stand, what counts first, the severe ones first."""
        rows = [self._findings[id] for id in ids if id in self._findings]
        told = [self._finding(row) for row in rows]
        return sorted(told, key=lambda f: (GROUPS.index(f["group"]), _SEVERITIES.index(f["severity"]), f["at"] or "", f["id"]))

    def _finding(self, row: FindingRow) -> Doc:
        finding, standing = row.finding, self._assessor.desk.standing(row.finding)
        exception = standing.exception
        return {
            "id": finding.id,
            "detection": finding.detection,
            "title": finding.title,
            "severity": finding.severity.value,
            "state": standing.state,
            "group": standing.group,
            "blind_spot": finding.blind_spot,
            "task": finding.task or None,
            "task_title": self._titles.get(finding.task) or None,
            "step": finding.step or None,
            "at": iso(finding.at),
            "why": finding.why,
            "evidence": [reference(ref) for ref in row.evidence],
            "records": list(finding.evidence),
            "history": [
                {"at": iso(v.at), "verdict": v.verdict.value, "reviewer": v.reviewer, "reason": v.reason, "own": v.own}
                for v in standing.history
            ],
            "accepted": {
                "owner": exception.owner,
                "ticket": exception.ticket,
                "expires": iso(exception.expires),
                "expired": standing.expired,
                "reason": exception.reason,
            }
            if exception
            else None,
            "remedy": remedy_document(remedy, self._given.as_of) if (remedy := self._remedies.get(finding.id)) else None,
        }


def bounds(period: Period) -> tuple[int | None, int | None, int | None]:
    """From, to and as-of in microseconds, None where open; raises RemitError where one is no time or the end comes first."""
    start = moment(period.start, "from") if period.start else None
    end = moment(period.end, "to") if period.end else None
    as_of = moment(period.as_of, "as of") if period.as_of else None
    if start is not None and end is not None and end < start:
        raise RemitError("the period ends before it begins; its end must not lie before its beginning")
    return start, end, as_of


def wished_here(frameworks: Sequence[str], choices: Choices) -> PackWish:
    """The pack that somebody at the desk asks for; raises RemitError as `bounds` does."""
    start, end, as_of = bounds(choices.period)
    return PackWish(
        frameworks=tuple(frameworks),
        start=start,
        end=end,
        as_of=as_of,
        only=tuple(choices.formats) or None,
        redact=choices.redact or None,
    )


def _checked(rows: Iterable[StepRow], check: Callable[[], None]) -> Iterator[StepRow]:
    for number, row in enumerate(rows):
        if not number % 500:
            check()
        yield row


def _control(one: Control) -> Doc:
    return {
        "id": one.id,
        "title": one.title,
        "kind": one.kind,
        "level": one.level,
        "result": one.result.value,
        "word": one.word,
        "reason": one.reason,
        "open": one.open,
        "accepted": one.accepted,
        "dismissed": one.dismissed,
        "blind_spots": one.blind_spots,
        "cannot_judge": one.cannot_judge,
        "population": dict(one.population),
        "ran": list(one.ran),
        "not_run": list(one.not_run),
        "lacking": list(one.lacking),
        "shows": one.shows,
        "does_not_show": one.does_not_show,
        "findings": list(one.findings),
    }
