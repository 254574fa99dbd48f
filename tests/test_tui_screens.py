"""What each screen says at the sizes people have, with and without colour."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual.pilot import Pilot

from tests.tui_desk import dashboard, press, text_of, until
from tui.app import RemitApp
from tui.settling import settled

SIZES = [(80, 24), (120, 40), (200, 60)]
SCREENS: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "overview": (
        ("1",),
        (
            "Overview",
            "81 tasks  82 sources",
            "waiting, riskiest first",
            "HARB-1085",
            "your first visit",
            "!!critical",
            "6 in 6",
            "with a decision",
            "91%",
            "oldest 9h",
            "enter rows",
            "? help",
        ),
    ),
    "queue": ((), ("Queue", "81 tasks by risk", "risk▼  finding", "seen by", "A E T ·", "why 86:", "/ filter", "? help")),
    "task": (
        ("enter",),
        ("HARB-1085", "risk 86", "INTENT", "seen by A E T ·", "evidence", "decision", "✓", "r record", "? help"),
    ),
    "links": (("enter", "l"), ("links", "exact", "session:", "score 1.0", "from claude-code-")),
    "raw": (("enter", "r"), ("raw records", "sha256", "byte", "claude-code-")),
    "policy": (
        ("3",),
        (
            "Policy › policy.yaml",
            "against recorded",
            "1  version: 1",
            "dry-run",
            "exact",
            "denied",
            "✓ no problems",
            "f2 flips",
            "i edit",
            "? help",
        ),
    ),
    "credentials": (("4",), ("Credentials", "flagged", "kind", "uses", "! standing", "lifeline", "never revoked", "? help")),
    "sources": (
        ("5",),
        ("Sources", "accepted", "rejected", "coverage by enforcement point", "█ watched", "claude-code", "i import"),
    ),
    "report": (
        ("6",),
        ("Report", "3 frameworks chosen", "[x]", "[ ]", "evidence: all of it", "not assessable", "s signs", "e export", "? help"),
    ),
    "controls": (
        ("6", "j", "enter"),
        ("Report › OWASP Top 10", "10 threats", "ASI02", "observed", "population", "exceptions", "enter findings", "a attest"),
    ),
    "findings": (
        ("6", "j", "enter", "j", "enter"),
        ("Report ›", "findings, ", " open", "BND-05", "record ", "sha256", "enter walk", "r record"),
    ),
    "sign-off": (
        ("6", "s"),
        ("sign off", "I have read the coverage", "separation of duties", "unenforced", "enter signs and records it"),
    ),
    "help": (("question_mark",), ("keys", "Queue", "enter l", "walk the chain", "esc closes")),
    "command": (("colon",), ("command", "queue: walk", "queue: filter")),
    "verdict": (("v", "o"), ("verdict", "HARB-1085", "w  within remit", "outside-remit: enter records it", "reason (required)")),
}
"""Keys to a screen, and what must be read there at every size."""


async def read(app: RemitApp, pilot: Pilot[None], phrases: Sequence[str]) -> None:
    """Wait until all of these are to be read on the screen."""

    def missing() -> list[str]:
        shown = text_of(app)
        return [phrase for phrase in phrases if phrase not in shown]

    await until(pilot, lambda: not missing(), lambda: f"{missing()} are read in\n{text_of(app)}")


@pytest.mark.parametrize("name", SCREENS)
async def test_what_a_screen_says_at_every_size(name: str) -> None:
    keys, phrases = SCREENS[name]
    # Each size is the one that some screens are opened at; the terminal is resized to the others.
    first = list(SCREENS).index(name) % len(SIZES)
    async with dashboard(size=SIZES[first]) as (app, pilot):
        await press(pilot, *keys)
        for size in (*SIZES[first:], *SIZES[:first]):
            await pilot.resize_terminal(*size)
            await settled(pilot)
            await read(app, pilot, phrases)
            lines = text_of(app).splitlines()
            assert len(lines) == size[1]
            assert not any("…" in line and line.rstrip().endswith("▏") for line in lines)


@pytest.mark.parametrize("name", SCREENS)
async def test_without_colour_every_screen_says_the_same_and_uses_none(name: str) -> None:
    keys, phrases = SCREENS[name]
    size = (120, 40)
    async with dashboard(size=size, plain=True) as (app, pilot):
        await press(pilot, *keys)
        await read(app, pilot, phrases)
        assert app.theme == "ansi-dark" and app.native_ansi_color


async def test_the_row_under_the_cursor_is_told_without_colour() -> None:
    async with dashboard(size=(80, 24), plain=True) as (app, pilot):
        await press(pilot, "j")
        marked = [line for line in text_of(app).splitlines() if line.startswith("▶")]
        assert len(marked) == 1
        assert marked[0] == text_of(app).splitlines()[3]
