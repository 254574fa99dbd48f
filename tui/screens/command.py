"""The palette: any action by name, narrowed while typed; what cannot be done now is there too, with the reason."""

from __future__ import annotations

import re
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.fuzzy import FuzzySearch
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.action import Action
from tui.actions import ACTIONS, bindings, of_scope
from tui.scopes import COMMAND, EVERYWHERE
from tui.screens.base import Dialog, WhyNot, always

ALIASES = {
    "q": "quit",
    "q!": "quit",
    "w": "save",
    "e": "open-file",
    "tasks": "go-queue",
    "policy": "go-policy",
    "creds": "go-credentials",
    "credentials": "go-credentials",
    "sources": "go-sources",
    "report": "go-report",
}
"""What people type out of habit, for the action of that name."""


class CommandScreen(Dialog[str | None]):
    """Dismisses with the chosen action's Textual action string, or None."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(COMMAND)

    def __init__(self, scope: str, actions: tuple[Action, ...] = ACTIONS, why_not: WhyNot = always) -> None:
        super().__init__()
        self.actions = offered(scope, actions)
        self.why_not = why_not

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "command"
            yield Input(placeholder="a word of the action's name, or q w tasks policy sources report", id="command-input")
            yield OptionList(id="command-list")
            yield Static("", id="command-said", markup=False)

    def on_mount(self) -> None:
        self._show("")
        self.set_focus(self.query_one(Input))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._show(event.value)

    @on(Input.Submitted)
    def _entered(self) -> None:
        options = self.query_one(OptionList)
        if options.option_count:
            self._take(options.get_option_at_index(options.highlighted or 0))

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        self._take(event.option)

    def _take(self, option: Option) -> None:
        action = next(action for action in self.actions if action.id == option.id)
        against = self.why_not(action)
        if against:
            self.query_one("#command-said", Static).update(f"✗ {action.said}: {against}")
        else:
            self.dismiss(action.run)

    def action_move(self, step: int) -> None:
        options = self.query_one(OptionList)
        if options.option_count:
            options.highlighted = ((options.highlighted or 0) + step) % options.option_count

    def _show(self, typed: str) -> None:
        found = matching(self.actions, typed)
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(line(action, self.why_not(action)), id=action.id) for action in found])
        if found:
            options.highlighted = 0
        self.query_one("#command-said", Static).update("" if found else "nothing of that name can be done here")


def offered(scope: str, actions: tuple[Action, ...] = ACTIONS) -> tuple[Action, ...]:
    """What the palette holds on a screen: the screen's own actions, then those of everywhere."""
    return (*(of_scope(scope, actions) if scope != EVERYWHERE else ()), *of_scope(EVERYWHERE, actions))


def matching(actions: tuple[Action, ...], typed: str) -> list[Action]:
    """The actions a typed text may mean: exactly the alias's or named one, else those that hold all its words, the nearest first.

    A word that begins one of the action's own name tells more than one inside it, and that more than one of what is said about
    it. Where no action holds the words, their letters in that order are enough (`qst` for `queue: sort`).
    """
    wanted = typed.strip().lstrip(":").lower()
    exact = [a for a in actions if ALIASES.get(wanted, wanted) in (a.name, a.said)]
    if exact or wanted in ALIASES:
        return exact
    words = wanted.split()
    held = [a for a in actions if all(word in f"{a.said} {a.name} {a.label} {a.help}".lower() for word in words)]
    if held or not words:
        return sorted(held, key=lambda action: _distance(action, words))
    search = FuzzySearch()
    scored = [(search.match("".join(words), a.said)[0], a) for a in actions]
    return [a for score, a in sorted(scored, key=lambda one: -one[0]) if score > 0]


def _distance(action: Action, words: list[str]) -> int:
    """How far these words are from an action's name: 0 where each begins a word of it, 1 inside it, 2 only in what is said about it."""
    name = action.said.lower()
    begins = re.split(r"\W+", name)
    if all(any(one.startswith(word) for one in begins) or word == name for word in words):
        return 0
    return 1 if all(word in name for word in words) else 2


def line(action: Action, against: str = "") -> Content:
    """One entry: its name, its keys, and what it does or why it cannot be done now."""
    if against:
        return Content.assemble((f"{action.said:<28} {action.shown_keys:<16} not now: {against}", "dim"))
    return Content.assemble((f"{action.said:<28}", "bold"), f" {action.shown_keys:<16} ", (action.help, "dim"))
