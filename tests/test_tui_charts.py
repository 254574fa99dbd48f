"""Charts in characters: as wide as they are told, never nothing for something, readable without colour."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lang.cells import cell_width
from tui import charts, figures
from tui.charts import bar, change, folded, heat, sparkline


@pytest.mark.parametrize(
    ("part", "drawn"),
    [
        (None, "····"),
        (0.0, "    "),
        (0.0001, "▏   "),
        (0.5, "██  "),
        (0.53, "██▏ "),
        (0.9999, "███▉"),
        (1.0, "████"),
        (7.0, "████"),
        (-1.0, "    "),
    ],
)
def test_bars(part: float | None, drawn: str) -> None:
    assert bar(part, 4) == drawn


@given(st.floats(-1, 2), st.integers(1, 60))
def test_a_bar_is_as_wide_as_told_and_grows_with_its_share(part: float, cells: int) -> None:
    drawn = bar(part, cells)
    assert cell_width(drawn) == cells
    assert (drawn.strip() == "") == (part <= 0)
    assert (drawn == "█" * cells) == (part >= 1)


def test_sparklines_tell_nothing_from_little() -> None:
    assert sparkline([0, 1, 4, 8]) == "·▁▄█"
    assert sparkline([]) == "" and sparkline([0, 0]) == "··" and sparkline([None, 3]) == "·█"
    assert sparkline([1, 2], most=8) == "▁▂"
    assert sparkline([1, 100_000]) == "▁█"


def test_a_heat_strip_tells_silence_from_absence() -> None:
    assert heat([None, 0, 0.01, 0.5, 1.0]) == "·▒▁▄█"
    assert heat([None, 0, 1.0], 2) == "··▒▒██"
    assert folded(heat([1.0, 0.5, 1.0], 2), [True, True, False], 2) == "██▄▄┆██"


def test_changes_carry_their_sign_as_a_shape() -> None:
    assert [change(n) for n in (2, -1, 0, None, 12_345)] == ["▲2", "▼1", "=", "", "▲12,345"]


AXIS = {"unit": "day", "periods": ["2026-06-01", "2026-06-02", "2026-06-05"], "after_gap": [False, False, True]}
DOCS: dict[str, figures.Doc] = {
    "riskiest": {"tasks": []},
    "visit": {"reviewer": "dana", "last": None, "tasks": None},
    "findings": AXIS
    | {
        "severities": [
            {
                "severity": "critical",
                "total": 4,
                "tasks": 3,
                "over_time": [0, 1, 3],
                "undated": 0,
                "new": 2,
                "rows": {"place": "queue"},
            },
            {
                "severity": "blind",
                "total": 0,
                "tasks": 0,
                "over_time": [0, 0, 0],
                "undated": 0,
                "new": 0,
                "rows": {"place": "queue"},
            },
        ]
    },
    "coverage": AXIS
    | {
        "points": [
            {
                "enforcement_point": "opa",
                "vantage": "enforcer",
                "records": 9,
                "gaps": 2,
                "watched": 0.9951,
                "over_time": [1, 0, None],
                "rows": {},
            }
        ]
    },
    "agents": {
        "total": 2,
        "rows": [
            {
                "agent": None,
                "tasks": 9,
                "risk": 71,
                "bands": [5, 0, 0, 1, 0],
                "critical": 1,
                "high": 0,
                "share": {"with_decision": None},
                "rows": {},
            }
        ],
    },
}


def text(part: str, width: int) -> list[str]:
    return [line.text for line in figures.lines(part, DOCS[part], width)]


def test_figures_stand_beside_their_charts() -> None:
    assert text("findings", 46) == [
        "           06-01 – 06-05",
        "!!critical ···▃▃▃███     4 in 3   ▲2",
        "▒ blind    ·········     0 in 0",
    ]
    assert text("coverage", 40)[:2] == ["           06-01 – 06-05", "opa      E ████▒▒▒▒┆····  99% 2 gaps"]
    assert text("agents", 60)[1] == "not known" + " " * 14 + " █··▂·   71      9   1   ·        ·"
    assert text("agents", 60)[2] == "and 1 more"
    assert "your first visit" in text("visit", 60)[0]
    assert text("riskiest", 60) == ["nothing waits for a reviewer"]


@given(st.integers(0, 220), st.sampled_from(sorted(DOCS)))
def test_no_line_is_wider_than_its_panel(width: int, part: str) -> None:
    assert all(cell_width(line) <= max(width, 20) for line in text(part, width))


def test_what_is_not_known_is_no_share() -> None:
    assert figures._percent(None).strip() == charts.NOTHING
    assert [figures._percent(part).strip() for part in (0.0, 0.994, 0.999, 1.0)] == ["0%", "99%", "99%", "100%"]


def test_lengths_of_time_and_numbers_of_things_read_as_people_say_them() -> None:
    from lang.counted import count
    from tui.format import span

    assert [span(n) for n in (5, 90, 5400, 9 * 86400, 99 * 86400 + 3600, 400 * 86400 + 3600)] == [
        *("5s", "1m30s", "1h30m", "9d", "99d1h", "400d"),
    ]
    assert [count(n, "earlier task") for n in (0, 1, 1204)] == ["0 earlier tasks", "1 earlier task", "1,204 earlier tasks"]
