"""Columns of a table: which are shown at a width, and text cut to exactly the cells it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lang.cells import cell_width
from lang.safe import safe_ends, safe_line

Row = Any

SHORT = 40
"""Characters of a text that is worth remembering as it was fitted: marks and words that stand in many rows."""

BETWEEN = "  "
"""Between two columns."""

CURSOR = "▶"
"""Before the row the cursor is on."""

LEAST = 8
"""Cells an elastic column never falls below."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: heading, cells (0: what is left over), the text of a row's cell and whether it is right-aligned.

    It is shown where the table is at least `wide` and less than `below` cells wide. `tone` names a colour for a row's
    cell ("bad", "warn", "good", "dim" or ""), which only repeats what the text says. With `ends` a text that is too long
    is cut in its middle. `sort` names the order in which the column leads.
    """

    heading: str
    width: int
    text: Callable[[Row], str]
    right: bool = False
    wide: int = 0
    below: int = 100_000
    tone: Callable[[Row], str] | None = None
    ends: bool = False
    sort: str = ""


def shown_columns(columns: Sequence[Column], width: int) -> list[tuple[Column, int]]:
    """The columns this width has room for, with their cells; two cells lie between columns."""
    shown = [c for c in columns if c.wide <= width + 3 < c.below]
    fixed = sum(c.width for c in shown) + 2 * max(len(shown) - 1, 0)
    elastic = sum(1 for c in shown if c.width == 0) or 1
    spare = max((width - fixed) // elastic, LEAST)
    return [(c, c.width or spare) for c in shown]


def cells(columns: Sequence[Column], width: int, text: Callable[[Column], str]) -> Iterator[tuple[Column, str]]:
    """The columns this width has room for, each with its text cut to its cells, behind the two of a row's lead."""
    for column, room in shown_columns(columns, width - 3):
        yield column, fit(text(column), room, column.right, column.ends)


def heading(column: Column, leading: str, sign: str) -> str:
    """A column's heading, with the sign of the order where the rows are in its order."""
    return column.heading + sign if column.sort and column.sort == leading else column.heading


def row_text(columns: Sequence[Column], width: int, lead: str, text: Callable[[Column], str]) -> str:
    """A whole row as text."""
    return fit(lead, 2) + BETWEEN.join(cell for _, cell in cells(columns, width, text))


def fit(text: str, room: int, right: bool = False, ends: bool = False) -> str:
    """`text`, harmless, in exactly `room` cells: cut with an ellipsis or padded; wide characters count as two."""
    if len(text) <= room and text.isascii() and text.isprintable():
        return text.rjust(room) if right else text.ljust(room)
    return _short_fit(text, room, right, ends) if len(text) <= SHORT else _fit(text, room, right, ends)


def _fit(text: str, room: int, right: bool, ends: bool) -> str:
    shown = safe_ends(text, room) if ends else safe_line(text, room)
    pad = " " * (room - cell_width(shown))
    return pad + shown if right else shown + pad


_short_fit = lru_cache(4096)(_fit)
