"""Sources: every file reconciled to the last record, and which enforcement point was watched when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from lang.safe import safe_line, safe_text
from tui import format
from tui.actions import SOURCES, bindings
from tui.screens.base import DeskScreen
from tui.widgets.virtual_table import PAGE, Column, VirtualTable

Doc = dict[str, Any]


class Listed:
    """Rows already read, served by page."""

    def __init__(self, rows: Sequence[Doc]) -> None:
        self.rows = rows

    def count(self) -> int:
        return len(self.rows)

    def page(self, number: int) -> Sequence[Doc]:
        return self.rows[number * PAGE : (number + 1) * PAGE]


class SourcesScreen(DeskScreen):
    """What was imported above, what it covers below."""

    SCOPE = SOURCES
    BINDINGS: ClassVar[list[BindingType]] = bindings(SOURCES)

    def body(self) -> Iterable[Widget]:
        yield VirtualTable(
            source_columns(), key=lambda row: str(row["id"]), empty="Nothing imported yet; i imports.", id="sources"
        )
        with VerticalScroll(classes="panel detail"):
            yield Static("", id="coverage", markup=False)
        yield Input(placeholder="file, folder or pattern to import", classes="bar", id="import")

    def ready(self) -> None:
        self.query_one("#sources", VirtualTable).focus()
        self.action_refresh()

    def action_refresh(self) -> None:
        self.reader.forget()
        self.reader.ask(self.desk.sources, self._sources)
        self.reader.ask(self.desk.coverage, self._coverage)

    def _sources(self, rows: list[Doc]) -> None:
        self.query_one("#sources", VirtualTable).show_rows(Listed(rows), self.reader)

    def _coverage(self, rows: list[Doc]) -> None:
        self.query_one("#coverage", Static).update(safe_text("\n".join(coverage_lines(rows))))

    @on(VirtualTable.Chosen)
    def _chosen(self, event: VirtualTable.Chosen) -> None:
        lines = [f"rejected records of {event.row['name']}:"]
        lines += [f"  line {r['line']}, byte {r['offset']}: {r['reason']}" for r in event.row["rejects"]] or ["  none"]
        self.query_one("#coverage", Static).update(safe_text("\n".join(lines)))

    def action_rejects(self) -> None:
        self.query_one("#sources", VirtualTable).action_choose()

    def action_import_files(self) -> None:
        if self.may_write():
            bar = self.query_one("#import", Input)
            bar.add_class("-open")
            bar.focus()

    @on(Input.Submitted, "#import")
    def _import(self, event: Input.Submitted) -> None:
        event.input.remove_class("-open")
        path = event.value.strip()
        if path:
            self.notify(safe_line(f"importing {path} …"), markup=False)
            self.reader.ask(lambda: self.desk.import_files(path), self._imported)
        self.query_one("#sources", VirtualTable).focus()

    def _imported(self, said: str) -> None:
        self.notify(safe_line(said), markup=False)
        self.action_refresh()

    def step_back(self) -> bool:
        bar = self.query_one("#import", Input)
        if bar.has_class("-open"):
            bar.remove_class("-open")
            self.query_one("#sources", VirtualTable).focus()
            return True
        return False


def source_columns() -> list[Column]:
    return [
        Column("source", 0, lambda s: safe_line(str(s["name"]))),
        Column("format", 16, lambda s: str(s["format"])),
        Column("read", 8, lambda s: f"{s['records']['read']:,}", right=True),
        Column("accepted", 8, lambda s: f"{s['records']['accepted']:,}", right=True),
        Column("known", 7, lambda s: f"{s['records']['duplicate']:,}", right=True),
        Column("rejected", 8, lambda s: f"{s['records']['rejected']:,}" + ("!" if s["records"]["rejected"] else ""), right=True),
        Column("first", 16, lambda s: format.day(s["first"])),
        Column("last", 16, lambda s: format.day(s["last"])),
    ]


def coverage_lines(rows: list[Doc]) -> Iterable[str]:
    """Enforcement point × scope × time as a strip of 40 cells: filled where watched, ▒ in a gap, · outside."""
    points = [row for row in rows if row["scope"] in ("", "*")] or rows
    if not points:
        yield "no enforcement point was observed yet"
        return
    start = min(row["from"] for row in points)
    end = max(row["to"] for row in points)
    yield f"coverage {format.day(start)} – {format.day(end)}   █ watched  ▒ silent  · outside"
    for row in points:
        yield f"{row['enforcement_point'][:24]:<24} {row['vantage']:<9} {strip(row, start, end)} {row['records']:,} records"


def strip(row: Doc, start: str, end: str, cells: int = 40) -> str:
    from lang.times import parse_time

    first, last = parse_time(start)[0] or 0, parse_time(end)[0] or 0
    width = max((last - first) / cells, 1.0)
    low, high = parse_time(row["from"])[0] or 0, parse_time(row["to"])[0] or 0
    gaps = [(parse_time(g["from"])[0] or 0, parse_time(g["to"])[0] or 0) for g in row["gaps"]]
    drawn = []
    for cell in range(cells):
        begin, finish = first + cell * width, first + (cell + 1) * width
        if finish < low or begin > high:
            drawn.append("·")
        elif any(a <= begin and finish <= b for a, b in gaps):
            drawn.append("▒")
        else:
            drawn.append("█")
    return "".join(drawn)
