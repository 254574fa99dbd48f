"""How a table of rows looks: its heading, its rows as they stand, and what stands where a row is not here."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Sequence
from typing import Any, ClassVar

from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.widgets.columns import CURSOR, Column, heading
from tui.widgets.row_pages import Row
from tui.widgets.row_strips import RowStrips


class DrawnTable(ScrollView):
    """Draws the rows that are seen, one line each below a heading; which row stands where is for `row_at` to say."""

    TONES: ClassVar[tuple[str, ...]] = ("bad", "warn", "good", "dim")
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "vt--header",
        "vt--cursor",
        "vt--row",
        "vt--marked",
        "vt--empty",
        *(f"vt--{tone}" for tone in TONES),
    }
    cursor: reactive[int] = reactive(0, repaint=False)

    def __init__(self, columns: Sequence[Column], key: Callable[[Row], str], empty: str, **more: Any) -> None:
        super().__init__(**more)
        self.columns = list(columns)
        self.key_of = key
        self.empty = empty
        self.rows = 0
        self.counted = False
        self.marked: set[str] = set()
        self.leading = ("", "")
        """The order the rows are in, by the `sort` of a column, and the sign its heading carries."""
        self._strips = RowStrips(self)

    @abstractmethod
    def row_at(self, index: int) -> Row | None:
        """The row at `index`, if it is here."""

    def _resize(self) -> None:
        self.virtual_size = Size(0, self.rows + 1)

    def notify_style_update(self) -> None:
        self._strips.forget()
        super().notify_style_update()

    def repaint_rows(self) -> None:
        """Draw every row anew, its content having changed behind its key."""
        self._strips.forget()
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """As Textual renders a widget; one without a frame is its lines alone, which are kept here as they are seen."""
        if self.styles.gutter.totals != (0, 0):
            return super().render_lines(crop)
        self._strips.seen_through(self.get_line_filters(), self.background_colors[1])
        strips = self._lines(crop.y, crop.bottom)
        span = crop.column_span
        return strips if span == (0, self.size.width) else [strip.crop(*span) for strip in strips]

    def render_line(self, y: int) -> Strip:
        return self._lines(y, y + 1)[0]

    def _lines(self, first: int, stop: int) -> list[Strip]:
        """Lines of the table; the first of all is its heading."""
        strips, cells, width = self._strips, self.size.width, self.scrollable_content_region.width
        drawn: list[Strip] = []
        if first == 0 < stop:
            name: Hashable = ("heading", width, self.leading)
            head = strips.kept(name)
            if head is None:
                head = strips.keep(name, strips.line(self.columns, width, cells, "vt--header", " ", self._heading))
            drawn.append(head)
        top, cursor, focus = self.scroll_offset.y - 1, self.cursor, self.has_focus
        for index in range(top + max(first, 1), top + stop):
            row = self.row_at(index) if index < self.rows else None
            if row is None:
                drawn.append(strips.plain(self._unread(index), width, cells, "vt--empty"))
                continue
            mark, here = self.key_of(row) in self.marked, index == cursor
            name = (index, here, mark, width, focus)
            drawn.append(strips.kept(name) or strips.keep(name, self._drawn_row(row, here, mark, width, cells)))
        return drawn

    def _drawn_row(self, row: Row, here: bool, mark: bool, width: int, cells: int) -> Strip:
        """A row in the `width` of it that the scroll bar leaves."""
        part = "vt--cursor" if here else "vt--marked" if mark else "vt--row"
        lead = (CURSOR if here else " ") + ("*" if mark else " ")
        toned = None if here or mark else row
        return self._strips.line(self.columns, width, cells, part, lead, lambda column: column.text(row), toned)

    def _heading(self, column: Column) -> str:
        return heading(column, *self.leading)

    def _unread(self, index: int) -> str:
        """What stands in place of a row that is not here."""
        if index < self.rows or (not self.counted and index == 0):
            return " …"
        if self.rows or not self.counted:
            return ""
        lines = self.empty.split("\n")
        return f" {lines[index]}" if index < len(lines) else ""
