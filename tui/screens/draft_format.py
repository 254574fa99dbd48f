"""The dialog that chooses the language of a draft."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.screens.base import Dialog

if TYPE_CHECKING:
    from review.policy.draft_formats import DraftFormat


class DraftFormatScreen(Dialog[str | None]):
    """Dismisses with the id of the language chosen, or None."""

    def __init__(self, formats: Sequence[DraftFormat], present: str, edited: Collection[str]) -> None:
        super().__init__()
        self.formats = formats
        self.present = present
        self.edited = edited

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "language of the draft"
            yield OptionList(
                *(Option(_line(one, one.id == self.present, one.id in self.edited), id=one.id) for one in self.formats)
            )
            yield Static(
                "Each language keeps a draft of its own; ctrl+o opens a file in the language its name tells.", markup=False
            )

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        options.highlighted = next((at for at, one in enumerate(self.formats) if one.id == self.present), 0)
        self.set_focus(options)

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)


def _line(one: DraftFormat, present: bool, edited: bool) -> Content:
    tail = "  ● edited" if edited else ""
    return Content.assemble(("▶ " if present else "  "), (f"{one.id:<13}", "bold"), one.title, tail)
