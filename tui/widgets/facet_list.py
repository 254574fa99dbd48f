"""Facets beside the queue: values with counts, each one key away from the tasks that have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from lang.cells import cell_width
from lang.safe import safe_line
from tui.actions import bindings
from tui.scopes import TABLE

Doc = dict[str, Any]
GATHERED = 0.3
"""Seconds in which counts are gathered before they are drawn together."""


class FacetList(OptionList, inherit_bindings=False):
    """One list of all facets, with the keys of every list; posts `Narrow` with the word of the filter language for the value chosen."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(TABLE)

    @dataclass
    class Narrow(Message):
        """Narrow the queue by a word."""

        word: str

    def __init__(self, fields: tuple[str, ...], id: str) -> None:
        super().__init__(id=id, classes="side facets", markup=False)
        self.border_title = "facets"
        self.told: dict[str, list[Doc] | None] = dict.fromkeys(fields)
        self._gathering: Timer | None = None

    def reset(self) -> None:
        """Counts are of other tasks now: they are shown as unknown until told anew."""
        self.told = dict.fromkeys(self.told)
        self._draw()

    def tell(self, field: str, rows: list[Doc]) -> None:
        """Counts of a field: drawn with those that come in the same moment, for drawing them all takes as long as a few keys."""
        self.told[field] = rows
        if None not in self.told.values():
            self._draw()
        elif self._gathering is None:
            self._gathering = self.set_timer(GATHERED, self._draw)

    @property
    def idle(self) -> bool:
        """Whether what was told is drawn."""
        return self._gathering is None

    @property
    def chosen(self) -> str:
        """The word for the value under the cursor, "" where there is none."""
        option = self.get_option_at_index(self.highlighted) if self.highlighted is not None and self.option_count else None
        return (option.id or "").partition(" ")[2] if option is not None else ""

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if self.chosen:
            self.post_message(self.Narrow(self.chosen))

    def on_focus(self) -> None:
        """Whoever comes here stands on a value, so that enter does something."""
        if self.highlighted is None:
            self.action_first()

    def action_move(self, rows: int) -> None:
        self.action_cursor_down() if rows > 0 else self.action_cursor_up()

    def action_page(self, pages: float) -> None:
        self.action_page_down() if pages > 0 else self.action_page_up()  # type: ignore[no-untyped-call]

    def action_go(self, row: int) -> None:
        self.action_first() if row == 0 else self.action_last()

    def action_choose(self) -> None:
        self.action_select()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        if self._gathering is not None:
            self._gathering.stop()
            self._gathering = None
        here = self.chosen
        width = max(self.content_size.width - 2, 16)
        options: list[Option] = []
        for field, rows in self.told.items():
            if rows == []:
                continue
            options.append(Option(Content.styled(f"{field}{' …' if rows is None else ''}", "bold"), disabled=True))
            options += [Option(_line(row, width), id=f"{field} {row['word']}") for row in rows or ()]
        self.clear_options()
        self.add_options(options)
        kept = next((i for i, one in enumerate(options) if here and (one.id or "").partition(" ")[2] == here), None)
        self.highlighted = kept
        if self.has_focus:
            self.on_focus()


def _line(row: Doc, width: int) -> Content:
    count = f"{row['tasks']:,}"
    name = safe_line(row["value"] or "none", width - len(count) - 3)
    return Content(f" {name}{' ' * (width - cell_width(name) - len(count) - 1)}{count}")
