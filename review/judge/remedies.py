"""Remedies: why a finding came about, who puts it right until when, and what shows that it is done. They judge nothing."""

from __future__ import annotations

import time

from model.review import Remedy
from review.documents import Doc
from review.errors import RemitError
from review.show.filters import moment
from review.show.subjects import subject
from review.state.remedied import remedied, remedy_document
from review.workspace import Workspace


def remedy(
    work: Workspace,
    name: str,
    *,
    cause: str | None = None,
    owner: str | None = None,
    due: str | None = None,
    closure: str | None = None,
) -> Doc:
    """State of a finding what is given; None leaves what was stated before, "" takes it back. Raises RemitError.

    It is a row of its own: what was stated before stays in the journal.
    """
    about = subject(work, name)
    if about.kind != "finding":
        raise RemitError(f"{name[:60]} is a {about.kind}; only a finding is put right, so name one of its findings")
    if cause is owner is due is closure is None:
        raise RemitError("say why the finding came about or how it is put right: --cause, --owner, --due or --closed")
    held = next(iter(remedied(work.store.statements(Remedy, about.id))), Remedy(about.id, about.task, "", "", 0, "", "", 0))

    def said(text: str | None, before: str) -> str:
        return before if text is None else work.redactor.redact_text(text.strip())

    made = Remedy(
        about.id,
        about.task,
        said(cause, held.cause),
        said(owner, held.owner),
        held.due if due is None else moment(due, "--due") if due.strip() else 0,
        said(closure, held.closure),
        work.identity,
        time.time_ns() // 1000,
    )
    return remedy_document(work.store.add_statement(made))


def remedies(work: Workspace, name: str | None = None) -> list[Doc]:
    """What stands of every finding, or of one, the nearest date first."""
    rows = remedied(work.store.statements(Remedy, subject(work, name).id if name else None))
    return [remedy_document(one) for one in sorted(rows, key=lambda one: (bool(one.closure), one.due or 2**63, one.seq))]
