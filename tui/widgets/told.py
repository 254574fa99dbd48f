"""A text of whole lines that says something else at every key: it is drawn only where it changed, laid out only where it grew."""

from __future__ import annotations

from textual.widgets import Static


class Told(Static):
    """Its lines are wrapped by whoever tells them, so that as many lines take as many rows: laying out costs a whole screen."""

    def __init__(self, text: str = "", **more: str) -> None:
        super().__init__(text, markup=False, **more)  # type: ignore[arg-type]
        self._told = text

    def tell(self, text: str) -> None:
        """Show this instead."""
        if text == self._told:
            return
        rows, self._told = self._told.count("\n"), text
        self.update(text, layout=not text or rows != text.count("\n"))
