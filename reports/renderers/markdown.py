"""report.md: the same content for tickets and repositories."""

from __future__ import annotations

from pathlib import Path

from reports.renderers.base import Choices, Document
from reports.renderers.templating import Page


class Markdown:
    """Plain text with tables."""

    id = "markdown"
    title = "Markdown"
    order = 20

    def __init__(self, choices: Choices | None = None) -> None:
        self._choices = choices or Choices()

    def configured(self, choices: Choices) -> Markdown:
        return Markdown(choices)

    def population(self, folder: Path) -> None:
        return None

    def render(self, document: Document, folder: Path) -> dict[str, int]:
        Page("report.md", html=False, folder=self._choices.templates).write(folder / "report.md", report=document)
        return {"report.md": -1}


RENDERER = Markdown()
