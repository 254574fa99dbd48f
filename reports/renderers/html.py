"""report.html: one file for people. No script, nothing loaded from outside, made to be printed and read aloud."""

from __future__ import annotations

from pathlib import Path

from reports.renderers.base import Document
from reports.renderers.templating import html


class Html:
    """The main format for people."""

    id = "html"
    title = "HTML (one file)"
    order = 30

    def population(self, folder: Path) -> None:
        return None

    def render(self, document: Document, folder: Path) -> dict[str, int]:
        template = html().get_template("report.html")
        template.stream(report=document).dump(str(folder / "report.html"), "utf-8")
        return {"report.html": -1}


RENDERER = Html()
