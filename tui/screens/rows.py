"""Rows behind a figure that no other screen lists: verdicts of the last day, accepted risks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tui.scopes import EVERYWHERE
from tui.screens.base import DeskScreen
from tui.widgets.panel import Panel

TITLES = {"journal": "verdicts of the last 24 hours", "accepted": "accepted risks"}


class RowsScreen(DeskScreen):
    """Sentences in one panel."""

    SCOPE = EVERYWHERE
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what

    def crumbs(self) -> list[str]:
        return ["Overview", TITLES[self.what].capitalize()]

    def body(self) -> Iterable[Widget]:
        yield Panel(title=TITLES[self.what], id="rows")

    def ready(self) -> None:
        self.query_one(Panel).can_focus = True
        self.set_focus(self.query_one(Panel))
        self.reread()

    def reread(self) -> None:
        self.reader.ask(lambda: self.desk.overview_rows(self.what), self._arrived)

    def _arrived(self, lines: list[str]) -> None:
        self.query_one(Panel).show(lines or ["Nothing."])
