"""Report: choose frameworks, see each control's result with what it rests on, write the evidence pack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Container, VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from lang.safe import safe_line, safe_text
from tui.actions import REPORT, bindings
from tui.screens.base import DeskScreen
from tui.screens.sources import Listed
from tui.widgets.virtual_table import Column, VirtualTable

Doc = dict[str, Any]


class ReportScreen(DeskScreen):
    """Frameworks left, the results of the chosen one right."""

    SCOPE = REPORT
    BINDINGS: ClassVar[list[BindingType]] = bindings(REPORT)

    def __init__(self) -> None:
        super().__init__()
        self.chosen: set[str] = set()

    def crumbs(self) -> list[str]:
        return ["Report", f"{len(self.chosen)} frameworks chosen"]

    def body(self) -> Iterable[Widget]:
        with Container(classes="split"):
            yield VirtualTable(self._columns(), key=lambda row: str(row["id"]), empty="No framework.", id="frameworks")
            with VerticalScroll(classes="panel"):
                yield Static("", id="controls", markup=False)
        yield Input(placeholder="folder for the evidence pack", classes="bar", id="out")

    def _columns(self) -> list[Column]:
        return [
            Column("", 3, lambda f: "[x]" if f["id"] in self.chosen else "[ ]"),
            Column("framework", 0, lambda f: safe_line(str(f["title"]))),
            Column("edition", 8, lambda f: str(f["edition"])),
            Column("id", 24, lambda f: str(f["id"])),
        ]

    def ready(self) -> None:
        self.table = self.query_one("#frameworks", VirtualTable)
        self.table.focus()
        self.chosen = set(self.desk.default_frameworks())
        self.reader.ask(self.desk.frameworks, lambda rows: self.table.show_rows(Listed(rows), self.reader))
        self.set_crumbs()

    @on(VirtualTable.Moved)
    def _moved(self, event: VirtualTable.Moved) -> None:
        panel = self.query_one("#controls", Static)
        self.reader.ask(
            lambda: self.desk.assessment(event.row["id"]), lambda rows: panel.update(safe_text("\n".join(control_lines(rows))))
        )

    @on(VirtualTable.Chosen)
    def _picked(self) -> None:
        self.action_toggle()

    def action_toggle(self) -> None:
        row = self.table.current
        if row is not None:
            self.chosen ^= {row["id"]}
            self.table.show_rows(self.table._source, self.reader, keep=True)  # type: ignore[arg-type]
            self.set_crumbs()

    def action_export(self) -> None:
        if not self.may_write():
            return
        if not self.chosen:
            self.notify("choose a framework first (space)", markup=False)
            return
        bar = self.query_one("#out", Input)
        bar.add_class("-open")
        bar.focus()

    @on(Input.Submitted, "#out")
    def _export(self, event: Input.Submitted) -> None:
        event.input.remove_class("-open")
        self.table.focus()
        out = event.value.strip()
        if out:
            self.notify(safe_line(f"writing {out} …"), markup=False)
            self.reader.ask(
                lambda: self.desk.write_report(out, sorted(self.chosen)), lambda said: self.notify(safe_line(said), markup=False)
            )

    def step_back(self) -> bool:
        bar = self.query_one("#out", Input)
        if bar.has_class("-open"):
            bar.remove_class("-open")
            self.table.focus()
            return True
        return False


def control_lines(rows: list[Doc]) -> Iterable[str]:
    """Each control: id, title, result, and the two sentences of what the evidence shows and does not show."""
    for row in rows:
        yield f"{row['id']}  {row['title']}"
        yield f"   {row['result']}" + (f": {row['exceptions']} of {row['population']}" if row.get("population") else "")
        if row.get("shows"):
            yield f"   shows {row['shows']}"
        if row.get("does_not_show"):
            yield f"   does not show {row['does_not_show']}"
        if row.get("reason"):
            yield f"   {row['reason']}"
