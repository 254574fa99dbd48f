"""Attestations: what a person states of a control by hand, and the sign-off of a review. They stand beside results and change none."""

from __future__ import annotations

import time

import msgspec

from lang.times import iso
from model.review import Attestation, SignedScope
from reports.errors import UnknownName
from review.documents import Doc
from review.errors import NotFoundError, RemitError
from review.pack.frameworks import selected
from review.show.filters import moment
from review.workspace import Workspace


def attest(
    work: Workspace,
    framework: str,
    control: str,
    text: str,
    *,
    reviewer: str | None = None,
    evidence: str = "",
    expires: str | None = None,
) -> Doc:
    """State something of one control, by its id or any spelling of it; `framework` "" takes the one that holds it.

    `evidence` points to what it rests on; `expires` is a time after which it no longer holds. The document says under
    `correction` what the label stood for where it was no published id.
    """
    name = selected(work.library, [framework])[0][0].id if framework else ""
    try:
        meant = work.library.resolve(control, name)
    except UnknownName as error:
        raise RemitError(f"{f'{name} has no such control: ' if name else ''}{error}") from error
    if len(meant.ids) != 1:
        raise RemitError(f"{control[:60]!r} stands for {', '.join(meant.ids)} in {meant.framework}; attest one of them")
    until = moment(expires, "--expires") if expires else 0
    made = _stated(work, text, reviewer, Attestation(meant.framework, meant.ids[0], "", "", 0, expires=until))
    if until and until <= made.at:
        raise RemitError("--expires lies in the past; an attestation that no longer holds states nothing")
    made = msgspec.structs.replace(made, evidence=work.redactor.redact_text(evidence.strip()))
    return attestation_document(work.store.add_statement(made)) | {"correction": meant.correction or None}


def sign_off(work: Workspace, text: str, *, reviewer: str | None = None, about: SignedScope | None = None) -> Doc:
    """Sign the review off: reports made as of now or later carry it; of which of them it signs the state, `about` says."""
    stated = _stated(work, text, reviewer, Attestation("", "", "", "", 0, about=about))
    return attestation_document(work.store.add_statement(stated))


def withdraw(work: Workspace, number: int, reason: str) -> Doc:
    """Take back an attestation or sign-off of one's own by a row of its own; the one before it is neither changed nor gone."""
    rows = work.store.statements(Attestation)
    gone = {one.withdraws for one in rows}
    held = next((one for one in rows if one.seq == number and not one.withdraws and number not in gone), None)
    if held is None:
        raise NotFoundError(f"no attestation number {number} is there that was not withdrawn; `remit attest` lists them")
    if held.by != work.identity:
        raise RemitError(f"attestation {number} was given by {held.by}; only they can withdraw it")
    if not reason.strip():
        raise RemitError("withdrawing needs a reason (--text)")
    row = _stated(work, reason, None, msgspec.structs.replace(held, withdraws=number, evidence="", expires=0))
    work.store.add_statement(row)
    return attestation_document(held, withdrawn=row)


def attestations(work: Workspace) -> list[Doc]:
    """Everything that was stated by hand, oldest first, with what became of it."""
    rows = work.store.statements(Attestation)
    gone = {one.withdraws: one for one in rows if one.withdraws}
    return [attestation_document(one, withdrawn=gone.get(one.seq)) for one in rows if not one.withdraws]


def _stated(work: Workspace, text: str, reviewer: str | None, about: Attestation) -> Attestation:
    told = work.redactor.redact_text(text.strip())
    if not told:
        raise RemitError("say what is stated with --text; it stands in reports under your name")
    name = (reviewer or "").strip() or work.identity
    return msgspec.structs.replace(
        about, text=told, by=work.identity, at=time.time_ns() // 1000, reviewer=name, asserted=name != work.identity, seq=0
    )


def attestation_document(one: Attestation, *, withdrawn: Attestation | None = None) -> Doc:
    over = bool(one.expires) and one.expires <= time.time_ns() // 1000
    return {
        "seq": one.seq,
        "state": "withdrawn" if withdrawn else "expired" if over else "in force",
        "framework": one.framework or None,
        "control": one.control or None,
        "sign_off": not one.framework,
        "text": one.text,
        "evidence": one.evidence or None,
        "expires": iso(one.expires) if one.expires else None,
        "reviewer": one.reviewer or one.by,
        "asserted": one.asserted,
        "by": one.by,
        "at": iso(one.at),
        "withdrawn": {"by": withdrawn.by, "at": iso(withdrawn.at), "reason": withdrawn.text} if withdrawn else None,
    }
