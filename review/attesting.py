"""Attestations: what a person states of a control by hand, and the sign-off of a review. They stand beside results and change none."""

from __future__ import annotations

import time

from lang.times import iso
from model.review import Attestation
from reports.catalogue import framework as catalogue
from reports.errors import ReportError
from review.documents import Doc
from review.errors import RemitError
from review.workspace import Workspace


def attest(work: Workspace, framework: str, control: str, text: str, *, reviewer: str | None = None) -> Doc:
    """State something of one control of a framework, by its id there."""
    try:
        held = catalogue(framework)
    except ReportError as error:
        raise RemitError(str(error)) from error
    ids = {item.id.casefold(): item.id for item in held.items}
    known = ids.get(control.casefold())
    if known is None:
        near = ", ".join(sorted(ids.values())[:6])
        raise RemitError(f"{held.id} has no control {control[:60]!r}; its ids are written like {near}")
    return _keep(work, held.id, known, text, reviewer)


def sign_off(work: Workspace, text: str, *, reviewer: str | None = None) -> Doc:
    """Sign the review off: reports made as of now or later carry it."""
    return _keep(work, "", "", text, reviewer)


def attestations(work: Workspace) -> list[Doc]:
    """Everything that was stated by hand, oldest first."""
    return [attestation_document(one) for one in work.store.statements(Attestation)]


def _keep(work: Workspace, framework: str, control: str, text: str, reviewer: str | None) -> Doc:
    told = work.redactor.redact_text(text.strip())
    if not told:
        raise RemitError("say what is stated with --text; it stands in reports under your name")
    name = (reviewer or "").strip() or work.identity
    stated = Attestation(
        framework, control, told, work.identity, time.time_ns() // 1000, reviewer=name, asserted=name != work.identity
    )
    return attestation_document(work.store.add_statement(stated))


def attestation_document(one: Attestation) -> Doc:
    return {
        "seq": one.seq,
        "framework": one.framework or None,
        "control": one.control or None,
        "sign_off": not one.framework,
        "text": one.text,
        "reviewer": one.reviewer or one.by,
        "asserted": one.asserted,
        "by": one.by,
        "at": iso(one.at),
    }
