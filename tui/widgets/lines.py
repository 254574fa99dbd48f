"""One-line widgets that know their width: the crumbs above and the key hints below."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget

from lang.safe import cell_width, safe_line

BETWEEN = " › "


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


def crumbs_line(parts: Sequence[str], facts: str, width: int) -> str:
    """`parts` joined and `facts` flush right in exactly `width` cells; harmless whatever the parts hold."""
    shown = [safe_line(part, width) for part in parts if part]
    right = safe_line(facts, max(width - 8, 0))
    room = width - (cell_width(right) + 2 if right else 0)
    while shown:
        over = cell_width(BETWEEN.join(shown)) - room
        longest = max(range(len(shown)), key=lambda i: cell_width(shown[i]))
        cut = max(cell_width(shown[longest]) - over, 6)
        if over <= 0 or cut >= cell_width(shown[longest]):
            break
        shown[longest] = safe_line(shown[longest], cut)
    left = safe_line(BETWEEN.join(shown), max(room, 0))
    return left + " " * max(width - cell_width(left) - cell_width(right), 0) + right


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
