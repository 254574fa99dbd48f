"""A text of whole lines that says something else at every key: it is drawn only where it changed, laid out only where it grew."""

from __future__ import annotations

from textual.timer import Timer
from textual.widgets import Static

REST = 0.6
"""Seconds without another text until rows that are no longer needed are given back."""


class Told(Static):
    """Its lines are wrapped by whoever tells them, so that as many lines take as many rows: laying out costs a whole screen.

    Where it has fewer lines than before it keeps its rows for a while, so that nothing moves while somebody types.
    """

    def __init__(self, text: str = "", **more: str) -> None:
        super().__init__(text, markup=False, **more)  # type: ignore[arg-type]
        self._told = text
        self._rows = text.count("\n")
        self._rest: Timer | None = None

    def tell(self, text: str) -> None:
        """Show this instead."""
        if text == self._told:
            return
        self._told = text
        if self._rest is not None:
            self._rest.stop()
            self._rest = None
        spare = self._rows - text.count("\n")
        if not text or spare < 0:
            self._give_back()
            return
        self.update(text + "\n" * spare, layout=False)
        if spare:
            self._rest = self.set_timer(REST, self._give_back)

    def _give_back(self) -> None:
        self._rows = self._told.count("\n")
        self.update(self._told)
