"""The app: mounts screens, holds the desk they read from, and runs what the registry of actions names."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual.actions import ActionParseResult
from textual.binding import BindingType
from textual.css.query import NoMatches
from textual.dom import DOMNode

from lang.safe import safe_line
from review import locations
from review.settings import Settings
from review.sitting.desk import Desk
from tui import copying
from tui.action import Action
from tui.actions import bindings
from tui.breath import Typed
from tui.collector import Resting
from tui.keymap import changes, keyed
from tui.reader import Reader
from tui.scopes import EVERYWHERE
from tui.screens.base import DeskScreen, failure
from tui.screens.overview import OverviewScreen
from tui.themes import choose, known_themes

if TYPE_CHECKING:
    from review.judge.live import News
    from review.pack.pack_run import PackRun
    from review.sitting.arrival import Arrival
    from tui.first_frame import Standing

LOOK_SECONDS = 2.0
"""How often to see whether others wrote: for a file a look at its time, for a server one short question."""
TOLD = 3
"""Acts of others that one passing word tells of."""

UNVEILED = 1.0
"""Seconds after which the screen is drawn whatever is known by then, and what the first walk needs is loaded."""

PLACES = ("overview", "queue", "policy", "credentials", "sources", "report")
TURN = 0.001
"""Seconds a reader keeps the interpreter while the screen waits for it; at each key it waits many times."""


class RemitApp(Typed):
    """The dashboard over one desk, with a person's settings; raises RemitError where they name what is not there.

    Under NO_COLOR it starts in the terminal's own colours, which then emits none.
    """

    TITLE = "remit"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(EVERYWHERE)
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012  Textual declares it so
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]  # noqa: RUF012

    def __init__(
        self,
        desk: Desk,
        start: str = "",
        settings: Settings | None = None,
        themes: Path | None = None,
        *,
        tour: bool = False,
        standing: Standing | None = None,
    ) -> None:
        settings = settings or Settings()
        own = known_themes(themes)
        theme = choose(settings.theme, own, os.environ)
        # Motion costs bytes over ssh and helps nobody here; the environment may still ask for it.
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
        plain = bool(os.environ.get("NO_COLOR"))
        super().__init__(ansi_color=plain or None)
        self._veil = ExitStack()
        if self.driver_class.__name__ == "LinuxDriver":
            from tui.driver import driver_for

            self.driver_class = driver_for(standing)
        if standing is not None and standing.rows:
            # They stay on the screen until it shows them itself.
            self._veil.enter_context(self.batch_update())
            self._veil.callback(self._draw_all)
        self.desk = desk
        self.start = start or settings.start
        self.floor = self.start if self.start in ("overview", "queue") else "overview"
        """The place at the bottom of the stack, to which esc leads from every other."""
        self.settings = settings
        self.actions = keyed(settings.preset, settings.keys)
        self.record: Callable[[str], None] | None = None
        """Told every key that is pressed, where a sitting is recorded."""
        self.warned = False
        self._typed = False
        """Whether a key came since the last look at the store."""
        self.offer_tour = tour and self.settings.tour
        for one in own.values():
            self.register_theme(one)
        self.theme = theme

    def on_mount(self) -> None:
        self._heed_signals()
        sys.setswitchinterval(TURN)
        self.resting = Resting()
        self.looker = Reader(self, self._look_failed)
        self.begun: dict[str, str] = {}
        """What was typed into a dialog that was left without recording it, by what it is about."""
        self.out_of_reach = False
        self.set_interval(LOOK_SECONDS, self.look)
        self.set_keymap(changes(self.actions))
        self.install_screen(make_screen(self.floor), self.floor)
        self.push_screen(self.floor)
        self.go(self.start)
        if self.offer_tour:
            self._offer_tour()
        self.set_timer(UNVEILED, self._begun)

    def unveil(self) -> None:
        """Draw from now on: the rows of the first frame are known here, or will not come soon."""
        self._veil.close()

    def _begun(self) -> None:
        def load() -> None:
            self.desk.make_ready()
            import_module("tui.screens.task")

        self.unveil()
        self.looker.ask(load, lambda loaded: None)

    def _draw_all(self) -> None:
        self.call_later(self.screen.refresh)

    def on_unmount(self) -> None:
        self.looker.close()

    def look(self) -> None:
        """See whether anybody wrote to the store, and show it in place; a moment without a key is used to tidy up."""
        if self._typed:
            self._typed = False
        elif self.looker.idle:
            self.resting()
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

    def begin_import(self, paths: list[str], *, follow: bool = False) -> None:
        """Import in a process of its own; a passing word says how it ended, wherever one is by then. Raises RemitError."""
        self.desk.arrive(paths, lambda one: self._from_elsewhere(self._import_ended, one), follow=follow)

    def _import_ended(self, one: Arrival) -> None:
        good = one.report is not None and not one.report["totals"]["rejected"]
        self.notify(
            safe_line(one.sentence(), 600), title="import", severity="information" if good else "warning", timeout=6, markup=False
        )
        self._renew()

    def pack_ended(self, one: PackRun) -> None:
        """A pack is written, or could not be: said wherever one is by then. Called on another thread."""
        self._from_elsewhere(self._say_packed, one)

    def _say_packed(self, one: PackRun) -> None:
        severity: Literal["information", "warning"] = "information" if one.good else "warning"
        self.notify(safe_line(one.sentence(), 600), title="export", severity=severity, timeout=6, markup=False)

    def judged_later(self, said: str, good: bool) -> None:
        """A verdict that waited for an import is recorded, or could not be; called on another thread."""
        self._from_elsewhere(self._judged, said, good)

    def _judged(self, said: str, good: bool) -> None:
        self.notify(safe_line(said, 600), severity="information" if good else "error", timeout=4 if good else 8, markup=False)
        self._renew()

    def _renew(self) -> None:
        if isinstance(self.screen, DeskScreen):
            self.screen.seen = self.desk.generation
            self.screen.import_ended()

    def _from_elsewhere(self, call: Callable[..., None], *arguments: Any) -> None:
        if self.is_running:
            self.call_later(call, *arguments)

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

    def _handle_exception(self, error: Exception) -> None:
        """End with what went wrong; a screen that comes up while the dashboard ends has no widgets any more, which is nothing wrong."""
        ending = self._exit or not self.is_running
        if not (ending and isinstance(error, NoMatches)):
            super()._handle_exception(error)

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
        one = self.desk.arriving
        import_runs = ["an import is under way and would be stopped; what it has read so far stays"] if one is not None else []
        return "; ".join(import_runs + [said for place in places if isinstance(place, DeskScreen) and (said := place.unsaved())])

    def action_help(self) -> None:
        from tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.scope, self.actions, self.why_not))

    def action_command(self) -> None:
        from tui.screens.command import CommandScreen

        self.push_screen(CommandScreen(self.scope, self.actions, self.why_not), self._run_command)

    def why_not(self, action: Action) -> str:
        """Why an action cannot be done on the screen that is shown, below any dialog; "" where it can."""
        shown = next((one for one in reversed(self.screen_stack) if isinstance(one, DeskScreen)), None)
        return shown.why_not(action) if shown is not None else ""

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """As Textual runs it, unless something stands against it: then that is said, whichever key or entry asked."""
        if isinstance(action, str) and isinstance(default_namespace, DeskScreen) and default_namespace.stopped(action):
            return True
        return await super().run_action(action, default_namespace, namespaces)

    def action_theme(self) -> None:
        from tui.screens.choosing import ThemeScreen

        self.push_screen(ThemeScreen(sorted(self.available_themes)))

    def action_topics(self) -> None:
        from tui.screens.topics import TopicsScreen

        self.push_screen(TopicsScreen())

    def action_messages(self) -> None:
        from tui.screens.messages import MessagesScreen

        self.push_screen(MessagesScreen())

    def action_jump(self) -> None:
        from tui.screens.jump import JumpScreen, arrive, targets

        self.push_screen(JumpScreen(targets(self.screen)), lambda target: arrive(target) if target is not None else None)

    def pressed(self, key: str) -> None:
        self._typed = True
        if self.record is not None:
            self.record(key)

    def _offer_tour(self) -> None:
        from review.sitting.tour import note_offered, was_offered

        if not was_offered():
            note_offered()
            self.tour_stop(0)

    def action_tour(self) -> None:
        self.tour_stop(0)

    def tour_stop(self, number: int) -> None:
        """Show a stop of the tour over the place it is about; past either end the tour is over."""
        from review.sitting.tour import STOPS
        from tui.screens.tour import TourScreen

        place = STOPS[number].place if 0 <= number < len(STOPS) else "queue"
        self.go("queue" if place == "task" else place)
        if place == "task":
            from tui.screens.queue import QueueScreen

            if isinstance(queue := self.screen, QueueScreen) and queue.is_mounted:
                queue.walk(queue.table.current)
        if 0 <= number < len(STOPS):
            self.push_screen(TourScreen(number))

    def copy(self, text: str) -> str:
        """Copy a text as the settings say; what to add to "copied" about where it is."""
        if self.settings.copy != "file":
            self.copy_to_clipboard(text)
        return "" if self.settings.copy == "terminal" else copying.keep(text, locations.copied_file())

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
