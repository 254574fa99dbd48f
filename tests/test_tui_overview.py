"""The overview: every figure leads to its rows and esc comes back to it; panels fill as the store answers."""

from __future__ import annotations

import pkgutil
from pathlib import Path

import pytest

import tui.screens
from review.sitting.desk import Desk
from review.stores.teams import alone
from review.workspace import open_workspace
from store import Refused, Store
from tests.tui_desk import ROOT, dashboard, own_store, panel, place, press, said, table, text_of, type_text
from tui.app import RemitApp
from tui.figures import TITLES
from tui.screens.credentials import CredentialsScreen
from tui.screens.overview import ROWS, OverviewScreen
from tui.screens.queue import QueueScreen
from tui.screens.rows import RowsScreen
from tui.screens.sources import SourcesScreen
from tui.screens.task import TaskScreen
from tui.screenshots import NO_PICTURE, SHOTS
from tui.settling import settled
from tui.widgets.figures import Figures

TITLES_IN_ORDER = [name for row in ROWS for name in row]


def overview(app: RemitApp) -> OverviewScreen:
    assert isinstance(app.screen, OverviewScreen), app.screen
    return app.screen


def here(app: RemitApp) -> Figures:
    assert isinstance(app.focused, Figures), app.focused
    return app.focused


async def test_the_dashboard_opens_on_it_and_esc_leads_back_from_every_place() -> None:
    async with dashboard(start="overview") as (app, pilot):
        assert place(app) == "overview" and len(app.screen_stack) == 2
        for key in ("2", "4"):
            await press(pilot, key)
            assert place(app) != "overview"
            await press(pilot, "escape")
            assert place(app) == "overview"
        await press(pilot, "2", "1")
        assert len(app.screen_stack) == 2


async def test_the_cursor_walks_over_every_panel_and_stays_in_view() -> None:
    async with dashboard(start="overview", size=(80, 24)) as (app, pilot):
        seen = [here(app).id]
        for _ in range(70):
            await pilot.press("j")
            line = here(app).current
            assert line is not None and line.rows
            if here(app).id != seen[-1]:
                seen.append(here(app).id)
        await pilot.pause()
        # There is nothing to lead to on a first visit.
        assert seen == [name for name in TITLES_IN_ORDER if name != "visit"]
        assert any(text.startswith("▶ not known") for text in text_of(app).splitlines())
        await press(pilot, "k", "g")
        assert here(app).id == "riskiest" and here(app).cursor == 0
        assert any(text.startswith("▶  86") for text in text_of(app).splitlines())
        await press(pilot, "G")
        assert here(app).id == "repositories" and any(text.startswith("▶ ") for text in text_of(app).splitlines())
        await press(pilot, "shift+tab", "tab", "left", "right")
        assert here(app).id == "repositories"


@pytest.mark.parametrize(
    ("name", "line", "screen", "told"),
    [
        ("riskiest", 0, TaskScreen, "HARB-1085"),
        ("findings", 1, QueueScreen, "6 tasks by risk"),
        ("governed", 0, SourcesScreen, "governed by agent"),
        ("review", 0, QueueScreen, "81 tasks by risk"),
        ("review", 7, RowsScreen, "Nothing."),
        ("coverage", 1, SourcesScreen, "coverage by enforcement point"),
        ("credentials", 1, CredentialsScreen, "1 seen, 1 flagged"),
        ("agents", 2, QueueScreen, "17 tasks by risk"),
    ],
)
async def test_a_figure_is_one_key_from_its_rows(name: str, line: int, screen: type, told: str) -> None:
    async with dashboard(start="overview") as (app, pilot):
        figures = overview(app).panel(name)
        figures.focus()
        figures.cursor = line
        await press(pilot, "enter")
        assert isinstance(app.screen, screen)
        assert told in text_of(app)
        if screen is QueueScreen:
            assert "Overview › Queue:" in text_of(app)
            await press(pilot, "slash")
            await type_text(pilot, " zzz\n")
            await press(pilot, "escape")
            assert isinstance(app.screen, QueueScreen) and app.screen.filter == app.screen.given
        await press(pilot, "escape")
        assert place(app) == "overview" and here(app) is figures and figures.cursor == line


async def test_a_figure_names_the_command_behind_it() -> None:
    async with dashboard(start="overview") as (app, pilot):
        await press(pilot, "tab", "y")
        assert said(app)[-1] == "copied remit tasks --filter severity:critical"


