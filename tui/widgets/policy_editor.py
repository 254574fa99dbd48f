"""A YAML editor whose problems stand in the text: the span underlined, the message after the line."""

from __future__ import annotations

from typing import Any

from rich.style import Style
from rich.text import Text
from textual.widgets import TextArea

from lang.safe import safe_line

HIGHLIGHT_LIMIT = 5000
"""Lines above which highlighting costs more per key than it gives."""


class PolicyEditor(TextArea):
    """TextArea with diagnostics; each is {line, column, end_column, severity, message}, counted from 1."""

    def __init__(self, text: str, **more: Any) -> None:
        super().__init__(text, language="yaml", soft_wrap=False, show_line_numbers=True, tab_behavior="indent", **more)
        self._problems: dict[int, tuple[int, int, str, str]] = {}

    def load_text(self, text: str) -> None:
        self._problems = {}
        super().load_text(text)
        self.language = "yaml" if text.count("\n") < HIGHLIGHT_LIMIT else None

    def show_problems(self, problems: list[dict[str, Any]]) -> None:
        found: dict[int, tuple[int, int, str, str]] = {}
        for problem in reversed(problems):
            start = max(problem["column"] - 1, 0)
            end = max((problem.get("end_column") or 0) - 1, start + 1)
            found[problem["line"] - 1] = (start, end, problem["severity"], safe_line(problem["message"]))
        if found != self._problems:
            self._problems = found
            # TextArea has no public decoration API: its private cache of rendered lines has to go.
            self._line_cache.clear()
            self.refresh()

    def get_line(self, line_index: int) -> Text:
        text = super().get_line(line_index)
        if found := self._problems.get(line_index):
            start, end, severity, message = found
            mark, colour = ("✗", "red") if severity == "error" else ("▲", "yellow")
            text.stylize(Style(underline=True, color=colour), start, min(end, len(text)))
            text.append(f"   {mark} {message}", Style(color=colour))
        return text
