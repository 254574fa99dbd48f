"""Help: the keys of the screen one is on, generated from the action registry."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from lang.safe import safe_line
from tui.actions import EVERYWHERE, PANEL, POLICY, QUEUE, TABLE, Action, of_scope
from tui.screens.base import Dialog
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

    BINDINGS: ClassVar[list[BindingType]] = [
        ("q,h,question_mark,f1", "dismiss", "Close"),
        ("j,down", "turn(1)", "Down"),
        ("k,up", "turn(-1)", "Up"),
    ]

    def __init__(self, scope: str, barred: str = "") -> None:
        super().__init__()
        self.scope = scope
        self.barred = barred
        """Why what writes does nothing in this sitting, "" where it does."""

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", id="sheet") as sheet:
            sheet.border_title = "keys"
            sheet.border_subtitle = "j k scroll  esc closes"
            width = min(int(self.app.size.width * 0.9), WIDEST) - AROUND
            yield Static(help_text(self.scope, width, self.barred), markup=False)

    def action_turn(self, step: int) -> None:
        self.query_one("#sheet").scroll_relative(y=step, animate=False)


def sections(scope: str) -> list[tuple[str, Sequence[Action]]]:
    """The headed lists of actions that concern a screen, its own first."""
    own = [(scope.capitalize(), of_scope(scope))] if scope != EVERYWHERE else []
    panel = [("Panels", of_scope(PANEL))] if scope not in (EVERYWHERE, QUEUE, POLICY) else []
    return [*own, ("Everywhere", of_scope(EVERYWHERE)), ("Lists", of_scope(TABLE)), *panel]


def help_text(scope: str, width: int, barred: str = "") -> str:
    """The key sheet of a scope as aligned lines of at most `width` cells; keys that do nothing say why (`barred`)."""
    lines: list[str] = [hang(safe_line(f"✗ disabled: {barred}", 400), width), ""] if barred else []
    for heading, actions in sections(scope):
        lines += [heading, *(_line(action, width, disabled=bool(barred) and action.writes) for action in actions), ""]
    notes = [*TYPING, "", *MARKS] if scope == POLICY else MARKS
    return "\n".join(lines + [hang(note, width) for note in notes])


def _line(action: Action, width: int, *, disabled: bool = False) -> str:
    start = f"{'✗' if disabled else ' '} {action.shown_keys:<17} {action.label:<16} "
    room = max(width - len(start), 20)
    return start + f"\n{' ' * len(start)}".join(wrap(action.help, room) or [""])
