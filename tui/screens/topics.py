"""Help topics: the list at the left, the topic with this store's own figures at the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from lang.safe import safe_text
from tui.actions import bindings
from tui.reader import Reader
from tui.scopes import SHEET
from tui.screens.base import Dialog, failure
from tui.widgets.panel import hang

if TYPE_CHECKING:
    from tui.app import RemitApp


class TopicsScreen(Dialog[None]):
    """Moving in the list shows each topic; j and k scroll its text."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(SHEET)

    def compose(self) -> ComposeResult:
        from review.sitting.topics import TOPICS

        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "topics"
            dialog.border_subtitle = "↑ ↓ choose  j k scroll  esc closes"
            yield OptionList(*(Option(one.title, id=one.id) for one in TOPICS.values()), markup=False)
            with VerticalScroll(id="sheet"):
                yield Static("", id="topic", markup=False)

    def on_mount(self) -> None:
        self.remit = cast("RemitApp", self.app)
        self.reader = Reader(self.remit, lambda error: self._tell("✗ " + failure(error)))
        self.set_focus(self.query_one(OptionList))

    def on_unmount(self) -> None:
        self.reader.close()

    @on(OptionList.OptionHighlighted)
    def _seen(self, event: OptionList.OptionHighlighted) -> None:
        id = event.option.id or ""
        self.reader.ask(lambda: self.remit.desk.topic(id), self._arrived, "topic")

    def _arrived(self, lines: list[str]) -> None:
        room = max(self.query_one("#sheet").content_size.width - 2, 20)
        self._tell("\n".join(hang(safe_text(line), room) for line in lines))
        self.query_one("#sheet").scroll_home(animate=False)

    def _tell(self, text: str) -> None:
        self.query_one("#topic", Static).update(text)

    def action_turn(self, step: int) -> None:
        self.query_one("#sheet").scroll_relative(y=step, animate=False)
