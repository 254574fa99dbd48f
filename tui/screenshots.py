"""Pictures of every screen for the docs, made by the program itself: `python -m tui.screenshots FOLDER [STORE]`."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from textual.pilot import Pilot

from review.desk import Desk
from tui.app import RemitApp
from tui.screens.base import DeskScreen

SIZE = (120, 34)
SHOTS: tuple[tuple[str, Sequence[str]], ...] = (
    ("overview", ()),
    ("queue", ("2",)),
    ("filter", ("2", "slash", *"risk:>20 seen:target", "enter", "j")),
    ("task", ("2", "enter", "n")),
    ("links", ("2", "enter", "l")),
    ("record", ("2", "enter", "r")),
    ("verdict", ("2", "v", "o")),
    ("policy", ("3",)),
    ("credentials", ("4",)),
    ("sources", ("5",)),
    ("report", ("6",)),
    (
        "help",
        (
            "2",
            "question_mark",
        ),
    ),
    ("command", ("2", "colon")),
)
"""Each picture's name and the keys that lead to it."""

KEY = "00" * 32
"""The pseudonym key of the pictures' own store: invented evidence, and the same pictures every time."""

PATIENCE = 30.0
"""Seconds a screen may take to settle."""

_FONT = re.compile(r"@font-face\s*\{[^}]*\}\s*")


async def settled(pilot: Pilot[None]) -> None:
    """Wait until every read the screens asked for has been answered and drawn; raises TimeoutError."""
    app = pilot.app
    async with asyncio.timeout(PATIENCE):
        quiet = 0
        while quiet < 2:
            await pilot.pause()
            reads = [screen for screen in app.screen_stack if isinstance(screen, DeskScreen) and screen.is_mounted]
            quiet = quiet + 1 if reads and all(screen.idle for screen in reads) else 0
            await asyncio.sleep(0.003)


async def picture(store: str, name: str, keys: Sequence[str]) -> str:
    """One screen as SVG, after these keys."""
    desk = Desk(store)
    app = RemitApp(desk)
    try:
        async with app.run_test(size=SIZE) as pilot:
            await settled(pilot)
            for key in keys:
                await pilot.press(key)
                await settled(pilot)
            # The picture must not fetch a font from anywhere: any monospaced one will do.
            return _FONT.sub("", app.export_screenshot(title=f"remit: {name}"))
    finally:
        desk.close()


async def draw(store: str, folder: Path, say: Callable[[str], None] = print) -> None:
    """Write `NAME.svg` for every shot."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, keys in SHOTS:
        (folder / f"{name}.svg").write_text(await picture(store, name, keys), "utf-8")
        say(str(folder / f"{name}.svg"))


def main(folder: Path, store: str | None) -> None:
    """Draw a given store, or a demo store made for the purpose."""
    if store is not None:
        asyncio.run(draw(store, folder))
        return
    from review.demo import make_demo

    with tempfile.TemporaryDirectory(prefix="remit-screens-") as place:
        os.environ |= {"REMIT_PSEUDONYM_KEY": KEY, "XDG_DATA_HOME": place, "XDG_CONFIG_HOME": place}
        asyncio.run(draw(str(make_demo().store), folder))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python -m tui.screenshots FOLDER [STORE]")
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) == 3 else None)
