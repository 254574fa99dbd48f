"""Hostile strings in every field of an import, and what of them reaches a terminal: nothing that steers it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli_contract import LISTINGS
from tests.hostile import CORPUS, unsafe, write_log
from tests.running import ok, run, surroundings
from tests.tty import colours, steering, terminal, text
from tui.actions import of_scope
from tui.scopes import EVERYWHERE

PLACES = [one.keys.split(",")[0] for one in of_scope(EVERYWHERE) if one.name.startswith("go-") and one.name != "go-queue"]
WALK = (
    # Every place; in the task every panel and dialog, from the first row of the queue and from the last.
    *[
        "s",
        "colon",
        "escape",
        "question_mark",
        "escape",
        "j",
        "space",
        "v",
        "escape",
        "slash",
        "z",
        "a",
        "l",
        "g",
        "o",
        "enter",
        "escape",
    ],
    *[
        "enter",
        "r",
        "l",
        "t",
        "D",
        "D",
        "full_stop",
        "comma",
        "n",
        "d",
        "c",
        "V",
        "escape",
        "J",
        "K",
        "at",
        "escape",
        "right_square_bracket",
        "left_square_bracket",
        "escape",
    ],
    *["G", "enter", "r", "J", "l", "semicolon", "escape", "m", "escape", "escape", "escape"],
    *(word for key in PLACES for word in (key, "j", "J", "enter", "escape", "escape")),
    "ctrl+q",
    "ctrl+q",
)
LISTED = (
    *LISTINGS,
    *(
        "points",
        "baselines",
        "conformance",
        "unattributed",
        "search evil",
        "store info",
        "store check",
        "help mcp",
        "policy history",
    ),
    *(
        "coverage --by agent",
        "coverage --by team",
        "coverage --by week",
        "coverage --by point",
        "coverage --by key",
        "policy mine",
    ),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store made from hostile strings alone."""
    folder = tmp_path_factory.mktemp("hostile")
    with surroundings(folder):
        path = folder / "h.db"
        read = ok("--store", path, "import", write_log(folder / "log.ndjson"), "--json").json["sources"][0]["records"]
        assert read["accepted"] == read["read"] > 100
        yield path


def test_the_measure_itself_finds_every_string_of_the_corpus() -> None:
    for string in CORPUS:
        bare = string.encode("utf-8", "surrogatepass")
        assert unsafe(string) or steering(bare) or string in (CORPUS[-3], CORPUS[-2], CORPUS[-1]), string
    assert colours(b"\x1b[1m\x1b[38;2;9;9;9mx\x1b[0;39m") == {b"38;2;9;9;9"}


@pytest.mark.parametrize("form", [None, "--plain", "--csv"])
def test_no_listing_passes_on_what_steers_a_terminal(store: Path, form: str | None) -> None:
    for words in LISTED:
        if form == "--csv" and words.split()[0] in ("store", "help", "policy"):
            continue
        ran = run("--store", store, *shlex.split(words), *([form] if form else []))
        assert ran.code in (0, 2, 4), (words, ran.err)
        shown = ran.out + ran.err
        assert not unsafe(shown.replace("\r\n", "\n")), (words, form, unsafe(shown))


def test_no_document_passes_on_what_steers_a_terminal(store: Path) -> None:
    tasks = ok("--store", store, "tasks", "--json")
    assert tasks.out.isascii() and not unsafe(tasks.out)
    for row in tasks.json[::4]:
        for form in ("--plain", "--json"):
            shown = ok("--store", store, "show", row["id"], form).out
            assert not unsafe(shown), unsafe(shown)
    ids = [row["id"] for name in ("findings", "credentials") for row in ok("--store", store, name, "--json").json[::9]]
    for id in ids:
        assert not unsafe(ok("--store", store, "show", id, "--plain").out)


def test_an_error_that_repeats_what_was_typed_is_harmless(store: Path) -> None:
    string = " ".join(CORPUS).replace("\x00", "")
    for words in (
        ("show", string),
        ("tasks", "--filter", f"agnt:{string}"),
        ("search", string),
        ("help", string),
        ("policy", "check", string),
    ):
        ran = run("--store", store, *words)
        assert (ran.code and not unsafe(ran.out + ran.err)) or words[0] == "search", (words, ran)


def test_no_screen_passes_on_what_steers_a_terminal(store: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(" ".join(WALK), "utf-8")
    with terminal("--store", store, "--play", keys) as child:
        assert child.end() == 0, text(child.written)[-2000:]
    assert not steering(child.written)
    shown = text(child.written)
    assert "\x1b" not in shown and not unsafe(shown, lines="\r\n"), unsafe(shown, lines="\r\n")
    # It was there to be shown, as text: the control as its picture, markup as it is written.
    for sign in ("␛[", "[@click=", "\\u202e", "\\u200b"):
        assert sign in shown, sign
