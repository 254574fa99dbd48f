"""The list of what may be written at the cursor, drawn over the editor it belongs to."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual.geometry import Offset
from textual.widgets import OptionList, TextArea
from textual.widgets.option_list import Option

from lang.cells import cell_width
from lang.counted import count
from lang.safe import safe_line
from tui.widgets.columns import fit

Doc = dict[str, Any]

_SHOWN = 60
"""Characters of a candidate in the list; what is written is whole."""


class Candidates(OptionList, can_focus=False):
    """Never has the focus: the editor hands it the keys that choose, so that typing goes on narrowing the list."""

    KEYS = ("up", "down", "enter", "tab", "escape")
    AWAY = ("left", "right", "home", "end", "pageup", "pagedown")

    def __init__(self, editor: TextArea) -> None:
        super().__init__(classes="candidates", markup=False)
        self.editor = editor
        self.listed: list[Doc] = []
        self.place = (0, 0, 0)
        self.display = False

    def offer(self, row: int, told: Doc) -> None:
        """Show the candidates of `remit policy complete` for a row, or go away where there are none."""
        self.listed = told["candidates"]
        self.place = (row, told["column"] - 1, told["end_column"] - 1)
        self.clear_options()
        if not self.listed:
            self.close()
            return
        width = max(cell_width(safe_line(one["shown"], _SHOWN)) for one in self.listed)
        self.add_options(Option(_line(one, width)) for one in self.listed)
        self.highlighted = 0
        self.absolute_offset = self.editor.cursor_screen_offset + Offset(0, 1)
        self.display = True

    def take_key(self, key: str) -> bool:
        """Whether a key was meant for the list."""
        if key in self.AWAY:
            self.close()
        if not self.display or key not in self.KEYS:
            return False
        match key:
            case "enter" | "tab":
                self.accept()
            case "escape":
                self.close()
            case "up":
                self.action_cursor_up()
            case _:
                self.action_cursor_down()
        return True

    def accept(self) -> None:
        """Write the highlighted candidate in place of what was begun."""
        row, start, end = self.place
        chosen = self.listed[self.highlighted or 0]
        self.close()
        if self.editor.cursor_location != (row, end):
            return
        self.editor.replace(chosen["text"], (row, start), (row, end), maintain_selection_offset=False)
        self.editor.move_cursor((row, start + len(chosen["text"])))

    def close(self) -> None:
        self.display = False


def _line(one: Doc, width: int) -> Text:
    seen = "" if one["seen"] is None else f"{count(one['seen'], 'request')}"
    return Text.assemble(
        f"{fit(one['shown'], width)}  ", (safe_line(one["doc"]) or seen, "dim"), no_wrap=True, overflow="ellipsis"
    )
