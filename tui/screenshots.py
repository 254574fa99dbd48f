"""Pictures of every screen for the docs, made by the program itself: `python -m tui.screenshots FOLDER [STORE]`."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from review.sitting.desk import Desk
from tui.app import RemitApp
from tui.settling import settled

SIZE = (120, 40)


class Shot(NamedTuple):
    """A picture: its name, the keys that lead to it from the start, and the module of `tui.screens` it shows."""

    name: str
    keys: Sequence[str]
    shows: str


SHOTS: tuple[Shot, ...] = (
    Shot("overview", (), "overview"),
    Shot("rows", ("tab", "tab", "tab", *"jjjjjjj", "enter"), "rows"),
    Shot("queue", ("2",), "queue"),
    Shot("filter", ("2", "slash", *"risk:>20 seen:target", "enter", "j"), "queue"),
    Shot("views", ("2", "w"), "views"),
    Shot("task", ("2", "enter", "n"), "task"),
    Shot("links", ("2", "enter", "l"), "task"),
    Shot("record", ("2", "enter", "r"), "task"),
    Shot("authorised", ("2", "enter", "n", "t"), "task"),
    Shot("delegation", ("2", "enter", "D"), "task"),
    Shot("verdict", ("2", "v", "o"), "verdict"),
    Shot("assign", ("2", "a"), "choice"),
    Shot("accept", ("2", "enter", "n", "x", "enter"), "form"),
    Shot("comments", ("2", "enter", "C"), "comments"),
    Shot("policy", ("3",), "policy"),
    Shot("versions", ("3", "f10"), "versions"),
    Shot("proposals", ("3", "f12", "s"), "proposals"),
    Shot("language", ("3", "f9"), "draft_format"),
    Shot("referee", ("3", "f5"), "referee"),
    Shot("credentials", ("4",), "credentials"),
    Shot("sources", ("5",), "sources"),
    Shot("imports", ("5", "L"), "finished"),
    Shot("report", ("6",), "report"),
    Shot("controls", ("6", "j", "enter", "j"), "report_controls"),
    Shot("findings", ("6", "j", "enter", "j", "enter"), "report_findings"),
    Shot("sign-off", ("6", "s"), "sign_off"),
    Shot("help", ("2", "question_mark"), "help"),
    Shot("command", ("2", "colon"), "command"),
    Shot("jump", ("semicolon",), "jump"),
    Shot("messages", ("2", "colon", *"remit: messages", "enter"), "messages"),
    Shot("theme", ("2", "colon", *"theme", "enter"), "choosing"),
    Shot("topics", ("2", "colon", *"topics", "enter"), "topics"),
    Shot("tour", ("2", "colon", *"tour", "enter"), "tour"),
)
"""At least one picture for every module of screens; a test says which is missing."""

NO_PICTURE = frozenset({"base", "draft", "faceted", "judging", "importing", "listed", "log", "task_judging", "task_panels"})
"""Modules of `tui.screens` that are what screens have in common, and the one that shows folders of whoever draws it."""

KEY = "00" * 32
"""The pseudonym key of the pictures' own store: invented evidence, and the same pictures every time."""

_FONT = re.compile(r"@font-face\s*\{[^}]*\}\s*")


async def picture(store: str, shot: Shot) -> tuple[str, str]:
    """One screen as SVG, after its keys, and the module of the screen that stood there."""
    desk = Desk(store)
    app = RemitApp(desk)
    try:
        async with app.run_test(size=SIZE) as pilot:
            await settled(pilot)
            for key in shot.keys:
                await pilot.press(key)
                await settled(pilot)
            # The picture must not fetch a font from anywhere: any monospaced one will do.
            drawn = _FONT.sub("", app.export_screenshot(title=f"remit: {shot.name}"))
            return drawn, type(app.screen).__module__.rpartition(".")[2]
    finally:
        desk.close()


async def draw(store: str, folder: Path, say: Callable[[str], None] = print) -> None:
    """Write `NAME.svg` for every shot; what shows another screen than it should is an error (ValueError)."""
    folder.mkdir(parents=True, exist_ok=True)
    for shot in SHOTS:
        drawn, shown = await picture(store, shot)
        if shown != shot.shows:
            raise ValueError(f"the keys of {shot.name} lead to {shown}, not to {shot.shows}")
        (folder / f"{shot.name}.svg").write_text(drawn, "utf-8")
        say(str(folder / f"{shot.name}.svg"))


def main(folder: Path, store: str | None) -> None:
    """Draw a given store, or a demo store made for the purpose."""
    if store is not None:
        asyncio.run(draw(store, folder))
        return
    from review.sitting.demo import make_demo

    with tempfile.TemporaryDirectory(prefix="remit-screens-") as place:
        os.environ |= {"REMIT_PSEUDONYM_KEY": KEY, "XDG_DATA_HOME": place, "XDG_CONFIG_HOME": place, "XDG_STATE_HOME": place}
        asyncio.run(draw(str(make_demo().store), folder))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python -m tui.screenshots FOLDER [STORE]")
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) == 3 else None)