async def test_what_is_written_elsewhere_shows_when_one_comes_back(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path), start="overview") as (app, pilot):
        await press(pilot, "2", "v", "o")
        await type_text(pilot, "checked\n")
        await press(pilot, "1")
        shown = [" ".join(line.text.split()) for line in overview(app).panel("review").lines]
        assert "judged 1" in shown and "last 24 h 1 by 1" in shown
        await press(pilot, "r")
        assert not any("86 !" in line.text for line in overview(app).panel("riskiest").lines)
        figures = overview(app).panel("review")
        figures.focus()
        figures.cursor = shown.index("last 24 h 1 by 1")
        await press(pilot, "enter")
        assert "outside-remit on task" in panel(app).text and "checked" in panel(app).text


async def test_an_empty_store_teaches(tmp_path: Path) -> None:
    store = tmp_path / "new.db"
    open_workspace(str(store), create=True).close()
    async with dashboard(store, start="overview", size=(80, 24)) as (app, pilot):
        shown = text_of(app)
        assert "coverage" not in shown and "remit import PATH" in shown and "remit demo" in shown and "5, then i" in shown
        await press(pilot, "j", "enter", "tab", "G", "g", "y")
        assert app.is_running


async def test_a_click_puts_the_cursor_there_and_two_open() -> None:
    async with dashboard(start="overview") as (app, pilot):
        await pilot.click("#findings", offset=(3, 2))
        assert here(app).id == "findings" and here(app).cursor == 2
        await pilot.click("#findings", offset=(3, 2), times=2)
        await settled(pilot)
        assert isinstance(app.screen, QueueScreen) and table(app).rows == 24


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_every_panel_has_its_title_and_no_line_is_cut_by_its_frame(size: tuple[int, int]) -> None:
    async with dashboard(start="overview", size=size) as (app, _):
        for name, title in TITLES.items():
            figures = overview(app).panel(name)
            assert figures.lines[0].text != "…", name
            assert figures.parent is not None and str(getattr(figures.parent, "border_title", "")) == title
            assert figures.size.height == len(figures.lines), name


def test_every_screen_has_its_picture_in_the_docs() -> None:
    """`make screenshots` draws them; a new screen wants a line in `tui.screenshots.SHOTS`."""
    modules = {module.name for module in pkgutil.iter_modules(tui.screens.__path__)}
    assert {shot.shows for shot in SHOTS} == modules - NO_PICTURE
    kept = {file.stem for file in (ROOT / "docs" / "screens").glob("*.svg")}
    assert kept == {shot.name for shot in SHOTS}
    page = (ROOT / "docs" / "screens.md").read_text("utf-8")
    assert all(f"(screens/{name}.svg)" in page for name in kept)


async def test_who_sees_some_teams_alone_reads_so_above_overview_and_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Desk, "sight", lambda desk: alone(["pay"]))
    async with dashboard(size=(80, 24), start="overview") as (app, pilot):
        assert "81 tasks of team pay alone  evidence until" in text_of(app).splitlines()[0]
        await press(pilot, "2")
        assert "81 tasks of team pay alone by risk" in text_of(app).splitlines()[0]


async def test_what_a_team_is_not_told_stands_in_place_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the database refuses it to a login of some teams alone (`tests/test_store_teams.py`); a passing word passes."""
    why = "sources are reconciled over the evidence of every team"

    def refused(*_: object) -> None:
        raise Refused(why)

    monkeypatch.setattr(Store, "sources", refused)
    async with dashboard(start="overview") as (app, pilot):
        await press(pilot, "5")
        shown = text_of(app)
        assert "not read" in shown.splitlines()[0] and "reading …" not in shown
        assert why in shown
        await press(pilot, "6")
        assert "not assessed" in text_of(app).splitlines()[0] and "assessing …" not in text_of(app)


async def test_figures_nobody_waits_for_are_read_when_one_comes_to_them() -> None:
    async with dashboard(start="overview") as (app, pilot):
        screen = overview(app)
        await press(pilot, "2")
        screen.told.clear()
        screen._read_if_seen()
        await settled(pilot)
        assert screen.behind and not screen.told
        await press(pilot, "1")
        assert not screen.behind and set(screen.told) == set(TITLES_IN_ORDER) - {"riskiest"}
