"""Tables: what was imported, what follows from it, and what people said of it. Nothing heavy is imported until it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from store.errors import Interrupted, NotKept, Refused, StoreError

if TYPE_CHECKING:
    from store.chainrows import Built, Page, rows_of
    from store.rows import (
        Clause,
        FindingFilter,
        HabitRow,
        HeardState,
        IdentityRow,
        JournalCheck,
        PointRow,
        RawRow,
        RecordRow,
        SearchHit,
        SourceRow,
        StepRow,
        TaskFilter,
        TaskRow,
    )
    from store.store import Store, open_store

_ROWS = (
    "Clause",
    "FindingFilter",
    "HabitRow",
    "HeardState",
    "IdentityRow",
    "JournalCheck",
    "PointRow",
    "RawRow",
    "RecordRow",
    "SearchHit",
    "SourceRow",
    "StepRow",
    "TaskFilter",
    "TaskRow",
)

_MADE = ("Built", "Page", "rows_of")

__all__ = [
    "Built",
    "Clause",
    "FindingFilter",
    "HabitRow",
    "HeardState",
    "IdentityRow",
    "Interrupted",
    "JournalCheck",
    "NotKept",
    "Page",
    "PointRow",
    "RawRow",
    "RecordRow",
    "Refused",
    "SearchHit",
    "SourceRow",
    "StepRow",
    "Store",
    "StoreError",
    "TaskFilter",
    "TaskRow",
    "open_store",
    "rows_of",
]


def __getattr__(name: str) -> Any:
    """Import on first use: the dashboard's first frame needs `store.fast` and must not wait for SQLAlchemy."""
    if name in _ROWS:
        return getattr(import_module("store.rows"), name)
    if name in _MADE:
        return getattr(import_module("store.chainrows"), name)
    if name in ("Store", "open_store"):
        return getattr(import_module("store.store"), name)
    raise AttributeError(f"module 'store' has no attribute {name!r}")
