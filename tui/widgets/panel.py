"""A scrolling panel of foreign text: made harmless, bounded, and titled in its frame."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from lang.safe import safe_line, safe_text

LINES = 2000
LINE = 4000
"""Characters of one line, and lines, that are drawn; what is left out is counted in its place."""

EMPHASIS = ("!", "▒", "✗", "▲", "── ")


class Panel(VerticalScroll):
    """Shows lines; those that begin with a mark of weight are bold."""

    def __init__(self, *, title: str = "", **more: str) -> None:
        super().__init__(classes="panel", **more)  # type: ignore[arg-type]
        self.border_title = title
        self._text = Static("")

    def compose(self) -> ComposeResult:
        yield self._text

    def show(self, lines: Iterable[str] | str, title: str | None = None, *, keep: bool = False) -> None:
        """Show other lines from the top, or with `keep` from where one had scrolled to."""
        if title is not None:
            self.border_title = safe_line(title, 100)
        self._text.update(content(lines))
        if not keep:
            self.scroll_home(animate=False)

    @property
    def text(self) -> str:
        shown = self._text.content
        return shown.plain if isinstance(shown, Content) else str(shown)

    def turn(self, direction: int) -> None:
        """Scroll by most of a page."""
        self.scroll_relative(y=direction * max(self.size.height - 2, 1), animate=False)


def content(lines: Iterable[str] | str) -> Content:
    """Harmless content of bounded size."""
    given = lines if isinstance(lines, str) else "\n".join(lines)
    rows = given.replace("\r\n", "\n").split("\n")
    left_out = len(rows) - LINES
    drawn = [_line(row) for row in rows[:LINES]]
    if left_out > 0:
        drawn.append(Content(f"… and {left_out:,} more lines"))
    return Content("\n").join(drawn)


def _line(row: str) -> Content:
    shown = safe_text(row[:LINE])
    if len(row) > LINE:
        shown += f"… and {len(row) - LINE:,} more characters"
    return Content.styled(shown, "bold") if shown.startswith(EMPHASIS) else Content(shown)
