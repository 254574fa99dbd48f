"""Figures of a store with millions of requests keep a cell between them, and none is cut for want of room."""

from __future__ import annotations

from typing import Any

from lang.cells import cell_width
from review.show.dryrun_words import KINDS
from tui.dryrun import _cells, _figures, _widths
from tui.figures import ranking


def side(number: int) -> dict[str, Any]:
    told = dict.fromkeys(KINDS, number)
    return {"summary": told, "by_tasks": told, "by_principals": told}


def test_a_dry_run_over_millions_of_requests_tells_its_figures_apart() -> None:
    sides = [side(3), side(12_345_678)]
    widths = _widths(sides)
    lines = [_cells(_figures(one, kind), widths) for one in sides for kind in KINDS]
    assert {len(line) for line in lines} == {sum(widths)}
    assert lines[-1].split() == ["12,345,678"] * 3
    assert _widths([side(3)]) == (9, 6, 5)


def test_the_share_decided_has_its_cells_beside_large_counts() -> None:
    row = {"agent": "claude-code", "bands": [5, 4, 3, 2, 1], "risk": 67, "tasks": 1_234_567, "critical": 100_000, "high": 3_164}
    row |= {"medium": 0, "low": 0, "share": {"with_decision": 0.94}, "rows": {"place": "queue", "filter": "", "command": ""}}
    head, line = ranking("agent")({"rows": [row], "total": 1}, 58)
    assert line.text.split()[-5:] == ["67", "1,234,567", "100,000", "3,164", "94%"]
    assert cell_width(line.text) == cell_width(head.text) <= 58
