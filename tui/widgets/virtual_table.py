"""A table that never holds more than a few pages of rows, so that a million rows scroll like fifty."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message
from textual.scrollbar import ScrollBar

from tui.actions import bindings
from tui.reader import Reader
from tui.scopes import TABLE
from tui.widgets.columns import Column, shown_columns
from tui.widgets.drawn_table import DrawnTable
from tui.widgets.row_pages import KEPT_PAGES, PAGE, Named, Row, RowPages, Rows


class VirtualTable(DrawnTable, can_focus=True):
    """Rows by page from a `Rows` (or a list at hand), a cursor, marks; posts `Moved`, `Chosen` and `Counted`.

    Other rows take the place of the present ones only when their first page is there, so nothing flickers while typing.
    Component classes: `--header`, `--cursor`, `--row`, `--marked`, `--empty`, and a tone's name for a column's cells.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(TABLE)
    DEFAULT_CSS = """
    VirtualTable { height: 1fr; background: $surface; overflow-x: hidden; scrollbar-size-vertical: 1; }
    VirtualTable > .vt--header { color: $text-muted; text-style: bold; }
    VirtualTable > .vt--cursor { background: $primary; color: $text; text-style: bold; }
    VirtualTable:blur > .vt--cursor { background: $panel; }
    VirtualTable > .vt--row { background: $surface; }
    VirtualTable > .vt--marked { color: $warning; text-style: bold; }
    VirtualTable > .vt--empty { color: $text-muted; }
    VirtualTable > .vt--bad { color: $text-error; text-style: bold; }
    VirtualTable > .vt--warn { color: $text-warning; }
    VirtualTable > .vt--good { color: $text-success; }
    VirtualTable > .vt--dim { color: $text-muted; }
    """

    @dataclass
    class Moved(Message, bubble=False):
        """The cursor stands on another row; told to the screen alone."""

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
    class Copied(Message):
        """The row under the cursor was asked for as JSON; None where there is none."""

        row: Row | None

    @dataclass
    class Counted(Message):
        """The number of rows became known."""

        table: VirtualTable
        rows: int

    @dataclass
    class Marked(Message):
        """Rows whose keys had to be asked for are marked now."""

        table: VirtualTable

    @dataclass
    class Outdated(Message):
        """Rows that say what was came near the screen."""

        table: VirtualTable
        keys: Sequence[str]

    @dataclass
    class Headed(Message):
        """The heading of a column was clicked."""

        table: VirtualTable
        column: Column

    def __init__(
        self,
        columns: Sequence[Column],
        key: Callable[[Row], str],
        empty: str = "Nothing here.",
        kept: int = KEPT_PAGES,
        **more: Any,
    ) -> None:
        super().__init__(columns, key, empty, **more)
        self._source: Rows | None = None
        self._reader: Reader | None = None
        self._serial = 0
        self._shown = 0
        self._step = 1
        self._counted_early: tuple[int, int] = (0, 0)
        """A count that came before the first page of its rows, and which rows it is of."""
        self._pages = RowPages(lambda row: self.key_of(row), kept)

    # what is shown

    def show_rows(
        self,
        source: Rows,
        reader: Reader,
        *,
        keep: bool = False,
        at: str = "",
        row: int | None = None,
        counter: Reader | None = None,
    ) -> None:
        """Show another set of rows once its first page is there; with `keep` the cursor stays on its row.

        `at` is the key of the row to stand on, where it is near the place the cursor had; `row` its number, where that is known.
        `counter` counts the rows, where that may take so long that no page should wait for it.
        """
        self._serial += 1
        here = self.current if keep else None
        at = at or (self.key_of(here) if here is not None else "")
        number = row // PAGE if row is not None else self.cursor // PAGE if keep else 0
        arrived = partial(self._first_arrived, self._serial, source, reader, keep, at, number, row)
        reader.ask(partial(source.page, number), arrived)
        (counter or reader).ask(source.count, partial(self._count_arrived, self._serial))

    def show_list(self, rows: Sequence[Row], *, keep: bool = False, at: str = "") -> None:
        """Show rows that are all at hand; `at` is the key of the row to stand on."""
        self._serial += 1
        here = self.current if keep else None
        at = at or (self.key_of(here) if here is not None else "")
        drawn = keep and self._drawn(rows, at)
        self._source, self._reader = None, None
        self._pages.begin({n: rows[n * PAGE : (n + 1) * PAGE] for n in range(-(-len(rows) // PAGE))})
        if drawn:
            self._strips.forget()
            self._tell_moved()
            return
        self._begin(len(rows), keep)
        self._shown = self._serial
        index = next((i for i, row in enumerate(rows) if at and self.key_of(row) == at), self.cursor)
        self.cursor = min(index, max(len(rows) - 1, 0))
        self._count_arrived(self._serial, len(rows))
        self._tell_moved()

    def _drawn(self, rows: Sequence[Row], at: str) -> bool:
        """Whether the rows that are seen stand on the screen already: then none of it has to be drawn again."""
        if not rows or not self.counted or self._source is not None or len(rows) != self.rows:
            return False
        top = self.scroll_offset.y
        seen = range(top, min(top + self.size.height, len(rows)))
        return self.key_of(rows[self.cursor]) == at and all(rows[n] == self.row_at(n) for n in seen)

    def _first_arrived(
        self, serial: int, source: Rows, reader: Reader, keep: bool, at: str, number: int, row: int | None, rows: Sequence[Row]
    ) -> None:
        if serial != self._serial or not self.is_attached:
            return  # Others were asked for since, or the screen has gone.
        self._source, self._reader = source, reader
        self._pages.begin({number: rows})
        apart = self.cursor - self.scroll_offset.y
        self._begin(max(self.rows if keep else 0, number * PAGE + len(rows)), keep)
        self._shown = serial
        early, count = self._counted_early
        if early == serial:
            self._count_arrived(serial, count)
        if row is not None:
            if keep and row != self.cursor:
                # What is being read stays where it is on the screen, whatever was folded above it.
                self.scroll_to(y=max(row - apart, 0), animate=False, force=True)
            self.cursor = row
        elif at:
            self.cursor = next((number * PAGE + i for i, row in enumerate(rows) if self.key_of(row) == at), self.cursor)
        self._tell_moved()

    def keys_here(self) -> list[str]:
        """Keys of the rows that are at hand, in their order by page."""
        return self._pages.keys()

    def renew(self, found: Mapping[str, Row]) -> None:
        """Put these rows in place of those of the same keys: nothing moves, whatever changed in them, and only what changed is drawn."""
        if self._pages.renew(found):
            self.repaint_rows()

    def outdate(self, keys: Collection[str]) -> None:
        """Rows of these keys say what was: `Outdated` names them as they come near the screen, so that those alone are read."""
        self._pages.outdate(keys)
        self._tell_outdated()

    def _tell_outdated(self) -> None:
        top, height = self.scroll_offset.y, max(self.size.height, 1)
        due = self._pages.due(top - height, top + 2 * height)
        if due:
            self.post_message(self.Outdated(self, due))

    def _begin(self, rows: int, keep: bool) -> None:
        self._strips.forget()
        self.rows, self.counted = rows, False
        self._resize()
        if not keep:
            self.cursor = 0
            self.scroll_to(y=0, animate=False, force=True)
        self.refresh()

    def _count_arrived(self, serial: int, rows: int) -> None:
        if serial != self._serial:
            return
        if serial != self._shown:
            self._counted_early = serial, rows
            return
        self.rows, self.counted = rows, True
        self._resize()
        if self.cursor >= rows:
            self.cursor = max(rows - 1, 0)
        self.refresh()
        self.post_message(self.Counted(self, rows))

    @property
    def current(self) -> Row | None:
        return self.row_at(self.cursor)

    def at_hand(self) -> list[Row]:
        """The rows of the pages that are here."""
        return self._pages.rows()

    def row_at(self, index: int) -> Row | None:
        """The row at `index` if its page is here; otherwise the page is asked for."""
        if index < 0 or (self.counted and index >= self.rows):
            return None
        number, inside = divmod(index, PAGE)
        if inside > PAGE // 2:
            self._request(number + 1)
        self._request(number)
        return self._pages.row(index)

    def _request(self, number: int) -> None:
        if self._pages.look(number):
            return
        if self._source is None or self._reader is None or number < 0 or (self.counted and number * PAGE >= self.rows):
            return
        self._pages.ask(number)
        self._reader.ask(partial(self._source.page, number), partial(self._page_arrived, self._serial, number))

    def _page_arrived(self, serial: int, number: int, rows: Sequence[Row]) -> None:
        if serial != self._serial or not self._pages.take(number, rows):
            return
        if not self.counted:
            self.rows = max(self.rows, number * PAGE + len(rows))
            self._resize()
        top = self.scroll_offset.y
        if number * PAGE < top + self.size.height and top < (number + 1) * PAGE:
            self.refresh()
        if self.cursor // PAGE == number:
            self._tell_moved()

    # marks

    def toggle_mark(self) -> None:
        row = self.current
        if row is not None:
            self.marked ^= {self.key_of(row)}
            self.refresh()
            self.action_move(1)

    def mark_range(self, start: int, end: int) -> int:
        """Mark the rows between two places; returns how many of them are not here: their keys are asked for and marked then."""
        first, stop = min(start, end), min(max(start, end) + 1, self.rows)
        missing = 0
        for index in range(first, stop):
            row = self._pages.row(index)
            if row is not None:
                self.marked.add(self.key_of(row))
            else:
                missing += 1
        if missing and isinstance(self._source, Named) and self._reader is not None:
            self._reader.ask(partial(self._source.ids, first, stop), partial(self._marks_arrived, self._serial))
        self.refresh()
        return missing

    def _marks_arrived(self, serial: int, keys: Sequence[str]) -> None:
        if serial == self._serial:
            self.marked.update(keys)
            self.refresh()
            self.post_message(self.Marked(self))

    def clear_marks(self) -> None:
        self.marked.clear()
        self.refresh()

    # moving

    def on_resize(self, event: events.Resize) -> None:
        self._strips.forget()
        self._follow()

    def watch_cursor(self, old: int, new: int) -> None:
        self._step = new - old
        top = self.scroll_offset.y
        self._follow()
        if self.scroll_offset.y == top:
            for row in (old, new):
                self.refresh(Region(0, row - top + 1, self.size.width, 1))
        self._tell_moved()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """As any view scrolls; the bar is drawn anew only where it looks another way, which among a million rows is seldom."""
        self._tell_outdated()
        bar = self.vertical_scrollbar if self.show_vertical_scrollbar else None
        if bar is not None and self._thumb(old_value) == self._thumb(new_value):
            bar.set_reactive(ScrollBar.position, new_value)
            if round(old_value) != round(new_value):
                self.refresh(self.scrollable_content_region.size.region)
            return
        super().watch_scroll_y(old_value, new_value)

    def _thumb(self, position: float) -> int:
        """Where the bar's thumb begins, in the eighths of a cell it is drawn in."""
        seen, rows = self.size.height, self.virtual_size.height
        return int((seen - max(1.0, seen * seen / rows)) * position / (rows - seen) * 8) if rows > seen else 0

    def _follow(self) -> None:
        """Scroll so that the cursor is seen."""
        top, height = self.scroll_offset.y, max(self.size.height - 1, 1)
        if self.cursor < top or self.cursor >= top + height:
            y = self.cursor if self.cursor < top else self.cursor - height + 1
            self.scroll_target_y = self.scroll_y = y

    def _tell_moved(self) -> None:
        """Tell the screen, without a stop at each widget on the way, and not before what a key changed is ready to be painted."""
        row = self.row_at(self.cursor)
        if row is not None and self.is_attached:
            self.call_next(self.screen.post_message, self.Moved(self, row, self.cursor))

    def action_move(self, step: int) -> None:
        self.cursor = min(max(self.cursor + step, 0), max(self.rows - 1, 0))

    def action_page(self, pages: float) -> None:
        self.action_move(int(pages * max(self.size.height - 1, 2)))

    @property
    def ahead(self) -> Row | None:
        """The row the last key leads to if it comes again; None where it is not at hand."""
        return self.row_at(self.cursor + self._step)

    def action_go(self, row: int) -> None:
        self.cursor = max(self.rows - 1, 0) if row < 0 else row

    def action_choose(self) -> None:
        row = self.row_at(self.cursor)
        if row is not None:
            self.post_message(self.Chosen(self, row, self.cursor))

    def action_copy_json(self) -> None:
        self.post_message(self.Copied(self.current))

    def on_click(self, event: events.Click) -> None:
        index = self.scroll_offset.y + event.y - 1
        if event.y == 0:
            self._head_clicked(event.x)
        elif event.y >= 1 and 0 <= index < self.rows:
            if index == self.cursor:
                self.action_choose()
            else:
                self.cursor = index

    def _head_clicked(self, x: int) -> None:
        left = 2
        for column, room in shown_columns(self.columns, self.scrollable_content_region.width - 3):
            if left <= x < left + room:
                self.post_message(self.Headed(self, column))
            left += room + 2
