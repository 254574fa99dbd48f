"""Sources and credentials: what they show, where their keys lead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lang.times import iso
from tests.tui_desk import current, dashboard, fill, go_to, own_store, panel, press, said, table, text_of, until
from tui import coverage
from tui.screens.credentials import CredentialsScreen
from tui.screens.task import TaskScreen

# sources


async def test_the_governed_share_is_told_by_agent_team_and_week() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "5", "b")
        (claude, codex) = app.desk.coverage_by("agent")
        assert f"{claude['share']['with_decision']:.0%}" in text_of(app) and f"  {codex['actions']}" in text_of(app)
        assert "governed by agent" in text_of(app) and "task-bound cred." in text_of(app)
        await press(pilot, "b")
        assert "team-ledger" in text_of(app) and "unknown" in text_of(app)
        await press(pilot, "b")
        assert "2026-W12" in text_of(app)
        await press(pilot, "b")
        assert "coverage by enforcement point" in text_of(app) and "█ watched" in text_of(app)


async def test_sources_reconcile_to_the_last_record() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "5")
        sources = app.desk.sources()
        read = sum(s["records"]["read"] for s in sources)
        first = text_of(app).splitlines()[0]
        assert f"{len(sources)} sources: {read:,} read = {read:,} accepted + 0 known + 0 rejected" in first
        assert table(app).rows == len(sources)
        for row in sources:
            counts = row["records"]
            assert counts["read"] == counts["accepted"] + counts["duplicate"] + counts["rejected"]


async def test_coverage_is_drawn_for_every_enforcement_point() -> None:
    async with dashboard(size=(160, 50)) as (app, pilot):
        await press(pilot, "5")
        shown = panel(app).text
        for point in {row["enforcement_point"] for row in app.desk.coverage()}:
            assert point in shown
        assert "█" in shown and "▒" in shown and "watched" in shown


async def test_a_read_only_sitting_imports_and_exports_nothing() -> None:
    async with dashboard(readonly=True) as (app, pilot):
        await press(pilot, "5", "i", "6", "e")
        assert len([word for word in said(app) if "read-only" in word]) == 2


# credentials


async def test_credentials_lead_with_the_flagged_and_tell_the_lifeline() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "4")
        rows = app.desk.credentials()
        assert table(app).rows == len(rows)
        row = current(app)
        assert len(row["flags"]) == max(len(one["flags"]) for one in rows)
        await until(pilot, lambda: row["id"] in panel(app).text, "the lifeline came")
        for flag in row["flags"]:
            assert f"! {flag.replace('_', ' ')}" in panel(app).text
        assert f"{len(rows)} seen" in text_of(app).splitlines()[0]
        await press(pilot, "j")
        await until(pilot, lambda: current(app)["id"] in panel(app).text, "the lifeline followed")


@pytest.mark.parametrize("key", ["enter", "l"])
async def test_a_credential_leads_to_the_task_that_used_it(key: str) -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "4")
        row = go_to(app, lambda one: bool(one["tasks"]))
        await press(pilot, key)
        assert isinstance(app.screen, TaskScreen) and app.screen.task_id in row["tasks"]
        await press(pilot, "escape")
        assert isinstance(app.screen, CredentialsScreen) and current(app)["id"] == row["id"]


async def test_a_credential_nobody_used_says_so() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "4")
        row = current(app) | {"tasks": [], "issued_task": None}
        table(app).show_list([row])
        await press(pilot, "enter")
        assert any("no task is known" in word for word in said(app))
        assert isinstance(app.screen, CredentialsScreen)


async def test_refresh_keeps_the_place() -> None:
    async with dashboard() as (app, pilot):
        for place in ("4", "5"):
            await press(pilot, place, "j", "j", "j")
            here = current(app)["id"]
            await press(pilot, "r")
            assert current(app)["id"] == here


# the coverage strip


@given(
    st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 10**10)), min_size=1, max_size=12),
    st.integers(12, 120),
)
def test_the_axis_fills_its_cells_and_keeps_every_point_visible(spans: list[tuple[int, int]], cells: int) -> None:
    rows = [
        {
            "enforcement_point": f"p{n}",
            "vantage": "agent",
            "scope": "*",
            "from": iso(start * 1000),
            "to": iso((start + length) * 1000),
            "gaps": [],
            "records": 1,
        }
        for n, (start, length) in enumerate(spans)
    ]
    axis = coverage.fold([span for row in rows for span in coverage.watched(row)], cells)
    assert len(list(axis.cells())) == cells
    for row in rows:
        drawn = coverage.strip(row, axis)
        assert len(drawn) == cells and coverage.WATCHED in drawn
    assert len(list(coverage.lines(rows, cells + 40))) == len(rows) + 2


def test_silence_within_a_points_time_is_told_from_time_outside_it() -> None:
    hour = 3_600_000_000
    base = {"enforcement_point": "p", "vantage": "agent", "scope": "*", "records": 1}
    gap = {"from": iso(3 * hour), "to": iso(6 * hour)}
    rows = [
        base | {"from": iso(0), "to": iso(9 * hour), "gaps": [gap]},
        base | {"from": iso(0), "to": iso(9 * hour), "gaps": []},
        base | {"from": iso(5 * hour), "to": iso(6 * hour), "gaps": []},
    ]
    axis = coverage.fold([span for row in rows for span in coverage.watched(row)], 18)
    assert coverage.strip(rows[0], axis) == "█" * 7 + "▒" * 4 + "█" * 7
    assert coverage.strip(rows[1], axis) == "█" * 18
    assert set(coverage.strip(rows[2], axis)) == {"·", "█"}


# what any list can do


async def test_a_list_is_written_to_a_file_and_a_rows_id_copied(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path)) as (app, pilot):
        for keys, name, thing in ((["4"], "credentials", "the credential's id"), (["5"], "sources", "the source's id")):
            await press(pilot, *keys)
            await until(pilot, lambda: current(app) is not None, "its rows are there")
            await press(pilot, "e")
            hint = text_of(app).splitlines()[-1]
            assert app.focused.value == f"{name}.csv" and "a .csv, .jsonl or .md file" in hint  # type: ignore[union-attr]
            path = tmp_path / f"{name}.jsonl"
            await fill(app, pilot, str(path))
            assert said(app)[-1] == f"{table(app).rows} rows written to {path}"
            ids = [json.loads(line)["id"] for line in path.read_text().splitlines()]
            assert ids == [table(app).row_at(i)["id"] for i in range(table(app).rows)]
            await press(pilot, "y")
            assert thing in said(app)[-1]
        await press(pilot, "6", "g", "j", "enter")
        await until(pilot, lambda: current(app) is not None and "controls" not in current(app), "the controls are there")
        await press(pilot, "e")
        await fill(app, pilot, str(tmp_path / "controls.md"))
        assert len((tmp_path / "controls.md").read_text().splitlines()) == table(app).rows + 2
        await press(pilot, "enter", "e")
        await fill(app, pilot, str(tmp_path / "findings.csv"))
        assert current(app)["id"] in (tmp_path / "findings.csv").read_text()
