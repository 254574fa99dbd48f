"""Pictures of every screen for the docs, made by the program itself: `python -m tui.screenshots STORE FOLDER`."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from review.desk import Desk
from tui.app import RemitApp

_FONT = re.compile(r"@font-face\s*\{[^}]*\}\s*")

SIZE = (120, 34)
SHOTS: tuple[tuple[str, Sequence[str]], ...] = (
    ("queue", ()),
    ("task", ("enter",)),
    ("links", ("enter", "l")),
    ("policy", ("2",)),
    ("credentials", ("3",)),
    ("sources", ("4",)),
    ("report", ("5",)),
    ("help", ("question_mark",)),
)
SETTLE = 60
"""Turns of the event loop granted after each key, for reads to come back."""


async def picture(store: str, name: str, keys: Sequence[str]) -> str:
    """One screen as SVG, after these keys."""
    desk = Desk(store, readonly=True)
    app = RemitApp(desk)
    try:
        async with app.run_test(size=SIZE) as pilot:
            for key in ("", *keys):
                if key:
                    await pilot.press(key)
                for _ in range(SETTLE):
                    await pilot.pause(0.02)
            # The picture must not fetch a font from anywhere: any monospaced one will do.
            return _FONT.sub("", app.export_screenshot(title=f"remit: {name}"))
    finally:
        desk.close()


async def main(store: str, folder: str) -> None:
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    for name, keys in SHOTS:
        (out / f"{name}.svg").write_text(await picture(store, name, keys), "utf-8")
        print(out / f"{name}.svg")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m tui.screenshots STORE FOLDER")
    asyncio.run(main(sys.argv[1], sys.argv[2]))
