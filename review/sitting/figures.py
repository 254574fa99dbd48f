"""What figures of the overview have in common: their parts, and where the rows behind each lie. Loads no database library."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from lang.times import iso

if TYPE_CHECKING:
    from store.rows import TaskRow

Doc = dict[str, Any]

RISKIEST = 20
"""Tasks told of that wait."""

BONDS = {
    "task": "task-bound",
    "standing": "standing",
    "other": "bound to no task",
    "unknown": "life not known",
}

PARTS = ("riskiest", "review", "visit", "findings", "governed", "credentials", "coverage", "agents", "repositories")
"""The parts of the document, in the order in which they matter."""


def in_queue(*words: str) -> Doc:
    """The rows of the queue under a filter."""
    filter = " ".join(words)
    return {"place": "queue", "filter": filter, "command": f"remit tasks --filter {shlex.quote(filter)}"}


_COMMANDS = {
    "shares": "remit coverage --by agent",
    "sources": "remit coverage --by point",
    "credentials": "remit credentials",
    "journal": "remit journal",
    "accepted": "remit exceptions",
    "task": "remit show",
}


def elsewhere(place: str, **narrowed: str) -> Doc:
    """The rows of another place, narrowed to a bond or a flag."""
    return {"place": place, **narrowed, "command": _COMMANDS[place]}


def waiting_document(row: TaskRow) -> Doc:
    """A task that waits, in short."""
    return {
        "id": row.id,
        "title": row.title or row.scope,
        "agent": row.agent or None,
        "repository": row.repository or None,
        "risk": row.risk,
        "detections": list(row.detections),
        "findings": {"critical": row.critical, "high": row.high, "medium": row.medium, "low": row.low},
        "started": iso(row.started),
        "state": row.state,
        "rows": {"place": "task", "task": row.id, "command": f"{_COMMANDS['task']} {row.id}"},
    }
