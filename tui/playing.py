"""Recording the keys of a sitting and playing them again: for documentation, bug reports and tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.pilot import Pilot

from review.errors import RemitError, UnreadableError
from tui.keymap import key_name
from tui.settling import settled

if TYPE_CHECKING:
    from tui.app import RemitApp

HEAD = "# keys of a Remit sitting, one a line; what was typed into fields is among them"


class Recorder:
    """Writes each key to a file as it is pressed, so that a sitting that ends badly is kept too."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise RemitError(f"cannot record to {path}: {error.strerror}") from error
        self._file.write(HEAD + "\n")

    def __call__(self, key: str) -> None:
        self._file.write(key + "\n")

    def close(self) -> None:
        self._file.close()


def read_keys(path: Path) -> list[str]:
    """The keys of a file, in words between blanks or lines; raises RemitError with the line of one that is none."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UnreadableError(f"cannot read the keys in {path}: {reason}") from error
    found: list[str] = []
    for number, line in enumerate(lines, 1):
        for word in [] if line.startswith("#") else line.split():
            key = key_name(word)
            if key is None:
                raise RemitError(f"{path}, line {number}: there is no key {word[:40]!r}")
            found.append(key)
    return found


def player(keys: Iterable[str]) -> Callable[[Pilot[Any]], Coroutine[Any, Any, None]]:
    """What presses these keys in a running dashboard, each after what the one before asked for has arrived."""

    async def play(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            if not pilot.app.is_running or pilot.app._exit:
                return
            await settled(pilot)

    return play


def play_unseen(app: RemitApp, keys: Iterable[str], size: tuple[int, int]) -> str:
    """Play keys without a terminal; the text of the screen they lead to."""

    async def run() -> str:
        async with app.run_test(size=size) as pilot:
            await player(keys)(pilot)
            return screen_text(app)

    return asyncio.run(run())


def screen_text(app: RemitApp) -> str:
    """What the screen shows as lines of text, without colours."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips()) + "\n"
