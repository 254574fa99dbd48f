"""The time an overview draws: the last days, or hours, in which anything was watched, and how much of each a point saw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from model.chain import Coverage

HOUR = 3_600_000_000
DAY = 24 * HOUR
FEW = 2
"""Where evidence lies on no more days than this, hours are told instead."""

Span = tuple[int, int]


def watched(row: Coverage) -> list[Span]:
    """When a point was watched: its time without its gaps, in order."""
    found: list[Span] = []
    start = row.start
    for gap in sorted(row.gaps, key=lambda gap: (gap.start, gap.end)):
        if gap.start >= start and gap.start > row.start:
            found.append((start, gap.start))
        start = max(start, gap.end)
    if start < row.end or (start == row.end and not row.gaps):
        found.append((start, row.end))
    return found


def merge(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that overlap made one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def unit_of(spans: Sequence[Span]) -> int:
    """Days, or hours where there are few days, in microseconds."""
    return HOUR if len(last(spans, DAY, FEW + 1)) <= FEW else DAY


def last(spans: Iterable[Span], unit: int, most: int) -> list[int]:
    """The last periods (numbered from the epoch, UTC) that any span touches, at most so many, in order.

    Periods in which nobody watched are left out.
    """
    found: set[int] = set()
    for start, end in spans:
        final = end // unit
        found.update(range(max(start // unit, final - most + 1), final + 1))
    return sorted(found)[-most:]


def within(spans: Iterable[Span], period: int, unit: int) -> list[Span]:
    """The parts of spans that lie in a period."""
    low, high = period * unit, (period + 1) * unit - 1
    return [(max(start, low), min(end, high)) for start, end in spans if start <= high and end >= low]


def lit(spans: Sequence[Span], periods: Sequence[int], unit: int) -> list[int]:
    """How much of each period anything was watched; the spans must not overlap."""
    return [sum(end - start for start, end in within(spans, period, unit)) for period in periods]


def shares(row: Coverage, periods: Sequence[int], unit: int, lit: Sequence[int]) -> list[float | None]:
    """Period by period how much of the time in which anything was watched this point was watched too.

    None lies outside the point's own time; 0 is silence within it. A period of single moments counts as seen.
    """
    own = watched(row)
    found: list[float | None] = []
    for period, whole in zip(periods, lit, strict=True):
        parts = within(own, period, unit)
        if parts:
            seen = sum(end - start for start, end in parts)
            found.append(max(round(seen / whole, 4), 0.01) if whole else 1.0)
        else:
            found.append(0.0 if within([(row.start, row.end)], period, unit) else None)
    return found
