"""A table that never holds more than a few pages of rows, so that a million rows scroll like fifty."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Protocol

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.reader import Reader

PAGE = 200
KEPT_PAGES = 24

Row = Any


@dataclass(frozen=True, slots=True)
class Column:
    """A column: heading, cells (0: what is left over), the text of a row's cell and whether it is right-aligned.

    It is shown where the table is at least `wide` and less than `below` cells wide.
    """

    heading: str
    width: int
    text: Callable[[Row], str]
    right: bool = False
    wide: int = 0
    below: int = 100_000


class Rows(Protocol):
    """Where a table's rows come from; every call happens on the reader's thread."""

    def count(self) -> int: ...

    def page(self, number: int) -> Sequence[Row]:
        """Rows [number*PAGE, (number+1)*PAGE) in the order of the table."""
        ...


class VirtualTable(ScrollView, can_focus=True):
    """Rows by page from a `Rows`, a cursor, marks; posts `Moved` and `Chosen`.

    Component classes: `--header`, `--cursor`, `--even`, `--odd`, `--marked`, `--empty`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False, id="table.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="table.up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, id="table.page-down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="table.page-up"),
        Binding("ctrl+d", "page(0.5)", "Half page down", show=False, id="table.half-down"),
        Binding("ctrl+u", "page(-0.5)", "Half page up", show=False, id="table.half-up"),
        Binding("end,G", "go(-1)", "Last", show=False, id="table.last"),
        Binding("home,g", "go(0)", "First", show=False, id="table.first"),
        Binding("enter,l", "choose", "Open", show=False, id="table.open"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "vt--header",
        "vt--cursor",
        "vt--even",
        "vt--odd",
        "vt--marked",
        "vt--empty",
    }
    DEFAULT_CSS = """
    VirtualTable { height: 1fr; background: $surface; }
    VirtualTable > .vt--header { color: $text-muted; text-style: bold; }
    VirtualTable > .vt--cursor { background: $primary; color: $text; text-style: bold; }
    VirtualTable:blur > .vt--cursor { background: $panel; }
    VirtualTable > .vt--even { background: $surface; }
    VirtualTable > .vt--odd { background: $surface; }
    VirtualTable > .vt--marked { color: $warning; text-style: bold; }
    VirtualTable > .vt--empty { color: $text-muted; }
    """
    cursor: reactive[int] = reactive(0, repaint=False)

    @dataclass
    class Moved(Message):
        """The cursor stands on another row."""

        table: VirtualTable
        row: Row
        index: int

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, VirtualTable.Moved)

    @dataclass
    class Chosen(Message):
        """A row was opened."""

        table: VirtualTable
        row: Row
        index: int

    @dataclass
    class Counted(Message):
        """The number of rows became known."""

        table: VirtualTable
        rows: int

    def __init__(self, columns: Sequence[Column], key: Callable[[Row], str], empty: str = "Nothing here.", **more: Any) -> None:
        super().__init__(**more)
        self.columns = list(columns)
        self.key_of = key
        self.empty = empty
        self.rows = 0
        self.counted = False
        self.marked: set[str] = set()
        self._source: Rows | None = None
        self._reader: Reader | None = None
        self._pages: OrderedDict[int, Sequence[Row] | None] = OrderedDict()
        self._strips: LRUCache[tuple[object, ...], Strip] = LRUCache(1024)
        self._want: str | None = None

    def show_rows(self, source: Rows, reader: Reader, *, keep: bool = False) -> None:
        """Show another set of rows; with `keep` the cursor stays where it is."""
        if not keep:
            self.cursor = 0
            self.scroll_to(y=0, animate=False)
        self._source, self._reader = source, reader
        self._pages.clear()
        self._strips.clear()
        self.rows, self.counted = (self.rows, False) if keep else (0, False)
        self._request(self.cursor // PAGE)
        reader.ask(source.count, self._count_arrived)

    @property
    def current(self) -> Row | None:
        return self.row_at(self.cursor)

    def row_at(self, index: int) -> Row | None:
        """The row at `index` if its page is here; otherwise the page is asked for."""
        if index < 0 or (self.counted and index >= self.rows):
            return None
        number, inside = divmod(index, PAGE)
        self._request(number)
        if inside > PAGE // 2:
            self._request(number + 1)
        rows = self._pages.get(number)
        return rows[inside] if rows and inside < len(rows) else None

    def toggle_mark(self) -> None:
        row = self.current
        if row is not None:
            self.marked ^= {self.key_of(row)}
            self._strips.clear()
            self.action_move(1)
            self.refresh()

    def mark_range(self, start: int, end: int) -> None:
        for index in range(min(start, end), max(start, end) + 1):
            row = self.row_at(index)
            if row is not None:
                self.marked.add(self.key_of(row))
        self._strips.clear()
        self.refresh()

    def clear_marks(self) -> None:
        self.marked.clear()
        self._strips.clear()
        self.refresh()

    def _request(self, number: int) -> None:
        if self._source is None or self._reader is None or number < 0 or number in self._pages:
            return
        if self.counted and number * PAGE >= self.rows and number:
            return
        self._pages[number] = None
        while len(self._pages) > KEPT_PAGES:
            self._pages.popitem(last=False)
        self._reader.ask(partial(self._source.page, number), partial(self._page_arrived, number))

    def _page_arrived(self, number: int, rows: Sequence[Row]) -> None:
        self._pages[number] = rows
        if not self.counted:
            self.rows = max(self.rows, number * PAGE + len(rows))
        self._resize()
        self.refresh()
        if self.cursor // PAGE == number:
            self._tell_moved()

    def _count_arrived(self, rows: int) -> None:
        self.rows, self.counted = rows, True
        if self.cursor >= rows:
            self.cursor = max(rows - 1, 0)
        self._resize()
        self.refresh()
        self.post_message(self.Counted(self, rows))

    def _resize(self) -> None:
        self.virtual_size = Size(self.size.width, self.rows + 1)

    def on_resize(self, event: events.Resize) -> None:
        self._strips.clear()
        self._resize()

    def _shown(self, width: int) -> list[tuple[Column, int]]:
        """The columns this width has room for, with their cells."""
        shown = [c for c in self.columns if c.wide <= width < c.below]
        fixed = sum(c.width for c in shown) + 2 * len(shown)
        elastic = sum(1 for c in shown if c.width == 0) or 1
        spare = max((width - fixed - 1) // elastic, 8)
        return [(c, c.width or spare) for c in shown]

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y == 0:
            return self._line(lambda column: column.heading, "vt--header", width)
        index = self.scroll_offset.y + y - 1
        if index >= self.rows:
            style = self.get_component_rich_style("vt--empty")
            text = f" {self.empty}" if index == 0 and self.counted else (" …" if index == 0 else "")
            return Strip([Segment(text, style)]).adjust_cell_length(width, self.rich_style)
        row = self.row_at(index)
        if row is None:
            return Strip([Segment(" …", self.get_component_rich_style("vt--empty"))]).adjust_cell_length(width, self.rich_style)
        mark = self.key_of(row) in self.marked
        part = "vt--cursor" if index == self.cursor else "vt--marked" if mark else ("vt--odd" if index % 2 else "vt--even")
        cached = (number_key := self.key_of(row), part, mark, width)
        if (strip := self._strips.get(cached)) is not None and number_key:
            return strip
        lead = "▶" if index == self.cursor else "*" if mark else " "
        strip = self._line(lambda column: column.text(row), part, width, lead)
        self._strips[cached] = strip
        return strip

    def _line(self, text: Callable[[Column], str], part: str, width: int, lead: str = " ") -> Strip:
        style = self.get_component_rich_style(part)
        cells = [lead, *(fit(text(column), room, column.right) + "  " for column, room in self._shown(width))]
        return Strip([Segment("".join(cells), style)]).adjust_cell_length(width, style)

    def watch_cursor(self, old: int, new: int) -> None:
        top, height = self.scroll_offset.y, max(self.size.height - 1, 1)
        if new < top or new >= top + height:
            self.scroll_to(y=new if new < top else new - height + 1, animate=False, force=True)
        for row in (old, new):
            self.refresh(Region(0, row - self.scroll_offset.y + 1, self.size.width, 1))
        self._tell_moved()

    def _tell_moved(self) -> None:
        row = self.row_at(self.cursor)
        if row is not None:
            self.post_message(self.Moved(self, row, self.cursor))

    def action_move(self, step: int) -> None:
        self.cursor = min(max(self.cursor + step, 0), max(self.rows - 1, 0))

    def action_page(self, pages: float) -> None:
        self.action_move(int(pages * max(self.size.height - 1, 2)))

    def action_go(self, row: int) -> None:
        self.cursor = max(self.rows - 1, 0) if row < 0 else row

    def action_choose(self) -> None:
        row = self.row_at(self.cursor)
        if row is not None:
            self.post_message(self.Chosen(self, row, self.cursor))

    def on_click(self, event: events.Click) -> None:
        index = self.scroll_offset.y + event.y - 1
        if event.y >= 1 and 0 <= index < self.rows:
            if index == self.cursor:
                self.action_choose()
            else:
                self.cursor = index


def fit(text: str, room: int, right: bool = False) -> str:
    """`text` in exactly `room` cells, cut with an ellipsis; wide characters count as two."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) > room:
        return set_cell_size(set_cell_size(text, max(room - 1, 0)) + "…", room)
    pad = " " * (room - cell_len(text))
    return pad + text if right else text + pad
