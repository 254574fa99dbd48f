"""What every screen of the desk has: crumbs, a reader thread, a line of keys, and a word when something fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from textwrap import fill
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.widget import Widget
from textual.widgets import Input, TextArea

from lang.safe import safe_line
from review.errors import foreseen
from tui.action import ROW, Action
from tui.actions import ACTIONS, bindings, of_scope
from tui.compositor import TouchedCompositor
from tui.reader import Reader
from tui.scopes import DIALOG, EVERYWHERE, IMPORT, PANEL, POLICY, PROPOSALS, REPORT, SOURCES, VERSIONS
from tui.widgets.lines import Crumbs, Hint
from tui.widgets.panel import Panel
from tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from review.judge.live import News
    from review.sitting.desk import Desk
    from review.stores.roles import Duty
    from tui.app import RemitApp

PLACES = "1-6"
DUTY: dict[str, Duty | None] = {
    POLICY: "author",
    VERSIONS: "author",
    PROPOSALS: "author",
    SOURCES: "import",
    IMPORT: "import",
    REPORT: None,
}
"""What is written to the store from the screens of a scope; from those not named it is reviews."""

NO_ROW = "there is no row to do it with"
FIELD_KEYS = (("enter", "go"), ("esc", "give up"))
"""What the bottom line says while a one-line field is open that has no `KEYS` of its own."""
HINTS = 7
"""Keys the bottom line shows at most."""

WhyNot = Callable[[Action], str]
"""Tells why an action cannot be done now, "" where it can."""


def always(action: Action) -> str:
    """Nothing stands against any action."""
    return ""


def in_place(error: BaseException) -> str:
    """Why there are no rows, in lines that fit the narrowest terminal."""
    return fill(failure(error), 72)


def failure(error: BaseException) -> str:
    """What went wrong in one sentence, whoever's fault it is."""
    known = foreseen(error)
    if known is not None:
        return safe_line(known[0])
    return safe_line(f"this could not be read, and the fault is Remit's own: {type(error).__name__}: {error}", 400)


