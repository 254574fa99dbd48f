"""The time cursor, the delegation tree and the drawn lifeline of the dashboard."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui_desk import current, dashboard, fill, go_to, panel, press, said, table, text_of, until
from tui.app import RemitApp
from tui.screens.task import TaskScreen
from tui.timecursor import TimeCursor, on_day
from tui.timeline import ALIVE, OVER, UNSURE, draw
from tui.widgets.panel import hang

WIDE, NARROW = (120, 40), (80, 24)


def screen(app: RemitApp) -> TaskScreen:
    assert isinstance(app.screen, TaskScreen)
    return app.screen


def answer(app: RemitApp, size: tuple[int, int]) -> Any:
    """The panel that holds what was authorised."""
    return panel(app, "side" if size == WIDE else "panel")


# the time cursor


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_the_cursor_leaves_the_step_moves_over_changes_and_comes_back(size: tuple[int, int]) -> None:
    async with dashboard(size=size) as (app, pilot):
        await press(pilot, "enter", "j")
        row = current(app)
        await press(pilot, "full_stop")
        shown = answer(app, size)
        assert "(step" not in shown.text and str(shown.border_title).startswith("authorised at ")
        later = screen(app).time.at
        await press(pilot, "full_stop")
        assert later is not None and (screen(app).time.at or 0) > later
        await press(pilot, "comma")
        assert screen(app).time.at == later and current(app) == row
        await press(pilot, "escape")
        assert screen(app).time.on_step
        if size == WIDE:
            assert f"(step {row['n']})" in shown.text and str(shown.border_title) == f"authorised at step {row['n']}"


async def test_moving_to_another_step_puts_the_cursor_on_it() -> None:
    async with dashboard(size=WIDE) as (app, pilot):
        await press(pilot, "enter", "full_stop", "j")
        assert screen(app).time.on_step and f"(step {current(app)['n']})" in panel(app, "side").text


async def test_at_the_ends_the_cursor_says_that_nothing_more_changed() -> None:
    async with dashboard(size=WIDE) as (app, pilot):
        await press(pilot, "enter")
        changes = app.desk.changes(screen(app).task_id)
        await press(pilot, *["comma"] * (len(changes) + 1))
        await until(pilot, lambda: "nothing changed earlier than this" in said(app), "it said so")
        await press(pilot, *["full_stop"] * (len(changes) + 1))
        await until(pilot, lambda: "nothing changed later than this" in said(app), "it said so")
        assert screen(app).time.text == changes[-1]["at"]


async def test_a_time_can_be_typed_as_a_clock_a_step_or_whole() -> None:
    async with dashboard(size=WIDE) as (app, pilot):
        await press(pilot, "enter")
        day = current(app)["at"][:10]
        await press(pilot, "at")
        await fill(app, pilot, "11:10")
        assert f"Authorised at {day}T11:10:00Z" in panel(app, "side").text
        await press(pilot, "at")
        await fill(app, pilot, "3")
        assert current(app)["n"] == 3 and screen(app).time.on_step and table(app).has_focus
        await press(pilot, "at")
        await fill(app, pilot, "2031-01-02T03:04:05Z")
        assert "2031-01-02T03:04:05Z" in panel(app, "side").text and "had ended by then" in panel(app, "side").text
        await press(pilot, "at")
        await fill(app, pilot, "teatime")
        assert any("neither a time nor one of" in word for word in said(app))
        await press(pilot, "at", "escape")
        assert isinstance(app.screen, TaskScreen) and table(app).has_focus


async def test_another_task_starts_on_its_step_with_moments_of_its_own() -> None:
    async with dashboard(size=WIDE) as (app, pilot):
        await press(pilot, "enter", "full_stop", "right_square_bracket")
        assert screen(app).time.on_step and not screen(app).time.ready
        await press(pilot, "full_stop")
        assert screen(app).time.text in {one["at"] for one in app.desk.changes(screen(app).task_id)}


def test_the_cursor_starts_from_the_step_and_from_the_ends_where_it_has_no_time() -> None:
    cursor = TimeCursor()
    cursor.learn([{"at": f"2026-06-01T10:00:0{n}Z", "what": f"w{n}"} for n in (1, 3, 5)])
    assert cursor.move(1, "2026-06-01T10:00:03Z") and cursor.what == "w5"
    assert not cursor.move(1, None) and cursor.move(-1, None) and cursor.what == "w3"
    cursor.release()
    assert cursor.move(-1, None) and cursor.what == "w5"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("9:05", "2026-06-01T09:05:00Z"),
        (" 14:02:11 ", "2026-06-01T14:02:11Z"),
        ("14:02:11.5", "2026-06-01T14:02:11.5Z"),
        ("12", "12"),
        ("2026-06-02", "2026-06-02"),
    ],
)
def test_a_clock_time_is_of_the_step_s_day(typed: str, meant: str) -> None:
    assert on_day(typed, "2026-06-01T13:00:00Z") == meant


# delegation


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_the_tree_of_a_family_takes_the_panel_and_marks_its_borders(size: tuple[int, int]) -> None:
    async with dashboard(size=size) as (app, pilot):
        go_to(app, lambda row: "CRED-09" in row["detections"] and bool(app.desk.task(row["id"])["task"]["parent"]))
        await press(pilot, "enter", "D")
        shown = panel(app, "panel")
        assert str(shown.border_title) == "delegation" and not panel(app, "side").display
        assert "└─ ▶ claude-code" in shown.text and "╪ border: reach" in shown.text and "Self-chaining" in shown.text
        await press(pilot, "escape")
        assert "evidence" in str(shown.border_title) and panel(app, "side").display == (size == WIDE)


def test_a_broken_line_of_a_tree_goes_on_below_its_branches() -> None:
    broken = hang("│  ├─ " + "word " * 10, 30).splitlines()
    assert len(broken) > 1 and all(line.startswith("│  │    word") for line in broken[1:])
    assert hang("   └─ " + "word " * 10, 30).splitlines()[1].startswith("        word")
    assert hang("    " + "x" * 60, 30).splitlines() == ["    " + "x" * 26, "      " + "x" * 24, "      " + "x" * 10]


# the drawn lifeline


def stage(what: str, at: str | None, task: str | None = "a", late: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"what": what, "at": at, "task": task, "late": list(late)}


def minute(n: int) -> str:
    return f"2026-06-01T10:{n:02}:00Z"


def test_a_line_has_a_mark_for_everything_in_order_and_says_what_they_mean() -> None:
    ends, line, legend = draw(
        [
            stage("issued", minute(0)),
            stage("used", minute(1)),
            stage("used", minute(2), "b"),
            stage("task ended", minute(5)),
            stage("used", minute(6), late=("task end",)),
            stage("revoked", minute(30)),
            stage("used", minute(40), late=("revocation",)),
        ],
        60,
        "a",
    )
    assert [char for char in line if char not in (ALIVE, OVER)] == list("Iuo┃UXU") and len(line) == len(ends) == 60
    assert line.index(OVER) == line.index("X") + 1
    assert ends.startswith("2026-06-01 10:00:00") and ends.endswith("10:40:00")
    assert all(word in legend for word in ("used after an end", "used by another task", "revoked", "task end", "issued"))


def test_before_an_issuance_that_is_not_seen_the_line_is_unsure() -> None:
    _, line, legend = draw([stage("used", minute(0)), stage("used", minute(9)), stage("exposed", minute(4))], 40)
    assert ALIVE not in line and UNSURE in line and "issuance not seen" in legend


def test_moments_keep_their_order_however_unequal_their_distances_and_however_few_the_cells() -> None:
    uses = [stage("used", f"2026-06-01T10:00:{n:02}Z") for n in range(60)]
    _, line, _ = draw([stage("issued", "2020-01-01T00:00:00Z"), *uses, stage("expires", "2036-01-01T00:00:00Z")], 30)
    assert len(line) == 30 and line[0] == "I" and line[-1] == "E" and "u" in line


def test_one_moment_or_no_room_draws_no_line() -> None:
    assert draw([stage("used", minute(0)), stage("exposed", None)], 60) == []
    assert draw([stage("issued", minute(0)), stage("used", minute(5))], 10) == []


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_the_credentials_screen_draws_the_life_as_wide_as_its_panel(size: tuple[int, int]) -> None:
    async with dashboard(size=size) as (app, pilot):
        await press(pilot, "4")
        row = go_to(app, lambda row: "used_after_task_end" in row["flags"] and row["kind"] == "vault-token")
        await until(pilot, lambda: row["id"] in str(panel(app, "life").border_title), "the lifeline was drawn")
        ends, line, legend = panel(app, "life").text.splitlines()[:3]
        assert line[0] == "I" and line[-1] == "E" and "U" in line and "used after an end" in legend
        assert len(line) == len(ends) == panel(app, "life").room
        assert line in text_of(app)
        await pilot.resize_terminal(100, 30)
        await until(pilot, lambda: len(panel(app, "life").text.splitlines()[1]) == panel(app, "life").room, "it was drawn anew")
