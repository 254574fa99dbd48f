"""Credential lifelines: issued, used, revoked, and what is wrong with each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from review.show.sentences import sentences
from tui import format
from tui.actions import bindings
from tui.scopes import CREDENTIALS
from tui.screens.listed import Listed
from tui.timeline import draw
from tui.widgets.columns import Column
from tui.widgets.panel import Panel
from tui.widgets.virtual_table import VirtualTable

Doc = dict[str, Any]


class CredentialsScreen(Listed):
    """Every credential seen, the flagged ones first; its lifeline below."""

    SCOPE = CREDENTIALS
    TABLE = "credentials"
    THING = "credential"
    BINDINGS: ClassVar[list[BindingType]] = bindings(CREDENTIALS)

    def __init__(self, bond: str = "", flag: str = "") -> None:
        """`bond` and `flag` narrow the list to what a figure of the overview counts."""
        super().__init__()
        self.bond, self.flag = bond, flag
        self.document: Doc | None = None

    def crumbs(self) -> list[str]:
        narrowed = " ".join(word.replace("_", " ") for word in (self.flag, f"bond {self.bond}" if self.bond else "") if word)
        return ["Overview", f"Credentials: {narrowed}"] if narrowed else super().crumbs()

    def facts(self) -> str:
        if self.rows is None:
            return "reading …"
        return f"{len(self.rows):,} seen, {sum(1 for row in self.rows if row['flags']):,} flagged"

    def body(self) -> Iterable[Widget]:
        yield VirtualTable(
            columns(), key=lambda row: str(row["id"]), empty="No credential was seen in the evidence.", id="credentials"
        )
        yield Panel(title="lifeline", id="life")
        yield self.export_bar()

    def ready(self) -> None:
        self.query_one("#life").add_class("detail")
        self.action_refresh()

    def reread(self) -> None:
        self.action_refresh()

    def action_refresh(self) -> None:
        self.reader.forget()
        self.reader.ask(self.desk.credentials, self._arrived)

    def _arrived(self, rows: list[Doc]) -> None:
        self.rows = rows = [
            row for row in rows if (not self.bond or row["bond"] == self.bond) and (not self.flag or self.flag in row["flags"])
        ]
        self.table.show_list(rows, keep=True)
        self.set_crumbs()

    @on(VirtualTable.Moved)
    def _moved(self, event: VirtualTable.Moved) -> None:
        id = str(event.row["id"])
        self.reader.ask(lambda: self.desk.show(f"credential:{id}"), self._read, "life")

    def _read(self, document: Doc) -> None:
        self.document = document
        # The lifeline is as wide as its panel.
        title = f"lifeline {document['credential']['id']}"
        self.query_one("#life", Panel).show(lambda width: lifeline(document, width), title)

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        self.action_open_task()

    def action_open_task(self) -> None:
        row = self.table.current
        if row is None:
            return
        task = next(iter(reversed(row["tasks"])), None) or row["issued_task"]
        if task is None:
            self.say("no task is known to have used this credential")
            return
        from tui.screens.task import TaskScreen

        self.app.push_screen(TaskScreen(task, under=("Credentials",)))


def columns() -> list[Column]:
    return [
        Column("kind", 16, lambda c: str(c["kind"] or "?")),
        Column("subject", 0, lambda c: str(c["subject"] or c["key"])),
        Column("issued", 16, lambda c: format.day(c["issued"]), wide=100),
        Column("ttl", 6, _ttl),
        Column("uses", 7, lambda c: format.count(c["uses"]), right=True, wide=100),
        Column("uses", 5, lambda c: format.count(c["uses"]), right=True, below=100),
        Column("last use", 16, lambda c: format.day(c["last_use"]), wide=140),
        Column("flags", 24, lambda c: _flags(c, 1), below=120, tone=_tone),
        Column("flags", 38, lambda c: _flags(c, 2), wide=120, below=180, tone=_tone),
        Column("flags", 60, lambda c: _flags(c, 4), wide=180, tone=_tone),
    ]


def _ttl(row: Doc) -> str:
    seconds = row["ttl_seconds"]
    if seconds is None:
        return "?"
    if seconds == -1:
        return "no end"
    return format.span(seconds)


def _flags(row: Doc, most: int) -> str:
    """The first flags and how many more there are; the lifeline below has them all."""
    flags = [flag.replace("_", " ") for flag in row["flags"]]
    more = f" +{len(flags) - most}" if len(flags) > most else ""
    return ("! " if flags else "  ") + ", ".join(flags[:most]) + more


def _tone(row: Doc) -> str:
    return "warn" if row["flags"] else ""


def lifeline(document: Doc, width: int) -> Iterable[str]:
    """The life as a line, the flags each on a line of its own, then the sentences of the credential."""
    held = document["credential"]
    yield from draw(document["lifeline"], width, held["issued_task"])
    for flag in held["flags"]:
        yield f"! {flag.replace('_', ' ')}"
    yield from sentences(document)
