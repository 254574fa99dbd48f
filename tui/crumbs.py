"""The line above every screen: where one is, and figures about it. Without the screen library."""

from __future__ import annotations

from collections.abc import Sequence

from lang.cells import cell_width
from lang.safe import safe_line

BETWEEN = " › "
READING = "reading …"
"""In place of figures that are not known yet."""


def at_home(store: str, place: str) -> list[str]:
    """The crumbs of a place below nothing but the store."""
    return [f"remit {store}", place]


def crumbs_line(parts: Sequence[str], facts: str, width: int) -> str:
    """`parts` joined and `facts` flush right in exactly `width` cells; harmless whatever the parts hold."""
    shown = [safe_line(part, width) for part in parts if part]
    right = safe_line(facts, max(width - 8, 0))
    room = width - (cell_width(right) + 2 if right else 0)
    while shown:
        over = cell_width(BETWEEN.join(shown)) - room
        longest = max(range(len(shown)), key=lambda i: cell_width(shown[i]))
        cut = max(cell_width(shown[longest]) - over, 6)
        if over <= 0 or cut >= cell_width(shown[longest]):
            break
        shown[longest] = safe_line(shown[longest], cut)
    left = safe_line(BETWEEN.join(shown), max(room, 0))
    return left + " " * max(width - cell_width(left) - cell_width(right), 0) + right
