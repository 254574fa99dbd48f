"""What a queue is made of: its sorts and facets, how much of it is read at a time, and a row as the screens know it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lang.times import iso

if TYPE_CHECKING:
    from store.rows import TaskRow

Doc = dict[str, Any]
PAGE = 200
SORTS: tuple[str, ...] = (
    "risk",
    "started",
    "title",
    "agent",
    "principal",
    "repository",
    "environment",
    "steps",
    "findings",
    "state",
)
FALLING = frozenset({"risk", "started", "steps", "findings"})
"""Sorts that begin with the largest; `-` before a sort turns it round."""

FACETS: tuple[str, ...] = ("state", "verdict", "finding", "agent", "repo", "env", "who", "assignee", "owner", "seen")
"""Fields of the filter language whose values are counted beside the queue."""

SHOWN = 6
"""Values a facet shows; the most frequent."""

MARKED_MOST = 50_000
"""Rows that can be marked at once."""


def falls(order: str) -> bool:
    """Whether an order begins with the largest."""
    return (order.lstrip("-") in FALLING) != order.startswith("-")


def row_document(row: TaskRow, pending: Mapping[str, str]) -> Doc:
    """A queue row with the names the screens use; `pending` are verdicts on tasks that are still to be written."""
    from review.state.seen import token

    return {
        "id": row.id,
        "scope": row.scope,
        "title": row.title,
        "agent": row.agent,
        "principal": row.principal,
        "repository": row.repository,
        "environment": row.environment,
        "started": iso(row.started),
        "steps": row.steps,
        "risk": row.risk,
        "findings": {"critical": row.critical, "high": row.high, "medium": row.medium, "low": row.low},
        "blind_spots": row.blind_spots,
        "detections": list(row.detections),
        "vantages": list(row.vantages),
        "assignee": row.assignee or None,
        "review": {
            "state": row.state,
            "verdict": row.verdict or None,
            "reviewer": row.reviewer or None,
            "seen": token(row.reviewed_at, row.evidence),
            "pending": pending.get(row.id),
        },
    }
