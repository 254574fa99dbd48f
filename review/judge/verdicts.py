"""Verdicts: append-only, each with a reason and the evidence it was given on; withdrawn by a row of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping

from lang.times import iso
from model.review import Verdict
from model.words import VerdictWord
from review.documents import Doc
from review.errors import NotFoundError, RemitError
from review.show.subjects import subject
from review.state.agreement import second
from review.state.second import acted_for, is_critical, separation
from review.state.seen import Subject, refuse_changed
from review.workspace import Workspace
from store import StoreError

REASONS = 8


def give_verdict(work: Workspace, id: str, verdict: str, reason: str, *, reviewer: str | None = None) -> Doc:
    """Record a verdict on a task, step or finding; a new one supersedes, never edits."""
    return give_verdicts(work, [id], verdict, reason, reviewer=reviewer)[0]


def give_verdicts(
    work: Workspace,
    ids: list[str],
    verdict: str,
    reason: str,
    *,
    reviewer: str | None = None,
    seen: Mapping[str, str] | None = None,
) -> list[Doc]:
    """Record one verdict on several things, or none where any of the ids is wrong.

    The identity is the one that acts (the role in PostgreSQL, else the OS user); `reviewer`, where given, is kept as asserted.
    `seen` has by id the state that was read (`review.state.seen`), else it is what this sitting showed: where it is another by
    now, ChangedError says so first; a sitting may then give its verdict on the state it was told.
    """
    told = _reason(work, reason, "a verdict")
    with work.store.together():
        subjects = list(dict.fromkeys(subject(work, id) for id in ids))
        refuse_changed(work, subjects, work.shown if seen is None else seen)
        given = [_give(work, judged, VerdictWord(verdict), told, reviewer) for judged in subjects]
    for one in subjects:
        work.shown.pop(one.id, None)
    # Told once they are committed: what is read sees nothing of a transaction that is still open.
    return [verdict_document(work, one) for one in given]


def _give(work: Workspace, judged: Subject, word: VerdictWord, reason: str, reviewer: str | None) -> Verdict:
    name = (reviewer or "").strip() or work.identity
    task = work.store.task(judged.task) if judged.task else None
    given = Verdict(
        subject=judged.id,
        kind=judged.kind,
        verdict=word,
        reason=reason,
        reviewer=name,
        at=time.time_ns() // 1000,
        task=judged.task,
        evidence=judged.evidence,
        asserted=name != work.identity,
        by=work.identity,
        critical=is_critical(work, judged.kind, judged.id, judged.task),
        own=acted_for(work, task, work.identity) or acted_for(work, task, name),
    )
    return work.store.add_verdict(given)


def verdict_document(work: Workspace, one: Verdict) -> Doc:
    """A verdict as it is told, with where its second review stands now."""
    shape: Doc = {
        "seq": one.seq,
        "subject": one.subject,
        "kind": one.kind,
        "verdict": one.verdict.value,
        "reason": one.reason,
        "reviewer": one.reviewer,
        "asserted": one.asserted,
        "by": one.identity,
        "at": iso(one.at),
        "task": one.task,
    }
    if one.origin:
        shape["origin"] = one.origin
    if one.withdraws:
        return shape | {"withdraws": one.withdraws}
    stands = second(work.store.verdicts(one.subject))
    shape |= {"critical": one.critical, "pending_second": stands.pending, "disagreement": stands.disagree}
    if one.critical:
        shape |= {"second": stands.agreed or None, "separation": separation(work)}
        if one.own:
            shape["note"] = f"the agent acted for {one.reviewer}, who therefore cannot be the second reviewer"
    return shape


def withdraw_verdict(work: Workspace, which: int | str, reason: str) -> Doc:
    """Take back a verdict of one's own, by its number or the id it was given on; the one before it stands again.

    Raises RemitError where somebody else gave it: theirs is superseded by another verdict, never taken away.
    """
    told = _reason(work, reason, "a withdrawal")
    given = _given(work, which)
    if given.identity != work.identity:
        raise RemitError(
            f"verdict {given.seq} was given by {given.identity}, and you act as {work.identity}; give a verdict of your own instead"
        )
    try:
        kept = work.store.withdraw_verdict(given.seq, told, work.identity, time.time_ns() // 1000)
    except StoreError as error:
        raise RemitError(str(error)) from error
    return verdict_document(work, kept)


def _given(work: Workspace, which: int | str) -> Verdict:
    if isinstance(which, int) or (which.isascii() and which.isdigit() and len(which) < 12):
        seq = int(which)
        found = next((one for one in work.store.verdict_rows() if one.seq == seq), None)
        if found is None or found.withdraws:
            raise NotFoundError(f"there is no verdict number {seq}; `remit journal` lists them")
        return found
    judged = subject(work, which)
    mine = [one for one in work.store.verdicts(judged.id) if one.identity == work.identity]
    if not mine:
        raise NotFoundError(f"you gave no verdict on {judged.kind} {judged.id} that still counts")
    return mine[-1]


def before_verdict(work: Workspace, id: str) -> Doc:
    """What to know before judging: what was said before, and whether a second reviewer has to agree or could be this one."""
    judged = subject(work, id)
    task = work.store.task(judged.task) if judged.task else None
    given = work.store.verdicts(judged.id)
    last = given[-1] if given else None
    return {
        "critical": is_critical(work, judged.kind, judged.id, judged.task),
        "own": acted_for(work, task, work.identity),
        "reopened": bool(last and last.evidence and last.evidence != judged.evidence),
        "last": verdict_document(work, last) if last else None,
        "mine": bool(last and last.identity == work.identity),
        "separation": separation(work),
    }


def history(work: Workspace, id: str) -> list[Doc]:
    """Every row on a task, step or finding, withdrawals and what they took back included, oldest first."""
    judged = subject(work, id)
    rows = work.store.verdict_rows(judged.id)
    gone = {one.withdraws for one in rows if one.withdraws}
    return [verdict_document(work, one) | {"withdrawn": one.seq in gone} for one in rows]


def recent_reasons(work: Workspace, count: int = REASONS) -> list[str]:
    """The reviewer's own last reasons, the newest first, each once."""
    given = [v.reason for v in reversed(work.store.verdicts()) if v.identity == work.identity]
    return list(dict.fromkeys(given))[:count]


def _reason(work: Workspace, reason: str, what: str) -> str:
    if not reason.strip():
        raise RemitError(f"{what} needs a reason (--reason)")
    return work.redactor.redact_text(reason.strip())
