"""The imports of this sitting: what came of each, and what was refused and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Vertical

from tui.screens.base import Dialog
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from review.arrival import Arrival
    from tui.app import RemitApp


class FinishedScreen(Dialog[None]):
    """A log of imports, the newest first."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall") as dialog:
            dialog.border_title = "imports of this sitting"
            dialog.border_subtitle = "↑ ↓ scroll  esc closes"
            yield Panel(id="log")

    def on_mount(self) -> None:
        desk = cast("RemitApp", self.app).desk
        log = self.query_one(Panel)
        told = [line for one in reversed(desk.arrivals) for line in told_of(one)]
        log.show(told or ["Nothing was imported in this sitting yet; i on the Sources screen imports."])
        self.set_focus(log)


def told_of(one: Arrival) -> Iterator[str]:
    """An import as lines: when and what, how it ended, what was refused."""
    yield f"── {datetime.fromtimestamp(one.at, UTC):%H:%M:%S}Z  {', '.join(one.paths)}"
    if one.under_way:
        yield "  under way"
    else:
        yield f"  {one.sentence()}, in {one.took:.1f} s"
        yield from (f"  ✗ {line}" for line in one.refusals())
