"""A dialog of lines to read, the newest first: what is told in it is for its subclasses to say."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.containers import Vertical

from tui.screens.base import Dialog
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from tui.app import RemitApp


class LogDialog(Dialog[None]):
    """Lines in one panel; subclasses say what is FRAMED on it and what stands there while there is NOTHING to tell."""

    FRAMED: ClassVar[str]
    NOTHING: ClassVar[str]

    @property
    def remit(self) -> RemitApp:
        return cast("RemitApp", self.app)

    @abstractmethod
    def lines(self) -> Iterable[str]:
        """What is told, in the order it is read."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall") as dialog:
            dialog.border_title = self.FRAMED
            dialog.border_subtitle = "↑ ↓ scroll  esc closes"
            yield Panel(id="log")

    def on_mount(self) -> None:
        log = self.query_one(Panel)
        log.show(list(self.lines()) or [self.NOTHING])
        self.set_focus(log)
