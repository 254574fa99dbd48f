"""A choice among a few things, or a name typed where none of them is meant."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from lang.safe import safe_line
from tui.screens.base import Dialog


class ChoiceScreen(Dialog[str | None]):
    """Dismisses with the value chosen, or None; with `other` a value may be typed as well."""

    def __init__(self, title: str, what: str, options: Sequence[tuple[str, str]], *, other: str = "") -> None:
        super().__init__()
        self.title_text = title
        self.what = safe_line(what, 200)
        self.options = list(options)
        self.other = other

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self.title_text
            yield Static(self.what, markup=False)
            yield OptionList(*(Option(Content(safe_line(label, 120))) for _, label in self.options))
            if self.other:
                yield Input(placeholder=self.other, id="other")
            yield Static(
                "enter chooses" + ("; tab for a name of your own" if self.other else "") + "; esc gives it up", markup=False
            )

    def on_mount(self) -> None:
        self.set_focus(self.query_one(OptionList))

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self.options[event.option_index][0])

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self.dismiss(event.value.strip())
