"""The first frame: where one is and the first rows, as plain text, on the terminal before the screen library is loaded.

Half the time until a dashboard stands goes into loading that library. Meanwhile the terminal shows what it will show, at
the places it will show it; keys typed by then wait in the terminal, which neither echoes them nor takes ctrl+c for itself.
`tui.driver` has the library begin on a terminal that was entered here.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from lang.cells import cell_width
from lang.safe import safe_line
from tui import figures
from tui.crumbs import READING, at_home, crumbs_line
from tui.queue_cells import columns, leading
from tui.widgets.columns import CURSOR, fit, heading, row_text

if TYPE_CHECKING:
    from review.sitting.desk import Desk

Doc = dict[str, Any]

ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"
"""The alternate screen, as the screen library enters and leaves it."""
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"

WIDE = 120
"""Cells from which panels stand side by side and facets beside the queue; `app.tcss` says the same."""
FACETS = 27


class Standing:
    """A terminal that shows the first frame. `taken` once the screen library has it: leaving is then its affair."""

    def __init__(self, terminal: int, attributes: list[Any], rows: bool) -> None:
        self._terminal = terminal
        self.rows = rows
        """Whether rows stand there."""
        self.attributes = attributes
        """How the terminal was before; how it is to be again."""
        self.taken = False

    def leave(self) -> None:
        import termios

        if not self.taken:
            _write(SHOW + LEAVE)
            termios.tcsetattr(self._terminal, termios.TCSANOW, self.attributes)


@contextmanager
def first_frame(desk: Desk, place: str) -> Iterator[Standing | None]:
    """Show the first frame of a place, and give the terminal back unless it was taken over; None where nothing was shown."""
    try:
        import termios
    except ImportError:
        yield None
        return
    if not _own_terminal():
        yield None
        return
    terminal = sys.__stdin__.fileno()  # type: ignore[union-attr]
    size = shutil.get_terminal_size()
    lines = frame_lines(desk, place, size.columns, size.lines)
    standing = Standing(terminal, termios.tcgetattr(terminal), rows=len(lines) > 1)
    before = [(name, signal.signal(name, _end)) for name in (signal.SIGTERM, signal.SIGHUP)]
    try:
        termios.tcsetattr(terminal, termios.TCSANOW, _unheard(standing.attributes))
        _write(frame(lines))
        yield standing
    finally:
        standing.leave()
        for name, handler in before:
            signal.signal(name, handler)


def frame(lines: list[str]) -> str:
    """What is written: the alternate screen entered once, and each line at its place."""
    return ENTER + HIDE + "\x1b[2J" + "".join(f"\x1b[{row};1H{line}" for row, line in enumerate(lines, 1) if line)


def frame_lines(desk: Desk, place: str, width: int, height: int) -> list[str]:
    """The lines of the first frame of a place: its crumbs, and the rows that can be read at once."""
    shown = place if place in ("overview", "queue") else ""
    rows = desk.first_rows(shown) if shown else []
    name = place.capitalize()
    crumbs = crumbs_line(at_home(desk.name, name), "" if place == "queue" else READING, max(width - 2, 0))
    lines = [fit(f" {crumbs}", width)]
    if rows:
        lines += _overview(rows, width, height) if shown == "overview" else _queue(rows, width, height)
    # The last line is the one of the keys, which are known when they work.
    return [safe_line(line, width) for line in lines[: max(height - 1, 0)]]


def _overview(rows: list[Doc], width: int, height: int) -> list[str]:
    """The first panel."""
    title, doc = figures.TITLES[figures.RISKIEST], {"tasks": rows}
    if width < WIDE:
        drawn = figures.lines(figures.RISKIEST, doc, figures.room(width - 1))[: figures.NARROW_RISKIEST]
        return [f"─{title}".ljust(width - 1, "─"), *(_figure(n, line) for n, line in enumerate(drawn))]
    cells, most = width * 2 // 3 - 2, _panel(height) - 2
    drawn = figures.lines(figures.RISKIEST, doc, figures.room(cells - (len(rows) > most)))[:most]
    inside = [fit(_figure(n, line), cells) for n, line in enumerate(drawn)]
    inside += [" " * cells] * (most - len(inside))
    head = f"─ {title} "
    return ["╭" + head + "─" * (cells - cell_width(head)) + "╮", *(f"│{line}│" for line in inside), "╰" + "─" * cells + "╯"]


def _figure(number: int, line: figures.Line) -> str:
    return figures.row_text(line, here=not number)


def _panel(height: int) -> int:
    """Lines of the first panel where panels stand side by side, as `app.tcss` shares the height among them."""
    free = height - 2 - 11
    part = free / 4 if free / 4 >= 8 else (free - 8) / 3
    return min(max(int(part), 7), 14)


def _queue(rows: list[Doc], width: int, height: int) -> list[str]:
    """The heading and the first rows."""
    seen = max(height - 5, 0)
    room = width - (FACETS if width >= WIDE else 0) - (len(rows) > seen)
    shown, order = columns(), leading("risk")
    lines = [row_text(shown, room, " ", lambda column: heading(column, *order))]
    for number, row in enumerate(rows[:seen]):
        lead = " " if number else CURSOR
        lines.append(row_text(shown, room, lead, lambda column: column.text(row)))  # noqa: B023  asked at once
    return lines


def _own_terminal() -> bool:
    """Whether the screen library will draw on the terminal that keys come from, and with its own driver."""
    streams = (sys.__stdin__, sys.__stderr__)
    return not os.environ.get("TEXTUAL_DRIVER") and all(stream is not None and stream.isatty() for stream in streams)


def _unheard(attributes: list[Any]) -> list[Any]:
    """The terminal's attributes with keys neither echoed nor acted on nor changed, as the screen library has them."""
    import termios

    changed = list(attributes)
    changed[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
    changed[0] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
    return changed


def _end(number: int, frame: FrameType | None) -> None:
    """End in order, so that the terminal is given back."""
    raise SystemExit(128 + number)


def _write(text: str) -> None:
    stream = sys.__stderr__
    if stream is not None:
        stream.write(text)
        stream.flush()
