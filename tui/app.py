"""The app: mounts screens, holds the desk they read from, and runs what the registry of actions names."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import BindingType

from review.desk import Desk
from tui.actions import EVERYWHERE, bindings
from tui.reader import Reader
from tui.screens.base import DeskScreen, failure
from tui.screens.overview import OverviewScreen

if TYPE_CHECKING:
    from review.live import News

LOOK_SECONDS = 2.0
"""How often to see whether others wrote: for a file a look at its time, for a server one short question."""
TOLD = 3
"""Acts of others that one passing word tells of."""

PLACES = ("overview", "queue", "policy", "credentials", "sources", "report")
TURN = 0.001
"""Seconds a reader keeps the interpreter while the screen waits for it; at each key it waits many times."""


class RemitApp(App[None]):
    """The dashboard over one desk. Under NO_COLOR it starts in the terminal's own colours, which then emits none."""

    TITLE = "remit"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(EVERYWHERE)
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012  Textual declares it so

    def __init__(self, desk: Desk, start: str = "overview") -> None:
        # Motion costs bytes over ssh and helps nobody here; the environment may still ask for it.
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
        plain = bool(os.environ.get("NO_COLOR"))
        super().__init__(ansi_color=plain or None)
        self.desk = desk
        self.start = start
        self.floor = start if start in ("overview", "queue") else "overview"
        """The place at the bottom of the stack, to which esc leads from every other."""
        self.warned = False
        if plain:
            self.theme = "ansi-dark"

    def on_mount(self) -> None:
        self._heed_signals()
        sys.setswitchinterval(TURN)
        self.looker = Reader(self, self._look_failed)
        self.out_of_reach = False
        self.set_interval(LOOK_SECONDS, self.look)
        self.install_screen(make_screen(self.floor), self.floor)
        self.push_screen(self.floor)
        self.go(self.start)

    def on_unmount(self) -> None:
        self.looker.close()

    def look(self) -> None:
        """See whether anybody wrote to the store, and show it in place."""
        if self.looker.idle and self.desk.stirred():
            self.looker.ask(self.desk.look, self._news)

    def _news(self, news: News | None) -> None:
        self.out_of_reach = False
        if news is None:
            return
        screen = self.screen
        if isinstance(screen, DeskScreen) and screen.live(news):
            screen.seen = self.desk.generation
        if news.said:
            self.notify("; ".join(news.said[:TOLD]), timeout=4, markup=False)

    def _look_failed(self, error: BaseException) -> None:
        """Said once: the next look may reach the store again."""
        if not self.out_of_reach:
            self.out_of_reach = True
            self.notify(failure(error), severity="error", timeout=8, markup=False)

    def _heed_signals(self) -> None:
        """End in order when asked to from outside, so that the terminal is given back as it was."""
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name) and threading.current_thread() is threading.main_thread():
                loop.add_signal_handler(getattr(signal, name), self.exit)

    def go(self, name: str) -> None:
        """Show one of the six places; one is the floor of the stack, the others keep their state when left."""
        while len(self.screen_stack) > 2:
            self.pop_screen()
        if name == self.floor:
            return
        if not self.is_screen_installed(name):
            self.install_screen(make_screen(name), name)
        self.push_screen(name)

    def action_go_overview(self) -> None:
        self.go("overview")

    def action_go_queue(self) -> None:
        self.go("queue")

    def action_go_policy(self) -> None:
        self.go("policy")

    def action_go_credentials(self) -> None:
        self.go("credentials")

    def action_go_sources(self) -> None:
        self.go("sources")

    def action_go_report(self) -> None:
        self.go("report")

    async def action_back(self) -> None:
        screen = self.screen
        if isinstance(screen, DeskScreen) and screen.step_back():
            return
        if len(self.screen_stack) > 2:
            self.pop_screen()

    async def action_quit(self) -> None:
        """Leave, unless a draft would be lost: then say so once."""
        unsaved = self.unsaved()
        if unsaved and not self.warned:
            self.warned = True
            self.notify(f"{unsaved}; the same key again leaves it behind", severity="warning", timeout=6, markup=False)
            return
        self.exit()

    def unsaved(self) -> str:
        """What would be lost by leaving, "" if nothing."""
        places = (self.get_screen(name) for name in PLACES if self.is_screen_installed(name))
        return "; ".join(said for place in places if isinstance(place, DeskScreen) and (said := place.unsaved()))

    def action_help(self) -> None:
        from tui.screens.help import HelpScreen

        barred = self.screen.barred if isinstance(self.screen, DeskScreen) else ""
        self.push_screen(HelpScreen(self.scope, barred))

    def action_command(self) -> None:
        from tui.screens.command import CommandScreen

        self.push_screen(CommandScreen(self.scope), self._run_command)

    @property
    def scope(self) -> str:
        return self.screen.SCOPE if isinstance(self.screen, DeskScreen) else EVERYWHERE

    async def _run_command(self, action: str | None) -> None:
        if not action:
            return
        method = f"action_{action.partition('(')[0]}"
        await self.run_action(action, default_namespace=self.screen if hasattr(self.screen, method) else self)


def make_screen(name: str) -> DeskScreen:
    """The screen of a place, imported when it is first opened."""
    match name:
        case "overview":
            return OverviewScreen()
        case "queue":
            from tui.screens.queue import QueueScreen

            return QueueScreen()
        case "policy":
            from tui.screens.policy import PolicyScreen

            return PolicyScreen()
        case "credentials":
            from tui.screens.credentials import CredentialsScreen

            return CredentialsScreen()
        case "sources":
            from tui.screens.sources import SourcesScreen

            return SourcesScreen()
        case _:
            from tui.screens.report import ReportScreen

            return ReportScreen()
