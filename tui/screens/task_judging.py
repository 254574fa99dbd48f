"""Judging from a task's walk: the task, its steps and findings, comments, accepted risks, and what a secret was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tui.screens.judging import places_lines
from tui.screens.task_panels import TaskPanels
from tui.widgets.panel import Panel

Doc = dict[str, Any]


class TaskJudging(TaskPanels):
    """What a reviewer says of a task and of what stands under the cursor."""

    @property
    def title_text(self) -> str:
        """What the task is called."""
        task = self.document["task"] if self.document else {}
        return str(task.get("title") or task.get("scope") or self.known_as)

    def action_verdict(self) -> None:
        self._judge(self.task_id, self.title_text, self.task_judged)

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

    def action_remedy(self) -> None:
        self.ask_finding(self._findings_here(), "put right which finding", self.ask_remedy)

    def action_withdraw(self) -> None:
        self.ask_withdrawal(self.task_id, self.title_text)

    def action_assign(self) -> None:
        self.ask_assignee([self.task_id], self.title_text)

    def action_comments(self) -> None:
        from tui.screens.comments import CommentsScreen

        if self.document is None:
            return
        step = self.table.current
        names = {one["id"]: f"step {one['n']}" for one in self.table.at_hand() if one["n"]}
        about = (str(step["id"]), f"step {step['n']}: {step['title']}") if step is not None else None
        self.app.push_screen(CommentsScreen(self.task_id, self.title_text, about, names))

    def action_reveal(self) -> None:
        step = self.table.current
        if step is not None:
            id = str(step["id"])
            self.reader.ask(lambda: "\n".join(self.desk.raw(id)), self.ask_reveal)

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

    def task_judged(self, said: str | None) -> None:
        """The task has its verdict, or its dialog was left (None)."""
        if said:
            self.say(said)
