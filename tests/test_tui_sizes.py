"""Each screen at the three sizes people have, and one without colour, against the texts kept beside this file.

`python -m tests.test_tui_sizes` (or `make snapshots`) writes them anew; what changed is then for the reader of the diff.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from tests.tui_desk import dashboard, place, press
from tui.actions import of_scope
from tui.playing import screen_text
from tui.scopes import CONTROLS, EVERYWHERE, FINDINGS, TASK
from tui.settling import settled

FOLDER = Path(__file__).resolve().parent / "snapshots"
SIZES = ((80, 24), (120, 40), (200, 60))
PUSHED: dict[str, tuple[str, tuple[str, ...]]] = {
    TASK: ("queue", ("enter",)),
    CONTROLS: ("report", ("g", "j", "enter")),
    FINDINGS: ("report", ("g", "j", "enter", "j", "enter")),
}
"""Screens that no place is: from which one, and by which keys, they are reached."""
SCREENS = (*(one.name.removeprefix("go-") for one in of_scope(EVERYWHERE) if one.name.startswith("go-")), *PUSHED)
PASSING = ((r"\d+(?:\.\d+)? m?s(?= +exact)", "# ms"), (r"\b\d+ (?:s|min|h|d|w)(?= ago\b)", "# ago"))
"""What differs from one run to the next: how long a dry-run took, and how long ago something was."""


def steady(shown: str) -> str:
    """A screen without what differs from run to run; how many digits that had moves no frame."""
    for passing, put in PASSING:
        shown = re.sub(rf"{passing}([^│\n]*)", lambda found, put=put: (put + found[1].rstrip()).ljust(len(found[0])), shown)
    return "\n".join(line.rstrip() for line in shown.split("\n"))


Size = tuple[int, int]


async def screens(
    sizes: Sequence[Size], names: Sequence[str] = SCREENS, *, plain: bool = False
) -> AsyncIterator[tuple[str, Size, str]]:
    """Every screen's name with what it shows at each size, the terminal being resized below it."""
    async with dashboard(size=sizes[0], plain=plain) as (app, pilot):
        for name in names:
            start, keys = PUSHED.get(name, (name, ()))
            app.go(start)
            await settled(pilot)
            await press(pilot, *keys[:-1])
            # The last key's screen comes while the terminal is resized, as when somebody is quicker than the program.
            await pilot.press(*keys[-1:])
            for size in sizes:
                await pilot.resize_terminal(*size)
                await settled(pilot)
                assert place(app) == name
                shown = screen_text(app)
                lines = shown.splitlines()
                assert len(lines) <= size[1] and all(len(line) <= size[0] for line in lines)
                yield name, size, steady(shown)


PLAIN: tuple[tuple[Size, ...], tuple[str, ...]] = (SIZES[1:2], ("queue",))
"""What is kept of a sitting without colour."""


def kept(name: str, size: Size, *, plain: bool = False) -> Path:
    return FOLDER / f"{name}-{size[0]}x{size[1]}{'-plain' if plain else ''}.txt"


async def changed(sizes: Sequence[Size], names: Sequence[str], *, plain: bool = False) -> list[str]:
    found = screens(sizes, names, plain=plain)
    paths = [(kept(name, size, plain=plain), shown) async for name, size, shown in found]
    return [path.name for path, shown in paths if path.read_text("utf-8") != shown]


async def test_each_screen_shows_what_was_kept_at_every_size() -> None:
    assert not await changed(SIZES, SCREENS), "look at them, then `make snapshots`"


async def test_without_colour_the_queue_shows_what_was_kept() -> None:
    assert not await changed(*PLAIN, plain=True), "look at it, then `make snapshots`"


def test_nothing_is_kept_of_a_screen_that_is_no_more() -> None:
    wanted = {kept(name, size).name for name in SCREENS for size in SIZES}
    assert {path.name for path in FOLDER.iterdir()} == wanted | {kept("queue", SIZES[1], plain=True).name}


async def write() -> None:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    async for name, size, shown in screens(SIZES):
        kept(name, size).write_text(shown, "utf-8")
    async for name, size, shown in screens(*PLAIN, plain=True):
        kept(name, size, plain=True).write_text(shown, "utf-8")


if __name__ == "__main__":
    asyncio.run(write())
