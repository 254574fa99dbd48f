"""The first frame: what stands before the screen library is loaded stands at the same place after, and the terminal is given back."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from lang.cells import cell_width
from review.sitting.desk import Desk
from tests.running import surroundings
from tests.tty import SEQUENCE, Terminal, colours, terminal, text
from tests.tui_desk import KEY, dashboard, sample_store, text_of
from tui.first_frame import ENTER, LEAVE, frame, frame_lines

BAR = re.compile("[▁▂▃▄▅▆▇█]")
"""What a scroll bar is drawn with."""


@pytest.mark.parametrize("place", ["overview", "queue"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_first_frame_is_what_the_screen_shows(place: str, size: tuple[int, int]) -> None:
    async with dashboard(size=size, start=place) as (app, _):
        found = frame_lines(app.desk, place, *size)
        shown = [line.ljust(size[0]) for line in BAR.sub(" ", text_of(app)).split("\n")]
    assert len(found) > 4
    assert found[0].startswith(f" remit remit.db › {place.capitalize()} ")
    for number, line in enumerate(found[1:], 1):
        assert shown[number].startswith(line.rstrip()), number


@pytest.mark.parametrize("place", ["overview", "queue", "report"])
def test_the_first_frame_fits_any_terminal_and_steers_none(place: str) -> None:
    desk = Desk(str(sample_store()), readonly=True)
    try:
        for size in ((1, 1), (2, 9), (19, 3), (40, 2), (121, 5), (500, 200)):
            lines = frame_lines(desk, place, *size)
            assert len(lines) <= max(size[1] - 1, 0)
            assert all(cell_width(line) <= size[0] and line.isprintable() for line in lines)
        steps = {part[-1:] for part in SEQUENCE.findall(frame(lines).encode())}
        assert steps <= {b"h", b"l", b"H", b"J"}
    finally:
        desk.close()


def test_the_first_frame_waits_for_no_library_and_the_figures_for_no_walk_and_no_importer() -> None:
    program = (
        "import sys, cli.main, cli.commands.dashboard, review.sitting.desk, tui.first_frame; "
        "print(sorted({'textual', 'rich', 'asyncio', 'sqlalchemy', 'numpy', 'tree_sitter'} & set(sys.modules))); "
        "import review.sitting.overview; "
        "print(sorted({'textual', 'numpy', 'importers', 'review.derive.building', 'review.show.showing'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "[]"]


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[None]:
    with surroundings(tmp_path, REMIT_PSEUDONYM_KEY=KEY):
        yield


def given_back(child: Terminal) -> bool:
    echo = bool(termios.tcgetattr(child.fd)[3] & termios.ECHO)
    return child.written.count(ENTER.encode()) == child.written.count(LEAVE.encode()) == 1 and echo


def test_keys_typed_at_the_first_frame_are_heard_once_the_screen_stands(alone: None) -> None:
    with terminal("--store", sample_store(), NO_COLOR="1") as child:
        child.until(b"riskiest first")
        assert b"\x1b[?1000h" not in child.written and b"\x1b[?2004h" not in child.written
        first = child.written
        child.press(b"2")
        child.until(b"seen by", after=len(first))
        child.press(b"\x03")
        assert child.end() == 0
        assert given_back(child)
    assert not colours(first) and ENTER.encode() in first


def test_what_is_wrong_is_told_below_a_terminal_that_was_given_back(alone: None) -> None:
    with terminal("--store", sample_store(), REMIT_THEME="none-such") as child:
        assert child.end() == 2
        assert given_back(child)
    assert "there is no theme 'none-such'" in text(child.written.partition(LEAVE.encode())[2])


def test_a_signal_at_the_first_frame_gives_the_terminal_back(alone: None) -> None:
    with terminal("--store", sample_store()) as child:
        child.until(ENTER.encode())
        os.kill(child.pid, signal.SIGTERM)
        assert child.end() in (0, 128 + signal.SIGTERM)
        assert given_back(child)
    assert "Traceback" not in text(child.written)
