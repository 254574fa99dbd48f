"""The versions of the policies: who saved each and why, what it would have done, what it changed; put in force, and taken back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Input

from review.policy import policy_words as words
from tui import format
from tui.actions import bindings
from tui.scopes import VERSIONS
from tui.screens.base import DeskScreen
from tui.widgets.columns import Column
from tui.widgets.panel import Panel
from tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from tui.screens.draft import DraftScreen

Doc = dict[str, Any]

VIEWS = ("what it would have done", "changed since the version before", "changed from the one in force", "its text")
"""What the panel shows of a version, one after the other."""


class VersionsScreen(DeskScreen):
    """Every saved version, the newest first; one of them whole below."""

    SCOPE = VERSIONS
    TABLE = "versions"
    BINDINGS: ClassVar[list[BindingType]] = bindings(VERSIONS)

    def __init__(self, policy: DraftScreen) -> None:
        super().__init__()
        self.policy = policy
        self.rows: list[Doc] | None = None
        self.document: Doc | None = None
        self.view = 0

    def crumbs(self) -> list[str]:
        return ["Policy", "Versions"]

    def facts(self) -> str:
        if self.rows is None:
            return "reading …"
        held = [f"{row['name']}@{row['version']}" for row in self.rows if row["state"] == "in force"]
        return f"{len(self.rows):,} saved, in force: {', '.join(held) or 'none'}"

    def body(self) -> Iterable[Widget]:
        empty = "No version is saved yet: on the Policy screen ctrl+s saves the draft as one."
        yield VirtualTable(columns(), key=reference, empty=empty, id="versions")
        yield Panel(title="version", id="version")
        yield Input(classes="bar", id="promote")
        yield Input(classes="bar", id="rollback")

    def ready(self) -> None:
        self.query_one("#version").add_class("detail")
        self.reread()

    def reread(self) -> None:
        self.reader.ask(self.desk.versions, self._arrived)

    def _arrived(self, rows: list[Doc]) -> None:
        self.rows = rows
        self.table.show_list(rows, keep=True)
        self.set_crumbs()

    @on(VirtualTable.Moved)
    def _moved(self, event: VirtualTable.Moved) -> None:
        ref = reference(event.row)
        self.reader.ask(lambda: self.desk.version(ref), self._read, "version")

    def _read(self, document: Doc) -> None:
        self.document = document
        self._draw()

    def _draw(self) -> None:
        if self.document is not None:
            title = f"{reference(self.document)}: {VIEWS[self.view]}"
            self.query_one("#version", Panel).show(shown(self.document, self.view), title)

    def action_view(self) -> None:
        self.view = (self.view + 1) % len(VIEWS)
        self._draw()

    # into the draft, into force, and back

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        self.action_draft()

    def action_draft(self) -> None:
        row = self.table.current
        if row is not None:
            self.app.pop_screen()
            self.policy.take_version(reference(row))

    def action_promote(self) -> None:
        row = self.table.current
        if row is not None and self.may_write():
            self._ask("promote", f"why {reference(row)} is put in force (required)")

    def action_rollback(self) -> None:
        row = self.table.current
        if row is not None and self.may_write():
            self._ask("rollback", f"why {row['name']} goes back to the version before (required)")

    def _ask(self, id: str, what: str) -> None:
        self.query_one(f"#{id}", Input).placeholder = what
        self.open_bar(id)

    @on(Input.Submitted)
    def _reason_given(self, event: Input.Submitted) -> None:
        row, reason = self.table.current, event.value.strip()
        if not reason or row is None:
            self.say("it needs a reason, which stands in the journal; esc gives it up")
            return
        self.close_bar()
        if event.input.id == "promote":
            self.reader.act(lambda: self.desk.promote(reference(row), reason), self._done)
        else:
            self.reader.act(lambda: self.desk.rollback(str(row["name"]), reason), self._done)

    def _done(self, done: Doc) -> None:
        self.seen = self.desk.generation
        self.say(words.done_line(done))
        self.reader.forget()
        self.reread()


def reference(row: Doc) -> str:
    """`NAME@VERSION`, as the command line takes it."""
    return f"{row['name']}@{row['version']}"


def columns() -> list[Column]:
    return [
        Column("version", 22, reference, below=100),
        Column("version", 30, reference, wide=100),
        Column("state", 12, lambda row: str(row["state"]), tone=_tone),
        Column("saved", 16, lambda row: format.day(row["at"]), wide=100),
        Column("by", 12, lambda row: str(row["author"]), wide=100),
        Column("reason", 0, lambda row: str(row["reason"] or "none given")),
        Column("allow/deny/ask", 15, _changes, right=True),
    ]


def _tone(row: Doc) -> str:
    return "good" if row["state"] == "in force" else ""


def _changes(row: Doc) -> str:
    """Requests newly allowed, denied and asked against what was recorded."""
    summary = row["summary"]
    if summary is None:
        return "not tried"
    return f"{summary['newly_allowed']:,}/{summary['newly_denied']:,}/{summary['newly_asked']:,}"


def shown(document: Doc, view: int) -> Iterator[str]:
    """One view of a version, in lines."""
    if view == 0:
        yield f"{words.state(document)}; saved {document['at']} by {document['author']}"
        yield f"Reason: {document['reason'] or 'none given'}"
        yield from words.dry_run_lines(document["dry_run"])
        yield from map(words.turn_line, document["in_force"])
        yield f"{document['format']}, sha256 {document['sha256']}"
    elif view == 1:
        yield from words.diff_lines(document["since_before"])
    elif view == 2:
        held = document["since_in_force"]
        yield from words.diff_lines(held) if held is not None else ("No other version of it is in force.",)
    else:
        for file in document["files"]:
            yield f"── {file['name']}" + (f" ({file['layer']})" if file["layer"] else "")
            yield from file["text"].splitlines()
