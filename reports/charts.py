"""Inline SVG whose meaning never rests on colour: every chart has a title, a description and a table beside it.

Widths and heights are in the units of the picture's own view box; numbers are whole, so the same state gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

WIDTH = 1000
LABEL = 260
"""Room for the names at the left of a chart of rows."""
ROWS = 24
"""Rows a chart shows at most; the table beside it says how many there are."""
TONES = ("#6b1420", "#b5561c", "#5f7f9e", "#d5dde6")

_OPEN = Markup('<svg viewBox="0 0 1000 20" preserveAspectRatio="none" role="img" class="bar"><title>{}</title>')
_BACK = Markup('<rect x="0" y="2" width="1000" height="16" class="unseen"/>')
_SEEN = Markup('<rect x="{}" y="2" width="{}" height="16" class="seen"/>')
_CLOSE = Markup("</svg>")
_CHART = Markup(
    '<svg viewBox="0 0 1000 {height}" role="img" class="chart" aria-labelledby="{key}-t {key}-d">'
    '<title id="{key}-t">{title}</title><desc id="{key}-d">{desc}</desc>'
)
_TEXT = Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>')
_RECT = Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>')
_EDGED = Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}" stroke="#444"/>')
_LINE = Markup('<path d="M{} {}H{}" stroke="#444"/>')


def timeline(parts: Sequence[Sequence[int]], label: str) -> Markup:
    """A bar of the period with its covered parts filled; `parts` are [from, to] in thousandths of the period."""
    boxes = Markup("").join(_SEEN.format(a, max(b - a, 3)) for a, b in parts)
    return _OPEN.format(f"{label}: {spans(parts)} of the period") + _BACK + boxes + _CLOSE


def spans(parts: Sequence[Sequence[int]]) -> str:
    """The covered parts of a period in words."""
    return ", ".join(f"{a // 10}.{a % 10}% to {b // 10}.{b % 10}%" for a, b in parts) or "no part"


def share(part: int, whole: int, label: str) -> Markup:
    """A bar of a share, with the two counts in words."""
    filled = part * WIDTH // whole if whole else 0
    return _OPEN.format(f"{label}: {part} of {whole}") + _BACK + _SEEN.format(0, filled) + _CLOSE


def coverage(points: Sequence[Mapping[str, Any]], first: str, last: str) -> Markup:
    """Enforcement points as rows over one axis of time, filled where any scope of the point was observed."""
    joined: dict[str, list[Sequence[int]]] = {}
    for point in points:
        joined.setdefault(str(point["point"]), []).extend(point["bar"])
    rows = list(joined.items())[:ROWS]
    height = 26 * len(rows) + 34
    parts = [
        _CHART.format(
            height=height,
            key="chart-coverage",
            title="When each enforcement point was observed",
            desc=f"One row for each of {len(rows)} of {len(joined)} enforcement points, from {first} to {last}. Filled: observed in any "
            "scope. Open: nothing seen. The table of enforcement points has each scope in words.",
        )
    ]
    for n, (name, bar) in enumerate(rows):
        top = 26 * n + 4
        parts.append(_TEXT.format(LABEL - 8, top + 13, "end", _short(name, 34)))
        parts.append(_EDGED.format(LABEL, top, WIDTH - LABEL - 2, 18, "#fff"))
        for begin, end in bar:
            left = LABEL + begin * (WIDTH - LABEL - 2) // 1000
            wide = max(3, (end - begin) * (WIDTH - LABEL - 2) // 1000)
            parts.append(_RECT.format(min(left, WIDTH - 5), top + 2, min(wide, WIDTH - 2 - min(left, WIDTH - 5)), 14, "#1f4e79"))
    parts.append(_TEXT.format(LABEL, height - 10, "start", first))
    parts.append(_TEXT.format(WIDTH - 2, height - 10, "end", last))
    return Markup("").join(parts) + _CLOSE


def columns(key: str, title: str, rows: Sequence[tuple[str, Sequence[int]]], names: Sequence[str]) -> Markup:
    """Stacked columns, one for each row (label, counts), the first name at the bottom; the total stands above each."""
    most = max((sum(counts) for _, counts in rows), default=0)
    base, room = 230, 180
    parts = [
        _CHART.format(
            height=262,
            key=f"chart-{key}",
            title=title,
            desc=f"{len(rows)} columns from {rows[0][0]} to {rows[-1][0]}, the highest {most}; each is stacked from "
            f"{', '.join(names)}, from the bottom up. The table below has every number."
            if rows
            else "Nothing to draw.",
        )
    ]
    x = 0
    for name, tone in zip(names, TONES, strict=False):
        parts.append(_EDGED.format(x, 4, 14, 14, tone))
        parts.append(_TEXT.format(x + 20, 16, "start", name))
        x += 36 + 8 * len(name)
    step = WIDTH // max(1, len(rows))
    every = max(1, -(-len(rows) // 6))
    for n, (label, counts) in enumerate(rows):
        left, top, total = n * step + step // 8, base, sum(counts)
        for count, tone in zip(counts, TONES, strict=False):
            tall = count * room // most if most else 0
            if count:
                top -= max(tall, 1)
                parts.append(_EDGED.format(left, top, step * 3 // 4, max(tall, 1), tone))
        if total:
            parts.append(_TEXT.format(left + step * 3 // 8, top - 4, "middle", total))
        if n % every == 0:
            parts.append(_TEXT.format(n * step, base + 20, "start", label))
    parts.append(_LINE.format(0, base, WIDTH))
    return Markup("").join(parts) + _CLOSE


def bars(key: str, title: str, rows: Sequence[tuple[str, int]]) -> Markup:
    """Horizontal bars, each with its name before and its number behind it."""
    most = max((count for _, count in rows), default=0)
    height = 26 * len(rows) + 8
    said = "; ".join(f"{label}: {count}" for label, count in rows)
    parts = [_CHART.format(height=height, key=f"chart-{key}", title=title, desc=f"{said}.")]
    for n, (label, count) in enumerate(rows):
        top = 26 * n + 4
        wide = count * (WIDTH - LABEL - 80) // most if most else 0
        parts.append(_TEXT.format(LABEL - 8, top + 13, "end", label))
        parts.append(_EDGED.format(LABEL, top, max(wide, 1), 18, "#1f4e79" if count else "#fff"))
        parts.append(_TEXT.format(LABEL + wide + 8, top + 13, "start", count))
    return Markup("").join(parts) + _CLOSE


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
