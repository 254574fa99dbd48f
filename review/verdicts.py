"""Verdicts and accepted risks: append-only, each with a reason and the evidence it was given on."""

from __future__ import annotations

import time

from lang.times import iso
from model.review import ExceptionRecord, Verdict
from model.words import VerdictWord
from review.documents import Doc
from review.errors import NotFoundError, RemitError
from review.filters import moment
from review.overdue import named
from review.showing import nearest
from review.workspace import Workspace, whoami

_KINDS = ("task", "step", "finding")


def give_verdict(work: Workspace, id: str, verdict: str, reason: str, *, reviewer: str | None = None) -> Doc:
    """Record a verdict on a task, step or finding; a new one supersedes, never edits."""
    return give_verdicts(work, [id], verdict, reason, reviewer=reviewer)[0]


def give_verdicts(work: Workspace, ids: list[str], verdict: str, reason: str, *, reviewer: str | None = None) -> list[Doc]:
    """Record one verdict on several things, or none where any of the ids is wrong.

    The identity is the one that acts (the OS user); `reviewer`, where given, is kept as asserted.
    """
    if not reason.strip():
        raise RemitError("a verdict needs a reason (--reason)")
    subjects = [_subject(work, id) for id in ids]
    told = work.redactor.redact_text(reason.strip())
    return [_give(work, subject, verdict, told, reviewer) for subject in dict.fromkeys(subjects)]


def _give(work: Workspace, judged: tuple[str, str, str, str], verdict: str, reason: str, reviewer: str | None) -> Doc:
    kind, subject, task, evidence = judged
    given = Verdict(
        subject=subject,
        kind=kind,
        verdict=VerdictWord(verdict),
        reason=reason,
        reviewer=reviewer or whoami(),
        at=time.time_ns() // 1000,
        task=task,
        evidence=evidence,
        asserted=bool(reviewer) and reviewer != whoami(),
    )
    work.store.add_verdict(given)
    return {
        "subject": given.subject,
        "kind": given.kind,
        "verdict": given.verdict.value,
        "reason": given.reason,
        "reviewer": given.reviewer,
        "asserted": given.asserted,
        "at": iso(given.at),
        "task": given.task,
    }


def accept_risk(work: Workspace, id: str, *, owner: str, ticket: str, expires: str, reason: str) -> Doc:
    """Accept a finding's risk until a date; the finding stays in every listing and report, marked as accepted."""
    kind, subject, _, _ = _subject(work, id)
    if kind != "finding":
        raise RemitError(f"{id} is a {kind}; only a finding's risk can be accepted")
    until = moment(expires, "--expires")
    now = time.time_ns() // 1000
    if until <= now:
        raise RemitError(f"--expires {expires} lies in the past; an accepted risk needs an end that is still to come")
    accepted = ExceptionRecord(subject, owner, ticket, until, work.redactor.redact_text(reason), whoami(), now)
    work.store.add_exception(accepted)
    return {
        "finding": accepted.finding,
        "owner": accepted.owner,
        "ticket": accepted.ticket,
        "expires": iso(accepted.expires),
        "reason": accepted.reason,
        "by": accepted.by,
        "at": iso(accepted.at),
    }


def recent_reasons(work: Workspace, count: int = 8) -> list[str]:
    """The reviewer's own last reasons, the newest first, each once."""
    me = whoami()
    given = [v.reason for v in reversed(work.store.verdicts()) if v.reviewer == me]
    return list(dict.fromkeys(given))[:count]


def _subject(work: Workspace, id: str) -> tuple[str, str, str, str]:
    """(kind, id, task, digest of the evidence judged) of what an id names."""
    found = [(kind, one) for kind, one in work.store.resolve(id) if kind in _KINDS]
    if not found and (late := named(work, id)):
        raise RemitError(f"{late[0].id} is worked out from reviews and has none of its own; review what it names: {late[0].why}")
    if not found:
        near = nearest(work, id, _KINDS)
        raise NotFoundError(f"no task, step or finding is called {id[:80]!r}{near}; `remit tasks` and `remit findings` list them")
    if len(found) > 1:
        raise NotFoundError(f"{id[:80]!r} could be any of {len(found)}; give more of it")
    kind, whole = found[0]
    if kind == "task":
        row = work.store.task_row(whole)
        return kind, whole, whole, row.evidence if row else ""
    if kind == "finding":
        finding = work.store.finding(whole)
        return kind, whole, finding.task if finding else "", finding.evidence_digest if finding else ""
    step = work.store.step(whole)
    return kind, whole, step.task if step else "", ""
