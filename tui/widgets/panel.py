"""A scrolling panel of foreign text: made harmless, bounded, and titled in its frame."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from textwrap import wrap

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from lang.cells import cell_width, wrapped
from lang.safe import safe_line, safe_row

LINES = 2000
LINE = 4000
"""Characters of one line, and lines, that are drawn; what is left out is counted in its place."""

FRAME = 6
"""Cells of a frame's upper line that its title cannot have."""

_BRANCHES = " │├└─"
_BELOW = str.maketrans({"├": "│", "└": " ", "─": " "})
"""What a tree's branches go on as in the lines below."""

EMPHASIS = ("!", "▒", "✗", "▲", "── ", "» ")


Lines = Iterable[str] | str
Fitted = Callable[[int], Lines]
"""Lines for so many cells of width."""


class Panel(VerticalScroll):
    """Shows lines, wrapped under their own indentation; those that begin with a mark of weight are bold."""

    def __init__(self, *, title: str = "", keys: str = "J K", **more: str) -> None:
        super().__init__(classes="panel", **more)  # type: ignore[arg-type]
        self._title = title
        self.keys = keys
        """The keys that scroll it where it stands."""
        self._text = Static("")
        self._fitted: Fitted | None = None
        self._lines: list[str] = []
        self._width = 0
        self._find = ""
        self._paint: Callable[[str], str] | None = None

    def compose(self) -> ComposeResult:
        yield self._text

    def show(
        self,
        lines: Lines | Fitted,
        title: str | None = None,
        *,
        find: str = "",
        paint: Callable[[str], str] | None = None,
    ) -> None:
        """Show other lines from the top. What was searched (`find`) stands out; `paint` gives a line's style.

        `lines` that depend on how many cells a line has are a function of it: asked anew whenever the panel's width changes.
        """
        self._find, self._paint = find, paint
        if title is not None:
            self._title = title
        self._entitle()
        self._fitted = lines if callable(lines) else None
        self._lines = bounded(lines(self.room) if callable(lines) else lines)
        self._draw()
        self.scroll_home(animate=False)

    def watch_show_vertical_scrollbar(self, more: bool) -> None:
        """Say in the frame that there is more than fits, and which keys show it."""
        self.border_subtitle = f"{self.keys} scroll" if more else ""

    def on_resize(self, event: events.Resize) -> None:
        self._entitle()
        if self.content_size.width and self._width != self.room:
            if self._fitted is not None:
                self._lines = bounded(self._fitted(self.room))
            self._draw()

    def _entitle(self) -> None:
        """Fit the title into the frame: Textual would cut it at its end, where the name of a file is."""
        self.border_title = safe_line(self._title, min(max(self.outer_size.width - FRAME, 20), 100))

    @property
    def room(self) -> int:
        """Cells of one line of text."""
        # One cell is kept for the scroll bar, whether it shows or not, so that nothing moves when it comes.
        return max(self.content_size.width - 1, 20)

    def _draw(self) -> None:
        # Hidden it has no width: text broken for none would be long, and its scroll bar would be there when it shows.
        self._width = self.room if self.content_size.width else 0
        self._text.update(Content("\n").join(self._drawn(line) for line in self._lines) if self._width else "")
        # Textual measures a text once between two idle moments, so that of two texts in one moment the first one's height stayed.
        self._text._layout_updates += 1

    def _drawn(self, line: str) -> Content:
        content = _styled(line, self._width, self._paint(line) if self._paint else "")
        if self._find:
            for found in re.finditer(re.escape(self._find), content.plain, re.IGNORECASE):
                content = content.stylize("reverse", *found.span())
        return content

    @property
    def text(self) -> str:
        """What is shown, unwrapped."""
        return "\n".join(self._lines)

    def turn(self, direction: int) -> None:
        """Scroll by most of a page."""
        self.scroll_relative(y=direction * max(self.size.height - 2, 1), animate=False)


def bounded(lines: Lines) -> list[str]:
    """Harmless lines of bounded number and length; what is left out is counted in its place.

    A text is broken where it breaks itself. Of several lines each stays one: a name with a line break in it would be evidence
    that no record holds.
    """
    rows = lines.replace("\r\n", "\n").split("\n") if isinstance(lines, str) else list(lines)
    drawn = [
        safe_row(row[:LINE]) + (f"… and {len(row) - LINE:,} more characters" if len(row) > LINE else "") for row in rows[:LINES]
    ]
    return drawn if len(rows) <= LINES else [*drawn, f"… and {len(rows) - LINES:,} more lines"]


def _styled(line: str, width: int, style: str = "") -> Content:
    hung = hang(line, width)
    if style:
        return Content.styled(hung, style)
    return Content.styled(hung, "bold") if line.startswith(EMPHASIS) else Content(hung)


def hang(line: str, width: int) -> str:
    """`line` broken at `width`, what follows standing two cells further in than its beginning, below the branches of a tree."""
    if cell_width(line) <= width:
        return line
    lead = line[: len(line) - len(line.lstrip(_BRANCHES))][: width // 2]
    indent = lead.translate(_BELOW) + "  "
    if cell_width(line) != len(line):
        return "\n".join(wrapped(line[len(lead) :], width, lead, indent))
    said = wrap(
        line[len(lead) :], width, initial_indent=lead, subsequent_indent=indent, replace_whitespace=False, break_on_hyphens=False
    )
    return "\n".join(said)
