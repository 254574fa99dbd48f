"""The coverage strip: each enforcement point's time in a row of cells, with long common silences folded out of the axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lang.cells import cell_width
from lang.safe import safe_line
from lang.times import parse_time
from tui import format
from tui.widgets.columns import fit

Doc = dict[str, Any]
Span = tuple[int, int]

FOLD = "┆"
WATCHED, SILENT, OUTSIDE = "█", "▒", "·"
NAMES = 26
"""Cells the names before the strips may take."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Stretches of time that are drawn, each with its cells; between two of them nobody watched, and a fold is drawn."""

    stretches: tuple[tuple[Span, int], ...]

    def cells(self) -> Iterable[Span | None]:
        """The time of each cell; None for a fold."""
        for number, ((start, end), count) in enumerate(self.stretches):
            if number:
                yield None
            for cell in range(count):
                yield start + (end - start) * cell // count, start + (end - start) * (cell + 1) // count


def lines(rows: Sequence[Doc], width: int) -> Iterable[str]:
    """The strip as lines of `width` cells: a heading with the time drawn, then a line per enforcement point."""
    points = [row for row in rows if row["scope"] in ("", "*")] or list(rows)
    if not points:
        yield "No enforcement point was observed yet."
        return
    names = max(cell_width(safe_line(row["enforcement_point"], NAMES)) for row in points)
    cells = max(width - names - 26, 12)
    axis = fold([span for row in points for span in watched(row)], cells)
    yield f"{WATCHED} watched  {SILENT} silent  {OUTSIDE} outside  {FOLD} nobody watched, left out"
    yield period(axis)
    for row in points:
        name = fit(row["enforcement_point"], names, ends=True)
        gaps = len(row["gaps"])
        silent = f"  {gaps} gap{'s' if gaps > 1 else ''}" if gaps else ""
        yield f"{name} {row['vantage']:<8} {strip(row, axis)} {row['records']:,}{silent}"


def share_lines(rows: Sequence[Doc], by: str, width: int) -> Iterable[str]:
    """The governed share under each name: bars for decisions, task-bound credentials and confirmed effects, and the actions."""
    if not rows:
        yield "No action was built yet."
        return
    names = max(len(by), *(cell_width(safe_line(str(row[by] or "unknown"), NAMES)) for row in rows))
    cells = min(max((width - names - 40) // 3, 4), 20)
    heads = ("with a decision", "task-bound cred.", "effect confirmed")
    yield f"{by:<{names}} " + " ".join(f"{head[: cells + 5]:<{cells + 5}}" for head in heads) + "  actions"
    for row in rows:
        name = fit(str(row[by] or "unknown"), names, ends=True)
        shares = row["share"]
        drawn = " ".join(_share(shares[one], cells) for one in ("with_decision", "task_bound", "effect_confirmed"))
        yield f"{name} {drawn}  {row['actions']:,}"


def _share(part: float | None, cells: int) -> str:
    """A bar and its figure; a dot where there was nothing to share."""
    if part is None:
        return f"{OUTSIDE:<{cells}}    {OUTSIDE}"
    return f"{WATCHED * round(part * cells):{OUTSIDE}<{cells}} {part:>4.0%}"


def period(axis: Axis) -> str:
    """The time the axis draws: its longest stretch, and what lies apart from it."""
    spans = [span for span, _ in axis.stretches]
    start, end = max(spans, key=lambda span: span[1] - span[0])
    apart = len(spans) - 1
    others = (
        f"; {apart} other stretch{'es' if apart > 1 else ''} between {_day(spans[0][0])} and {_day(spans[-1][1])}"
        if apart
        else ""
    )
    return f"{_day(start)} – {_day(end)}{others}"


def watched(row: Doc) -> list[Span]:
    """When a point was watched: its time without its gaps."""
    start, end = _at(row["from"]), _at(row["to"])
    found: list[Span] = []
    for gap in sorted((_at(g["from"]), _at(g["to"])) for g in row["gaps"]):
        if gap[0] >= start:
            found.append((start, gap[0]))
            start = max(start, gap[1])
    found.append((start, end))
    return found


def fold(spans: Iterable[Span], cells: int) -> Axis:
    """An axis over all spans without the silences that would take more than a third of it; at least one cell a stretch."""
    merged: list[list[int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    lit = sum(end - start for start, end in merged) or 1
    stretches: list[list[int]] = []
    for start, end in merged:
        if stretches and (start - stretches[-1][1] <= lit // 2 or len(stretches) >= cells // 3):
            stretches[-1][1] = end
        else:
            stretches.append([start, end])
    total = sum(end - start for start, end in stretches) or 1
    room = cells - (len(stretches) - 1)
    counts = [max(room * (end - start) // total, 1) for start, end in stretches]
    counts[counts.index(max(counts))] += room - sum(counts)
    return Axis(tuple(((start, end), max(count, 1)) for (start, end), count in zip(stretches, counts, strict=True)))


def strip(row: Doc, axis: Axis) -> str:
    """One point's cells: watched for any part, silent within its time, or outside it."""
    spans = watched(row)
    start, end = _at(row["from"]), _at(row["to"])
    drawn = []
    for cell in axis.cells():
        if cell is None:
            drawn.append(FOLD)
        elif any(a <= cell[1] and cell[0] <= b for a, b in spans):
            drawn.append(WATCHED)
        elif cell[1] < start or cell[0] > end:
            drawn.append(OUTSIDE)
        else:
            drawn.append(SILENT)
    return "".join(drawn)


def _at(text: str) -> int:
    return parse_time(text)[0] or 0


def _day(at: int) -> str:
    from lang.times import iso

    return format.day(iso(at))
