"""Choosing a theme, seen at once; esc puts the one before back."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.screens.base import Dialog


class ThemeScreen(Dialog[None]):
    """The themes by name; moving shows each, enter keeps it for this sitting."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = list(names)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "theme"
            yield OptionList(*(Option(name, id=name) for name in self.names), markup=False)
            yield Static('enter keeps it; `theme = "NAME"` in the settings file for good; esc leaves all as it was', markup=False)

    def on_mount(self) -> None:
        self.before = self.app.theme
        options = self.query_one(OptionList)
        options.highlighted = self.names.index(self.before) if self.before in self.names else 0
        self.set_focus(options)

    @on(OptionList.OptionHighlighted)
    def _seen(self, event: OptionList.OptionHighlighted) -> None:
        self.app.theme = event.option.id or self.before

    @on(OptionList.OptionSelected)
    def _kept(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(None)
        self.app.notify(f'theme {event.option.id}; `theme = "{event.option.id}"` in the settings file keeps it', markup=False)

    async def action_dismiss(self, result: None = None) -> None:
        self.app.theme = self.before
        await super().action_dismiss(result)
