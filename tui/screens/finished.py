"""The imports of this sitting: what came of each, and what was refused and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui.screens.log import LogDialog

if TYPE_CHECKING:
    from review.sitting.arrival import Arrival


class FinishedScreen(LogDialog):
    """A log of imports, the newest first."""

    FRAMED = "imports of this sitting"
    NOTHING = "Nothing was imported in this sitting yet; i on the Sources screen imports."

    def lines(self) -> Iterable[str]:
        return (line for one in reversed(self.remit.desk.arrivals) for line in told_of(one))


def told_of(one: Arrival) -> Iterator[str]:
    """An import as lines: when and what, how it ended, what was refused."""
    yield f"── {datetime.fromtimestamp(one.at, UTC):%H:%M:%S}Z  {', '.join(one.paths)}"
    if one.under_way:
        yield "  under way"
    else:
        yield f"  {one.sentence()}, in {one.took:.1f} s"
        yield from (f"  ✗ {line}" for line in one.refusals())
