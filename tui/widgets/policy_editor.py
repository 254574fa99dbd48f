"""A YAML editor whose problems stand in the text: the span underlined, the message after the line."""

from __future__ import annotations

import re
from typing import Any

from rich.style import Style
from rich.text import Text
from textual import events
from textual.widgets import TextArea

from lang.safe import safe_line
from tui.widgets.candidates import Candidates

HIGHLIGHT_LIMIT = 5000
"""Lines above which highlighting costs more per key than it gives."""

_BLANK = re.compile(r"[ \t]*")
_BEGINNING = re.compile(r"[ \t]*(?:- +)*")
_OPENS = re.compile(r"(?:^[^#]*:|:\s+[|>][+-]?\d?|^\s*-)\s*$")
"""What is opened here is written on the lines below, further in."""

MARKS = {"error": ("✗", "red"), "warning": ("▲", "yellow")}


class PolicyEditor(TextArea):
    """TextArea with diagnostics; each is {line, column, end_column, severity, message}, counted from 1.

    `esc` is left to the screen. What could steer the terminal is drawn as a visible character, and kept in the text.
    """

    def __init__(self, text: str, **more: Any) -> None:
        super().__init__(text, language="yaml", soft_wrap=True, show_line_numbers=True, tab_behavior="indent", **more)
        self.border_title = "policy"
        self._problems: dict[int, tuple[int, int, str, str]] = {}
        self.candidates = Candidates(self)

    async def _on_key(self, event: events.Key) -> None:
        if self.candidates.take_key(event.key):
            event.prevent_default()
            event.stop()
        elif event.key == "escape":
            # TextArea would move the focus on; here the screen decides what esc leaves.
            event.prevent_default()
        elif event.key == "enter" and not self.read_only:
            event.prevent_default()
            event.stop()
            start, _ = sorted(self.selection)
            line = self.document.get_line(start[0])[: start[1]]
            self._replace_via_keyboard(f"\n{indent_after(line, yaml=self.language in ('yaml', None))}", *self.selection)

    def on_blur(self) -> None:
        self.candidates.close()

    def load_text(self, text: str) -> None:
        self.candidates.close()
        self._problems = {}
        super().load_text(text)
        self.language = "yaml" if text.count("\n") < HIGHLIGHT_LIMIT else None

    def put(self, text: str, colours: str = "yaml", *, undo: bool = True) -> None:
        """Another text in place of this one, in the colours of a language; with `undo`, undoing brings the old one back."""
        self._problems = {}
        if self.text and undo:
            self.replace(text, (0, 0), self.document.end, maintain_selection_offset=False)
            self.move_cursor((0, 0))
        else:
            self.load_text(text)
        self.language = colours if colours and text.count("\n") < HIGHLIGHT_LIMIT else None

    def undo(self) -> None:
        """As the base class does; but that measures the text before it puts the cursor back, and a line that is gone made it raise."""
        if self.history.undo_stack:
            self.move_cursor((0, 0), record_width=False)
        super().undo()

    def redo(self) -> None:
        """See `undo`."""
        if self.history.redo_stack:
            self.move_cursor((0, 0), record_width=False)
        super().redo()

    def show_problems(self, problems: list[dict[str, Any]]) -> None:
        """Draw these problems; of several on one line an error, and the first of those, is told in the line."""
        found: dict[int, tuple[int, int, str, str]] = {}
        for problem in sorted(problems, key=lambda p: (p["severity"] != "error", p["line"], p["column"])):
            start = max(problem["column"] - 1, 0)
            end = max((problem.get("end_column") or 0) - 1, start + 1)
            found.setdefault(problem["line"] - 1, (start, end, problem["severity"], safe_line(problem["message"])))
        if found != self._problems:
            self._problems = found
            # TextArea has no public decoration API: its private cache of rendered lines has to go.
            self._line_cache.clear()
            self.refresh()

    def get_line(self, line_index: int) -> Text:
        text = Text(visible(self.document.get_line(line_index)), end="", no_wrap=True)
        if found := self._problems.get(line_index):
            start, end, severity, message = found
            mark, colour = MARKS.get(severity, ("i", "blue"))
            text.stylize(Style(underline=True, color=colour), start, min(end, len(text)))
            text.append(f"   {mark} {message}", Style(color=colour))
        return text


def indent_after(line: str, *, yaml: bool = True) -> str:
    """The white space a new line begins with after this one: in YAML below the item's first key, and deeper where a block is opened."""
    begin = _BEGINNING.match(line) if yaml else _BLANK.match(line)
    assert begin is not None
    lead = re.sub(r"[^\t]", " ", begin[0])
    return lead + "  " if yaml and _OPENS.search(line) else lead


def visible(line: str) -> str:
    """`line` with each character that could steer a terminal as one that cannot; as long as before, so that columns hold."""
    if line.isascii() and line.isprintable():
        return line
    return "".join(char if char == "\t" or char.isprintable() else _picture(char) for char in line)


def _picture(char: str) -> str:
    code = ord(char)
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else "\N{REPLACEMENT CHARACTER}"
