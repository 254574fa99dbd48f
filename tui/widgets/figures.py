"""A panel of figures: lines with a cursor on those that lead to rows; the text is asked for anew at every width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from lang.safe import safe_line
from tui.figures import Line, room, row_text

Drawn = Callable[[int], Sequence[Line]]


class Figures(Widget, can_focus=True):
    """The lines. Moving past either end is left to the screen, which knows the other panels."""

    DEFAULT_CSS = "Figures { height: auto; width: 1fr; } Figures:focus { background: transparent; }"
    TONES: ClassVar[dict[str, str]] = {"bad": "bold $text-error", "warn": "$text-warning", "dim": "$text-muted"}

    @dataclass
    class Chosen(Message):
        """A figure whose rows are wanted."""

        figures: Figures
        line: Line

        @property
        def control(self) -> Figures:
            return self.figures

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._drawn: Drawn = lambda width: [Line("…")]
        self._lines: list[Line] = [Line("…")]
        self._width = 0
        self.cursor = 0

    def show(self, drawn: Drawn) -> None:
        """Show other figures; the cursor stays where it was, as far as there is such a line."""
        self._drawn = drawn
        self._draw()

    @property
    def lines(self) -> Sequence[Line]:
        return self._lines

    @property
    def current(self) -> Line | None:
        return self._lines[self.cursor] if self.cursor < len(self._lines) and self._lines[self.cursor].rows else None

    def on_resize(self, event: events.Resize) -> None:
        if event.size.width != self._width:
            self._draw()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def _draw(self) -> None:
        self._width = self.size.width
        self._lines = list(self._drawn(room(self._width)))
        self._settle()
        self.refresh(layout=True)

    def _settle(self) -> None:
        """Put the cursor on a line that leads somewhere: the nearest one."""
        leading = [place for place, line in enumerate(self._lines) if line.rows]
        if leading and self.cursor not in leading:
            self.cursor = min(leading, key=lambda place: (abs(place - self.cursor), place))

    def move(self, step: int) -> bool:
        """The cursor to the next line that leads somewhere; False at the end."""
        place = self.cursor + step
        while 0 <= place < len(self._lines):
            if self._lines[place].rows:
                self.cursor = place
                self.refresh()
                self.bring_into_view()
                return True
            place += step
        return False

    def enter(self, step: int) -> None:
        """The cursor to the first line, or coming from below (`step` -1) to the last."""
        self.cursor = 0 if step > 0 else len(self._lines) - 1
        self._settle()
        self.refresh()
        self.bring_into_view()

    def bring_into_view(self) -> None:
        """Scroll whatever holds this panel until the cursor's line is seen, and the panel's title where there is room."""
        region = Region(0, self.cursor, max(self.size.width, 1), 1)
        if self.cursor <= 1:
            region = Region(0, 0, region.width, self.cursor + 1)
        widget: Widget = self
        while isinstance(widget.parent, Widget) and widget is not self.screen:
            region = region.translate(widget.virtual_region.offset)
            if widget is not self:
                region = region.grow((1, 0, 1, 0)) if widget.styles.border_top[0] else region
            widget = widget.parent
            if isinstance(widget, VerticalScroll):
                region = region.translate(-widget.scroll_to_region(region, animate=False, force=True, immediate=True))
                region = region.translate(-widget.scroll_offset)

    def render(self) -> Content:
        return Content("\n").join(self._styled(place, line) for place, line in enumerate(self._lines))

    def _styled(self, place: int, line: Line) -> Content:
        here = place == self.cursor and line.rows is not None and self.has_focus
        text = row_text(line, here=here)
        style = "reverse" if here else self.TONES.get(line.tone, "")
        return Content.styled(text.ljust(self._width) if here else text, style)

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor there; one on the cursor opens."""
        place = event.y
        if 0 <= place < len(self._lines) and self._lines[place].rows:
            again = place == self.cursor and event.chain > 1
            self.cursor = place
            self.refresh()
            if again:
                self.choose()

    def choose(self) -> None:
        line = self.current
        if line is not None:
            self.post_message(self.Chosen(self, line))


class FigurePanel(VerticalScroll, can_focus=False):
    """A titled frame around figures."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__(id=f"panel-{name}", classes="panel figures")
        self.border_title = safe_line(title, 100)
        self.figures = Figures(name)

    def compose(self) -> ComposeResult:
        yield self.figures
