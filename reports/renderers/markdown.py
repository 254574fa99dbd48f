"""report.md: the same content for tickets and repositories."""

from __future__ import annotations

from pathlib import Path

from reports.renderers.base import Document
from reports.renderers.templating import text


class Markdown:
    """Plain text with tables."""

    id = "markdown"
    title = "Markdown"
    order = 20

    def population(self, folder: Path) -> None:
        return None

    def render(self, document: Document, folder: Path) -> dict[str, int]:
        template = text().get_template("report.md")
        template.stream(report=document).dump(str(folder / "report.md"), "utf-8")
        return {"report.md": -1}


RENDERER = Markdown()
