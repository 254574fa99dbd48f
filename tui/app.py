"""The app: mounts screens, holds the desk they read from, and the palette made from the action registry."""

from __future__ import annotations

import os
from typing import ClassVar

from textual.app import App
from textual.binding import BindingType
from textual.screen import Screen

from review.desk import Desk
from tui.actions import EVERYWHERE, bindings
from tui.screens.base import DeskScreen
from tui.screens.queue import QueueScreen


class RemitApp(App[None]):
    """The dashboard over one desk. Under NO_COLOR it starts in the terminal's own colours, which then emits none."""

    TITLE = "remit"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(EVERYWHERE)
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [(0, "-narrow"), (120, "-wide")]

    def __init__(self, desk: Desk, start: str = "queue") -> None:
        # Motion costs bytes over ssh and helps nobody here; the environment may still ask for it.
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
        super().__init__(ansi_color=bool(os.environ.get("NO_COLOR")))
        self.desk = desk
        self.start = start

    def on_mount(self) -> None:
        if os.environ.get("NO_COLOR"):
            self.theme = "ansi-dark"
        self.push_screen(QueueScreen())
        if self.start != "queue":
            self._go(self.start)

    def _go(self, name: str) -> None:
        """Show one of the five places; the queue is the floor of the stack."""
        while len(self.screen_stack) > 2:
            self.pop_screen()
        screen = make_screen(name)
        if screen is not None:
            self.push_screen(screen)

    def action_go_queue(self) -> None:
        self._go("queue")

    def action_go_policy(self) -> None:
        self._go("policy")

    def action_go_credentials(self) -> None:
        self._go("credentials")

    def action_go_sources(self) -> None:
        self._go("sources")

    def action_go_report(self) -> None:
        self._go("report")

    def action_back(self) -> None:
        screen = self.screen
        if isinstance(screen, DeskScreen) and screen.step_back():
            return
        if len(self.screen_stack) > 2:
            self.pop_screen()

    def action_help(self) -> None:
        from tui.screens.help import HelpScreen

        screen = self.screen
        self.push_screen(HelpScreen(screen.SCOPE if isinstance(screen, DeskScreen) else EVERYWHERE))

    def action_command(self) -> None:
        from tui.screens.command import CommandScreen

        screen = self.screen
        scope = screen.SCOPE if isinstance(screen, DeskScreen) else EVERYWHERE
        self.push_screen(CommandScreen(scope), self._run_command)

    async def _run_command(self, method: str | None) -> None:
        if not method:
            return
        target = self.screen if hasattr(self.screen, f"action_{method}") else self
        await self.run_action(method, default_namespace=target)


def make_screen(name: str) -> Screen[object] | None:
    """The screen of a place, imported when it is first opened; None for the queue, which is always there."""
    match name:
        case "policy":
            from tui.screens.policy import PolicyScreen

            return PolicyScreen()
        case "credentials":
            from tui.screens.credentials import CredentialsScreen

            return CredentialsScreen()
        case "sources":
            from tui.screens.sources import SourcesScreen

            return SourcesScreen()
        case "report":
            from tui.screens.report import ReportScreen

            return ReportScreen()
        case _:
            return None
