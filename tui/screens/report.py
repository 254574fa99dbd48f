"""Report: choose frameworks, see each control's result with what it rests on, write the evidence pack."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.widget import Widget
from textual.widgets import Input, Static

from lang.safe import safe_line
from tui.actions import REPORT, bindings
from tui.screens.base import DeskScreen, failure
from tui.widgets.columns import Column
from tui.widgets.panel import Panel
from tui.widgets.virtual_table import VirtualTable

Doc = dict[str, Any]

DEFAULT_FOLDER = "remit-report"


class ReportScreen(DeskScreen):
    """Frameworks left, the results of the one under the cursor right."""

    SCOPE = REPORT
    BINDINGS: ClassVar[list[BindingType]] = bindings(REPORT)

    def __init__(self) -> None:
        super().__init__()
        self.chosen: set[str] = set()

    def facts(self) -> str:
        return f"{len(self.chosen)} frameworks chosen"

    def body(self) -> Iterable[Widget]:
        with Container(classes="split"):
            with Vertical(id="framework-side"):
                yield VirtualTable(self._columns(), key=lambda row: str(row["id"]), empty="No framework.", id="frameworks")
            with Vertical(id="control-side"):
                yield Panel(title="results", id="controls")
        yield Static("", classes="status", id="said", markup=False)
        yield Input(placeholder="folder for the evidence pack", classes="bar", id="out")

    def _columns(self) -> list[Column]:
        return [
            Column("", 3, lambda f: "[x]" if f["id"] in self.chosen else "[ ]"),
            Column("framework", 0, lambda f: str(f["title"])),
            Column("edition", 10, lambda f: str(f["edition"]), wide=70),
        ]

    @property
    def table(self) -> VirtualTable:
        return self.query_one("#frameworks", VirtualTable)

    def ready(self) -> None:
        self.table.focus()
        self.chosen = set(self.desk.default_frameworks())
        self.reader.ask(self.desk.frameworks, self._arrived)

    def focus_main(self) -> None:
        self.table.focus()

    def _arrived(self, rows: list[Doc]) -> None:
        self.table.show_list(sorted(rows, key=lambda row: row["id"] not in self.chosen))
        self.set_crumbs()

    def reread(self) -> None:
        row = self.table.current
        if row is not None:
            self._assess(row)

    @on(VirtualTable.Moved)
    def _moved(self, event: VirtualTable.Moved) -> None:
        self._assess(event.row)

    def _assess(self, row: Doc) -> None:
        panel = self.query_one("#controls", Panel)
        id, title = str(row["id"]), f"{row['title']} {row['edition']}"
        panel.border_title = safe_line(f"assessing {title} …", 100)
        self.reader.ask(lambda: self.desk.assessment(id), lambda rows: panel.show(control_lines(rows), title), "assess")

    @on(VirtualTable.Chosen)
    def _picked(self) -> None:
        self.action_choose()

    def action_choose(self) -> None:
        row = self.table.current
        if row is not None:
            self.chosen ^= {str(row["id"])}
            self.table.repaint_rows()
            self.set_crumbs()

    def action_export(self) -> None:
        if not self.may_write():
            return
        if not self.chosen:
            self.say("choose a framework first (space)")
            return
        self.open_bar("out", str(Path(DEFAULT_FOLDER).absolute()))

    @on(Input.Submitted, "#out")
    def _export(self, event: Input.Submitted) -> None:
        self.close_bar()
        if event.value.strip():
            out = str(Path(event.value.strip()).expanduser().absolute())
            self._tell(f"writing {out} …")
            self.reader.ask(lambda: self.desk.write_report(out, sorted(self.chosen)), self._tell, "export")

    def read_failed(self, error: BaseException) -> None:
        super().read_failed(error)
        self._tell("✗ " + failure(error))

    def _tell(self, text: str) -> None:
        self.query_one("#said", Static).update(safe_line(text, 600))


def control_lines(rows: list[Doc]) -> Iterable[str]:
    """How the results are spread, then each control: id, title, result, and what the evidence shows and does not show."""
    spread: dict[str, int] = {}
    for row in rows:
        spread[row["result"]] = spread.get(row["result"], 0) + 1
    yield ", ".join(f"{count} {name}" for name, count in sorted(spread.items(), key=lambda pair: (-pair[1], pair[0])))
    for row in rows:
        found = row.get("exceptions") or 0
        yield ""
        yield ("! " if found else "  ") + f"{row['id']}  {row['title']}"
        yield f"    {row['result']}" + (f": {found:,} of {row['population']:,}" if row.get("population") else "")
        for name, label in (("shows", "shows"), ("does_not_show", "does not show"), ("reason", "because")):
            if row.get(name):
                yield f"    {label} {row[name]}"
