"""The task: its chain as a walk, each step with its decision, credential and outcomes, and the evidence one key away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from lang.safe import safe_line, safe_text
from review.sentences import authorised_lines, place, target_text
from tui import format
from tui.actions import TASK, bindings
from tui.screens.base import DeskScreen
from tui.widgets.virtual_table import PAGE, Column, VirtualTable

if TYPE_CHECKING:
    from tui.screens.queue import QueueScreen

Doc = dict[str, Any]


class StepRows:
    """Steps already read, served by page."""

    def __init__(self, steps: Sequence[Doc]) -> None:
        self.steps = steps

    def count(self) -> int:
        return len(self.steps)

    def page(self, number: int) -> Sequence[Doc]:
        return self.steps[number * PAGE : (number + 1) * PAGE]


class TaskScreen(DeskScreen):
    """Walks one task, step by step."""

    SCOPE = TASK
    BINDINGS: ClassVar[list[BindingType]] = bindings(TASK)

    def __init__(self, task: str, queue: QueueScreen | None = None) -> None:
        super().__init__()
        self.task_id = task
        self.queue = queue
        self.document: Doc | None = None
        self.panel = "evidence"

    def crumbs(self) -> list[str]:
        if self.document is None:
            return ["Queue", self.task_id]
        task = self.document["task"]
        return ["Queue", task["title"] or task["scope"], f"risk {task['risk']}", str(task["review"]["verdict"] or "not reviewed")]

    def body(self) -> Iterable[Widget]:
        yield Static("", classes="head", id="head", markup=False)
        yield VirtualTable(columns(), key=lambda row: str(row["id"]), empty="This task has no steps.", id="steps")
        with VerticalScroll(classes="panel detail"):
            yield Static("", id="panel", markup=False)

    def ready(self) -> None:
        self.table = self.query_one("#steps", VirtualTable)
        self.table.focus()
        self._load()

    def _load(self) -> None:
        self.reader.forget()
        self.reader.ask(lambda: self.desk.task(self.task_id), self._arrived)

    def _arrived(self, document: Doc) -> None:
        self.document = document
        self.found: dict[str, list[Doc]] = {}
        for finding in document["findings"]:
            self.found.setdefault(finding["step"] or "", []).append(finding)
        for step in document["steps"]:
            step["findings"] = self.found.get(step["id"], [])
        self.query_one("#head", Static).update(head(document))
        self.table.show_rows(StepRows(document["steps"]), self.reader)
        self.set_crumbs()
        if not document["steps"]:
            self._show_panel()

    @on(VirtualTable.Moved)
    def _moved(self) -> None:
        self._show_panel()

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        self.action_open_child()

    def _show_panel(self) -> None:
        if self.document is None:
            return
        step = self.table.current
        panel = self.query_one("#panel", Static)
        if self.panel == "raw" and step is not None:
            self.reader.ask(lambda: self.desk.raw(step), lambda text: panel.update(safe_text(text)))
            return
        if self.panel == "authorised" and step is not None:
            at = step["at"]
            self.reader.ask(
                lambda: self.desk.authorised(self.task_id, at),
                lambda state: panel.update(safe_text("\n".join(authorised_lines(state)))),
            )
            return
        writer: Callable[[Doc], Iterable[str]] = links_lines if self.panel == "links" else evidence_lines
        lines = list(writer(step)) if step is not None else []
        lines += [f"on the task: {line}" for finding in self.found.get("", []) for line in finding_lines(finding)]
        panel.update(safe_text("\n".join(lines)))

    def _switch(self, name: str) -> None:
        self.panel = "evidence" if self.panel == name else name
        self._show_panel()

    def action_raw(self) -> None:
        self._switch("raw")

    def action_links(self) -> None:
        self._switch("links")

    def action_authorised(self) -> None:
        self._switch("authorised")

    def step_back(self) -> bool:
        if self.panel != "evidence":
            self._switch(self.panel)
            return True
        return False

    def action_open_child(self) -> None:
        step = self.table.current
        if step is None:
            return
        if step["child"]:
            self.app.push_screen(TaskScreen(step["child"]))
        else:
            self._switch("raw")

    def _jump(self, wanted: Callable[[Doc], bool], step: int, what: str) -> None:
        steps = self.document["steps"] if self.document else []
        index = self.table.cursor + step
        while 0 <= index < len(steps):
            if wanted(steps[index]):
                self.table.cursor = index
                return
            index += step
        self.notify(f"no further {what}", markup=False)

    def action_next_finding(self) -> None:
        self._jump(lambda s: bool(s["findings"]), 1, "finding")

    def action_previous_finding(self) -> None:
        self._jump(lambda s: bool(s["findings"]), -1, "finding")

    def action_next_decision(self) -> None:
        self._jump(lambda s: bool(s["decisions"]), 1, "decision")

    def action_next_credential(self) -> None:
        self._jump(lambda s: bool(s["credentials"]), 1, "credential")

    def _turn(self, step: int) -> None:
        task = self.queue.neighbour(step) if self.queue else None
        if task is None:
            self.notify("no further task in the queue", markup=False)
            return
        self.task_id, self.panel = task, "evidence"
        self._load()

    def action_next_task(self) -> None:
        self._turn(1)

    def action_previous_task(self) -> None:
        self._turn(-1)

    def action_copy(self) -> None:
        step = self.table.current
        if step is not None:
            self.app.copy_to_clipboard(str(step["id"]))
            self.notify(f"copied {step['id']}", markup=False)

    def action_verdict(self) -> None:
        self._judge(self.task_id, self.document["task"]["title"] if self.document else self.task_id)

    def action_verdict_step(self) -> None:
        step = self.table.current
        if step is not None:
            self._judge(step["id"], f"step {step['n']}")

    def _judge(self, subject: str, title: str) -> None:
        if self.may_write():
            from tui.screens.verdict import VerdictScreen

            self.app.push_screen(VerdictScreen([subject], safe_line(title)), self._judged)

    def _judged(self, given: int | None) -> None:
        if not given:
            return
        if self.queue:
            self.queue.action_refresh()
        self._load()


def columns() -> list[Column]:
    return [
        Column("#", 4, lambda step: str(step["n"]), right=True),
        Column("time", 8, lambda step: format.clock(step["at"])),
        Column("wants", 15, lambda step: str(step["verb"]), wide=100),
        Column("what", 0, _what),
        Column("decision", 8, lambda step: format.PERMITTED[step["outcome"]["permitted"]], below=100),
        Column("decision", 20, format.decision, wide=100),
        Column("cred", 8, lambda step: safe_line(step["credentials"][0][5:13]) if step["credentials"] else "·", wide=100),
        Column("outcome", 15, format.outcome, wide=100),
        Column("t e", 5, format.outcome_marks, below=100),
        Column("found", 8, _found),
    ]


def _what(step: Doc) -> str:
    lead = "▸ " if step["child"] else ""
    claimed = "" if step["agent_claimed"] else "(unclaimed) "
    return safe_line(lead + claimed + str(step["title"] or format.target(step["target"])))


def _found(step: Doc) -> str:
    real = [f for f in step["findings"] if not f["blind_spot"]]
    if real:
        return format.SEVERITY[real[0]["severity"]].strip() + real[0]["detection"]
    return "▒ blind" if step["findings"] else ""


def head(document: Doc) -> str:
    """Who, through what, on what, when, and why: the intents first of all."""
    task = document["task"]
    who = task["principal"] or "unknown principal"
    through = task["agent"] or "unknown agent"
    lines = [
        f"{who} → {through}  {task['repository'] or ''}  {format.day(task['started'])} – {format.clock(task['ended'])}  "
        f"env {task['environment'] or '?'}  ticket {task['ticket'] or '?'}  seen by {format.vantages(task['vantages'])}"
    ]
    for one in document["intents"][:2]:
        lines.append(f"INTENT {format.clock(one['at'])} {one['by'] or ''} “{one['text'][:300]}”")
    if len(document["intents"]) > 2:
        lines.append(f"… and {len(document['intents']) - 2} further intents")
    return "\n".join(safe_line(line) for line in lines)


def finding_lines(finding: Doc) -> Iterable[str]:
    kind = "▒ blind spot" if finding["blind_spot"] else f"{format.SEVERITY[finding['severity']].strip()} {finding['severity']}"
    yield f"{kind} {finding['detection']} {finding['title']}"
    yield f"   {finding['why']}"
    if finding["controls"]:
        yield "   speaks to " + ", ".join(c["id"] for c in finding["controls"][:8])


def evidence_lines(step: Doc) -> Iterable[str]:
    """Everything the step rests on, each with its source and line."""
    for finding in step["findings"]:
        yield from finding_lines(finding)
    yield f"{step['verb']} on {target_text(step['target'])}" + (f", mode {step['mode']}" if step["mode"] else "")
    for one in step["operations"]:
        yield f"  operation {one['verb']} {one['text']}" + ("" if one["certain"] else "  (not certain)")
    for one in step["decisions"]:
        by = f"{one['by']} {one['rule'] or ''}".strip()
        yield f"  decision  {one['effect']} by {by} {one['reason'] or ''}  [{place(one['record'])}]"
    if not step["decisions"]:
        yield "  decision  · none seen"
    for label, items in (("action", step["actions"]), ("effect", step["effects"]), ("credential", step["credential_events"])):
        for one in items:
            text = one["text"] or one["verb"]
            yield f"  {label:<9} {one['vantage']} {one['by']} {one['phase']}: {text[:200]}  [{place(one['record'])}]"
    if not step["effects"]:
        yield "  effect    · none seen"
    if step["order_uncertain"]:
        yield "  the order of this step is uncertain: clocks disagree"


def links_lines(step: Doc) -> Iterable[str]:
    if not step["links"]:
        yield "One record, or several that share nothing but the task: no link was needed."
    for one in step["links"]:
        yield f"{one['kind']:<8} {one['key']}  score {one['confidence']}"
        yield f"   from {place(one['from'])}  to {place(one['to'])}"
        if one["factors"]:
            yield "   factors " + ", ".join(f"{name} {value}" for name, value in one["factors"].items())
        for rival in one["candidates"]:
            yield f"   rival {rival['task']} score {rival['score']}"
