"""Help: the keys of the screen one is on, generated from the action registry."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.actions import EVERYWHERE, of_scope

MARKS = """Marks
  seen by     A agent  E enforcer  T target  W witness   · not seen
  severity    !! critical  ! high  ^ medium  - low
  outcome     ✓ yes  ✗ no  · unknown        ? cannot judge   ▒ blind spot
  links       exact: the same identifier   derived: carried or computed   inferred: scored, with rivals"""


class HelpScreen(ModalScreen[None]):
    """The keys of one scope and the keys that work everywhere."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,f1", "dismiss", "Close")]

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog"):
            yield Static(help_text(self.scope), markup=False)


def help_text(scope: str) -> str:
    """The key sheet of a scope as aligned lines."""
    lines = [scope.capitalize()]
    lines += [_line(a.shown_keys, a.label, a.help) for a in of_scope(scope)]
    lines += [
        "",
        "Lists",
        _line("j k ↓ ↑ g G ctrl+d ctrl+u", "Move", "one row, first, last, half a page"),
        _line("enter", "Open", ""),
    ]
    if scope != EVERYWHERE:
        lines += ["", "Everywhere"]
        lines += [_line(a.shown_keys, a.label, a.help) for a in of_scope(EVERYWHERE)]
    return "\n".join([*lines, "", MARKS])


def _line(keys: str, label: str, text: str) -> str:
    return f"  {keys:<14} {label:<18} {text}"
