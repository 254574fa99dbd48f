"""Sources: every file reconciled to the last record, and which enforcement point was watched when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from lang.counted import count as how_many
from review.intake.sources import remarks
from tui import coverage, format
from tui.actions import bindings
from tui.scopes import SOURCES
from tui.screens.base import in_place
from tui.screens.listed import Listed
from tui.widgets.columns import Column
from tui.widgets.panel import Panel
from tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from review.judge.live import News

Doc = dict[str, Any]

VIEWS = ("enforcement point", "agent", "team", "week")
"""What the panel below tells coverage by, in turn."""


ASIDE = 3
"""Cells kept free beside the strips."""


class SourcesScreen(Listed):
    """What was imported above; below, what it covers or how the source under the cursor reconciles."""

    SCOPE = SOURCES
    TABLE = "sources"
    THING = "source"
    BINDINGS: ClassVar[list[BindingType]] = bindings(SOURCES)

    def __init__(self, by: str = VIEWS[0]) -> None:
        super().__init__()
        self.points: list[Doc] = []
        self.by = by
        self.shares: list[Doc] = []
        self.detail_shown = False
        self.untold = ""
        """Why there are no rows, where they could not be read."""

    def facts(self) -> str:
        if self.rows is None:
            return "not read" if self.untold else "reading …"
        sums = {name: sum(row["records"][name] for row in self.rows) for name in ("read", "accepted", "duplicate", "rejected")}
        return (
            f"{how_many(len(self.rows), 'source')}: {sums['read']:,} read = {sums['accepted']:,} accepted + "
            f"{sums['duplicate']:,} known + {sums['rejected']:,} rejected"
        )

    def body(self) -> Iterable[Widget]:
        yield VirtualTable(columns(), key=lambda row: str(row["id"]), empty="Nothing imported yet; i imports.", id="sources")
        yield Panel(title="coverage", id="below")
        yield self.export_bar()

    def ready(self) -> None:
        self.query_one("#below").add_class("detail")
        self.action_refresh()

    def reread(self) -> None:
        self.action_refresh()

    def action_refresh(self) -> None:
        self.reader.ask(self.desk.sources, self._sources, "sources")
        self.reader.ask(self.desk.coverage, self._coverage, "coverage")
        self._ask_shares()

    def _ask_shares(self) -> None:
        by = self.by
        if by != VIEWS[0]:
            self.reader.ask(lambda: self.desk.coverage_by(by), self._shares, "shares")

    def _shares(self, rows: list[Doc]) -> None:
        self.shares = rows
        self._show_below()

    def action_tell_by(self) -> None:
        """Turn the panel below to the next way of telling what was watched and governed."""
        self.by = VIEWS[(VIEWS.index(self.by) + 1) % len(VIEWS)]
        self.shares, self.detail_shown = [], False
        self._show_below()
        self._ask_shares()

    def _sources(self, rows: list[Doc]) -> None:
        # What was refused comes first: it is what a reviewer has to look at.
        self.rows = rows = sorted(rows, key=lambda row: not row["records"]["rejected"])
        self.table.show_list(rows, keep=True)
        self.set_crumbs()

    def read_failed(self, error: BaseException) -> None:
        super().read_failed(error)
        if self.rows is None:
            self.untold = self.table.empty = in_place(error)
            self.table.show_list([])
            self.set_crumbs()

    def _coverage(self, rows: list[Doc]) -> None:
        self.points = rows
        self._show_below()

    def _show_below(self) -> None:
        panel = self.query_one("#below", Panel)
        row = self.table.current
        if self.detail_shown and row is not None:
            panel.show(source_lines(row), f"reconciliation of {row['name']}")
        else:
            self._show_coverage(panel)

    def _show_coverage(self, panel: Panel) -> None:
        if self.by == VIEWS[0]:
            points = self.points
            panel.show(lambda width: coverage.lines(points, width - ASIDE), f"coverage by {self.by}")
        else:
            shares, by = self.shares, self.by
            panel.show(lambda width: coverage.share_lines(shares, by, width - ASIDE), f"governed by {by}")

    @on(VirtualTable.Moved)
    def _moved(self) -> None:
        if self.detail_shown:
            self._show_below()

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        self.detail_shown = not self.detail_shown
        self._show_below()

    def action_details(self) -> None:
        self.table.action_choose()

    def step_back(self) -> bool:
        if self.close_bar():
            return True
        if self.detail_shown:
            self.detail_shown = False
            self._show_below()
            return True
        return False

    # importing

    def action_import_files(self) -> None:
        from tui.screens.importing import ImportScreen

        if self.may_write():
            self.app.push_screen(ImportScreen())

    def action_finished(self) -> None:
        from tui.screens.finished import FinishedScreen

        self.app.push_screen(FinishedScreen())

    def import_ended(self) -> None:
        self.action_refresh()

    def live(self, news: News) -> bool:
        """Files that others import are listed where they belong; the cursor stays on its row."""
        if news.files:
            self.action_refresh()
        return True


def columns() -> list[Column]:
    return [
        Column("source", 0, lambda s: str(s["name"]), ends=True),
        Column("format", 12, lambda s: str(s["format"]), below=100),
        Column("format", 18, lambda s: str(s["format"]), wide=100),
        Column("read", 8, lambda s: format.count(s["records"]["read"]), right=True),
        Column("accepted", 8, lambda s: format.count(s["records"]["accepted"]), right=True),
        Column("known", 7, lambda s: format.count(s["records"]["duplicate"]), right=True),
        Column("rejected", 9, _rejected, right=True, tone=lambda s: "warn" if s["records"]["rejected"] else ""),
        Column("clock", 9, _clock, tone=lambda s: "warn" if s["skew_seconds"] or s["zone_assumed"] else "dim", wide=100),
        Column("gaps", 5, lambda s: format.count(len(s["gaps"])) if s["gaps"] else "·", right=True, wide=100),
        Column("first", 16, lambda s: format.day(s["first"]), wide=120),
        Column("last", 16, lambda s: format.day(s["last"]), wide=140),
    ]


def _rejected(row: Doc) -> str:
    count = row["records"]["rejected"]
    return f"! {format.count(count)}" if count else "0"


def _clock(row: Doc) -> str:
    """The clock's skew, a mark where its zone is only assumed; a dot where nothing is known against it."""
    skew = f"{row['skew_seconds']:+g} s" if row["skew_seconds"] else ""
    zone = "zone?" if row["zone_assumed"] else ""
    return f"{zone} {skew}".strip() or "·"


def source_lines(row: Doc) -> Iterable[str]:
    """What a source is, what it leaves open, and each of its rejected records with its place and the reason."""
    digest = f"sha256 {row['sha256']}" if row["sha256"] else "the import was cut short: no digest of the whole file"
    yield f"{digest}, {row['bytes']:,} bytes"
    yield f"{row['first'] or '?'} to {row['last'] or '?'}: {how_many(row['events'], 'event')} of {', '.join(row['enforcement_points']) or 'no point'}"
    yield from remarks(row)
    for gap in row["gaps"] if len(row["gaps"]) > 1 else ():
        yield f"silent from {gap['from']} to {gap['to']}"
    if not row["rejects"]:
        yield "No rejected record: every record that was read is accepted or was known already."
    for reject in row["rejects"]:
        item = f", item {reject['index']}" if reject["index"] else ""
        yield f"line {reject['line']}{item}, byte {reject['offset']}: {reject['reason']}"
    if row["rejects_left_out"]:
        yield f"and {row['rejects_left_out']:,} more"
