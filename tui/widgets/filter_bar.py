"""The one-line field a filter is typed in, with what may be written at the cursor listed above it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.text import Text
from textual import events
from textual.geometry import Offset
from textual.message import Message
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from lang.cells import cell_width
from lang.safe import safe_line
from tui.widgets.columns import fit

Doc = dict[str, Any]

SHOWN = 44
"""Characters of a candidate in the list; what is written is whole."""
ROWS = 8


class Choices(OptionList, can_focus=False):
    """The list; the field has the focus all the while and hands it the keys that choose."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id, classes="candidates", markup=False)
        self.display = False


class FilterBar(Input):
    """Posts `Asked` whenever the text or the cursor changed; `offer` shows the answer. tab takes a candidate, ↑ ↓ choose."""

    KEYS = (("enter", "keep it"), ("tab", "take what is offered"), ("↑ ↓", "choose"), ("esc", "clear it"))

    @dataclass
    class Asked(Message):
        """What may be written here?"""

        bar: FilterBar
        text: str
        cursor: int

    def __init__(self, choices: Choices, placeholder: str, id: str) -> None:
        super().__init__(placeholder=placeholder, classes="bar", id=id)
        self.choices = choices
        self.listed: list[Doc] = []
        self.place = (0, 0)

    def watch_selection(self) -> None:
        if self.has_focus:
            self.post_message(self.Asked(self, self.value, self.cursor_position))

    def offer(self, text: str, told: Doc) -> None:
        """Show what `review.show.filter_completion` told of a text, if that still stands here."""
        if text != self.value or not self.has_focus:
            return
        self.listed, self.place = told["candidates"], (told["start"], told["end"])
        self.choices.clear_options()
        if not self.listed:
            self.choices.display = False
            return
        width = max(cell_width(safe_line(one["shown"], SHOWN)) for one in self.listed)
        self.choices.add_options(Option(_line(one, width)) for one in self.listed)
        self.choices.highlighted = 0
        rows = min(len(self.listed), ROWS)
        self.choices.absolute_offset = Offset(self.region.x + 1 + min(told["start"], 40), self.region.y - rows)
        self.choices.display = True

    def close(self) -> None:
        self.choices.display = False

    async def _on_key(self, event: events.Key) -> None:
        if self.choices.display and event.key in ("up", "down", "tab"):
            event.prevent_default()
            event.stop()
            if event.key == "tab":
                self._take()
            elif event.key == "up":
                self.choices.action_cursor_up()
            else:
                self.choices.action_cursor_down()

    def _take(self) -> None:
        """Write the highlighted candidate in place of what was begun; after a value a blank follows."""
        chosen = self.listed[self.choices.highlighted or 0]["text"]
        start, end = self.place
        rest = self.value[end:]
        more = "" if chosen.endswith(":") or rest.startswith((" ", ",")) else " "
        self.close()
        self.value = self.value[:start] + chosen + more + rest
        self.cursor_position = start + len(chosen) + len(more)

    def on_blur(self) -> None:
        self.close()


def _line(one: Doc, width: int) -> Text:
    count = "" if one["tasks"] is None else f"{one['tasks']:,}"
    return Text.assemble(
        f"{fit(one['shown'], width)}  ", (safe_line(one["doc"]) or count, "dim"), no_wrap=True, overflow="ellipsis"
    )
