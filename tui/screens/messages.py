"""What was said in passing during this sitting, the newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Vertical

from lang.safe import safe_line
from tui.screens.base import Dialog
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from tui.app import RemitApp
    from tui.telling import Word

MARKS = {"information": " ", "warning": "!", "error": "✗"}


class MessagesScreen(Dialog[None]):
    """A log of passing words."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall") as dialog:
            dialog.border_title = "messages of this sitting"
            dialog.border_subtitle = "↑ ↓ scroll  esc closes"
            yield Panel(id="log")

    def on_mount(self) -> None:
        log = self.query_one(Panel)
        log.show(
            [line_of(word) for word in reversed(cast("RemitApp", self.app).said)] or ["Nothing was said in this sitting yet."]
        )
        self.set_focus(log)


def line_of(word: Word) -> str:
    """A passing word as a line: when, how bad, about what."""
    about = f"{word.title}: " if word.title else ""
    return f"{MARKS[word.severity]} {datetime.fromtimestamp(word.at, UTC):%H:%M:%S}Z  {safe_line(about + word.text, 600)}"