class DeskScreen(Screen[None]):
    """A screen over the desk. Subclasses name their SCOPE and `body`; `crumbs` and `facts` say where one is."""

    SCOPE: ClassVar[str] = EVERYWHERE
    TABLE: ClassVar[str] = ""
    """The id of the list this screen's keys are about, where there is one; it has the focus at first."""
    BINDINGS: ClassVar[list[BindingType]] = bindings(PANEL)
    barred: str = ""
    """Why nothing can be written from here, where that is known."""
    alone: str = ""
    """Whose tasks the counts are of, where this login sees those of some teams alone."""

    def __init__(self, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name, id, classes)
        self._compositor = TouchedCompositor()

    @property
    def remit(self) -> RemitApp:
        return cast("RemitApp", self.app)

    @property
    def desk(self) -> Desk:
        return self.remit.desk

    def compose(self) -> ComposeResult:
        yield Crumbs(self.crumbs(), self.facts())
        with Vertical(id="body"):
            yield from self.body()
        yield Hint(self._keys())

    def _keys(self, *, typing: bool = False) -> list[tuple[str, str]]:
        """What the bottom line offers; there is no way back from the place all others lie upon."""
        lowest = self.app.screen_stack[1:2] == [self]
        return hints(self.SCOPE, self.remit.actions, typing=typing, barred=bool(self.barred), back=not lowest)

    def body(self) -> Iterable[Widget]:
        """What stands between the crumbs and the line of keys."""
        return ()

    def crumbs(self) -> list[str]:
        return [self.SCOPE.capitalize()]

    def facts(self) -> str:
        """Figures for the right end of the crumbs."""
        return ""

    def on_mount(self) -> None:
        self.reader = Reader(self.remit, self.read_failed)
        self.seen = self.desk.generation
        self.barred = self.desk.refusal(None)
        self.remit.looker.ask(lambda: (self.refused(self.SCOPE), self.desk.sight()), self._standing)
        self.focus_main()
        self.ready()

    def _standing(self, found: tuple[str, str]) -> None:
        """Keys that would write are marked as doing nothing, and whose tasks are counted is said, once either is known."""
        self.barred, self.alone = found
        if not self.is_mounted:
            return
        if self.alone:
            self.set_crumbs()
        if self.barred:
            self.query_one(Hint).show(self._keys())

    def on_unmount(self) -> None:
        self.reader.close()

    @property
    def idle(self) -> bool:
        """Whether it stands, and everything asked of the store has been answered."""
        return self.is_mounted and self.reader.idle

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The bottom line names keys that do something where the focus is."""
        if isinstance(event.widget, Input):
            keys = list(getattr(event.widget, "KEYS", ())) or field_keys(event.widget)
        else:
            keys = self._keys(typing=isinstance(event.widget, TextArea))
        self.query_one(Hint).show(keys)

    def on_screen_resume(self) -> None:
        """What was written to the store while this screen was covered shows when it comes back."""
        if self.is_mounted and getattr(self, "seen", self.desk.generation) != self.desk.generation:
            self.seen = self.desk.generation
            self.reread()

    def ready(self) -> None:
        """Called once, when widgets stand and the reader runs."""

    def reread(self) -> None:
        """Read the store again, keeping the place."""

    def live(self, news: News) -> bool:
        """Show what others did without moving what is being read; False where this screen reads anew when come back to."""
        return False

    def import_ended(self) -> None:
        """An import that was begun here is over: show what it changed, without moving what is being read."""

    def step_back(self) -> bool:
        """True when `back` was used up inside this screen (a filter closed, a panel left)."""
        return self.close_bar()

    def set_crumbs(self) -> None:
        self.query_one(Crumbs).show(self.crumbs(), self.facts())

    def say(self, text: str, *, bad: bool = False) -> None:
        """A passing word at the lower right."""
        self.notify(safe_line(text, 600), severity="error" if bad else "information", timeout=8 if bad else 3, markup=False)

    def read_failed(self, error: BaseException) -> None:
        self.remit.unveil()
        self.say(failure(error), bad=True)

    def may_write(self) -> bool:
        """False, with the reason shown, in a read-only sitting and where the store does not let this login do it."""
        refused = self.refused(self.SCOPE)
        if refused:
            self.say(refused)
        return not refused

    def refused(self, scope: str) -> str:
        """Why nothing can be written from the screens of a scope, "" where it can."""
        return self.desk.refusal(DUTY.get(scope, "review"))

    def why_not(self, action: Action) -> str:
        """Why an action cannot be done here and now, "" where it can."""
        if action.writes and self.barred:
            return self.barred
        if action.needs == ROW and not any(table.current is not None or table.marked for table in self.query(VirtualTable)):
            return NO_ROW
        return ""

    def stopped(self, run: str) -> bool:
        """Whether something stands against an action of this screen, by its Textual name; then the reason is shown."""
        against = next((why for one in of_scope(self.SCOPE) if one.run == run and (why := self.why_not(one))), "")
        if against:
            self.say(against)
        return bool(against)

    def copy(self, text: str, what: str) -> None:
        """Copy a text and say where it went."""
        self.say(f"copied {what}{self.remit.copy(text)}")

    @on(VirtualTable.Copied)
    def _copied(self, event: VirtualTable.Copied) -> None:
        if event.row is None:
            self.say(NO_ROW)
        else:
            # Kept to ASCII: what steers a terminal stays an escape wherever this is pasted.
            self.copy(json.dumps(event.row, default=str), "the row as JSON")

    # the one-line field at the bottom of some screens

    def open_bar(self, id: str, value: str = "") -> None:
        self.close_bar()
        bar = self.query_one(f"#{id}", Input)
        bar.value = value
        bar.add_class("-open")
        self.set_focus(bar)

    def close_bar(self) -> bool:
        """Close the open field, if one is; the main widget gets the focus back."""
        for bar in self.query(".bar.-open"):
            bar.remove_class("-open")
            self.focus_main()
            return True
        return False

    def exported(self, said: str) -> None:
        """Rows are written: the field for their file stayed open until then, so that one which cannot be written is named anew."""
        if self.query_one("#export").has_class("-open"):
            self.close_bar()
        self.say(said)

    def unsaved(self) -> str:
        """What would be lost by leaving Remit now, "" if nothing."""
        return ""

    @property
    def table(self) -> VirtualTable:
        return self.query_one(f"#{self.TABLE}", VirtualTable)

    def focus_main(self) -> None:
        """Give the focus to what the keys of this screen are about."""
        if self.TABLE:
            self.set_focus(self.table)

    def action_panel(self, direction: int) -> None:
        for panel in self.query(Panel):
            if panel.display:
                panel.turn(direction)
                return


class Dialog(ModalScreen[ScreenResultType]):
    """A dialog over a screen; esc and ctrl+c give it up."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(DIALOG)

    def __init__(self, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name, id, classes)
        self._compositor = TouchedCompositor()

    def on_resize(self) -> None:
        """What is typed in stays in sight where the terminal became too low for the whole."""
        self.call_after_refresh(self._show_focused)

    def _show_focused(self) -> None:
        if self.focused is not None:
            self.focused.scroll_visible(animate=False)

    def action_suspend_process(self) -> None:
        """Textual keeps the app's own keys from a modal screen."""
        self.app.action_suspend_process()


def field_keys(field: Input) -> list[tuple[str, str]]:
    """What the bottom line says while a field is open; of one that something stands in, what is wanted there too."""
    first, last = FIELD_KEYS
    return [first, *([("for", field.placeholder)] if field.value else []), last]


BARRED = "✗ "
"""Before the label of a key that does nothing in this sitting."""


def hints(
    scope: str, actions: tuple[Action, ...] = ACTIONS, *, typing: bool = False, barred: bool = False, back: bool = True
) -> list[tuple[str, str]]:
    """(key, label) of what the bottom line offers in a scope; help comes last and is always shown."""
    shown: list[Action] = [a for a in (*of_scope(scope, actions), *of_scope(EVERYWHERE, actions)) if a.footer]
    last = [a for a in shown if a.name == "help"]
    pairs = [
        (a.key_while_typing if typing else a.first_key, (BARRED if barred and a.writes else "") + a.label.lower())
        for a in shown
        if a.name != "help" and (back or a.name != "back")
    ]
    if not typing:
        # Before `back`: where room is short the way to the other places is what a newcomer lacks.
        pairs.insert(-1 if back else len(pairs), (PLACES, "places"))
    kept = [(key, label) for key, label in pairs if key][: HINTS - 1]
    return kept + [(a.key_while_typing if typing else a.first_key, a.label.lower()) for a in last]
