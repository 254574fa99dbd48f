"""The virtual table: a hundred thousand rows, a few pages held, marks, jumps, and rows replaced while one looks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from lang.cells import cell_width
from tests.tui_desk import until
from tui.reader import Reader
from tui.widgets.columns import Column, fit, shown_columns
from tui.widgets.row_pages import KEPT_PAGES, PAGE
from tui.widgets.virtual_table import VirtualTable

MANY = 100_000


class Numbers:
    """Rows that are their own index, from a store that counts what it is asked."""

    def __init__(self, rows: int, word: str = "row") -> None:
        self.rows = rows
        self.word = word
        self.asked: list[int] = []

    def count(self) -> int:
        return self.rows

    def ids(self, first: int, stop: int) -> list[str]:
        return [str(index) for index in range(first, stop)]

    def page(self, number: int) -> Sequence[tuple[int, str]]:
        self.asked.append(number)
        return [(index, f"{self.word} {index}") for index in range(number * PAGE, min((number + 1) * PAGE, self.rows))]


class TableApp(App[None]):
    """One table and its reader."""

    def compose(self) -> ComposeResult:
        columns = [Column("n", 8, lambda row: str(row[0]), right=True), Column("text", 0, lambda row: row[1])]
        yield VirtualTable(columns, key=lambda row: str(row[0]), empty="Nothing\nat all.")

    def on_mount(self) -> None:
        self.failures: list[BaseException] = []
        self.reader = Reader(self, self.failures.append)
        self.query_one(VirtualTable).focus()

    def on_unmount(self) -> None:
        self.reader.close()


@asynccontextmanager
async def running(rows: int) -> AsyncIterator[tuple[VirtualTable, Numbers, Pilot[None]]]:
    app = TableApp()
    async with app.run_test(size=(60, 21)) as pilot:
        table, source = app.query_one(VirtualTable), Numbers(rows)
        table.show_rows(source, app.reader)
        await until(pilot, lambda: table.counted, "the rows were counted")
        yield table, source, pilot
        assert app.failures == []


def lines(table: VirtualTable) -> list[str]:
    return [table.render_line(y).text.rstrip() for y in range(table.size.height)]


async def arrived(pilot: Pilot[None], table: VirtualTable) -> None:
    await until(pilot, lambda: table.current is not None, "the row under the cursor was read")
    await pilot.pause()


async def test_first_rows_ask_for_one_page() -> None:
    async with running(MANY) as (table, source, _):
        assert table.rows == MANY
        assert source.asked == [0]
        assert lines(table)[1] == "▶        0  row 0"
        assert lines(table)[20] == "        19  row 19"


async def test_a_frame_that_was_due_when_the_table_left_is_drawn() -> None:
    async with running(MANY) as (table, _, _pilot):
        seen = table.size.height
        await table.remove()
        table._strips.forget()
        assert [table.render_line(y).cell_length for y in range(seen)] == [table.size.width] * seen


async def test_jumps_to_both_ends() -> None:
    async with running(MANY) as (table, source, pilot):
        await pilot.press("G")
        await arrived(pilot, table)
        assert table.cursor == MANY - 1
        assert lines(table)[-1].startswith("▶")
        assert lines(table)[-1].endswith(f"row {MANY - 1}")
        assert set(source.asked) <= {0, MANY // PAGE - 1}
        await pilot.press("g")
        await arrived(pilot, table)
        assert table.cursor == 0 and lines(table)[1].endswith("row 0")


async def test_keys_move_by_row_half_page_and_page_and_stop_at_the_ends() -> None:
    async with running(MANY) as (table, _, pilot):
        for key, place in (("j", 1), ("down", 2), ("k", 1), ("ctrl+d", 11), ("ctrl+f", 31), ("pageup", 11), ("ctrl+u", 1)):
            await pilot.press(key)
            assert table.cursor == place, key
        await pilot.press("ctrl+b", "up", "k")
        assert table.cursor == 0
        await pilot.press("end", "j", "pagedown")
        assert table.cursor == MANY - 1


async def test_no_more_than_the_kept_pages_are_held() -> None:
    async with running(MANY) as (table, _, pilot):
        for page in range(0, MANY // PAGE, 9):
            table.cursor = page * PAGE + 150
            await arrived(pilot, table)
            assert len(table._pages) <= KEPT_PAGES
            assert table.current == (page * PAGE + 150, f"row {page * PAGE + 150}")


async def test_the_page_one_looks_at_is_the_last_to_go() -> None:
    async with running(MANY) as (table, source, pilot):
        for page in range(1, KEPT_PAGES + 6):
            table.cursor = page * PAGE + 10
            await arrived(pilot, table)
            table.row_at(5)
            await until(pilot, lambda: table.row_at(5) is not None, "the first page stays")
        assert source.asked.count(0) == 1


async def test_marks_stay_with_their_rows() -> None:
    async with running(MANY) as (table, _, pilot):
        table.toggle_mark()
        table.toggle_mark()
        assert table.marked == {"0", "1"} and table.cursor == 2
        assert table.mark_range(4, 6) == 0
        await pilot.press("G")
        await arrived(pilot, table)
        await pilot.press("g")
        await arrived(pilot, table)
        assert [line[1] for line in lines(table)[1:9]] == ["*", "*", " ", " ", "*", "*", "*", " "]
        table.clear_marks()
        assert not table.marked and "*" not in "".join(lines(table))


async def test_a_range_reaches_over_pages_that_are_not_here() -> None:
    async with running(MANY) as (table, numbers, pilot):
        read = len(numbers.asked)
        assert table.mark_range(7, 10 * PAGE) > 0
        assert "7" in table.marked
        await until(pilot, lambda: len(table.marked) == 10 * PAGE - 6, "the keys of the others came")
        assert len(numbers.asked) <= read + 1, "no page was read for it"
        table.clear_marks()
        assert table.mark_range(MANY - 1, MANY + 50) == 1, "beyond the end there is nothing to mark"


async def test_a_count_that_comes_before_its_rows_waits_for_them() -> None:
    async with running(300) as (table, _, pilot):
        table.show_rows(Numbers(0), table._reader, counter=table._reader)  # type: ignore[arg-type]
        table._count_arrived(table._serial, 0)
        assert table.rows == 300, "the rows shown are still the others"
        await until(pilot, lambda: table.counted and table.rows == 0, "they went")
        assert "Nothing" in lines(table)[1]


async def test_a_click_on_a_heading_names_its_column() -> None:
    heard: list[str] = []

    class Listening(TableApp):
        def on_virtual_table_headed(self, event: VirtualTable.Headed) -> None:
            heard.append(event.column.heading)

    async with Listening().run_test(size=(60, 12)) as pilot:
        await pilot.click(VirtualTable, offset=(4, 0))
        await pilot.click(VirtualTable, offset=(20, 0))
        await pilot.pause()
    assert heard and heard[0] == "n" and len(set(heard)) == 2


async def test_other_rows_take_the_place_only_once_they_are_there() -> None:
    async with running(300) as (table, _, pilot):
        app = pilot.app
        assert isinstance(app, TableApp)
        table.show_rows(Numbers(50, "other"), app.reader)
        assert lines(table)[1].endswith("row 0")
        await until(pilot, lambda: table.rows == 50, "the other rows arrived")
        assert lines(table)[1].endswith("other 0")


async def test_a_reread_keeps_the_row_one_stands_on() -> None:
    async with running(1000) as (table, _, pilot):
        app = pilot.app
        assert isinstance(app, TableApp)
        table.cursor = 450
        await arrived(pilot, table)

        class Shifted(Numbers):
            def page(self, number: int) -> Sequence[tuple[int, str]]:
                return [(index - 3, text) for index, text in super().page(number)]

        table.show_rows(Shifted(1003), app.reader, keep=True)
        await until(pilot, lambda: table.counted and table.rows == 1003, "the shifted rows arrived")
        assert table.current[0] == 450 and table.cursor == 453


async def test_fewer_rows_than_before_pull_the_cursor_back() -> None:
    async with running(1000) as (table, _, pilot):
        app = pilot.app
        assert isinstance(app, TableApp)
        await pilot.press("G")
        await arrived(pilot, table)
        table.show_rows(Numbers(7), app.reader, keep=True)
        await until(pilot, lambda: table.counted and table.rows == 7, "the few rows arrived")
        await arrived(pilot, table)
        assert table.cursor == 6 and "row 6" in "\n".join(lines(table))


async def test_nothing_is_said_where_there_is_nothing() -> None:
    async with running(0) as (table, _, pilot):
        assert [line.strip() for line in lines(table)[1:3]] == ["Nothing", "at all."]
        await pilot.press("j", "G", "enter", "pagedown")
        assert table.cursor == 0 and table.current is None


async def test_a_list_at_hand_needs_no_reader() -> None:
    async with running(10) as (table, _, pilot):
        table.show_list([(index, f"here {index}") for index in range(450)], at="420")
        await pilot.pause()
        assert table.cursor == 420 and table.rows == 450
        assert "here 420" in "\n".join(lines(table))


async def test_a_click_moves_and_a_second_opens() -> None:
    chosen: list[int] = []

    class Clicked(TableApp):
        def on_virtual_table_chosen(self, event: VirtualTable.Chosen) -> None:
            chosen.append(event.index)

    app = Clicked()
    async with app.run_test(size=(60, 21)) as pilot:
        table = app.query_one(VirtualTable)
        table.show_list([(index, "x") for index in range(40)])
        await pilot.click(VirtualTable, offset=(5, 4))
        assert table.cursor == 3 and chosen == []
        await pilot.click(VirtualTable, offset=(5, 4))
        await pilot.pause()
        assert chosen == [3]


async def test_it_follows_its_size() -> None:
    async with running(MANY) as (table, _, pilot):
        table.cursor = 19
        await pilot.resize_terminal(40, 8)
        await until(pilot, lambda: table.size.height == 8, "it shrank")
        await pilot.pause()
        shown = lines(table)
        assert any(line.startswith("▶") and line.endswith("row 19") for line in shown)
        assert all(cell_len(line) <= 40 for line in shown)


@given(st.text(max_size=60), st.integers(1, 40), st.booleans())
def test_a_cell_is_as_wide_as_it_is_told(text: str, room: int, right: bool) -> None:
    shown = fit(text, room, right)
    assert cell_width(shown) == room
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in shown)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=9), st.integers(20, 250))
def test_columns_share_the_width(widths: list[int], width: int) -> None:
    columns = [Column(str(n), cells, str, wide=n * 20) for n, cells in enumerate(widths)]
    shown = shown_columns(columns, width)
    assert all(cells == column.width or column.width == 0 for column, cells in shown)
    used = sum(cells for _, cells in shown) + 2 * max(len(shown) - 1, 0)
    assert used <= width or all(cells in (8, column.width) for column, cells in shown)


async def test_a_table_draws_its_own_lines_as_textual_would() -> None:
    async with running(MANY) as (table, _, pilot):
        table.action_page(3)
        await arrived(pilot, table)
        own = table.render_lines(Region(0, 0, table.size.width, table.size.height))
        common = table._styles_cache.render_widget(table, Region(0, 0, table.size.width, table.size.height))
        assert [list(strip.simplify()) for strip in own] == [list(strip.simplify()) for strip in common]
        assert [strip.text for strip in table.render_lines(Region(3, 2, 9, 4))] == [strip.crop(3, 12).text for strip in own[2:6]]


async def test_the_scroll_bar_stands_where_the_rows_do() -> None:
    async with running(MANY) as (table, _, pilot):
        await pilot.pause()
        drawn = []
        for row in (0, 40, MANY // 2, MANY - 1):
            table.action_go(row)
            await pilot.pause()
            bar = table.vertical_scrollbar
            assert bar.position == table.scroll_y
            drawn.append([bar.render_line(y).text for y in range(bar.size.height)])
        assert drawn[0] == drawn[1] != drawn[2] != drawn[3]
