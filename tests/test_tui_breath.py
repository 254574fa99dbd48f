"""Keys that arrive in one breath do what they would one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui_desk import dashboard, own_store, press, said, settled
from tui.app import RemitApp
from tui.screens.queue import QueueScreen


def screen(app: RemitApp) -> QueueScreen:
    assert isinstance(app.screen, QueueScreen)
    return app.screen


async def at_once(pilot: Pilot[None], *keys: str) -> None:
    """All of these keys before any of them is looked at."""
    for key in keys:
        pilot.app.post_message(events.Key(key, {"slash": "/"}.get(key, key if len(key) == 1 else None)))
    await settled(pilot)


async def test_a_field_is_emptied_filled_and_entered_at_once(tmp_path: Path) -> None:
    path = tmp_path / "out.md"
    async with dashboard(own_store(tmp_path)) as (app, pilot):
        await press(pilot, "e")
        names = {"/": "slash", ".": "full_stop", "-": "minus", "_": "underscore"}
        written = [events.Key(names.get(sign, sign), sign) for sign in str(path)]
        await press(pilot, "x")
        for key in (events.Key("ctrl+u", None), *written, events.Key("enter", None)):
            app.post_message(key)
        await settled(pilot)
        assert path.exists() and str(path) in said(app)[-1]


@pytest.mark.parametrize("first", ["ctrl+u", "home"])
async def test_what_is_bound_in_a_field_waits_for_the_letters_before_it(first: str) -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "slash")
        await at_once(pilot, "a", "b", first, "c", "d")
        assert isinstance(app.focused, Input)
        assert app.focused.value == ("cd" if first == "ctrl+u" else "cdab")


async def test_what_is_typed_behind_esc_is_not_typed_into_the_field() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "slash")
        await at_once(pilot, "x", "y", "escape", "j", "j")
        assert not isinstance(app.focused, Input)
        assert screen(app).filter == ""


async def test_what_is_typed_behind_enter_is_for_the_list() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "slash")
        await at_once(pilot, "p", "u", "s", "h", "enter", "j", "j", "k")
        assert screen(app).filter == "push" and not isinstance(app.focused, Input)


async def test_a_field_is_opened_filled_entered_and_left_at_once() -> None:
    """All of these leave for the list, which has the focus when the first arrives."""
    async with dashboard() as (app, pilot):
        await at_once(pilot, "slash", "p", "u", "x", "backspace", "s", "h", "enter", "j", "j", "k")
        assert screen(app).filter == "push" and not isinstance(app.focused, Input)
