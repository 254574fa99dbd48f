"""Where a walk stands: the task's rows as they are folded, what was searched, and a jump that waits for the steps to be read."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from review.show.chain_walk import ChainWalk
    from review.show.walk_layout import Layout

Doc = dict[str, Any]


class Wanted(NamedTuple):
    """Something to jump to: the flag of its steps, and its name in a sentence."""

    flag: int
    what: str


FINDING, DECISION, CREDENTIAL = Wanted(1 | 2, "finding"), Wanted(4, "decision"), Wanted(8, "credential")


@dataclass
class Opened:
    """A task as the reader hands it over."""

    walk: ChainWalk
    head: Doc
    layout: Layout
    row: int


@dataclass
class Walker:
    """A walk on the screen's thread."""

    walk: ChainWalk
    layout: Layout
    sought: str = ""
    hits: list[tuple[str, int]] = field(default_factory=list)
    wish: tuple[Wanted, int] | None = None

    def seek(self, wanted: Wanted, row: int, direction: int) -> int | None:
        """The next row with what is wanted; where later steps are not read yet the wish is kept for when they are."""
        found = self.layout.seek(self.walk.outlines, wanted.flag, row, direction)
        self.wish = (wanted, direction) if found is None and direction > 0 and not self.walk.whole else None
        return found

    def next_hit(self, row: int, direction: int) -> int | None:
        """The next row that holds what was searched."""
        rows = self.hit_rows()
        index = bisect_right(rows, row) if direction > 0 else bisect_left(rows, row) - 1
        return rows[index] if 0 <= index < len(rows) else None

    def hit_rows(self) -> list[int]:
        found = {row for task, n in self.hits if (row := self.layout.row_of(task, n)) is not None}
        return sorted(found)

    def row_of(self, step: Doc) -> int | None:
        """Where a row's step stands now."""
        place = step["place"]
        return self.layout.row_of(place.task, place.n)

    def progress(self) -> str:
        """What of a long task is still being read, "" when all of it is known."""
        root = self.walk.outlines.get(self.walk.id)
        return "" if root is None or root.whole else f"read {root.known:,} of {root.total:,} steps"


def open_walk(walk: ChainWalk, unfolded: set[str], step: str) -> Opened:
    """On the reader's thread: the head, the first rows' layout, and the row of a step to stand on."""
    head = walk.open()
    walk.unfolded = set(unfolded)
    layout = walk.layout()
    at = walk.number_of(step) if step else None
    row = layout.row_of(*at) if at is not None else None
    return Opened(walk, head, layout, row or 0)
