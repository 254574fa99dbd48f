"""Foreign text on its way into a report: harmless first, escaped by the format afterwards."""

from __future__ import annotations

import re
from math import isfinite

from lang.safe import safe_cell, safe_line, safe_text
from lang.times import iso

EXCERPT = 400
_EXACT = 2**53
_LAST = 253402300799_999_999
_SPECIAL = re.compile(r"([\\`*_\[\]#|~])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ANGLES = re.compile(r"[&<>]")


def neutral(value: object) -> object:
    """A tree of plain values in which every string, keys too, is fit to be shown and every number fits canonical JSON."""
    if isinstance(value, str):
        return value if value.isascii() and value.isprintable() else safe_text(value)
    if isinstance(value, bool | None):
        return value
    if isinstance(value, int):
        return value if abs(value) < _EXACT else str(value)
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, list | tuple):
        return [neutral(v) for v in value]
    if isinstance(value, dict):
        return {neutral(k): neutral(v) for k, v in value.items()}
    return value


def excerpt(text: str, limit: int = EXCERPT) -> str:
    """The beginning of a long text, with a word on how much was left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit} more characters)"


def when(micros: int | None) -> str | None:
    """ISO 8601 in UTC; a moment outside the calendar is said to be so."""
    if micros is not None and not 0 <= micros <= _LAST:
        return "outside the calendar"
    return iso(micros)


def cell(value: str) -> str:
    """One CSV cell: a line, and no formula."""
    if value.isascii() and value.isprintable() and value[:1].isalnum():
        return value
    return safe_cell(value)


def markdown(value: str) -> str:
    """Text as Markdown that shows it and nothing else, on one line."""
    plain = _ANGLES.sub(lambda m: _ENTITIES[m.group()], safe_line(value.replace("\n", " ")))
    return _SPECIAL.sub(r"\\\1", plain)
