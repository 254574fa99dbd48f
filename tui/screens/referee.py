"""What the second engine said of a draft."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from lang.safe import safe_line
from tui.actions import bindings
from tui.scopes import SHEET
from tui.screens.base import Dialog
from tui.widgets.panel import hang

_WIDTH = 84


class RefereeScreen(Dialog[None]):
    """Sentences over the studio; j and k scroll."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(SHEET)

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__()
        self.lines = lines

    def compose(self) -> ComposeResult:
        width = min(int(self.app.size.width * 0.9) - 8, _WIDTH)
        with VerticalScroll(classes="dialog", id="sheet") as sheet:
            sheet.border_title = "referee"
            sheet.border_subtitle = "j k scroll  esc closes"
            yield Static("\n".join(hang(safe_line(line, 2000), width) for line in self.lines), markup=False)

    def action_turn(self, step: int) -> None:
        self.query_one("#sheet").scroll_relative(y=step, animate=False)
