"""The findings that speak to one control: each one key from its chain, at its step, and from its raw records."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget

from lang.counted import count
from review.pack.report_words import finding_lines
from tui import format
from tui.actions import bindings
from tui.scopes import FINDINGS
from tui.screens.judging import Judging
from tui.screens.listed import Listed
from tui.widgets.columns import Column
from tui.widgets.panel import Panel
from tui.widgets.virtual_table import VirtualTable

Doc = dict[str, Any]


class FindingsScreen(Listed, Judging):
    """Pushed over a control; esc comes back to it."""

    SCOPE = FINDINGS
    TABLE = "findings"
    THING = "finding"
    BINDINGS: ClassVar[list[BindingType]] = bindings(FINDINGS)

    def __init__(self, framework: str, control: str, under: tuple[str, ...]) -> None:
        super().__init__()
        self.framework = framework
        self.control = control
        self.under = under
        self.raw = False
        """Whether the panel shows records instead of what is said of the finding."""

    def crumbs(self) -> list[str]:
        return [*self.under, "Findings"]

    def facts(self) -> str:
        if self.rows is None:
            return "reading …"
        open = sum(row["group"] == "open" for row in self.rows)
        return f"{count(len(self.rows), 'finding')}, {open:,} open"

    def body(self) -> list[Widget]:
        table = VirtualTable(columns(), key=lambda row: str(row["id"]), empty="No finding speaks to it any more.", id="findings")
        return [Container(table, Panel(title="finding", id="finding"), classes="split broad"), self.export_bar()]

    def ready(self) -> None:
        self.reread()

    def reread(self) -> None:
        self.reader.ask(lambda: self.desk.control(self.framework, self.control, self.reader.check), self._arrived, "assess")

    def action_refresh(self) -> None:
        self.desk.leave_room()
        self.reread()

    def _arrived(self, control: Doc) -> None:
        rows: list[Doc] = control["exceptions"]
        self.rows = rows
        self.table.show_list(rows, keep=True)
        self.set_crumbs()

    @on(VirtualTable.Moved)
    def _moved(self) -> None:
        self._show()

    def _show(self) -> None:
        row = self.table.current
        if row is None:
            return
        panel, id = self.query_one("#finding", Panel), row["id"]
        if self.raw:
            title = f"records of {id}"
            self.reader.ask(lambda: self.desk.finding_records(row), lambda lines: panel.show(lines, title), "panel")
        else:
            self.reader.ask(lambda: None, lambda none: panel.show(finding_lines(row), str(id)), "panel")

    def step_back(self) -> bool:
        """From the records to what is said of the finding, then to the control."""
        was, self.raw = self.raw, False
        if was:
            self._show()
        return was

    def action_record(self) -> None:
        self.raw = not self.raw
        self._show()

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        self.action_open()

    def action_remedy(self) -> None:
        row = self.table.current
        if row is not None:
            self.ask_remedy(row)

    def action_open(self) -> None:
        from tui.screens.task import TaskScreen

        row = self.table.current
        if row is None:
            return
        if row["task"] is None:
            self.say("no task is known for this finding; r shows the records it rests on")
            return
        under = (*self.under[:1], self.control, row["detection"])
        self.app.push_screen(
            TaskScreen(str(row["task"]), under=under, step=str(row["step"] or ""), title=str(row["task_title"] or ""))
        )


def columns() -> list[Column]:
    return [
        Column("", 2, _mark, tone=lambda f: "bad" if f["severity"] == "critical" and f["group"] == "open" else ""),
        Column("finding", 9, lambda f: str(f["detection"])),
        Column("state", 12, lambda f: str(f["state"]), tone=lambda f: "" if f["group"] == "open" else "dim"),
        Column("why", 0, lambda f: str(f["why"])),
        Column("at", 16, lambda f: format.day(f["at"]), wide=80),
    ]


def _mark(finding: Doc) -> str:
    return "▒ " if finding["blind_spot"] else format.SEVERITY[finding["severity"]]
