"""Where the review of a thing stands: open, reviewed, reopened, or hidden by an exception."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Protocol

from lang.times import iso
from model.chain import Step
from model.event import digest
from model.review import ExceptionRecord, Verdict
from review.state.agreement import second
from review.state.seen import token

Doc = dict[str, Any]


class Finds(Protocol):
    """A store as an exception's scope is asked of it."""

    def alike(self, detection: str, scope: str, where: str) -> list[str]: ...


class Said(Finds, Protocol):
    """What people said of a store's tasks, steps and findings, oldest first, less what they withdrew."""

    def verdicts(self, *, until: int | None = None) -> Iterable[Verdict]: ...

    def exceptions(self, *, until: int | None = None) -> Iterable[ExceptionRecord]: ...

    def assignees(self) -> dict[str, str]: ...

    def comment_counts(self) -> dict[str, int]: ...


class Standing:
    """Verdicts and live exceptions by subject, read once; those given by `until` where that is stated."""

    def __init__(self, said: Said, until: int | None = None) -> None:
        self._said = said
        self._verdicts: dict[str, list[Verdict]] = defaultdict(list)
        for verdict in said.verdicts(until=until):
            self._verdicts[verdict.subject].append(verdict)
        self._given = list(said.exceptions(until=until))

    @cached_property
    def _exceptions(self) -> dict[str, ExceptionRecord]:
        """By finding; looked up in the store only where a scope reaches beyond one."""
        return {finding: one for one in self._given for finding in covered(self._said, one)}

    @cached_property
    def _assignees(self) -> dict[str, str]:
        return self._said.assignees()

    @cached_property
    def _comments(self) -> dict[str, int]:
        return self._said.comment_counts()

    def judged(self, subject: str) -> bool:
        """Whether any verdict was given on a subject."""
        return subject in self._verdicts

    def accepted_until(self, finding: str) -> int | None:
        """When the acceptance of a finding's risk ends, if it was accepted."""
        accepted = self._accepted(finding)
        return accepted.expires if accepted else None

    def _accepted(self, subject: str) -> ExceptionRecord | None:
        return self._exceptions.get(subject) if self._given and subject.startswith("find-") else None

    def of_task(self, task: str, evidence: str = "") -> Doc:
        """The review of a task, with who looks after it and how many comments there are on it and what is in it."""
        return self.of(task, evidence) | {"assignee": self._assignees.get(task), "comments": self._comments.get(task, 0)}

    def of(self, subject: str, evidence: str = "") -> Doc:
        """The review of one subject; a verdict given on other evidence counts as reopened."""
        given = self._verdicts.get(subject, ())
        verdict = given[-1] if given else None
        accepted = self._accepted(subject)
        state = "open"
        if verdict is not None:
            state = "reopened" if evidence and verdict.evidence and verdict.evidence != evidence else "reviewed"
        shape: Doc = {
            "state": state,
            "verdict": verdict.verdict.value if verdict else None,
            "reviewer": verdict.reviewer if verdict else None,
            "at": iso(verdict.at) if verdict else None,
            "pending_second": False,
            "seen": token(verdict.at if verdict else None, evidence),
        }
        if verdict is not None:
            shape["reason"] = verdict.reason
            if verdict.critical or len(given) > 1:
                shape |= _second(given)
        if accepted is not None:
            shape["exception"] = {
                "owner": accepted.owner,
                "scope": accepted.scope,
                "ticket": accepted.ticket,
                "expires": iso(accepted.expires),
                "reason": accepted.reason,
            }
        return shape


def covered(store: Finds, one: ExceptionRecord) -> list[str]:
    """The findings an accepted risk speaks of: its own, and by its scope those like it."""
    if one.scope == "finding":
        return [one.finding]
    return sorted({one.finding, *store.alike(one.detection, one.scope, one.where)})


def _second(given: Sequence[Verdict]) -> Doc:
    stands = second(given)
    return {"pending_second": stands.pending, "second": stands.agreed or None, "disagreement": stands.disagree}


def step_evidence(step: Step) -> str:
    """Digest of what a verdict on a step was given on: the records that tell of it."""
    return digest("step", *sorted(set(step.records)))
