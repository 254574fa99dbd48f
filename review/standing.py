"""Where the review of a thing stands: open, reviewed, reopened, or hidden by an exception."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from lang.times import iso
from model.review import ExceptionRecord, Verdict

Doc = dict[str, Any]


class Said(Protocol):
    """What people said of a store's tasks, steps and findings, oldest first."""

    def verdicts(self) -> Iterable[Verdict]: ...

    def exceptions(self) -> Iterable[ExceptionRecord]: ...


class Standing:
    """Latest verdicts and live exceptions by subject, read once; those given by `until` where that is stated."""

    def __init__(self, said: Said, until: int | None = None) -> None:
        self._verdicts: dict[str, Verdict] = {}
        for verdict in said.verdicts():
            if until is None or verdict.at <= until:
                self._verdicts[verdict.subject] = verdict
        given = (one for one in said.exceptions() if until is None or one.at <= until)
        self._exceptions: dict[str, ExceptionRecord] = {one.finding: one for one in given}

    def judged(self, subject: str) -> bool:
        """Whether any verdict was given on a subject."""
        return subject in self._verdicts

    def accepted_until(self, finding: str) -> int | None:
        """When the acceptance of a finding's risk ends, if it was accepted."""
        accepted = self._exceptions.get(finding)
        return accepted.expires if accepted else None

    def of(self, subject: str, evidence: str = "") -> Doc:
        """The review of one subject; a verdict given on other evidence counts as reopened."""
        verdict = self._verdicts.get(subject)
        accepted = self._exceptions.get(subject)
        state = "open"
        if verdict is not None:
            state = "reopened" if evidence and verdict.evidence and verdict.evidence != evidence else "reviewed"
        shape: Doc = {
            "state": state,
            "verdict": verdict.verdict.value if verdict else None,
            "reviewer": verdict.reviewer if verdict else None,
            "at": iso(verdict.at) if verdict else None,
        }
        if verdict is not None:
            shape["reason"] = verdict.reason
        if accepted is not None:
            shape["exception"] = {
                "owner": accepted.owner,
                "ticket": accepted.ticket,
                "expires": iso(accepted.expires),
                "reason": accepted.reason,
            }
        return shape
