"""Remedies: why a finding came about, who puts it right until when, and what shows that it is done. They judge nothing."""

from __future__ import annotations

import time

from model.review import Remedy
from review.documents import Doc
from review.errors import RemitError
from review.show.filters import moment
from review.show.subjects import subject
from review.state.remedied import remedied, remedy_document, remedy_words
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
    return remedy_document(work.store.add_statement(_stated(work, name, cause, owner, due, closure)[1]))


def remedy_preview(
    work: Workspace,
    name: str,
    *,
    cause: str | None = None,
    owner: str | None = None,
    due: str | None = None,
    closure: str | None = None,
) -> str:
    """What `remedy` would record, in words, "" where it says no more than what stands; raises RemitError as that does."""
    held, made = _stated(work, name, cause, owner, due, closure)
    if (made.cause, made.owner, made.due, made.closure) == (held.cause, held.owner, held.due, held.closure):
        return ""
    stands = next(iter(remedied([made])), None)
    return f"{remedy_words(remedy_document(made))}; by {made.by}" if stands else "nothing is stated of it any more"


def _stated(
    work: Workspace, name: str, cause: str | None, owner: str | None, due: str | None, closure: str | None
) -> tuple[Remedy, Remedy]:
    """What stands of a finding, and what is stated now."""
    about = subject(work, name)
    if about.kind != "finding":
        raise RemitError(f"{name[:60]} is a {about.kind}; only a finding is put right, so name one of its findings")
    if cause is owner is due is closure is None:
        raise RemitError("say why the finding came about or how it is put right: --cause, --owner, --due or --closed")
    held = next(iter(remedied(work.store.statements(Remedy, about.id))), Remedy(about.id, about.task, "", "", 0, "", "", 0))

    def said(text: str | None, before: str) -> str:
        return before if text is None else work.redactor.redact_text(text.strip())

    return held, Remedy(
        about.id,
        about.task,
        said(cause, held.cause),
        said(owner, held.owner),
        held.due if due is None else moment(due, "due") if due.strip() else 0,
        said(closure, held.closure),
        work.identity,
        time.time_ns() // 1000,
    )


def remedies(work: Workspace, name: str | None = None) -> list[Doc]:
    """What stands of every finding, or of one, the nearest date first."""
    rows = remedied(work.store.statements(Remedy, subject(work, name).id if name else None))
    return [remedy_document(one) for one in sorted(rows, key=lambda one: (bool(one.closure), one.due or 2**63, one.seq))]
