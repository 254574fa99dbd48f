"""What reviewers said of a task and its steps, in Markdown, and a place to say something."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Markdown, Static, TextArea

from lang.safe import safe_line, safe_text
from tui.actions import bindings
from tui.reader import Reader
from tui.scopes import COMMENTS
from tui.screens.base import Dialog, failure

if TYPE_CHECKING:
    from tui.app import RemitApp

Doc = dict[str, Any]


class CommentsScreen(Dialog[None]):
    """Comments on a task and what is in it, oldest first; `step` is what else a new one may be about, as (id, title)."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(COMMENTS)

    def __init__(self, task: str, title: str, step: tuple[str, str] | None, names: dict[str, str]) -> None:
        super().__init__()
        self.task_id = task
        self.on_task = safe_line(title, 120)
        self.step = step
        self.names = names
        self.about_step = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog comments") as dialog:
            dialog.border_title = f"comments · {self.on_task}"
            with VerticalScroll(id="said-before"):
                yield Markdown("", open_links=False, id="comments")
            yield TextArea(self.begun.pop(self.task_id, ""), id="comment")
            yield Static("", id="said", markup=False)

    @property
    def begun(self) -> dict[str, str]:
        """Comments of this sitting that were begun and not recorded, by their task: whoever looks something up goes on with them."""
        return cast("RemitApp", self.app).begun

    def on_mount(self) -> None:
        self.remit = cast("RemitApp", self.app)
        self.reader = Reader(self.remit, self._failed)
        self.set_focus(self.query_one("#comment", TextArea))
        self._tell()
        self._load()

    def on_unmount(self) -> None:
        self.reader.close()

    async def action_dismiss(self, result: None = None) -> None:
        if (text := self.query_one("#comment", TextArea).text).strip():
            self.begun[self.task_id] = text
            self.app.notify("the comment you began stays for this sitting and stands there again, not recorded", markup=False)
        await super().action_dismiss(result)

    def _load(self) -> None:
        self.reader.ask(lambda: self.remit.desk.comments(self.task_id), self._arrived)

    def _arrived(self, found: list[Doc]) -> None:
        self.query_one(Markdown).update("\n\n".join(self._entry(one) for one in found) or "*Nothing was said of this task yet.*")
        self.call_after_refresh(lambda: self.query_one("#said-before", VerticalScroll).scroll_end(animate=False))

    def _entry(self, one: Doc) -> str:
        about = "" if one["kind"] == "task" else f" on {self.names.get(one['subject'], one['kind'])}"
        return f"**{literal(one['by'])}** {one['at'][:16].replace('T', ' ')}{literal(about)}\n\n{safe_text(one['text'])}"

    def _tell(self, text: str = "") -> None:
        about = self.step[1] if self.step and self.about_step else "the task"
        self.query_one("#comment", TextArea).border_title = safe_line(f"about {about}", 80)
        other = "; ctrl+t: about the task, or the step" if self.step else ""
        self.query_one("#said", Static).update(text or f"Markdown; ctrl+s keeps it{other}; esc leaves")

    def _failed(self, error: BaseException) -> None:
        self._tell("✗ " + failure(error))

    def action_about(self) -> None:
        self.about_step = self.step is not None and not self.about_step
        self._tell()

    def action_record(self) -> None:
        text = self.query_one("#comment", TextArea).text
        about = self.step[0] if self.step and self.about_step else self.task_id
        self.reader.ask(lambda: self.remit.desk.comment(about, text), self._kept)

    def _kept(self, _said: Doc) -> None:
        self.query_one("#comment", TextArea).text = ""
        self._tell("kept; esc leaves")
        self._load()


def literal(text: str) -> str:
    """Text that Markdown takes as it stands."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!<>|~])", r"\\\1", safe_line(text, 200))
