"""What stands beside and below a task's walk: evidence, records, changes and links of a step, and what was authorised at a time."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.widgets import Input

from review.show.branches import delegation_lines
from review.show.sentences import authorised_lines
from tui import evidence, format
from tui.screens.judging import Judging
from tui.timecursor import TimeCursor, micros, on_day
from tui.walk_cells import SIDE_BY_SIDE
from tui.walker import Walker
from tui.widgets.panel import Panel

Doc = dict[str, Any]

EVIDENCE, RAW, CHANGES, LINKS = "evidence", "raw records", "changes", "links"
AUTHORISED, DELEGATION = "authorised", "delegation"


class TaskPanels(Judging):
    """The panels of a task, which follow the step under the cursor of its table or the time cursor."""

    def __init__(self, task: str) -> None:
        super().__init__()
        self.known_as = task
        """What it is called while it is not read yet."""
        self.task_id = task
        self.document: Doc | None = None
        self.walker: Walker | None = None
        self.on_task: list[Doc] = []
        self.panel = EVIDENCE
        self.side_open = True
        self.time = TimeCursor()

    @property
    def wide(self) -> bool:
        """Whether there is room for the panel at the side, and it is wanted; a tree takes the whole width."""
        return self.side_open and self.size.width >= SIDE_BY_SIDE and self.panel != DELEGATION

    def _show_panels(self) -> None:
        if self.document is None or self.walker is None:
            return
        step = self.table.current
        side = self.query_one("#side", Panel)
        # Without a step there is no moment to tell of what was authorised.
        side.display = self.wide and (step is not None or bool(self.document["task"]["steps"]))
        name = EVIDENCE if self.wide and self.panel == AUTHORISED else self.panel
        panel = self.query_one("#panel", Panel)
        sought = self.walker.sought
        if step is None:
            on_task, pending = self.on_task, self.desk.pending
            # Where there are steps, they are still being read.
            known = (
                (line for finding in on_task for line in evidence.finding_lines(finding, pending))
                if self.document["task"]["steps"]
                else evidence.task_lines(on_task, self.document["intents"], pending)
            )
            panel.show(known, "task", find=sought)
            return
        title = f"step {step['n']} · {name}" if step["n"] else f"sub-agent · {name}"
        id = str(step["id"])
        if name == RAW:
            self.reader.ask(lambda: self.desk.raw(id), lambda text: panel.show(text, title, find=sought), "panel")
        elif name == CHANGES:
            self.reader.ask(
                lambda: self.desk.changed(id),
                lambda text: panel.show(text, title, find=sought, paint=evidence.painted),
                "panel",
            )
        elif name == AUTHORISED:
            self._show_authorised(panel, step)
        elif name == DELEGATION:
            task = self.task_id
            self.reader.ask(
                lambda: self.desk.delegation(task), lambda tree: panel.show(delegation_lines(tree), DELEGATION), "panel"
            )
        else:
            lines = (
                evidence.links_lines(step)
                if name == LINKS
                else evidence.lines(step, self.on_task, self.document["intents"], self.desk.pending)
            )
            panel.show(lines, title, find=sought)
        if self.wide:
            self._show_authorised(side, step)

    def _show_authorised(self, panel: Panel, step: Doc) -> None:
        """The answer for where the time cursor stands: on the step, or on a moment of its own."""
        if not step["n"]:
            panel.show(["No step is known to have started this sub-agent; enter opens its own task."], AUTHORISED)
            return
        where, title = step["n"], f"authorised at step {step['n']}"
        if not self.time.on_step:
            where = self.time.text
            title = f"authorised at {format.clock(where)}" + (f" · {self.time.what}" if self.time.what else "")
        task = str(step["task"])
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

    def action_changes(self) -> None:
        self._switch(CHANGES)

    def action_links(self) -> None:
        self._switch(LINKS)

    def action_authorised(self) -> None:
        if self.size.width >= SIDE_BY_SIDE:
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
            task = str(step["task"])
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
        if self.size.width >= SIDE_BY_SIDE:
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
        if self.document is None or self.walker is None or step is None or not event.value.strip():
            return
        typed = on_day(event.value, step["at"] or self.document["task"]["started"])
        if typed.isdigit():
            self._go_to_step(self.task_id, int(typed))
        elif (at := micros(typed)) is not None:
            self.time.stand(at)
            self._show_moment()
        elif typed.startswith("step-"):
            walk = self.walker.walk
            self.reader.ask(lambda: walk.number_of(typed), lambda found: self._go_to_step(*(found or (self.task_id, 0))))
        else:
            self._go_to_step(self.task_id, 0, typed)

    def _go_to_step(self, task: str, number: int, typed: str = "") -> None:
        row = self.walker.layout.row_of(task, number) if self.walker is not None else None
        if row is not None and self.document is not None:
            self.table.cursor = row
        elif self.document is not None:
            count = self.document["task"]["steps"]
            self.say(f"{typed[:60] or number!r} is neither a time nor one of {count:,} steps", bad=True)
