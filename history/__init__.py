"""Histories of requests that stay in a warehouse: which columns state what, and what is asked of the engine there."""

from __future__ import annotations

from history.mapping import Mapped, Mapping, read_mapping
from history.problems import HistoryError, Lacking

__all__ = ["HistoryError", "Lacking", "Mapped", "Mapping", "read_mapping"]
