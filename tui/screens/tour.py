"""The tour: the places of the dashboard one after the other, each with what it is for and the keys that matter there."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Static

from review.sitting.tour import STOPS, Stop
from tui.action import Action
from tui.actions import ACTIONS, bindings
from tui.scopes import TOUR
from tui.screens.base import Dialog

if TYPE_CHECKING:
    from tui.app import RemitApp


class TourScreen(Dialog[None]):
    """One stop at a time at the foot of the screen it is about; esc ends it anywhere."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(TOUR)

    def __init__(self, at: int = 0) -> None:
        super().__init__()
        self.at = at

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="tour") as dialog:
            dialog.border_title = f"tour {self.at + 1} of {len(STOPS)}"
            dialog.border_subtitle = "enter next  p back  esc ends"
            yield Static(said(STOPS[self.at], cast("RemitApp", self.app).actions), markup=False)

    def action_turn(self, step: int) -> None:
        """The next stop, on its own screen; past the last one the tour ends where it began."""
        app = cast("RemitApp", self.app)
        self.dismiss(None)
        app.tour_stop(self.at + step)


def said(stop: Stop, actions: tuple[Action, ...] = ACTIONS) -> str:
    """The words of a stop with the keys as this person has them."""
    keys = {one.id: one.first_key or f": {one.said}" for one in actions}
    return "\n".join((stop.title, "", stop.text, "", *(f"  {keys.get(id, ':'):<8} {does}" for id, does in stop.keys)))
