"""How a finding is said to be put right: the last statement of it, as a document and as a sentence."""

from __future__ import annotations

import time
from collections.abc import Iterable

from lang.times import iso
from model.review import Remedy
from review.documents import Doc


def remedied(rows: Iterable[Remedy]) -> list[Remedy]:
    """The last row of each finding, by finding; one that states nothing any more is none."""
    last = {row.finding: row for row in sorted(rows, key=lambda row: row.seq)}
    return [row for _, row in sorted(last.items()) if row.cause or row.owner or row.due or row.closure]


def remedy_document(one: Remedy, as_of: int | None = None) -> Doc:
    """A remedy with where it stands at a moment, by default this one."""
    over = bool(one.due) and not one.closure and one.due <= (time.time_ns() // 1000 if as_of is None else as_of)
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


def remedy_words(row: Doc) -> str:
    """Where a remedy stands and what is stated, in words."""
    parts = [str(row["state"])]
    parts += [f"{name} {row[name]}" for name in ("cause", "owner", "due") if row[name]]
    parts += [f"shown by {row['closure']}"] if row["closure"] else []
    return "; ".join(parts)


def remedy_sentence(row: Doc) -> str:
    """A remedy in one sentence."""
    return f"finding {row['finding']}, {remedy_words(row)} (stated by {row['by']} at {row['at']})"
