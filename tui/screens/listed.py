"""A screen whose whole list is at hand: it can be written to a file, and the id of a row be copied."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.widgets import Input

from tui.screens.base import DeskScreen
from tui.widgets.columns import shown_columns

Doc = dict[str, Any]

EXPORT_HINT = "a .csv, .jsonl or .md file"
_ROOMY = 400
"""Cells of a table in which every column has its fullest form."""


class Listed(DeskScreen):
    """Subclasses keep their `rows` as they are listed, yield `export_bar()` in their body, and name a row by its THING."""

    THING: ClassVar[str] = "row"
    rows: list[Doc] | None = None

    def export_bar(self) -> Input:
        return Input(placeholder=EXPORT_HINT, classes="bar", id="export")

    def action_copy(self) -> None:
        row = self.table.current
        if row is not None:
            self.copy(str(row["id"]), f"the {self.THING}'s id")

    def action_export(self) -> None:
        self.open_bar("export", f"{self.SCOPE}.csv")

    @on(Input.Submitted, "#export")
    def _export(self, event: Input.Submitted) -> None:
        path, rows, scope = event.value.strip(), list(self.rows or ()), self.SCOPE
        shown = [(one.heading or "mark", one.text) for one, _ in shown_columns(self.table.columns, _ROOMY)]
        if path:
            self.reader.act(lambda: self.desk.export_list(path, scope, rows, shown), self.exported)
        else:
            self.close_bar()
