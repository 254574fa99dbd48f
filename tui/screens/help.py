"""Help: the keys of the screen one is on, generated from the action registry."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.action import Action
from tui.actions import ACTIONS, bindings, of_scope
from tui.scopes import EVERYWHERE, OVERVIEW, PANEL, POLICY, QUEUE, SHEET, TABLE
from tui.screens.base import Dialog, WhyNot, always
from tui.widgets.panel import hang

WIDEST = 92
"""Cells of the dialog at most, as the style sheet says."""
AROUND = 8
"""Cells its frame, padding and scroll bar take."""

MARKS = (
    "Marks",
    "  seen by     A agent  E enforcer  T target  W witness  · not seen",
    "  severity    !! critical  ! high  ^ medium  - low",
    "  outcome     ✓ yes  ✗ no  · unknown  ! vantages disagree  ? cannot judge  ▒ blind spot",
    "  links       exact: the same identifier; derived: carried or computed; inferred: scored, with rivals",
)
TYPING = (
    "While typing",
    "  i goes into the text, where letters, digits, ?, : and / are typed. esc leaves it for the list of flips, where "
    "they are keys again.",
)


class HelpScreen(Dialog[None]):
    """The keys of one scope and the keys that work everywhere; j and k scroll."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(SHEET)

    def __init__(self, scope: str, actions: tuple[Action, ...] = ACTIONS, why_not: WhyNot = always) -> None:
        super().__init__()
        self.scope = scope
        self.actions = actions
        self.why_not = why_not

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", id="sheet") as sheet:
            sheet.border_title = "keys"
            sheet.border_subtitle = "j k scroll  esc closes"
            yield Static(self._text(), markup=False)

    def _text(self) -> str:
        width = min(int(self.app.size.width * 0.9), WIDEST) - AROUND
        return help_text(self.scope, width, self.actions, self.why_not)

    def on_resize(self) -> None:
        super().on_resize()
        self.query_one(Static).update(self._text())

    def action_turn(self, step: int) -> None:
        self.query_one("#sheet").scroll_relative(y=step, animate=False)


def sections(scope: str, actions: tuple[Action, ...] = ACTIONS) -> list[tuple[str, Sequence[Action]]]:
    """The headed lists of actions that concern a screen, its own first."""
    own = [(scope.capitalize(), of_scope(scope, actions))] if scope != EVERYWHERE else []
    lists = [("Lists", of_scope(TABLE, actions))] if scope != OVERVIEW else []
    panel = [("Panels", of_scope(PANEL, actions))] if scope not in (EVERYWHERE, OVERVIEW, QUEUE, POLICY) else []
    return [*own, ("Everywhere", of_scope(EVERYWHERE, actions)), *lists, *panel]


def help_text(scope: str, width: int, actions: tuple[Action, ...] = ACTIONS, why_not: WhyNot = always) -> str:
    """The key sheet of a scope as aligned lines of at most `width` cells; what cannot be done now says why."""
    lines: list[str] = []
    for heading, listed in sections(scope, actions):
        lines += [heading, *(_line(action, width, why_not(action)) for action in listed), ""]
    notes = [*TYPING, "", *MARKS] if scope == POLICY else MARKS
    return "\n".join(lines + [hang(note, width) for note in notes])


def _line(action: Action, width: int, against: str) -> str:
    start = f"{'✗' if against else ' '} {action.shown_keys:<17} {action.label:<16} "
    room = max(width - len(start), 20)
    text = action.help + (f" (not now: {against})" if against else "")
    return start + f"\n{' ' * len(start)}".join(wrap(text, room) or [""])
