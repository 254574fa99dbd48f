"""The task: its chain as a walk, each step with its decision, credential and outcomes, and the evidence one key away."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Input, Static

from review.branches import delegation_lines
from review.sentences import authorised_lines
from tui import evidence, format
from tui.actions import TASK, bindings
from tui.screens.base import failure
from tui.screens.judging import Judging, places_lines, review_facts
from tui.timecursor import TimeCursor, micros, on_day
from tui.widgets.columns import Column
from tui.widgets.panel import Panel
from tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from review.live import News
    from tui.screens.queue import QueueScreen

Doc = dict[str, Any]

EVIDENCE, RAW, LINKS, AUTHORISED, DELEGATION = "evidence", "raw records", "links", "authorised", "delegation"


class TaskScreen(Judging):
    """Walks one task, step by step. Opened from the queue it can turn to the next task without going back."""

    SCOPE = TASK
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
        super().__init__()
        self.task_id = task
        self.queue = queue
        self.under = under
        self.at_step = step
        self.known_as = title or task
        self.document: Doc | None = None
        self.panel = EVIDENCE
        self.side_open = True
        self.time = TimeCursor()

    def crumbs(self) -> list[str]:
        return [*self.under, self.title_text]

    @property
    def title_text(self) -> str:
        task = self.document["task"] if self.document else {}
        return str(task.get("title") or task.get("scope") or self.known_as)

    def facts(self) -> str:
        if self.document is None:
            return "reading …"
        task = self.document["task"]
        return f"{review_facts(task['review'])}risk {task['risk']}  {task['review']['verdict'] or 'not reviewed'}"

    def body(self) -> Iterable[Widget]:
        yield Static("", classes="head", id="head", markup=False)
        yield VirtualTable(columns(), key=lambda row: str(row["id"]), empty="This task has no steps.", id="steps")
        with Container(classes="split detail"):
            yield Panel(title="reading …", id="panel")
            yield Panel(title="authorised", id="side")
        yield Input(placeholder="14:02:11, 2026-06-01T14:02:11Z or a step's number", classes="bar", id="moment")

    @property
    def table(self) -> VirtualTable:
        return self.query_one("#steps", VirtualTable)

    def ready(self) -> None:
        self.query_one("#side").add_class("side")
        self.table.focus()
        self._load()

    def focus_main(self) -> None:
        self.table.focus()

    def reread(self) -> None:
        self._load()

    def live(self, news: News) -> bool:
        """What others said of this task shows at once; steps built anew take their places under the cursor."""
        if news.concerns(self.task_id):
            task = self.task_id
            self.reader.ask(lambda: self.desk.task(task), self._renewed, "live")
        return True

    def _renewed(self, document: Doc) -> None:
        before, self.document = self.document, document
        self.on_task = evidence.spread_findings(document)
        self.query_one("#head", Static).update(evidence.head(document))
        self.set_crumbs()
        if before is not None and before["steps"] != document["steps"]:
            self.table.styles.max_height = len(document["steps"]) + 2
            self.table.show_list(document["steps"], keep=True)

    def _load(self) -> None:
        self.reader.forget()
        self.time.forget()
        self.set_crumbs()
        task = self.task_id
        self.reader.ask(lambda: self.desk.task(task), self._arrived)

    def read_failed(self, error: BaseException) -> None:
        super().read_failed(error)
        self.query_one("#panel", Panel).show(["✗ " + failure(error)], self.panel)

    def _arrived(self, document: Doc) -> None:
        turned = self.document is None or self.document["task"]["id"] != document["task"]["id"]
        self.document = document
        self.on_task = evidence.spread_findings(document)
        self.query_one("#head", Static).update(evidence.head(document))
        # The chain takes the rows it has; the evidence below takes the rest.
        self.table.styles.max_height = len(document["steps"]) + 2
        self.table.show_list(document["steps"], keep=not turned, at=self.at_step)
        self.at_step = ""
        self.set_crumbs()
        if not document["steps"]:
            self._show_panels()

    @on(VirtualTable.Moved)
    def _moved(self) -> None:
        self.time.release()
        self._show_panels()

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        self.action_open_child()

    def on_resize(self, event: events.Resize) -> None:
        if self.document is not None:
            self.call_after_refresh(self._show_panels)

    # the panels

    @property
    def wide(self) -> bool:
        """Whether there is room for the panel at the side, and it is wanted; a tree takes the whole width."""
        return self.side_open and self.size.width >= 120 and self.panel != DELEGATION

    def _show_panels(self) -> None:
        if self.document is None:
            return
        step = self.table.current
        side = self.query_one("#side", Panel)
        side.display = self.wide
        name = EVIDENCE if self.wide and self.panel == AUTHORISED else self.panel
        panel = self.query_one("#panel", Panel)
        if step is None:
            panel.show([line for finding in self.on_task for line in evidence.finding_lines(finding)], "task")
            return
        title = f"step {step['n']} · {name}"
        if name == RAW:
            self.reader.ask(lambda: self.desk.raw(step), lambda text: panel.show(text, title), "panel")
        elif name == AUTHORISED:
            self._show_authorised(panel, step)
        elif name == DELEGATION:
            task = self.task_id
            self.reader.ask(
                lambda: self.desk.delegation(task), lambda tree: panel.show(delegation_lines(tree), DELEGATION), "panel"
            )
        else:
            panel.show(evidence.links_lines(step) if name == LINKS else evidence.lines(step, self.on_task), title)
        if self.wide:
            self._show_authorised(side, step)

    def _show_authorised(self, panel: Panel, step: Doc) -> None:
        """The answer for where the time cursor stands: on the step, or on a moment of its own."""
        where, title = step["n"], f"authorised at step {step['n']}"
        if not self.time.on_step:
            where = self.time.text
            title = f"authorised at {format.clock(where)}" + (f" · {self.time.what}" if self.time.what else "")
        task = self.task_id
        self.reader.ask(
            lambda: self.desk.authorised(task, where), lambda state: panel.show(authorised_lines(state), title), "authorised"
        )

    def _switch(self, name: str) -> None:
        if self.document is None:
            return
        self.panel = EVIDENCE if self.panel == name else name
        self._show_panels()

    def action_raw(self) -> None:
        self._switch(RAW)

    def action_links(self) -> None:
        self._switch(LINKS)

    def action_authorised(self) -> None:
        if self.size.width >= 120:
            self.side_open = not self.side_open
            self._show_panels()
        else:
            self._switch(AUTHORISED)

    def action_delegation(self) -> None:
        self._switch(DELEGATION)

    # the time cursor

    def action_later(self) -> None:
        self._move_time(1)

    def action_earlier(self) -> None:
        self._move_time(-1)

    def _move_time(self, direction: int) -> None:
        step = self.table.current
        if self.document is None or step is None:
            self.say("the chain is still being read")
        elif not self.time.ready:
            task = self.task_id
            self.reader.ask(lambda: self.desk.changes(task), lambda found: self._learned(found, direction), "moments")
        elif self.time.move(direction, step["at"]):
            self._show_moment()
        else:
            self.say(f"nothing changed {'later' if direction > 0 else 'earlier'} than this")

    def _learned(self, changes: list[Doc], direction: int) -> None:
        self.time.learn(changes)
        self._move_time(direction)

    def _show_moment(self) -> None:
        """Where the answer is seen: at the side if there is room, else in the panel."""
        if self.size.width >= 120:
            self.side_open = True
        else:
            self.panel = AUTHORISED
        self._show_panels()

    def action_at_time(self) -> None:
        self.open_bar("moment")

    @on(Input.Submitted, "#moment")
    def _typed(self, event: Input.Submitted) -> None:
        self.close_bar()
        step = self.table.current
        if self.document is None or step is None or not event.value.strip():
            return
        steps = self.document["steps"]
        typed = on_day(event.value, step["at"] or self.document["task"]["started"])
        number = next((n for n, one in enumerate(steps) if typed in (str(one["n"]), one["id"])), None)
        at = micros(typed) if number is None and not typed.isdigit() else None
        if number is not None:
            self.table.cursor = number
        elif at is not None:
            self.time.stand(at)
            self._show_moment()
        else:
            self.say(f"{typed[:60]!r} is neither a time nor one of {len(steps)} steps", bad=True)

    def step_back(self) -> bool:
        if self.close_bar():
            return True
        if isinstance(self.focused, Panel):
            self.table.focus()
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
        if step["child"]:
            self.app.push_screen(TaskScreen(step["child"], under=(*self.under, self.title_text)))
        else:
            self._switch(RAW)

    def _jump(self, wanted: Callable[[Doc], bool], step: int, what: str) -> None:
        if self.document is None:
            self.say("the chain is still being read")
            return
        steps = self.document["steps"]
        index = self.table.cursor + step
        while 0 <= index < len(steps):
            if wanted(steps[index]):
                self.table.cursor = index
                return
            index += step
        self.say(f"no {'further' if step > 0 else 'earlier'} {what} in this task")

    def action_next_finding(self) -> None:
        self._jump(lambda s: bool(s["findings"]), 1, "finding")

    def action_previous_finding(self) -> None:
        self._jump(lambda s: bool(s["findings"]), -1, "finding")

    def action_next_decision(self) -> None:
        self._jump(lambda s: bool(s["decisions"]), 1, "decision")

    def action_next_credential(self) -> None:
        self._jump(lambda s: bool(s["credentials"]), 1, "credential")

    def _turn(self, step: int) -> bool:
        if self.queue is None:
            self.say("this task was not opened from the queue; esc goes back")
            return False
        task = self.queue.neighbour(step)
        if task is None:
            self.say(f"this is the {'last' if step > 0 else 'first'} task of the queue")
            return False
        self.task_id, self.panel, self.document = str(task["id"]), EVIDENCE, None
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
            self.app.copy_to_clipboard(str(step["id"]))
            self.say(f"copied {step['id']}")

    # judging

    def action_verdict(self) -> None:
        self._judge(self.task_id, self.title_text, self._judged)

    def action_verdict_step(self) -> None:
        step = self.table.current
        if step is not None and self.document is not None:
            self._judge(step["id"], f"step {step['n']}: {step['title']}", lambda said: self.say(said) if said else None)

    def action_verdict_finding(self) -> None:
        self.ask_finding(self._findings_here(), "judge which finding", self._judge_finding)

    def _judge_finding(self, finding: Doc) -> None:
        self._judge(finding["id"], f"{finding['detection']} {finding['title']}", self._rewritten)

    def _findings_here(self) -> list[Doc]:
        """Those of the step under the cursor, else those on the task as a whole."""
        step = self.table.current
        mine = [one for one in step["findings"] if not one["blind_spot"]] if step is not None else []
        return mine or list(self.on_task if self.document is not None else ())

    def action_accept_risk(self) -> None:
        self.ask_finding(self._findings_here(), "accept the risk of which finding", self.ask_acceptance)

    def action_withdraw(self) -> None:
        self.ask_withdrawal(self.task_id, self.title_text)

    def action_assign(self) -> None:
        self.ask_assignee([self.task_id], self.title_text)

    def action_comments(self) -> None:
        from tui.screens.comments import CommentsScreen

        if self.document is None:
            return
        step = self.table.current
        names = {one["id"]: f"step {one['n']}" for one in self.document["steps"]}
        about = (str(step["id"]), f"step {step['n']}: {step['title']}") if step is not None else None
        self.app.push_screen(CommentsScreen(self.task_id, self.title_text, about, names))

    def action_reveal(self) -> None:
        step = self.table.current
        if step is not None:
            self.reader.ask(lambda: self.desk.raw(step), self.ask_reveal)

    def show_places(self, found: Doc) -> None:
        self.query_one("#panel", Panel).show(places_lines(found), "where this secret was")

    def action_propose(self) -> None:
        """Rules that catch the step the cursor stands on."""
        from tui.screens.proposals import ProposalsScreen

        step = self.table.current
        if step is not None:
            self.app.push_screen(ProposalsScreen(str(step["id"])))

    def _judge(self, subject: str, title: str, then: Callable[[str | None], None]) -> None:
        if self.may_write():
            from tui.screens.verdict import VerdictScreen

            self.app.push_screen(VerdictScreen([subject], title), then)

    def _judged(self, said: str | None) -> None:
        if said:
            self.say(said)
            if self.queue is not None:
                self._turn(1)


def columns() -> list[Column]:
    return [
        Column("#", 4, lambda step: str(step["n"]), right=True),
        Column("time", 8, lambda step: format.clock(step["at"])),
        Column("wants", 14, lambda step: str(step["verb"]), wide=100),
        Column("what", 0, format.what, wide=100),
        Column("what", 0, lambda step: format.what(step, verb=True), below=100),
        Column("decision", 8, lambda step: format.PERMITTED[step["outcome"]["permitted"]], below=100, tone=_permitted),
        Column("decision", 22, format.decision, wide=100, below=150, tone=_permitted),
        Column("decision", 44, format.decision, wide=150, tone=_permitted),
        Column("cred", 8, lambda step: step["credentials"][0][5:13] if step["credentials"] else "·", wide=100),
        Column("tool effect", 11, format.outcome, wide=100),
        Column("t e", 5, format.outcome_marks, below=100),
        Column("found", 10, _found, tone=_finding_tone),
    ]


def _permitted(step: Doc) -> str:
    return {"deny": "bad", "ask": "warn", "unknown": "dim"}.get(step["outcome"]["permitted"], "")


def _real(step: Doc) -> list[Doc]:
    return [f for f in step["findings"] if not f["blind_spot"]]


def _found(step: Doc) -> str:
    real = _real(step)
    if real:
        more = f"+{len(real) - 1}" if len(real) > 1 else ""
        return f"{format.SEVERITY[real[0]['severity']].strip()}{real[0]['detection']}{more}"
    return "▒ blind" if step["findings"] else ""


def _finding_tone(step: Doc) -> str:
    real = _real(step)
    return ("bad" if real[0]["severity"] == "critical" else "warn") if real else "dim"
