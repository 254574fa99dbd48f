"""Credential lifelines: issued, used, revoked, and what is wrong with each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from lang.safe import safe_line, safe_text
from review.sentences import sentences
from tui import format
from tui.actions import CREDENTIALS, bindings
from tui.screens.base import DeskScreen
from tui.screens.sources import Listed
from tui.widgets.virtual_table import Column, VirtualTable

Doc = dict[str, Any]


class CredentialsScreen(DeskScreen):
    """Every credential seen, the flagged ones first."""

    SCOPE = CREDENTIALS
    BINDINGS: ClassVar[list[BindingType]] = bindings(CREDENTIALS)

    def body(self) -> Iterable[Widget]:
        yield VirtualTable(
            columns(), key=lambda row: str(row["id"]), empty="No credential was seen in the evidence.", id="credentials"
        )
        with VerticalScroll(classes="panel detail"):
            yield Static("", id="life", markup=False)

    def ready(self) -> None:
        self.query_one("#credentials", VirtualTable).focus()
        self.action_refresh()

    def action_refresh(self) -> None:
        self.reader.forget()
        self.reader.ask(self.desk.credentials, self._arrived)

    def _arrived(self, rows: list[Doc]) -> None:
        self.query_one("#credentials", VirtualTable).show_rows(Listed(rows), self.reader)

    @on(VirtualTable.Moved)
    def _moved(self, event: VirtualTable.Moved) -> None:
        panel = self.query_one("#life", Static)
        self.reader.ask(
            lambda: self.desk.show(event.row["id"]), lambda document: panel.update(safe_text("\n".join(sentences(document))))
        )


def columns() -> list[Column]:
    return [
        Column("kind", 14, lambda c: safe_line(str(c["kind"] or "?"))),
        Column("subject", 0, lambda c: safe_line(str(c["subject"] or c["key"]))),
        Column("issued", 16, lambda c: format.day(c["issued"])),
        Column(
            "ttl", 8, lambda c: "none" if c["ttl_seconds"] == -1 else "?" if c["ttl_seconds"] is None else f"{c['ttl_seconds']}s"
        ),
        Column("uses", 5, lambda c: str(c["uses"]), right=True),
        Column("last use", 16, lambda c: format.day(c["last_use"])),
        Column("flags", 26, lambda c: " ".join(c["flags"])),
    ]
