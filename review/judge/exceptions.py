"""Accepted risks: each with an owner, a scope, a ticket and an end, and always with the count of what it hides."""

from __future__ import annotations

import time
from typing import get_args

import msgspec

from lang.counted import count
from lang.times import iso
from model.chain import Finding
from model.review import ExceptionRecord, Scope
from review.documents import Doc
from review.errors import NotFoundError, RemitError
from review.show.filters import moment
from review.show.subjects import subject
from review.state.standing import covered
from review.workspace import Workspace

SCOPES: tuple[Scope, ...] = get_args(Scope)
_LATER = "9999-12-31"


def accept_risk(work: Workspace, id: str, *, owner: str, ticket: str, expires: str, reason: str, scope: Scope = "finding") -> Doc:
    """Accept a finding's risk until a date; what it hides stays in every listing and report, marked as accepted."""
    accepted = accepted_risk(work, id, owner=owner, ticket=ticket, expires=expires, reason=reason, scope=scope)
    return exception_document(work, work.store.add_exception(accepted))


def acceptance_preview(work: Workspace, id: str, *, expires: str, scope: Scope) -> str:
    """What accepting a finding's risk would hide, and until when where that is stated; raises RemitError as accepting it would."""
    one = accepted_risk(work, id, owner="?", ticket="?", expires=expires.strip() or _LATER, reason="?", scope=scope)
    until = f" until {(iso(one.expires) or '')[:10]}" if expires.strip() else ""
    return f"hides {count(len(covered(work.store, one)), 'finding')}{until}"


def accepted_risk(
    work: Workspace, id: str, *, owner: str, ticket: str, expires: str, reason: str, scope: Scope = "finding"
) -> ExceptionRecord:
    """What would be recorded; raises RemitError with the member that is missing or wrong."""
    if scope not in SCOPES:
        raise RemitError(f"--scope {scope!r} is none of {', '.join(SCOPES)}")
    judged = subject(work, id)
    if judged.kind != "finding":
        raise RemitError(f"{id} is a {judged.kind}; only a finding's risk can be accepted")
    for name, value in (("owner", owner), ("ticket", ticket), ("reason", reason)):
        if not value.strip():
            raise RemitError(f"an accepted risk needs its --{name}")
    until = moment(expires, "--expires")
    now = time.time_ns() // 1000
    if until <= now:
        raise RemitError(f"--expires {expires} lies in the past; an accepted risk needs an end that is still to come")
    finding = work.store.finding(judged.id)
    return ExceptionRecord(
        judged.id,
        owner.strip(),
        ticket.strip(),
        until,
        work.redactor.redact_text(reason.strip()),
        work.identity,
        now,
        scope=scope,
        detection=finding.detection if finding else "",
        where=_where(work, finding, scope),
    )


def _where(work: Workspace, finding: Finding | None, scope: Scope) -> str:
    if finding is None or scope == "finding":
        return ""
    if scope == "task":
        return finding.task
    row = work.store.task_row(finding.task)
    where = getattr(row, scope, "") if row is not None else ""
    if not where:
        raise RemitError(
            f"no {scope} is known of {finding.id}, so its risk cannot be accepted for one; use --scope finding or task"
        )
    return str(where)


def end_exception(work: Workspace, number: int, reason: str) -> Doc:
    """End an accepted risk before its time by a row of its own."""
    if not reason.strip():
        raise RemitError("ending an accepted risk needs a reason (--reason)")
    held = next((one for one in work.store.exceptions() if one.seq == number), None)
    if held is None:
        raise NotFoundError(f"no accepted risk number {number} is there that was not ended; `remit exceptions` lists them")
    told = work.redactor.redact_text(reason.strip())
    ended = msgspec.structs.replace(held, reason=told, by=work.identity, at=time.time_ns() // 1000, withdraws=number)
    work.store.add_exception(ended)
    return exception_document(work, held, ended=True) | {"ended_because": told}


def exceptions(work: Workspace) -> list[Doc]:
    """Every accepted risk, the ones in force first, each with how many findings it hides."""
    rows = work.store.exception_rows()
    ended = {one.withdraws for one in rows if one.withdraws}
    told = [exception_document(work, one, ended=one.seq in ended) for one in rows if not one.withdraws]
    return sorted(told, key=lambda row: (row["state"] != "in force", row["expires"] or "", row["seq"]))


def exception_document(work: Workspace, one: ExceptionRecord, *, ended: bool = False) -> Doc:
    over = one.expires <= time.time_ns() // 1000
    return {
        "seq": one.seq,
        "state": "ended" if ended else "expired" if over else "in force",
        "finding": one.finding,
        "detection": one.detection or None,
        "scope": one.scope,
        "where": one.where or None,
        "hides": len(covered(work.store, one)),
        "owner": one.owner,
        "ticket": one.ticket,
        "expires": iso(one.expires),
        "reason": one.reason,
        "by": one.by,
        "at": iso(one.at),
    }


def exception_sentence(row: Doc) -> str:
    reach = "this finding alone" if row["scope"] == "finding" else f"every {row['detection']} of {row['scope']} {row['where']}"
    return (
        f"Exception {row['seq']}, {row['state']}: {reach}, hiding {row['hides']}; owner {row['owner']}, {row['ticket']}, "
        f"until {row['expires']}: {row['reason']}"
    )
