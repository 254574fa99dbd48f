"""The task: its chain as a walk, each step with its decision, credential and outcomes, and the evidence one key away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Input, Static

from tui import evidence
from tui.actions import bindings
from tui.scopes import TASK
from tui.screens.base import failure
from tui.screens.judging import review_facts
from tui.screens.task_judging import TaskJudging
from tui.screens.task_panels import EVIDENCE, RAW
from tui.walk_cells import columns
from tui.walker import CREDENTIAL, DECISION, FINDING, Opened, Walker, Wanted, open_walk
from tui.widgets.panel import Panel
from tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from review.judge.live import News
    from review.show.walk_layout import Layout
    from tui.screens.queue import QueueScreen

Doc = dict[str, Any]

LONG = 2_000
"""A task of more steps is asked what was authorised only on a key: all its records are read for that."""
KEPT = 6
"""Pages of steps that are held."""
PLACES = 1_000
"""Tasks whose place is remembered."""


class TaskScreen(TaskJudging):
    """Walks one task, step by step. Opened from the queue it can turn to the next task without going back."""

    SCOPE = TASK
    TABLE = "steps"
    BINDINGS: ClassVar[list[BindingType]] = bindings(TASK)

    def __init__(
        self,
        task: str,
        queue: QueueScreen | None = None,
        *,
        under: tuple[str, ...] = ("Queue",),
        step: str = "",
        title: str = "",
    ) -> None:
        super().__init__(task)
        self.queue = queue
        self.under = under
        self.at_step = step
        self.known_as = title or task
        self.stood_on = ""
        """The step the cursor is on; "" on the first, where every walk begins."""

    def crumbs(self) -> list[str]:
        return [*self.under, self.title_text]

    def facts(self) -> str:
        if self.document is None or self.walker is None:
            return "reading …"
        task = self.document["task"]
        told = review_facts(task["review"])
        sought = f"/{self.walker.sought} {len(self.walker.hits)} hits  " if self.walker.sought else ""
        reading = self.walker.progress()
        told = f"{sought}{reading + '  ' if reading else ''}{told}"
        return f"{told}risk {task['risk']}  {task['review']['verdict'] or 'not reviewed'}"

    def body(self) -> Iterable[Widget]:
        yield Static("", classes="head", id="head", markup=False)
        yield VirtualTable(columns(), key=lambda row: str(row["key"]), empty="This task has no steps.", kept=KEPT, id="steps")
        with Container(classes="split detail"):
            yield Panel(title="reading …", id="panel")
            yield Panel(title="authorised", id="side")
        yield Input(placeholder="a text that steps of this task hold", classes="bar", id="search")
        yield Input(placeholder="14:02:11, 2026-06-01T14:02:11Z or a step's number", classes="bar", id="moment")

    def ready(self) -> None:
        self.query_one("#side").add_class("side")
        self._load()

    def reread(self) -> None:
        self._load()

    def live(self, news: News) -> bool:
        """What others said of this task shows at once; steps built anew take their places under the cursor."""
        if news.concerns(self.task_id):
            self._load()
        return True

    def _load(self) -> None:
        """Read the task; where it is the one shown already, what is unfolded and where one stands stay."""
        self.reader.forget()
        self.time.forget()
        self.set_crumbs()
        task, unfolded, step = self.task_id, set(), self.at_step
        if self.walker is not None and self.document is not None:
            unfolded, step = self.walker.walk.unfolded, step or self.stood_on
        step = step or self.desk.places.get(task, "")
        self.reader.ask(lambda: open_walk(self.desk.walk(task), unfolded, step), self._arrived)

    def _remember(self) -> None:
        """Where this walk is left."""
        places = self.desk.places
        places.pop(self.task_id, None)
        if self.document is not None and (step := self.stood_on):
            places[self.task_id] = step
            while len(places) > PLACES:
                del places[next(iter(places))]

    def on_unmount(self) -> None:
        self._remember()
        super().on_unmount()

    def read_failed(self, error: BaseException) -> None:
        super().read_failed(error)
        self.query_one("#panel", Panel).show(["✗ " + failure(error)], self.panel)

    def _arrived(self, opened: Opened) -> None:
        turned = self.document is None
        self.document = opened.head
        self.at_step = ""
        if turned:
            self.on_task = []
            self.side_open = opened.head["task"]["steps"] <= LONG
            self.walker = Walker(opened.walk, opened.layout)
        elif self.walker is not None:
            self.walker.walk = opened.walk
        self.query_one("#head", Static).update(evidence.head(opened.head))
        self._show_layout(opened.layout, opened.row, keep=not turned)
        if not opened.layout.rows:
            self._show_panels()
        self._read_on()
        self.reader.ask(opened.walk.on_task, self._found_on_task)

    def _show_layout(self, layout: Layout, row: int | None, *, keep: bool = True) -> None:
        """The rows as they are folded now, standing on one of them."""
        assert self.walker is not None
        self.walker.layout = layout
        # The chain takes the rows it has; the evidence below takes the rest.
        self.table.styles.max_height = layout.rows + 2
        self.table.show_rows(self.walker.walk.rows(layout), self.reader, keep=keep, row=row)
        self.set_crumbs()

    def _read_on(self) -> None:
        """Look at the steps of a long task that are not known yet, some at a time, so that pages asked for are not kept waiting."""
        walker = self.walker
        if walker is not None and not walker.walk.whole:
            self.reader.ask(walker.walk.more, self._read_more)

    def _read_more(self, further: bool) -> None:
        walker = self.walker
        if walker is None:
            return
        self.set_crumbs()
        if further:
            self._read_on()
            return
        self.reader.ask(walker.walk.layout, self._read_whole)

    def _read_whole(self, layout: Layout) -> None:
        walker = self.walker
        if walker is None:
            return
        step = self.table.current
        walker.layout = layout
        row = walker.row_of(step) if step is not None else None
        self._show_layout(layout, row if row is not None else self.table.cursor)
        if walker.wish is not None:
            wanted, direction = walker.wish
            self._jump(wanted, direction)

    def _found_on_task(self, found: list[Doc]) -> None:
        self.on_task = found
        if found and self.panel == EVIDENCE:
            self._show_panels()

    @on(VirtualTable.Moved)
    def _moved(self, event: VirtualTable.Moved) -> None:
        self.stood_on = str(event.row["id"]) if event.index else ""
        self.time.release()
        self._show_panels()

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        self.action_open_child()

    def on_resize(self, event: events.Resize) -> None:
        if self.document is not None:
            self.call_after_refresh(self._show_panels)

    # searching

    def action_search(self) -> None:
        self.open_bar("search", self.walker.sought if self.walker is not None else "")

    @on(Input.Submitted, "#search")
    def _searched(self, event: Input.Submitted) -> None:
        self.close_bar()
        text, walker = event.value.strip(), self.walker
        if walker is None:
            return
        if not text:
            self._forget_search()
            return
        self.reader.ask(lambda: walker.walk.holding(text), lambda hits: self._hit(text, hits), "search")

    def _hit(self, text: str, hits: list[tuple[str, int]]) -> None:
        walker = self.walker
        if walker is None:
            return
        if not hits:
            self.say(f"no step of this task holds {text[:60]!r}")
            return
        walker.sought, walker.hits = text, hits
        self.set_crumbs()
        rows = walker.hit_rows()
        row = next((row for row in rows if row >= self.table.cursor), rows[0] if rows else self.table.cursor)
        self.table.cursor = row
        self._show_panels()

    def _forget_search(self) -> bool:
        if self.walker is None or not self.walker.sought:
            return False
        self.walker.sought, self.walker.hits = "", []
        self.set_crumbs()
        self._show_panels()
        return True

    def step_back(self) -> bool:
        if self.close_bar():
            return True
        if isinstance(self.focused, Panel):
            self.set_focus(self.table)
            return True
        if self._forget_search():
            return True
        if not self.time.on_step:
            self.time.release()
            self._show_panels()
            return True
        if self.panel != EVIDENCE:
            self._switch(self.panel)
            return True
        return False

    # walking

    def action_open_child(self) -> None:
        step = self.table.current
        if step is None or self.document is None:
            return
        if step["group"] and step["folded"]:
            self.action_fold()
        elif step["child"]:
            self.app.push_screen(TaskScreen(step["child"], under=(*self.under, self.title_text)))
        else:
            self._switch(RAW)

    def action_fold(self) -> None:
        step, walker = self.table.current, self.walker
        if step is not None and walker is not None:
            self.reader.ask(lambda: walker.walk.fold(step), lambda layout: self._folded(layout, step))

    def _folded(self, layout: Layout | None, step: Doc) -> None:
        if layout is None or self.walker is None:
            self.say("nothing is folded here: no sub-agent with steps of its own, and no step like those around it")
            return
        self.walker.layout = layout
        place = step["place"]
        row = self.table.cursor if step["group"] or not place.n else layout.row_of(place.task, place.n)
        self._show_layout(layout, row)
        self._read_on()

    def action_fold_all(self) -> None:
        step, walker = self.table.current, self.walker
        if step is not None and walker is not None:
            self.reader.ask(walker.walk.fold_all, lambda layout: self._all_folded(layout, step))

    def _all_folded(self, layout: Layout, step: Doc) -> None:
        if self.walker is not None:
            place = step["place"]
            self._show_layout(layout, layout.row_of(place.task, place.n))

    def _jump(self, wanted: Wanted, direction: int) -> None:
        if self.walker is None:
            self.say("the chain is still being read")
            return
        row = self.walker.seek(wanted, self.table.cursor, direction)
        if row is not None:
            self.table.cursor = row
        elif self.walker.wish is not None:
            self.say("looking further: the steps are still being read")
        else:
            self.say(f"no {'further' if direction > 0 else 'earlier'} {wanted.what} in this task")

    def _next(self, direction: int) -> None:
        """The next hit while a search stands, else the next finding."""
        if self.walker is None or not self.walker.sought:
            self._jump(FINDING, direction)
            return
        row = self.walker.next_hit(self.table.cursor, direction)
        if row is None:
            self.say(f"no {'further' if direction > 0 else 'earlier'} step holds {self.walker.sought[:60]!r}")
        else:
            self.table.cursor = row

    def action_next_finding(self) -> None:
        self._next(1)

    def action_previous_finding(self) -> None:
        self._next(-1)

    def action_next_decision(self) -> None:
        self._jump(DECISION, 1)

    def action_next_credential(self) -> None:
        self._jump(CREDENTIAL, 1)

    def _turn(self, step: int) -> bool:
        if self.queue is None:
            self.say("this task was not opened from the queue; esc goes back")
            return False
        task = self.queue.neighbour(step)
        if task is None:
            self.say(f"this is the {'last' if step > 0 else 'first'} task of the queue")
            return False
        self._remember()
        self.task_id, self.panel, self.document, self.walker = str(task["id"]), EVIDENCE, None, None
        self.stood_on = ""
        self.known_as = str(task["title"] or task["scope"])
        self._load()
        return True

    def action_next_task(self) -> None:
        self._turn(1)

    def action_previous_task(self) -> None:
        self._turn(-1)

    def action_copy(self) -> None:
        step = self.table.current
        if step is not None:
            self.copy(str(step["id"]), str(step["id"]))

    def task_judged(self, said: str | None) -> None:
        super().task_judged(said)
        if said and self.queue is not None:
            self._turn(1)
