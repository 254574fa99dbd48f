"""Inline SVG whose meaning never rests on colour: every chart has a title, a description and a table beside it."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

WIDTH = 1000
_OPEN = Markup('<svg viewBox="0 0 1000 20" preserveAspectRatio="none" role="img" class="bar"><title>{}</title>')
_BACK = Markup('<rect x="0" y="2" width="1000" height="16" class="unseen"/>')
_SEEN = Markup('<rect x="{}" y="2" width="{}" height="16" class="seen"/>')
_CLOSE = Markup("</svg>")


def timeline(parts: Sequence[Sequence[int]], label: str) -> Markup:
    """A bar of the period with its covered parts filled; `parts` are [from, to] in thousandths of the period."""
    spans = ", ".join(f"{a // 10}.{a % 10}% to {b // 10}.{b % 10}%" for a, b in parts) or "no part"
    boxes = Markup("").join(_SEEN.format(a, max(b - a, 3)) for a, b in parts)
    return _OPEN.format(f"{label}: {spans} of the period") + _BACK + boxes + _CLOSE


def share(part: int, whole: int, label: str) -> Markup:
    """A bar of a share, with the two counts in words."""
    filled = part * WIDTH // whole if whole else 0
    return _OPEN.format(f"{label}: {part} of {whole}") + _BACK + _SEEN.format(0, filled) + _CLOSE
