"""Signing off: what is stated and what it rests on stand there before it is done; enter records it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from lang.safe import safe_line
from review.pack.report_words import sign_off_lines
from tui.actions import bindings
from tui.reader import Reader
from tui.scopes import SIGNING
from tui.screens.base import Dialog, failure
from tui.widgets.panel import Panel

Doc = dict[str, Any]


class SignOffScreen(Dialog[str | None]):
    """Dismisses with the sentence that says it is done, or None."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(SIGNING)

    def __init__(self, state: Doc, do: Callable[[str], str]) -> None:
        super().__init__()
        self.state = state
        self.do = do
        self.busy = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall") as dialog:
            dialog.border_title = "sign off"
            yield Static(safe_line(str(self.state["statement"]), 2000), markup=False)
            yield Panel(title="what it rests on", keys="↓ ↑", id="rests")
            yield Input(placeholder="words of your own behind the statement; may stay empty", classes="field", id="words")
            yield Static("enter signs and records it in the review journal; esc gives it up", id="said", markup=False)

    def on_mount(self) -> None:
        from tui.app import RemitApp

        self.reader = Reader(cast("RemitApp", self.app), self._failed)
        self.query_one("#rests", Panel).show(sign_off_lines(self.state))
        self.set_focus(self.query_one("#words", Input))

    def on_unmount(self) -> None:
        self.reader.close()

    def _failed(self, error: BaseException) -> None:
        self.busy = False
        self.query_one("#said", Static).update("✗ " + failure(error))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        if not self.busy:
            self.busy = True
            words = event.value
            self.reader.ask(lambda: self.do(words), self._done)

    def _done(self, said: str) -> None:
        self.dismiss(said)

    def action_turn(self, direction: int) -> None:
        self.query_one("#rests", Panel).turn(direction)
