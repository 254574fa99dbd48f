"""The command line: any action by name, narrowed while typed."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui.actions import EVERYWHERE, Action, of_scope

ALIASES = {"q": "quit", "w": "save", "tasks": "go-queue", "policy": "go-policy", "report": "go-report", "sources": "go-sources"}


class CommandScreen(ModalScreen[str | None]):
    """Dismisses with the chosen action's method name, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close"),
        Binding("down", "move(1)", "Next", show=False),
        Binding("up", "move(-1)", "Previous", show=False),
    ]

    def __init__(self, scope: str) -> None:
        super().__init__()
        here = () if scope == EVERYWHERE else of_scope(scope)
        self.actions: tuple[Action, ...] = (*here, *of_scope(EVERYWHERE))

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Input(placeholder="command", id="command-input")
            yield OptionList(id="command-list")

    def on_mount(self) -> None:
        self._show("")
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._show(event.value)

    @on(Input.Submitted)
    def _entered(self) -> None:
        options = self.query_one(OptionList)
        if options.option_count:
            option = options.get_option_at_index(options.highlighted or 0)
            self.dismiss(option.id)

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def action_move(self, step: int) -> None:
        options = self.query_one(OptionList)
        if options.option_count:
            options.highlighted = ((options.highlighted or 0) + step) % options.option_count

    def _show(self, typed: str) -> None:
        wanted = typed.strip().lstrip(":").lower()
        wanted = ALIASES.get(wanted, wanted)
        options = self.query_one(OptionList)
        options.clear_options()
        for action in self.actions:
            if wanted in f"{action.name} {action.label}".lower():
                text = f"{action.scope}: {action.label}  ({action.shown_keys})  {action.help}"
                options.add_option(Option(text.replace("[", r"\["), id=action.method))
        if options.option_count:
            options.highlighted = 0
