"""The queue's cells and why a task ranks where it does, as texts: pure functions of a row, without the screen library."""

from __future__ import annotations

from typing import Any

from lang.safe import safe_line
from review.sitting.queueing import falls
from tui import format
from tui.widgets.columns import Column

Doc = dict[str, Any]

PENDING = "… "
"""Before a verdict that is still to be written."""


def leading(order: str) -> tuple[str, str]:
    """The column the rows are in the order of, and the sign its heading carries."""
    return order.removeprefix("-"), "▼" if falls(order) else "▲"


def columns() -> list[Column]:
    """What a row shows: at every width forty cells and more are left for what the task is about, once there are that many."""
    return [
        Column("risk", 5, lambda row: str(row["risk"]), right=True, tone=_tone, sort="risk"),
        Column("finding", 11, lambda row: _findings(row, 1), below=100, tone=_tone, sort="findings"),
        Column("finding", 21, lambda row: _findings(row, 2), wide=100, tone=_tone, sort="findings"),
        Column("task", 0, lambda row: str(row["title"] or row["scope"]), sort="title"),
        Column("agent", 11, lambda row: str(row["agent"] or "?"), wide=100, sort="agent"),
        Column("who", 22, lambda row: str(row["principal"] or "?"), wide=150, sort="principal"),
        Column("repo", 13, lambda row: str(row["repository"] or "").rpartition("/")[2], wide=80, sort="repository"),
        Column("env", 10, lambda row: str(row["environment"] or "?"), wide=170, sort="environment"),
        Column("started", 16, lambda row: format.day(row["started"]), wide=200, sort="started"),
        Column("steps", 6, lambda row: f"{row['steps']:,}", right=True, wide=160, sort="steps"),
        Column("seen by", 7, lambda row: format.vantages(row["vantages"])),
        Column("review", 8, _short_review, below=150, sort="state"),
        Column("review", 14, _review, wide=150, sort="state"),
        Column("assignee", 12, lambda row: str(row["assignee"] or "·"), wide=215),
    ]


def _tone(row: Doc) -> str:
    found = row["findings"]
    if found.get("critical"):
        return "bad"
    if found.get("high"):
        return "warn"
    return "" if row["detections"] else "dim"


def _findings(row: Doc, most: int) -> str:
    """The worst severity's mark, the first detections, and how many more there are."""
    found = row["detections"]
    if not found:
        return f"▒ {row['blind_spots']} blind" if row["blind_spots"] else "  "
    more = f"+{len(found) - most}" if len(found) > most else ""
    return format.severity_mark(row["findings"]) + " ".join(found[:most]) + more


def _short_review(row: Doc) -> str:
    said = _review(row)
    wait, word = (PENDING, said.removeprefix(PENDING)) if said.startswith(PENDING) else ("", said)
    return wait + format.REVIEWED.get(word, word)


def _review(row: Doc) -> str:
    state = row["review"]
    if state["pending"]:
        return f"{PENDING}{state['pending']}"
    # A verdict on what was there before tells nothing of what came since.
    return "reopened" if state["state"] == "reopened" else str(state["verdict"] or "·")


def why(row: Doc, factors: dict[str, int]) -> str:
    """Why a task ranks where it does, factor by factor, and who did it."""
    shown = ", ".join(f"{name} +{value}" for name, value in factors.items())
    who = f"{row['principal'] or 'unknown principal'} → {row['agent'] or 'unknown agent'}"
    repository = str(row["repository"] or "unknown repository").rpartition("/")[2]
    where = f"{repository}, env {row['environment'] or '?'}, {format.day(row['started'])}"
    return safe_line(f"why {row['risk']}: {shown or 'nothing found'}") + "\n" + safe_line(f"{who}  {where}")
