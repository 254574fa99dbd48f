"""Jump mode: letters over the panes and rows that are seen; a letter, or two where there are many, goes there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from tui.screens.base import Dialog
from tui.widgets.virtual_table import VirtualTable

LETTERS = "asdfghjklqwertyuiopzxcvbnm"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a label leads: a widget, and in a table one of its rows; x and y are cells of the screen."""

    widget: Widget
    row: int | None
    x: int
    y: int


class JumpScreen(Dialog[Target | None]):
    """Labels over another screen. Any key that begins no label gives it up."""

    DEFAULT_CSS = "JumpScreen > .jump { position: absolute; width: auto; height: 1; background: $accent; color: $background; text-style: bold; }"

    def __init__(self, targets: Sequence[Target]) -> None:
        super().__init__()
        self.targets = dict(zip(labels(len(targets)), targets, strict=True))
        self.typed = ""

    def compose(self) -> ComposeResult:
        for label, target in self.targets.items():
            mark = Static(label, classes="jump", markup=False)
            mark.styles.offset = (target.x, target.y)
            yield mark

    def on_key(self, event: events.Key) -> None:
        """The labels are keys only while they are seen, so they are no bindings."""
        if event.key in ("escape", "ctrl+c", "ctrl+q"):
            return
        event.stop()
        self.typed += event.character or ""
        if self.typed in self.targets:
            self.dismiss(self.targets[self.typed])
        elif not event.character or not any(label.startswith(self.typed) for label in self.targets):
            self.dismiss(None)


def labels(count: int) -> list[str]:
    """`count` labels of one length, so that none is the beginning of another."""
    if count <= len(LETTERS):
        return list(LETTERS[:count])
    return ["".join(pair) for pair in product(LETTERS, repeat=2)][:count]


def targets(screen: Screen[object]) -> list[Target]:
    """The panes of a screen that can have the focus, each table followed by its rows, as far as they are seen."""
    found: list[Target] = []
    for widget in screen.focus_chain:
        region = screen.find_widget(widget).visible_region if widget.is_on_screen else None
        if region is None or region.area == 0:
            continue
        found.append(Target(widget, None, region.x, region.y))
        if isinstance(widget, VirtualTable):
            top = widget.scroll_offset.y
            seen = range(top, min(top + max(region.height - 1, 0), widget.rows))
            found += [Target(widget, row, region.x, region.y + 1 + row - top) for row in seen]
    return found[: len(LETTERS) ** 2]


def arrive(target: Target) -> None:
    """Give the focus to a target, and the cursor where it is a row."""
    target.widget.screen.set_focus(target.widget)
    if isinstance(target.widget, VirtualTable) and target.row is not None:
        target.widget.cursor = target.row
