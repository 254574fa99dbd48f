"""Small helpers that templates call: plain values in, plain values out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from model.words import Severity

SEVERITIES = tuple(severity.value for severity in Severity)


def keyed(rows: Iterable[Mapping[str, Any]], name: str) -> frozenset[Any]:
    """The values of one field, to be asked for membership."""
    return frozenset(row[name] for row in rows)


def within(rows: Iterable[Mapping[str, Any]], name: str, value: object) -> list[Mapping[str, Any]]:
    """The rows of which a field is this; a filter of the templates' own takes ten times as long."""
    return [row for row in rows if row[name] == value]


def without(rows: Iterable[Mapping[str, Any]], name: str, value: object) -> list[Mapping[str, Any]]:
    """The rows of which a field is not this."""
    return [row for row in rows if row[name] != value]


def having(rows: Iterable[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    """The rows that have something in a field."""
    return [row for row in rows if row[name]]


def counted(rows: Iterable[Mapping[str, Any]], label: str, count: str) -> list[tuple[str, int]]:
    """Rows as (label, count)."""
    return [(row[label], row[count]) for row in rows]


def bands(intervals: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[int]]]:
    """Intervals as (label, findings by severity); the label leaves out what all of them share."""
    days = {row["start"][:10] for row in intervals}
    cut = slice(11, 16) if len(days) == 1 else slice(0, 10) if len(days) == len(intervals) else slice(5, 16)
    return [(row["start"][cut].replace("T", " "), [row["findings"][s] for s in SEVERITIES]) for row in intervals]


def span(seconds: int) -> str:
    """A length of time in the largest unit that fits."""
    for unit, size in (("day", 86_400), ("hour", 3_600)):
        if seconds % size == 0:
            number = seconds // size
            return f"{number} {unit}" + ("s" if number != 1 else "")
    return f"{seconds} seconds"
