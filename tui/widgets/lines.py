"""Widgets of a line or two that know their width: the crumbs above, what is told of a row, the key hints below."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.content import Content
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from lang.cells import cell_width
from tui.crumbs import crumbs_line
from tui.widgets.columns import fit


class Crumbs(Widget):
    """Where one is, from the left; figures about it at the right end. The longest crumb is cut first."""

    DEFAULT_CSS = "Crumbs { height: 1; width: 1fr; }"

    def __init__(self, parts: Sequence[str] = (), facts: str = "") -> None:
        super().__init__()
        self._parts, self._facts = list(parts), facts

    def show(self, parts: Sequence[str], facts: str = "") -> None:
        self._parts, self._facts = list(parts), facts
        self.refresh()

    def render(self) -> Content:
        return Content(crumbs_line(self._parts, self._facts, self.content_size.width))


class Why(Widget):
    """Lines that change at every key, each cut at the width: put together here, for the common text costs a tenth of a key.

    A blank cell at either side is part of the lines, for a widget with a frame is not its lines alone.
    """

    def __init__(self, *, id: str, classes: str) -> None:
        super().__init__(id=id, classes=classes)
        self.text = ""
        self._lines = [""]

    def tell(self, text: str, *, layout: bool) -> None:
        """Show another text; with `layout` it may take another height."""
        self.text, self._lines = text, text.split("\n")
        self.refresh(layout=layout)

    @property
    def room(self) -> int:
        """Cells of a line."""
        return max(self.size.width - 2, 0)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines)

    def render_lines(self, crop: Region) -> list[Strip]:
        style, background, span = self.rich_style, self.background_colors[1], crop.column_span
        strips = [Strip([Segment(self._line(y), style)], self.size.width) for y in crop.line_range]
        for filter in self.get_line_filters():
            strips = [strip.apply_filter(filter, background) for strip in strips]
        return strips if span == (0, self.size.width) else [strip.crop(*span) for strip in strips]

    def _line(self, y: int) -> str:
        return fit(f" {fit(self._lines[y] if y < len(self._lines) else '', self.room)}", self.size.width)


class Hint(Widget):
    """As many (key, label) pairs as the width holds; the last one, help, always stays."""

    DEFAULT_CSS = "Hint { height: 1; width: 1fr; }"

    def __init__(self, keys: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._keys = list(keys)

    def show(self, keys: Sequence[tuple[str, str]]) -> None:
        self._keys = list(keys)
        self.refresh()

    def render(self) -> Content:
        return Content.assemble(*hint_pieces(self._keys, self.content_size.width))


def hint_pieces(keys: Sequence[tuple[str, str]], width: int) -> list[tuple[str, str]]:
    """(text, style) pieces of the pairs that fit, the last pair among them."""
    room = width
    taken: list[tuple[str, str]] = []
    last = keys[-1:] if keys else []
    room -= sum(_cells(pair) for pair in last)
    for pair in keys[:-1]:
        if _cells(pair) > room:
            break
        room -= _cells(pair)
        taken.append(pair)
    return [piece for key, label in [*taken, *last] for piece in ((key, "bold"), (f" {label}  ", ""))]


def _cells(pair: tuple[str, str]) -> int:
    return cell_width(pair[0]) + cell_width(pair[1]) + 3
