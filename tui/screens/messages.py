"""What was said in passing during this sitting, the newest first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lang.safe import safe_line
from tui.screens.log import LogDialog

if TYPE_CHECKING:
    from tui.telling import Word

MARKS = {"information": " ", "warning": "!", "error": "✗"}


class MessagesScreen(LogDialog):
    """A log of passing words."""

    FRAMED = "messages of this sitting"
    NOTHING = "Nothing was said in this sitting yet."

    def lines(self) -> Iterable[str]:
        return map(line_of, reversed(self.remit.said))


def line_of(word: Word) -> str:
    """A passing word as a line: when, how bad, about what."""
    about = f"{word.title}: " if word.title else ""
    return f"{MARKS[word.severity]} {datetime.fromtimestamp(word.at, UTC):%H:%M:%S}Z  {safe_line(about + word.text, 600)}"
