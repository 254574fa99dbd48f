"""A dry-run beside the text it is of: its figures, the lists that can be walked, and the row under the cursor in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from textual import events, on
from textual.containers import Vertical
from textual.widget import Widget

from lang.safe import safe_line, safe_text
from tui import dryrun, dryrun_tables
from tui.widgets.panel import hang
from tui.widgets.told import Told
from tui.widgets.virtual_table import VirtualTable

Doc = dict[str, Any]

FEW_ROWS = 38
"""Rows of the screen below which the figures are told in short."""
_ENTER = {"flips": "enter walks the step, r goes to its rule", "rules": "enter goes to the rule"}
_FOLLOWED = ("followed", "downstream", "consequences")
"""What is known of a flip once its step was followed down the chain, whatever the draft."""


class DryRunSide(Vertical):
    """Shows one dry-run; what is told a moment later is added with `more`.

    `follow` is asked for what hangs on a denied flip under the cursor: it adds it to the row and then calls back.
    """

    def __init__(self, follow: Callable[[Doc, Callable[[], None]], None], **more: Any) -> None:
        super().__init__(**more)
        self.follow = follow
        self.run: Doc | None = None
        self.took: float | None = None
        self.waiting = False
        self.lead = "reading the history …"
        self.view = dryrun_tables.VIEWS[0]

    def compose(self) -> Iterable[Widget]:
        yield Told(self.lead, id="summary")
        yield VirtualTable(self.view.columns(), key=self.view.key, empty="", id="flips")
        yield Told("", id="chosen", classes="-empty")

    def on_mount(self) -> None:
        self.entitle()

    @property
    def table(self) -> VirtualTable:
        return self.query_one("#flips", VirtualTable)

    @property
    def current(self) -> Doc | None:
        """The row under the cursor."""
        return self.table.current

    def entitle(self, busy: str = "") -> None:
        """Name the list that is shown and the keys for it; or what is under way instead of them."""
        views = dryrun_tables.VIEWS
        after = views[(views.index(self.view) + 1) % len(views)].name
        self.border_title = f"dry-run › {self.view.name}"
        self.border_subtitle = busy or "   ".join(part for part in (_ENTER.get(self.view.name, ""), f"f6 {after}") if part)

    def show(self, run: Doc, took: float, *, waiting: bool) -> None:
        """Another dry-run; `took` its milliseconds, `waiting` whether more of it is to be told."""
        held = self.current if self.view.name == "flips" else None
        if held is not None and held.get("followed"):
            for flip in run["flips"]:
                if flip["step"] == held["step"] and flip["to"] == "deny":
                    flip.update({name: held[name] for name in _FOLLOWED})
        self.run, self.took, self.waiting = run, took, waiting
        self._list(keep=True)

    def follow_anew(self) -> None:
        """The chains may be others now: what was followed is not known any more."""
        for flip in self.run["flips"] if self.run is not None else ():
            flip["followed"] = False

    def more(self, part: Doc) -> None:
        """More of the dry-run that is shown."""
        if self.run is None or not self.query("#flips"):
            return  # it came while the screen is being taken down
        self.run.update(part)
        self.tell(self.lead)
        if not self.view.parts or self.view.parts & part.keys():
            self._list(keep=True)

    def tell(self, lead: str) -> None:
        """The figures, below a line of what has to be known first, if there is one."""
        self.lead = lead
        lines = [lead] if lead else []
        if self.run is not None:
            few = self.screen.size.height < FEW_ROWS
            lines += dryrun.summary_lines(self.run, short=few, took=self.took, waiting=self.waiting)
        for shown in self.query("#summary").results(Told):
            shown.tell(safe_text("\n".join(hang(line, max(shown.content_size.width, 20)) for line in lines)))

    def turn(self) -> None:
        """The next list."""
        views = dryrun_tables.VIEWS
        self.view = views[(views.index(self.view) + 1) % len(views)]
        self.entitle()
        self._list(keep=False)

    def _list(self, *, keep: bool) -> None:
        table, view = self.table, self.view
        if not keep:
            table.columns, table.key_of = view.columns(), view.key
        rows = view.rows(self.run) if self.run is not None else []
        table.empty = view.empty(self.run) if self.run is not None else ""
        table.show_list(rows, keep=keep)
        self.query_one("#chosen", Told).set_class(not rows, "-empty")

    @on(VirtualTable.Moved)
    def _moved(self) -> None:
        row = self.current
        if row is None:
            return
        self._choose(row)
        if self.view.name == "flips" and row["to"] == "deny" and not row.get("followed"):
            self.follow(row, lambda: self._followed(row))

    def _followed(self, row: Doc) -> None:
        row["followed"] = True
        if self.query("#flips") and self.current is row:
            self._choose(row)

    def _choose(self, row: Doc) -> None:
        shown = self.query_one("#chosen", Told)
        lines = list(self.view.told(row))
        if self.screen.size.height < FEW_ROWS:
            lines = ["; ".join(line.strip() for line in lines)]
        width = max(shown.content_size.width, 20)
        shown.tell(safe_text("\n".join(hang(safe_line(line, 1000), width) for line in lines)))

    def on_resize(self, event: events.Resize) -> None:
        if self.run is not None:
            self.call_after_refresh(self.tell, self.lead)
            self.call_after_refresh(self._moved)
