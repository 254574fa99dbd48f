"""The queue: tasks by risk, filtered while typed, with the reasons for the rank and a verdict one key away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from lang.safe import safe_line
from review.desk import SORTS
from tui import format
from tui.actions import QUEUE, bindings
from tui.screens.judging import Judging
from tui.widgets.columns import Column
from tui.widgets.panel import hang
from tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from review.live import News

Doc = dict[str, Any]

EMPTY = """This store holds no tasks yet.

  5, then i              read audit logs: transcripts, policy decisions, secret store, cloud, Git host
  remit import PATH      the same from the shell
  remit demo             a made-up working day to look around in
  ?                      the keys of this screen"""
PENDING = "… "
"""Before a verdict that is still to be written."""

NO_HITS = "No task matches this filter; esc clears it."


class QueueScreen(Judging):
    """Tasks in the order of their risk."""

    SCOPE = QUEUE
    BINDINGS: ClassVar[list[BindingType]] = bindings(QUEUE)

    BAR_KEYS = (("enter", "keep this filter"), ("esc", "clear it"))

    def __init__(self, filter: str = "", under: str = "") -> None:
        """`filter` is where it begins when it is opened from a figure of the screen `under` it; esc then leads back there."""
        super().__init__()
        self.given = self.filter = filter
        self.under = under
        self.order = SORTS[0]
        self.total: int | None = None
        self.last_mark: int | None = None
        self.arrived = 0
        """How many more tasks there are than are listed, others having imported meanwhile."""

    def crumbs(self) -> list[str]:
        return [self.under or f"remit {self.desk.name}", "Queue" + (f": {self.filter}" if self.filter else "")]

    def facts(self) -> str:
        marked = f"{len(self.table.marked):,} marked of " if self.is_mounted and self.table.marked else ""
        total = "…" if self.total is None else "1 task" if self.total == 1 else f"{self.total:,} tasks"
        more = f"  {self.arrived:,} new task{'s' if self.arrived != 1 else ''} — r shows them" if self.arrived > 0 else ""
        more = more or (f"  {-self.arrived:,} gone — r lists what is left" if self.arrived else "")
        return f"{marked}{total}{more} by {self.order}" + ("  read-only" if self.desk.readonly else "")

    def body(self) -> Iterable[Widget]:
        yield VirtualTable(columns(), key=lambda row: str(row["id"]), empty=EMPTY, id="tasks")
        yield Static("", classes="why", id="why", markup=False)
        yield Input(placeholder="agent:codex risk:>60 finding:CRED-03 -verdict:* words", classes="bar", id="filter")

    @property
    def table(self) -> VirtualTable:
        return self.query_one("#tasks", VirtualTable)

    def ready(self) -> None:
        self.table.focus()
        self._load()

    def focus_main(self) -> None:
        self.table.focus()

    def reread(self) -> None:
        self._load(keep=True)

    def live(self, news: News) -> bool:
        """The rows at hand show what others did to them, where they are; new ones are counted and wait for `r`."""
        ids, pages = self.table.keys_here(), self.desk.tasks(self.filter, self.order)
        anew = bool(news.built)
        self.reader.ask(lambda: (self.desk.rows(ids), pages.count() if anew else None), self._renewed, "live")
        return True

    def import_ended(self) -> None:
        ids = self.table.keys_here()
        self.reader.ask(lambda: (self.desk.rows(ids), self.desk.tasks(self.filter, self.order).count()), self._renewed, "live")

    def _renewed(self, found: tuple[dict[str, Doc], int | None]) -> None:
        rows, total = found
        self.table.renew(rows)
        self.arrived = total - self.table.rows if total is not None and self.table.counted else self.arrived
        self.set_crumbs()

    def _load(self, *, keep: bool = False, at: str = "") -> None:
        self.reader.forget()
        self.desk.interrupt()
        self.arrived = 0
        self.table.empty = NO_HITS if self.filter else EMPTY
        self.table.show_rows(self.desk.tasks(self.filter, self.order), self.reader, keep=keep, at=at)

    def _tell(self, text: str) -> None:
        self.query_one("#why", Static).update(text)

    @on(VirtualTable.Counted)
    def _counted(self, event: VirtualTable.Counted) -> None:
        self.total = event.rows
        self.set_crumbs()
        if not event.rows:
            self._tell("")

    @on(VirtualTable.Moved)
    def _moved(self, event: VirtualTable.Moved) -> None:
        id = str(event.row["id"])
        self.reader.ask(lambda: self.desk.risk_factors(id), lambda found: self._explain(id, found), "why")

    def _explain(self, id: str, factors: dict[str, int]) -> None:
        row = self.table.current
        if row is not None and row["id"] == id:
            self._tell(why(row, factors))

    @on(VirtualTable.Chosen)
    def _chosen(self, event: VirtualTable.Chosen) -> None:
        self.walk(event.row)

    def walk(self, row: Doc | None) -> None:
        """Open the task of a row, if there is one."""
        from tui.screens.task import TaskScreen

        if row is not None:
            self.app.push_screen(TaskScreen(str(row["id"]), self, title=str(row["title"] or row["scope"])))

    def action_open(self) -> None:
        self.table.action_choose()

    def neighbour(self, step: int) -> Doc | None:
        """The row of the task `step` rows further in the queue; the cursor goes along."""
        row: Doc | None = self.table.row_at(self.table.cursor + step)
        if row is not None:
            self.table.cursor += step
        return row

    def action_filter(self) -> None:
        self.open_bar("filter", self.filter)

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        if event.value == self.filter or not event.input.has_class("-open"):
            return
        if self._problem(event.value):
            return
        self.filter, self.total = event.value, None
        self.set_crumbs()
        self._load()

    def _problem(self, filter: str) -> bool:
        """Whether a filter cannot be read; then the reason is shown, and the rows stay those of the last one that could."""
        problem = self.desk.filter_problem(filter)
        if problem:
            line = self.query_one("#why", Static)
            line.update(hang(f"✗ {safe_line(problem)}", max(line.content_size.width, 20)))
        return bool(problem)

    @on(Input.Submitted, "#filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        if not self._problem(event.value):
            self.close_bar()

    def step_back(self) -> bool:
        closed = self.close_bar()
        if self.filter != self.given:
            here = self.table.current
            self.filter, self.total = self.given, None
            self._load(at=str(here["id"]) if here is not None else "")
            return True
        return closed

    def action_sort(self) -> None:
        self.order = SORTS[(SORTS.index(self.order) + 1) % len(SORTS)]
        self.set_crumbs()
        self._load()

    def action_mark(self) -> None:
        self.last_mark = self.table.cursor
        self.table.toggle_mark()
        self.set_crumbs()

    def action_mark_range(self) -> None:
        missing = self.table.mark_range(self.table.cursor if self.last_mark is None else self.last_mark, self.table.cursor)
        if missing:
            self.say(f"{missing:,} tasks between are not read yet; once they are shown, mark the range again")
        self.set_crumbs()

    def action_unmark(self) -> None:
        self.table.clear_marks()
        self.set_crumbs()

    def action_refresh(self) -> None:
        self._load(keep=True)

    def action_copy(self) -> None:
        row = self.table.current
        if row is not None:
            self.copy(str(row["id"]), str(row["id"]))

    def action_verdict(self) -> None:
        if not self.may_write():
            return
        from tui.screens.verdict import VerdictScreen

        row = self.table.current
        subjects = sorted(self.table.marked) or ([str(row["id"])] if row is not None else [])
        if subjects:
            title = f"{len(subjects):,} marked tasks" if self.table.marked else str(row["title"] if row else subjects[0])
            self.app.push_screen(VerdictScreen(subjects, title), self._judged)

    def action_assign(self) -> None:
        row = self.table.current
        tasks = sorted(self.table.marked) or ([str(row["id"])] if row is not None else [])
        title = f"{len(tasks):,} marked tasks" if self.table.marked else str(row["title"] if row else "")
        self.ask_assignee(tasks, title, self.action_unmark)

    def _judged(self, said: str | None) -> None:
        if said:
            self.say(said)
            self.table.clear_marks()
            self.set_crumbs()


def columns() -> list[Column]:
    return [
        Column("risk", 4, lambda row: str(row["risk"]), right=True, tone=_tone),
        Column("finding", 11, lambda row: _findings(row, 1), below=100, tone=_tone),
        Column("finding", 21, lambda row: _findings(row, 2), wide=100, tone=_tone),
        Column("task", 0, lambda row: str(row["title"] or row["scope"])),
        Column("agent", 11, lambda row: str(row["agent"] or "?"), wide=100),
        Column("who", 22, lambda row: str(row["principal"] or "?"), wide=150),
        Column("repo", 13, lambda row: str(row["repository"] or "").rpartition("/")[2], wide=96),
        Column("env", 10, lambda row: str(row["environment"] or "?"), wide=150),
        Column("started", 16, lambda row: format.day(row["started"]), wide=170),
        Column("steps", 5, lambda row: f"{row['steps']:,}", right=True, wide=150),
        Column("seen by", 7, lambda row: format.vantages(row["vantages"])),
        Column("review", 8, _short_review, below=150),
        Column("review", 14, _review, wide=150),
    ]


def _tone(row: Doc) -> str:
    found = row["findings"]
    if found.get("critical"):
        return "bad"
    if found.get("high"):
        return "warn"
    return "" if row["detections"] else "dim"


def _findings(row: Doc, most: int) -> str:
    """The worst severity's mark, the first detections, and how many more there are."""
    found = row["detections"]
    if not found:
        return f"▒ {row['blind_spots']} blind" if row["blind_spots"] else "  "
    more = f"+{len(found) - most}" if len(found) > most else ""
    return format.severity_mark(row["findings"]) + " ".join(found[:most]) + more


def _short_review(row: Doc) -> str:
    said = _review(row)
    wait, word = (PENDING, said.removeprefix(PENDING)) if said.startswith(PENDING) else ("", said)
    return wait + format.REVIEWED.get(word, word)


def _review(row: Doc) -> str:
    state = row["review"]
    if state["pending"]:
        return f"{PENDING}{state['pending']}"
    return str(state["verdict"] or ("reopened" if state["state"] == "reopened" else "·"))


def why(row: Doc, factors: dict[str, int]) -> str:
    """Why a task ranks where it does, factor by factor, and who did it."""
    shown = ", ".join(f"{name} +{value}" for name, value in factors.items())
    who = f"{row['principal'] or 'unknown principal'} → {row['agent'] or 'unknown agent'}"
    repository = str(row["repository"] or "unknown repository").rpartition("/")[2]
    where = f"{repository}, env {row['environment'] or '?'}, {format.day(row['started'])}"
    return safe_line(f"why {row['risk']}: {shown or 'nothing found'}") + "\n" + safe_line(f"{who}  {where}")
