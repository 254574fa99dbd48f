"""Remedies: why a finding came about, who puts it right until when, and what shows that it is done. They judge nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable

from lang.times import iso
from model.review import Remedy
from review.documents import Doc
from review.errors import RemitError
from review.show.filters import moment
from review.show.subjects import subject
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
    held = next(
        (one for one in standing(work.store.statements(Remedy, about.id))), Remedy(about.id, about.task, "", "", 0, "", "", 0)
    )

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
    rows = standing(work.store.statements(Remedy, subject(work, name).id if name else None))
    return [remedy_document(one) for one in sorted(rows, key=lambda one: (bool(one.closure), one.due or 2**63, one.seq))]


def standing(rows: Iterable[Remedy]) -> list[Remedy]:
    """The last row of each finding, by finding; one that states nothing any more is none."""
    last = {row.finding: row for row in sorted(rows, key=lambda row: row.seq)}
    return [row for _, row in sorted(last.items()) if row.cause or row.owner or row.due or row.closure]


def remedy_document(one: Remedy) -> Doc:
    over = bool(one.due) and not one.closure and one.due <= time.time_ns() // 1000
    return {
        "seq": one.seq,
        "state": "done" if one.closure else "overdue" if over else "under way",
        "finding": one.finding,
        "task": one.task or None,
        "cause": one.cause or None,
        "owner": one.owner or None,
        "due": iso(one.due) if one.due else None,
        "closure": one.closure or None,
        "by": one.by,
        "at": iso(one.at),
    }


def remedy_sentence(row: Doc) -> str:
    """A remedy in one sentence."""
    parts = [f"finding {row['finding']}, {row['state']}"]
    parts += [f"{name} {row[name]}" for name in ("cause", "owner", "due") if row[name]]
    parts += [f"shown by {row['closure']}"] if row["closure"] else []
    return f"{'; '.join(parts)} (stated by {row['by']} at {row['at']})"
