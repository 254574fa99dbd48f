"""The app around the screens: help, the command line, places, leaving, sizes, and reads that fail."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from textual.widgets import Input

from review.errors import RemitError
from store import StoreError
from tests.tui_desk import current, dashboard, fill, own_store, place, press, said, table, text_of, type_text, until
from tui.actions import of_scope
from tui.app import RemitApp
from tui.scopes import EVERYWHERE
from tui.screens.base import Dialog, failure
from tui.screens.command import CommandScreen
from tui.screens.help import HelpScreen
from tui.screens.queue import QueueScreen
from tui.screens.task import TaskScreen
from tui.settling import settled

PLACES = (("1", "overview"), ("3", "policy"), ("4", "credentials"), ("5", "sources"), ("6", "report"))


async def test_digits_go_to_the_six_places_and_esc_comes_back() -> None:
    async with dashboard() as (app, pilot):
        for key, name in PLACES:
            await press(pilot, key)
            assert place(app) == name
            await press(pilot, "escape", "escape")
            assert place(app) == "queue"
        await press(pilot, "4", "5", "6", "2")
        assert place(app) == "queue" and len(app.screen_stack) == 2
        await press(pilot, "escape", "h", "escape")
        assert place(app) == "queue" and app.is_running


async def test_places_keep_their_state_when_left() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "4", "j", "j", "2", "5", "j", "6", "4")
        assert place(app) == "credentials" and table(app).cursor == 2
        await press(pilot, "5")
        assert table(app).cursor == 1


@pytest.mark.parametrize("opening", ["question_mark", "f1"])
async def test_help_tells_the_keys_of_the_screen_one_is_on(opening: str) -> None:
    async with dashboard(size=(80, 24)) as (app, pilot):
        await press(pilot, opening)
        assert isinstance(app.screen, HelpScreen)
        assert "Queue" in text_of(app) and "walk the chain of this task" in text_of(app)
        app.screen.query_one("#sheet").scroll_end(animate=False)
        await press(pilot, "j")
        assert "inferred: scored, with rivals" in " ".join(text_of(app).split())
        await press(pilot, "k", "q")
        assert isinstance(app.screen, QueueScreen)
        await press(pilot, "enter", opening)
        for _ in range(80):
            if "Next finding" in text_of(app):
                break
            await press(pilot, "j")
        assert "Next finding" in text_of(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, TaskScreen)


async def test_help_is_reachable_while_typing_a_policy() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "3", "f1")
        assert isinstance(app.screen, HelpScreen)
        assert "While typing" in text_of(app) or "Save version" in text_of(app)


@pytest.mark.parametrize("opening", ["colon", "ctrl+p"])
async def test_the_command_line_narrows_while_typed_and_runs_what_is_chosen(opening: str) -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, opening)
        await type_text(pilot, "creden")
        assert "credentials: show" in text_of(app) and "queue: mark range" not in text_of(app)
        await press(pilot, "enter")
        assert place(app) == "credentials"
        await press(pilot, "2", opening)
        await type_text(pilot, "next order")
        await press(pilot, "down", "up", "enter")
        assert isinstance(app.screen, QueueScreen) and app.screen.order == "started"


async def test_habits_of_the_command_line() -> None:
    async with dashboard() as (app, pilot):
        for word, name in (("policy", "policy"), ("sources", "sources"), ("report", "report"), ("tasks", "queue")):
            await press(pilot, "ctrl+p")
            await fill(app, pilot, word)
            assert place(app) == name
        await press(pilot, "colon")
        await fill(app, pilot, "w")
        assert isinstance(app.screen, CommandScreen) and "nothing of that name" in text_of(app)
        await press(pilot, "escape", "colon", "q", "enter")
        await pilot.pause()
        assert not app.is_running


async def test_w_saves_in_the_policy_studio(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path)) as (app, pilot):
        await press(pilot, "3")
        await until(pilot, lambda: "exact" in text_of(app), "the dry-run came")
        await press(pilot, "ctrl+p")
        await fill(app, pilot, "w")
        assert app.screen.query_one("#reason", Input).has_focus


async def test_every_command_of_a_screen_can_be_run_from_the_command_line() -> None:
    async with dashboard(size=(80, 24)) as (app, pilot):
        for action in of_scope("queue"):
            if action.name in ("open", "filter", "verdict"):
                continue
            await press(pilot, "colon")
            await fill(app, pilot, action.name)
            if action.name in ("views", "assign"):
                assert isinstance(app.screen, Dialog), action.name
                await press(pilot, "escape")
            if action.name == "export":
                assert app.focused is not None and app.focused.id == "export"
                await press(pilot, "escape")
            if action.name == "leave-out":
                assert table(app).rows == 0, "the first of the facets, what is open, is left out"
                await press(pilot, "escape", "escape")
            assert isinstance(app.screen, QueueScreen), action.name
        await press(pilot, "colon")
        await fill(app, pilot, "open")
        assert isinstance(app.screen, TaskScreen)


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_leaving(key: str) -> None:
    async with dashboard() as (app, pilot):
        await pilot.press(key)
        await pilot.pause()
        assert not app.is_running
        assert app.return_code == 0


async def test_ctrl_z_suspends_and_ctrl_q_leaves_from_a_dialog_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard() as (app, pilot):
        suspended: list[object] = []
        monkeypatch.setattr(app, "action_suspend_process", lambda: suspended.append(app.screen))
        await press(pilot, "question_mark", "ctrl+z")
        assert suspended == [app.screen] and isinstance(app.screen, HelpScreen)
        await press(pilot, "ctrl+q")
        await pilot.pause()
        assert not app.is_running


SIZES = ((40, 10), (20, 5), (1, 1), (80, 24))
"""Those people have are held against pictures in test_tui_sizes; these are what a window is dragged through."""


async def test_every_screen_follows_every_size() -> None:
    async with dashboard(size=(80, 24)) as (app, pilot):
        for key in ("", "enter", "1", "3", "4", "5", "6"):
            await press(pilot, "escape", *([key] if key else []))
            for size in SIZES:
                await pilot.resize_terminal(*size)
                await settled(pilot)
                shown = text_of(app).splitlines()
                assert len(shown) <= size[1] and all(len(line) <= size[0] for line in shown)


async def test_a_read_that_fails_is_one_sentence_and_the_desk_lives_on(tmp_path: Path) -> None:
    store = own_store(tmp_path)
    async with dashboard(store) as (app, pilot):
        _ = app.desk.work
        spoil = sqlite3.connect(store)
        for name in ("finding", "credential", "coverage", "step", "source"):
            spoil.execute(f'ALTER TABLE "{name}" RENAME TO "{name}_gone"')
        spoil.commit()
        spoil.close()
        await press(pilot, "enter")
        for name in ("policy", "credentials", "sources", "report", "queue"):
            app.go(name)
            await settled(pilot)
            assert app.is_running
        assert len(said(app)) >= 4
        for word in said(app):
            assert "Traceback" not in word and "\n" not in word and len(word) < 650
        await press(pilot, "j")
        assert isinstance(app.screen, QueueScreen) and current(app) is not None


async def test_a_store_without_its_tasks_says_so(tmp_path: Path) -> None:
    store = own_store(tmp_path)
    async with dashboard(store) as (app, pilot):
        spoil = sqlite3.connect(store)
        spoil.execute("ALTER TABLE task RENAME TO task_gone")
        spoil.commit()
        spoil.close()
        await press(pilot, "s")
        await until(pilot, lambda: any("cannot read the store" in word for word in said(app)), "it said so")
        assert app.is_running


def test_a_failure_is_told_in_one_harmless_line() -> None:
    assert failure(RemitError("do \x1b[31mthis")) == "do ␛[31mthis"
    assert failure(StoreError("the store is busy")) == "the store is busy"
    odd = failure(ValueError("line one\nline two"))
    assert "ValueError" in odd and "\n" not in odd and "Remit's own" in odd


async def test_an_action_of_everywhere_works_from_every_place() -> None:
    names = [action.name for action in of_scope(EVERYWHERE)]
    assert {"help", "command", "back", "quit"} <= set(names)
    async with dashboard(size=(80, 24)) as (app, pilot):
        for key, name in PLACES:
            await press(pilot, key, "f1")
            assert isinstance(app.screen, HelpScreen)
            await press(pilot, "escape", "ctrl+p")
            assert isinstance(app.screen, CommandScreen)
            await press(pilot, "escape")
            assert place(app) == name
            await press(pilot, "escape")
            app.action_go_queue()
            await settled(pilot)


async def test_the_start_can_be_another_place() -> None:
    async with dashboard() as (app, _):
        assert isinstance(app, RemitApp)
        other = RemitApp(app.desk, start="sources")
        async with other.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: place(other) == "sources", "it opened there")
            await press(pilot, "escape")
            assert place(other) == "overview"


async def test_a_look_at_the_store_may_come_before_a_new_screen_stands() -> None:
    async with dashboard() as (app, pilot):
        app.action_go_credentials()
        assert not app.screen.is_mounted
        app.look()
        await settled(pilot)
        assert place(app) == "credentials"
