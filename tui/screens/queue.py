"""The queue: tasks by risk, filtered while typed, with the reasons for the rank and a verdict one key away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input

from lang.safe import safe_line
from review.sitting.queueing import FACETS, MARKED_MOST, SORTS
from tui.actions import bindings
from tui.crumbs import at_home
from tui.queue_cells import columns, leading, why
from tui.reader import Reader
from tui.scopes import QUEUE
from tui.screens.faceted import FacetedScreen
from tui.widgets.facet_list import FacetList
from tui.widgets.filter_bar import Choices, FilterBar
from tui.widgets.lines import Why
from tui.widgets.panel import hang
from tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from review.judge.live import News

Doc = dict[str, Any]

EMPTY = """This store holds no tasks yet.

  5, then i              read logs of agents, policy, secrets, cloud, Git host
  remit import PATH      the same from the shell
  remit demo             a made-up working day to look around in
  ?                      the keys of this screen"""
NO_HITS = "No task matches this filter; esc clears it."
NONE_SEEN = "No task of the teams you see (`remit store teams`)."


class QueueScreen(FacetedScreen):
    """Tasks in the order of their risk."""

    SCOPE = QUEUE
    TABLE = "tasks"
    BINDINGS: ClassVar[list[BindingType]] = bindings(QUEUE)

    def __init__(self, filter: str = "", under: str = "") -> None:
        """`filter` is where it begins when it is opened from a figure of the screen `under` it; esc then leads back there."""
        super().__init__()
        self.given = self.filter = filter
        self.under = under
        self.order = SORTS[0]
        self.whole: int | None = None
        """How many tasks there are without a filter."""
        self.last_mark: int | None = None
        self.arrived = 0
        """How many more tasks there are than are listed, others having imported meanwhile."""
        self.factors: dict[str, dict[str, int]] = {}
        """Why the tasks near the cursor rank where they do: read ahead of it, so that a key is answered in one paint."""

    def crumbs(self) -> list[str]:
        here = "Queue" + (f": {self.filter}" if self.filter else "")
        return [self.under, here] if self.under else at_home(self.desk.name, here)

    def facts(self) -> str:
        marked = f"{len(self.table.marked):,} marked of " if self.is_mounted and self.table.marked else ""
        total = "…" if self.total is None else f"{self.total:,}"
        of = f" of {self.whole:,}" if self.filter and self.whole is not None else ""
        tasks = "task" if not of and self.total == 1 else "tasks"
        more = f"  {self.arrived:,} new task{'s' if self.arrived != 1 else ''} — r shows them" if self.arrived > 0 else ""
        more = more or (f"  {-self.arrived:,} gone — r lists what is left" if self.arrived else "")
        turned = " turned round" if self.order.startswith("-") else ""
        readonly = "  read-only" if self.desk.readonly else ""
        whose = f" {self.alone}" if self.alone else ""
        return f"{marked}{total}{of} {tasks}{whose}{more} by {self.order.removeprefix('-')}{turned}{readonly}"

    def body(self) -> Iterable[Widget]:
        choices = Choices(id="choices")
        with Horizontal(id="queue"):
            yield VirtualTable(columns(), key=lambda row: str(row["id"]), empty=EMPTY, id="tasks")
            yield FacetList(FACETS, id="facets")
        yield Why(classes="why", id="why")
        yield choices
        yield FilterBar(choices, "agent:codex risk:>60 finding:CRED-03 -verdict:* words", id="filter")
        yield Input(placeholder="a .csv, .jsonl or .md file", classes="bar", id="export")

    def ready(self) -> None:
        self.teller = Reader(self.remit, self.read_failed)
        self.prompter = Reader(self.remit, self.read_failed)
        # Heard at once, not by message: what is known of the row is drawn in the same paint as the cursor on it.
        self.watch(self.table, "cursor", self._explain, init=False)
        self._load()

    def on_unmount(self) -> None:
        super().on_unmount()
        self.teller.close()
        self.prompter.close()

    @property
    def idle(self) -> bool:
        return super().idle and self.teller.idle and self.prompter.idle and self.waiting is None and self.facets.idle

    def reread(self) -> None:
        self._load(keep=True)

    def live(self, news: News) -> bool:
        """The rows at hand show what others did to them, where they are; new ones are counted and wait for `r`."""
        # What people say may be of more tasks than it names; what an import built is known.
        self._outdated(id for id in self.table.keys_here() if news.spoken or news.rebuilt(id))
        if news.built:
            self._count_anew()
        return True

    def import_ended(self) -> None:
        self._outdated(self.table.keys_here())
        self._count_anew()

    def _outdated(self, ids: Iterable[str]) -> None:
        """These tasks are told of anew: those near the screen at once, the others when they are scrolled to."""
        gone = set(ids)
        self.factors = {id: factors for id, factors in self.factors.items() if id not in gone}
        self.table.outdate(gone)

    @on(VirtualTable.Outdated)
    def _ask_anew(self, event: VirtualTable.Outdated) -> None:
        self.reader.ask(lambda: self.desk.rows(event.keys), event.table.renew)

    def _count_anew(self) -> None:
        pages = self.desk.tasks(self.filter, self.order)
        self.reader.ask(pages.count, self._counted_anew, "live")

    def _counted_anew(self, total: int) -> None:
        if self.table.counted:
            self.arrived = total - self.table.rows
            self.set_crumbs()

    def _load(self, *, keep: bool = False, at: str = "") -> None:
        self.reader.forget()
        self.teller.forget()
        self.desk.interrupt(self.reader.thread, self.teller.thread)
        self.arrived, self.factors = 0, {}
        table = self.table
        table.empty = self._nothing
        table.leading = leading(self.order)
        table.show_rows(self.desk.tasks(self.filter, self.order), self.reader, keep=keep, at=at, counter=self.teller)

    @property
    def _nothing(self) -> str:
        """What stands in place of rows where there are none."""
        return NO_HITS if self.filter else NONE_SEEN if self.alone else EMPTY

    def set_filter(self, filter: str, order: str = "") -> None:
        self.filter, self.total = filter, None
        self.order = order or self.order
        self.set_crumbs()
        self._load()

    @on(FacetList.Narrow)
    def _narrow(self, event: FacetList.Narrow) -> None:
        self._narrowed(event.word)

    def _narrowed(self, word: str, *, out: bool = False) -> None:
        from review.sitting.facets import narrowed

        self.set_filter(narrowed(self.filter, word, out=out))

    def action_leave_out(self) -> None:
        if self.facets.has_focus and self.facets.chosen:
            self._narrowed(self.facets.chosen, out=True)
        else:
            self.say("f goes to the facets; there - leaves out the tasks of the value under the cursor")

    def action_views(self) -> None:
        from tui.screens.views import ViewsScreen

        self.app.push_screen(ViewsScreen(self.filter, self.order), self._view_chosen)

    def _view_chosen(self, view: Doc | None) -> None:
        if view is not None:
            self.set_filter(view["filter"], view["sort"])

    def action_export(self) -> None:
        self.open_bar("export", "queue.csv")

    @on(Input.Submitted, "#export")
    def _export(self, event: Input.Submitted) -> None:
        path, filter, order = event.value.strip(), self.filter, self.order
        if path:
            self.prompter.act(lambda: self.desk.export_view(path, filter, order), self.exported)
        else:
            self.close_bar()

    def action_undo(self) -> None:
        if self.may_write():
            self.reader.act(self.desk.undo, self._undone)

    def _undone(self, said: str) -> None:
        self.say(said or "nothing was judged in this sitting that still stands")
        if said:
            self._load(keep=True)

    def _tell(self, text: str, *, whole: bool = False) -> None:
        line = self.query_one("#why", Why)
        # Two lines are its height: only where it grows beyond them is there something to lay out.
        grows = whole or line.has_class("-whole")
        line.set_class(whole, "-whole")
        line.tell(text, layout=grows)

    @on(VirtualTable.Counted)
    def _counted(self, event: VirtualTable.Counted) -> None:
        self.total = event.rows
        if not self.filter:
            self.whole = event.rows
        self.set_crumbs()
        self.facets.reset()
        self._recount()
        if not event.rows:
            self.table.empty = self._nothing
            self._tell("")

    @on(VirtualTable.Moved)
    def _moved(self, event: VirtualTable.Moved) -> None:
        self.remit.unveil()
        self._explain()
        near = [str(row["id"]) for row in (event.row, event.table.ahead) if row is not None]
        known = {id: self.factors[id] for id in near if id in self.factors}
        wanted = [id for id in near if id not in known]
        if wanted:
            self.reader.ask(lambda: known | self.desk.risk_factors(wanted), self._factored, "why")

    def _factored(self, found: dict[str, dict[str, int]]) -> None:
        self.factors = found
        self._explain()

    def _explain(self) -> None:
        row = self.table.current
        factors = self.factors.get(str(row["id"])) if row is not None else None
        if row is not None and factors is not None and (told := why(row, factors)) != self.query_one("#why", Why).text:
            self._tell(told)

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
        if not self._problem(event.value):
            self.set_filter(event.value)

    @on(FilterBar.Asked)
    def _asked(self, event: FilterBar.Asked) -> None:
        text, cursor = event.text, event.cursor
        self.teller.ask(lambda: self.desk.complete_filter(text, cursor), lambda told: event.bar.offer(text, told), "completion")

    def _problem(self, filter: str) -> bool:
        """Whether a filter cannot be read; then the reason is shown, and the rows stay those of the last one that could."""
        problem = self.desk.filter_problem(filter)
        if problem:
            room = max(self.query_one("#why", Why).room, 20)
            self._tell(hang(f"✗ {safe_line(problem, 400)}", room), whole=True)
        return bool(problem)

    @on(Input.Submitted, "#filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        if not self._problem(event.value):
            self.close_bar()

    def step_back(self) -> bool:
        if self.facets.has_focus:
            self._leave_facets()
            return True
        if self.query_one("#export").has_class("-open"):
            return self.close_bar()
        closed = self.close_bar()
        if self.filter != self.given:
            here = self.table.current
            self.filter, self.total = self.given, None
            self._load(at=str(here["id"]) if here is not None else "")
            return True
        return closed

    def action_sort(self) -> None:
        order = self.order.removeprefix("-")
        self._sort(SORTS[(SORTS.index(order) + 1) % len(SORTS)])

    def action_sort_by(self, order: str) -> None:
        self._sort(f"-{order}" if self.order == order else order)

    def _sort(self, order: str) -> None:
        self.order = order
        self.set_crumbs()
        self._load()

    @on(VirtualTable.Headed)
    def _headed(self, event: VirtualTable.Headed) -> None:
        if event.column.sort:
            self.action_sort_by(event.column.sort)

    def action_mark(self) -> None:
        self.last_mark = self.table.cursor
        self.table.toggle_mark()
        self.set_crumbs()

    def action_mark_range(self) -> None:
        self._mark(self.table.cursor if self.last_mark is None else self.last_mark, self.table.cursor)

    def action_mark_all(self) -> None:
        if self.table.rows:
            self._mark(0, self.table.rows - 1)

    def _mark(self, first: int, last: int) -> None:
        if abs(last - first) >= MARKED_MOST:
            self.say(f"at most {MARKED_MOST:,} tasks are marked at once; narrow the list first")
            return
        self.table.mark_range(first, last)
        self.set_crumbs()

    @on(VirtualTable.Marked)
    def _marked(self) -> None:
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
