"""A table's rows as strips: each text is measured once, cells in one style are one piece, and what was drawn is kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.columns import BETWEEN, Column, Row, fit, shown_columns

KEPT = 1024
"""Strips that are kept."""


@lru_cache(256)
def _blank(cells: int, style: Style) -> Strip:
    return Strip.blank(cells, style)


class UnderBar(Strip):
    """A line that lies under its scroll bar, where the screen cuts every line it draws: cut there beforehand."""

    __slots__ = ["_seen", "_under"]

    def __init__(self, parts: Iterable[Segment], width: int, cells: int, style: Style) -> None:
        super().__init__(parts, cells)
        self._seen = Strip(self._segments, width)
        self._under = _blank(cells - width, style)
        self._segments = [*self._segments, *self._under]

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        places = list(cuts)
        seen = self._seen
        return [seen, self._under] if places == [seen.cell_length, self.cell_length] else super().divide(places)


class RowStrips:
    """Draws rows of a widget in the styles of its component classes; whoever changes what a row shows calls `forget`."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._strips: LRUCache[Hashable, Strip] = LRUCache(KEPT)
        self._styles: dict[tuple[str, str], Style] = {}
        self._filters: tuple[LineFilter, ...] = ()
        self._background = Color(0, 0, 0)
        self._columns: tuple[Sequence[Column], int, list[tuple[Column, int]], int] = ((), 0, [], 0)

    def seen_through(self, filters: Sequence[LineFilter], background: Color) -> None:
        """Draw as these filters change it on that background: each style once, rather than each line at each paint."""
        now = tuple(filters)
        if now != self._filters or background != self._background:
            self.forget()
            self._filters, self._background = now, background

    def forget(self) -> None:
        """What was drawn so far shows something else now, or in another style."""
        self._strips.clear()
        self._styles.clear()

    def kept(self, name: Hashable) -> Strip | None:
        return self._strips.get(name)

    def keep(self, name: Hashable, strip: Strip) -> Strip:
        self._strips[name] = strip
        return strip

    def line(
        self,
        columns: Sequence[Column],
        width: int,
        cells: int,
        part: str,
        lead: str,
        text: Callable[[Column], str],
        row: Row | None = None,
    ) -> Strip:
        """Columns in `width` of the widget's `cells`, behind two cells of `lead`; with a `row` each has the tone it names for it."""
        base = self.style(part)
        shown, spare = self._shown(columns, width)
        parts: list[Segment] = []
        run, style = [fit(lead, 2)], base
        for column, room in shown:
            tone = column.tone(row) if column.tone is not None and row is not None else ""
            toned = self.style(part, tone) if tone else base
            if toned is not style:
                parts.append(Segment("".join(run), style))
                run, style = [], toned
            run.append(fit(text(column), room, column.right, column.ends))
            if style is not base:
                parts.append(Segment("".join(run), style))
                run, style = [], base
            run.append(BETWEEN)
        run[-1] = " " * max(spare, 0)
        parts.append(Segment("".join(run), style))
        return _cut(parts if spare >= 0 else Segment.adjust_line_length(parts, width, base), width, cells, base)

    def _shown(self, columns: Sequence[Column], width: int) -> tuple[list[tuple[Column, int]], int]:
        """The columns there is room for, each with its cells, and how many cells are left behind the last."""
        if columns is not self._columns[0] or width != self._columns[1]:
            shown = shown_columns(columns, width - 3)
            used = 2 + sum(room for _, room in shown) + len(BETWEEN) * max(len(shown) - 1, 0)
            self._columns = columns, width, shown, width - used
        return self._columns[2:]

    def plain(self, text: str, width: int, cells: int, part: str) -> Strip:
        """A line of one text."""
        style = self.style(part)
        return _cut([Segment(fit(text, width), style)], width, cells, style)

    def style(self, part: str, tone: str = "") -> Style:
        """The style of a part of the table, in the colour of a tone."""
        name = part, tone
        if name not in self._styles:
            if not self._widget._component_styles:
                # A frame that was due when the table left, or before it has its styles: the next one has none of it, or all.
                return Style.null()
            style = self._widget.get_component_rich_style(part)
            toned = style + self._widget.get_component_rich_style(f"vt--{tone}", partial=True) if tone else style
            self._styles[name] = self._filtered(toned)
        return self._styles[name]

    def _filtered(self, style: Style) -> Style:
        piece = [Segment("x", style)]
        for filter in self._filters:
            piece = filter.apply(piece, self._background)
        return piece[0].style or style


def _cut(parts: list[Segment], width: int, cells: int, style: Style) -> Strip:
    """A strip of all `cells` of the widget, `width` of them taken already."""
    return UnderBar(parts, width, cells, style) if cells > width else Strip(parts, cells)
