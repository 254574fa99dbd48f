"""Where a finding stands at the as-of moment: what reviewers said of it, and whether an exception covers it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

import msgspec

from model.chain import Finding
from model.review import ExceptionRecord, Verdict
from model.words import VerdictWord

State = Literal["open", "reopened", "confirmed", "escalated", "accepted", "within-remit", "false-positive", "blind-spot"]
Group = Literal["open", "accepted", "dismissed", "blind-spot"]

GROUPS: dict[State, Group] = {
    "open": "open",
    "reopened": "open",
    "confirmed": "open",
    "escalated": "open",
    "accepted": "accepted",
    "within-remit": "dismissed",
    "false-positive": "dismissed",
    "blind-spot": "blind-spot",
}
_WORDS: dict[VerdictWord, State] = {
    VerdictWord.WITHIN: "within-remit",
    VerdictWord.OUTSIDE: "confirmed",
    VerdictWord.ESCALATE: "escalated",
    VerdictWord.FALSE_POSITIVE: "false-positive",
}


class Standing(msgspec.Struct):
    """State, the verdicts in the order they were given, and the exception if one was ever made (`expired` at as-of)."""

    state: State
    history: tuple[Verdict, ...] = ()
    exception: ExceptionRecord | None = None
    expired: bool = False

    @property
    def group(self) -> Group:
        return GROUPS[self.state]


class Desk:
    """All verdicts and exceptions of a state, looked up by finding."""

    def __init__(self, verdicts: Iterable[Verdict], exceptions: Iterable[ExceptionRecord], as_of: int) -> None:
        self._verdicts: dict[str, list[Verdict]] = defaultdict(list)
        self._exceptions: dict[str, ExceptionRecord] = {}
        self._as_of = as_of
        for verdict in sorted(verdicts, key=lambda v: (v.at, v.seq, v.reviewer, v.reason)):
            self._verdicts[verdict.subject].append(verdict)
        for exception in sorted(exceptions, key=lambda e: (e.at, e.seq, e.owner)):
            self._exceptions[exception.finding] = exception

    def history(self, subject: str) -> tuple[Verdict, ...]:
        return tuple(self._verdicts.get(subject, ()))

    def standing(self, finding: Finding) -> Standing:
        """Where a finding stands. A verdict given on other evidence than today's leaves it reopened."""
        history = self.history(finding.id)
        exception = self._exceptions.get(finding.id)
        expired = exception is not None and exception.expires < self._as_of
        if finding.blind_spot:
            return Standing("blind-spot", history, exception, expired)
        if exception is not None and not expired:
            return Standing("accepted", history, exception)
        if not history:
            return Standing("open", history, exception, expired)
        last = history[-1]
        if last.evidence and finding.evidence_digest and last.evidence != finding.evidence_digest:
            return Standing("reopened", history, exception, expired)
        return Standing(_WORDS[last.verdict], history, exception, expired)
