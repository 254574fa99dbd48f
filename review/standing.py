"""Where the review of a thing stands: open, reviewed, reopened, or hidden by an exception."""

from __future__ import annotations

from typing import Any

from lang.times import iso
from model.review import ExceptionRecord, Verdict
from review.workspace import Workspace

Doc = dict[str, Any]


class Standing:
    """Latest verdicts and live exceptions by subject, read once."""

    def __init__(self, work: Workspace) -> None:
        self._verdicts: dict[str, Verdict] = {}
        for verdict in work.store.verdicts():
            self._verdicts[verdict.subject] = verdict
        self._exceptions: dict[str, ExceptionRecord] = {one.finding: one for one in work.store.exceptions()}

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
