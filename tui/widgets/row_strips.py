"""A table's rows as strips: each text is measured once, cells in one style are one piece, and what was drawn is kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.columns import BETWEEN, Column, Row, fit
from tui.widgets.columns import cells as cells_of

KEPT = 1024
"""Strips that are kept."""


class RowStrips:
    """Draws rows of a widget in the styles of its component classes; whoever changes what a row shows calls `forget`."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._strips: LRUCache[Hashable, Strip] = LRUCache(KEPT)
        self._styles: dict[tuple[str, str], Style] = {}

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
        parts: list[Segment] = []
        run, style = [fit(lead, 2)], base
        for column, cell in cells_of(columns, width, text):
            tone = column.tone(row) if column.tone is not None and row is not None else ""
            toned = self.style(part, tone) if tone else base
            if toned is not style:
                parts.append(Segment("".join(run), style))
                run, style = [], toned
            run.append(cell)
            if style is not base:
                parts.append(Segment("".join(run), style))
                run, style = [], base
            run.append(BETWEEN)
        parts.append(Segment("".join(run), style))
        return _cut(Segment.adjust_line_length(parts, width, base), width, cells, base)

    def plain(self, text: str, width: int, cells: int, part: str) -> Strip:
        """A line of one text."""
        style = self.style(part)
        return _cut([Segment(fit(text, width), style)], width, cells, style)

    def style(self, part: str, tone: str = "") -> Style:
        """The style of a part of the table, in the colour of a tone."""
        name = part, tone
        if name not in self._styles:
            style = self._widget.get_component_rich_style(part)
            self._styles[name] = style + self._widget.get_component_rich_style(f"vt--{tone}", partial=True) if tone else style
        return self._styles[name]


def _cut(parts: list[Segment], width: int, cells: int, style: Style) -> Strip:
    """A strip of all `cells` of the widget, `width` of them taken already."""
    return Strip([*parts, Segment(" " * (cells - width), style)] if cells > width else parts, cells)
