"""A dashboard to test: over a store of the sample day, driven by keys, read as text."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, Static

from review.sitting.desk import Desk
from tui import settling
from tui.app import RemitApp
from tui.screens.base import DeskScreen
from tui.settling import PATIENCE, settled
from tui.widgets.panel import Panel
from tui.widgets.virtual_table import VirtualTable

ROOT = Path(__file__).resolve().parent.parent
KEY = "5a" * 32
STORE = "remit.db"


Doc = dict[str, Any]


@cache
def _place() -> tempfile.TemporaryDirectory[str]:
    """The sample day's store with its organisation file and policy, made once a process."""
    place = tempfile.TemporaryDirectory(prefix="remit-desk-")
    folder = Path(place.name)
    for name in ("org.yaml", "policy.yaml"):
        shutil.copyfile(ROOT / "sample_data" / name, folder / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REMIT_PSEUDONYM_KEY", KEY)
        desk = Desk(str(folder / STORE))
        desk.import_files(str(ROOT / "sample_data"))
        desk.close()
    return place


def sample_store() -> Path:
    """A store to read from; whoever writes takes a copy."""
    return Path(_place().name) / STORE


def own_store(folder: Path) -> Path:
    """A copy of the sample store to write to."""
    shutil.copytree(_place().name, folder, dirs_exist_ok=True)
    return folder / STORE


class _Dashboard(RemitApp):
    """The dashboard with its own style sheet, wherever the tests are run from."""

    CSS_PATH = ROOT / "tui" / "app.tcss"


class _Frames:
    """Draws the frames that are looked at: one as soon as the dashboard is at rest, and while it is not one now and then.

    Half the time of a test went into frames that the next one replaced before anybody could see them. How they are laid
    out, what they ask for and that each state which comes to stay can be drawn is as it was; every frame of a sitting is
    drawn by the tests in a terminal.
    """

    BETWEEN = 0.5
    """Seconds between two frames of a dashboard that is not at rest."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._draw, self._at_rest = Screen._compositor_refresh, settling.at_rest
        self._due: dict[Screen[Any], asyncio.TimerHandle] = {}
        patch.setattr(Screen, "_compositor_refresh", lambda screen: self._later(screen))
        patch.setattr(settling, "at_rest", self._drawn)

    def _later(self, screen: Screen[Any]) -> None:
        app = screen.app
        if screen is not app.screen:
            self._draw(screen)
        elif screen not in self._due:
            # Drawn as a message of the app, whose errors are the app's own as ever.
            self._due[screen] = asyncio.get_running_loop().call_later(
                self.BETWEEN, lambda: app.call_later(self._now, app, screen)
            )

    def _now(self, app: App[Any], screen: Screen[Any]) -> None:
        """Draw a screen that wanted to be, unless another one covers it by now: that one is drawn when it stands."""
        due = self._due.pop(screen, None)
        if due is not None:
            due.cancel()
            if screen is not app.screen:
                return
            if all(widget.is_mounted for widget in screen._compositor.visible_widgets):
                self._draw(screen)
            else:
                # What is being put in has its place before it has its style.
                self._later(screen)

    def _drawn(self, app: RemitApp) -> bool:
        """At rest, the last frame drawn; drawing may ask for more."""
        if not self._at_rest(app):
            return False
        if app.screen not in self._due:
            return True
        with app._context():
            self._now(app, app.screen)
        return False


@asynccontextmanager
async def dashboard(
    store: Path | None = None,
    size: tuple[int, int] = (120, 40),
    *,
    readonly: bool = False,
    plain: bool = False,
    start: str = "queue",
    **more: Any,
) -> AsyncIterator[tuple[RemitApp, Pilot[None]]]:
    """A running dashboard whose first rows are there."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="remit-state-") as state:
        patch.setenv("REMIT_PSEUDONYM_KEY", KEY)
        patch.setenv("XDG_STATE_HOME", state)
        patch.setenv("NO_COLOR", "1") if plain else patch.delenv("NO_COLOR", raising=False)
        desk = Desk(str(store or sample_store()), readonly=readonly)
        app = _Dashboard(desk, start=start, **more)
        _Frames(patch)
        try:
            async with app.run_test(size=size, notifications=True) as pilot:
                await settled(pilot)
                yield app, pilot
        finally:
            desk.close()


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys one after the other, letting what each asks for arrive."""
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


async def type_text(pilot: Pilot[None], text: str) -> None:
    """Type a text as fast as a person never could, then let it settle."""
    await pilot.press(*("enter" if char == "\n" else char for char in text))
    await settled(pilot)


async def fill(app: RemitApp, pilot: Pilot[None], text: str) -> None:
    """Put a text into the field that has the focus, and enter it."""
    field = app.focused
    assert isinstance(field, Input)
    field.value = text
    await press(pilot, "enter")


async def until(pilot: Pilot[None], condition: Callable[[], bool], what: str | Callable[[], str]) -> None:
    """Let the app run until something holds."""
    limit = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > limit:
            raise AssertionError(f"it never came to that: {what if isinstance(what, str) else what()}")
        await pilot.pause(0.02)


def text_of(app: RemitApp) -> str:
    """What the screen shows, line by line."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


def status(app: RemitApp) -> str:
    """What the screen's line of state says, however it is wrapped."""
    return str(app.screen.query_one(".status", Static).content)


def said(app: RemitApp) -> list[str]:
    """The passing words so far."""
    return [word.text for word in app.said]


def table(app: RemitApp) -> VirtualTable:
    return app.screen.query(VirtualTable).first()


def current(app: RemitApp) -> Doc:
    row: Doc = table(app).current
    return row


def panel(app: RemitApp, id: str = "") -> Panel:
    return app.screen.query_one(f"#{id}", Panel) if id else app.screen.query(Panel).first()


def place(app: RemitApp) -> str:
    """The scope of the screen that is shown."""
    assert isinstance(app.screen, DeskScreen), app.screen
    return app.screen.SCOPE


def go_to(app: RemitApp, wanted: Callable[[Doc], bool]) -> Doc:
    """Put the cursor on the first row that is wanted."""
    shown = table(app)
    for index in range(shown.rows):
        row: Doc | None = shown.row_at(index)
        if row is not None and wanted(row):
            shown.cursor = index
            return row
    raise AssertionError("no such row is shown")
