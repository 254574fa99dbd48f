"""The queue: tasks by risk, filtered while typed, with the reasons for the rank and a verdict one key away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from lang.safe import safe_line
from review.desk import SORTS
from tui import format
from tui.actions import QUEUE, bindings
from tui.screens.base import DeskScreen
from tui.widgets.virtual_table import Column, VirtualTable

Doc = dict[str, Any]

EMPTY = """This store holds no tasks yet.

  remit import PATH      read audit logs: transcripts, policy decisions, secret store, cloud, Git host
  remit demo             a made-up working day to look around in
  ?                      the keys of this screen"""


class QueueScreen(DeskScreen):
    """Tasks in the order of their risk."""

    SCOPE = QUEUE
    BINDINGS: ClassVar[list[BindingType]] = bindings(QUEUE)

    def __init__(self) -> None:
        super().__init__()
        self.filter = ""
        self.order = SORTS[0]
        self.total: int | None = None
        self.anchor: int | None = None

    def crumbs(self) -> list[str]:
        shown = "…" if self.total is None else f"{self.total:,} tasks"
        parts = [f"remit {self.desk.name}", "Queue" + (f": {self.filter}" if self.filter else "")]
        return [*parts, f"{shown} by {self.order}"]

    def body(self) -> Iterable[Widget]:
        yield VirtualTable(
            columns(), key=lambda row: str(row["id"]), empty="No task matches this filter; esc clears it.", id="tasks"
        )
        yield Static("", classes="why", id="why", markup=False)
        yield Input(placeholder="agent:codex risk:>60 finding:CRED-03 -verdict:* words", classes="bar", id="filter")

    def ready(self) -> None:
        self.table = self.query_one("#tasks", VirtualTable)
        self.table.focus()
        self._load()

    def _load(self, *, keep: bool = False) -> None:
        self.reader.forget()
        self.desk.interrupt()
        self.table.show_rows(self.desk.tasks(self.filter, self.order), self.reader, keep=keep)

    @on(VirtualTable.Counted)
    def _counted(self, event: VirtualTable.Counted) -> None:
        self.total = event.rows
        self.set_crumbs()
        if not event.rows and not self.filter:
            self.query_one("#why", Static).update(EMPTY)

    @on(VirtualTable.Moved)
    def _moved(self, event: VirtualTable.Moved) -> None:
        id = str(event.row["id"])
        self.reader.ask(lambda: (id, self.desk.risk_factors(id)), lambda found: self._explain(*found))

    def _explain(self, id: str, factors: dict[str, int]) -> None:
        row = self.table.current
        if row is not None and row["id"] == id:
            self.query_one("#why", Static).update(why(row, factors))

    @on(VirtualTable.Chosen)
    def _chosen(self, event: VirtualTable.Chosen) -> None:
        from tui.screens.task import TaskScreen

        self.app.push_screen(TaskScreen(str(event.row["id"]), self))

    def neighbour(self, step: int) -> str | None:
        """The id of the task `step` rows further in the queue; the cursor goes along."""
        row = self.table.row_at(self.table.cursor + step)
        if row is None:
            return None
        self.table.cursor += step
        return str(row["id"])

    def action_filter(self) -> None:
        bar = self.query_one("#filter", Input)
        bar.add_class("-open")
        bar.value = self.filter
        bar.focus()

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        if event.value != self.filter and event.input.has_class("-open"):
            problem = self.desk.filter_problem(event.value)
            if problem:
                self.query_one("#why", Static).update(safe_line(problem))
                return
            self.filter, self.total = event.value, None
            self._load()

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self.query_one("#filter", Input).remove_class("-open")
        self.table.focus()

    def step_back(self) -> bool:
        bar = self.query_one("#filter", Input)
        if bar.has_class("-open") or self.filter:
            bar.remove_class("-open")
            self.filter, self.total = "", None
            bar.value = ""
            self.table.focus()
            self._load()
            return True
        return False

    def action_sort(self) -> None:
        self.order = SORTS[(SORTS.index(self.order) + 1) % len(SORTS)]
        self.set_crumbs()
        self._load()

    def action_mark(self) -> None:
        self.anchor = self.table.cursor
        self.table.toggle_mark()

    def action_mark_range(self) -> None:
        self.table.mark_range(self.table.cursor if self.anchor is None else self.anchor, self.table.cursor)

    def action_unmark(self) -> None:
        self.table.clear_marks()

    def action_refresh(self) -> None:
        self._load(keep=True)

    def action_copy(self) -> None:
        row = self.table.current
        if row is not None:
            self.app.copy_to_clipboard(str(row["id"]))
            self.notify(f"copied {row['id']}", markup=False)

    def action_verdict(self) -> None:
        if not self.may_write():
            return
        from tui.screens.verdict import VerdictScreen

        row = self.table.current
        subjects = sorted(self.table.marked) or ([str(row["id"])] if row is not None else [])
        if subjects:
            title = f"{len(subjects)} marked tasks" if len(subjects) > 1 else safe_line(str(row["title"] if row else subjects[0]))
            self.app.push_screen(VerdictScreen(subjects, title), self._judged)

    def _judged(self, given: int | None) -> None:
        if given:
            self.table.clear_marks()
            self._load(keep=True)


def columns() -> list[Column]:
    return [
        Column("risk", 4, lambda row: str(row["risk"]), right=True),
        Column("finding", 18, _findings),
        Column("task", 0, lambda row: safe_line(str(row["title"] or row["scope"]))),
        Column("agent", 11, lambda row: safe_line(str(row["agent"] or "?")), wide=90),
        Column("repo", 13, lambda row: safe_line(str(row["repository"] or "").rpartition("/")[2])),
        Column("seen by", 7, lambda row: format.vantages(row["vantages"])),
        Column("review", 8, _review),
    ]


def _findings(row: Doc) -> str:
    shown = " ".join(row["detections"])
    if not shown and row["blind_spots"]:
        return f"▒ {row['blind_spots']} blind"
    return f"{format.severity_mark(row['findings'])}{shown}".rstrip()


def _review(row: Doc) -> str:
    state = row["review"]
    return str(state["verdict"] or ("reopened" if state["state"] == "reopened" else "·"))


def why(row: Doc, factors: dict[str, int]) -> str:
    """Why a task ranks where it does, factor by factor, and who did it."""
    shown = ", ".join(f"{name} +{value}" for name, value in factors.items())
    who = f"{row['principal'] or 'unknown principal'} through {row['agent'] or 'unknown agent'}, {format.day(row['started'])}"
    return safe_line(f"why {row['risk']}: {shown or 'nothing found'}") + "\n" + safe_line(f"{who}  {row['repository'] or ''}")
