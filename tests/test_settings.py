"""Settings: the file, the environment, what is wrong with either, and what the docs say of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from review import locations
from review.errors import RemitError
from review.settings import FIELDS, load, settings_schema, variable
from review.settings_page import page
from tests.running import ok, refused, run, surroundings


@pytest.fixture(autouse=True)
def alone(tmp_path: Path) -> Iterator[None]:
    with surroundings(tmp_path, **{variable(name): None for name in FIELDS}):
        yield


def write(text: str) -> Path:
    path = locations.settings_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_without_a_file_everything_is_a_default() -> None:
    loaded = load()
    assert set(loaded.origin.values()) == {"default"}
    assert loaded.settings.mouse is True and loaded.settings.theme == "auto"


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('theme = "nord"\nmouse = false\n[keys]\nqueue.sort = "o"\n"task.raw" = "R"\n')
    monkeypatch.setenv("REMIT_THEME", "dracula")
    loaded = load()
    assert loaded.settings.theme == "dracula" and loaded.origin["theme"] == "REMIT_THEME"
    assert loaded.settings.mouse is False and loaded.origin["mouse"] == str(path)
    assert loaded.settings.keys == {"queue.sort": "o", "task.raw": "R"}


def test_every_setting_has_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"start": "sources", "copy": "file", "keys": "queue.sort=o,f6 task.raw=R", "preset": "emacs"}
    for name in FIELDS:
        monkeypatch.setenv(variable(name), given.get(name, "yes"))
    loaded = load()
    assert loaded.origin == {name: variable(name) for name in FIELDS}
    assert loaded.settings.keys == {"queue.sort": "o,f6", "task.raw": "R"}
    assert loaded.settings.readonly is True and loaded.settings.copy == "file"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# mine\n\nthme = 'nord'\n", ["line 3", "'thme'", "did you mean 'theme'"]),
        ("mouse = 'no'\n", ["line 1", "true or false", "'no'"]),
        ("theme = 1\n", ["a text in quotes"]),
        ("start = 'kitchen'\n", ["one of", "queue", "'kitchen'"]),
        ("[keys]\nqueue.sort = 1\n", ["line 1", "ids of actions"]),
        ("keys = 'o'\n", ["ids of actions"]),
        ("theme = \n", ["not TOML", "line 1"]),
        ("[theme\n", ["not TOML"]),
        ("qqqq = 1\n", ["there are store, org"]),
    ],
)
def test_a_wrong_file_is_told_with_its_line(text: str, words: list[str]) -> None:
    path = write(text)
    with pytest.raises(RemitError) as told:
        load()
    for word in [str(path), *words]:
        assert word in str(told.value)
    refused(run("tasks"), 2, str(path))


def test_a_wrong_variable_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMIT_MOUSE", "perhaps")
    with pytest.raises(RemitError, match="REMIT_MOUSE: `mouse` is true or false"):
        load()


def test_a_file_that_is_no_text_is_one_sentence() -> None:
    path = locations.settings_file()
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff\xfe\x00")
    refused(run("config", "validate"), 2, "not UTF-8")


def test_the_store_may_stand_in_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(f'store = "{tmp_path}/mine.db"\norg = "{tmp_path}/o.yaml"\n')
    assert locations.default_store() == f"{tmp_path}/mine.db"
    assert locations.org_file("other.db", None) == tmp_path / "o.yaml"
    monkeypatch.setenv("REMIT_STORE", "env.db")
    assert locations.default_store() == "env.db"


def test_config_shows_what_is_set_and_where_from(monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('theme = "nord"\n')
    monkeypatch.setenv("REMIT_STORE", "postgresql+psycopg://dana:correct-horse@127.0.0.1:1/none")
    shown = ok("config", "show", "--json").json["settings"]
    assert shown["theme"] == {"value": "nord", "from": str(path)}
    assert "correct-horse" not in ok("config", "show").out
    assert f'theme = "nord"  ({path})' in ok("config", "show").out
    assert ok("config", "path", "--json").json["settings_file"] == str(path)
    assert ok("config", "schema", "settings").json == settings_schema()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("theme = 'nrod'\n", ["no theme 'nrod'", "did you mean 'nord'"]),
        ("preset = 'emcas'\n", ["preset", "did you mean 'emacs'"]),
        ("[keys]\nqueue.srot = 'o'\n", ["no action 'queue.srot'", "did you mean 'queue.sort'"]),
        ("[keys]\nqueue.sort = 'v'\n", ["both queue.verdict and queue.sort", "[keys]"]),
        ("[keys]\nqueue.sort = '?'\n", ["queue.sort", "everywhere.help"]),
        ("[keys]\nqueue.sort = 'sideways'\n", ["no key 'sideways'"]),
    ],
)
def test_validate_finds_what_only_the_dashboard_would(text: str, words: list[str]) -> None:
    write(text)
    ran = run("config", "validate")
    refused(ran, 2)
    assert all(any(part in ran.err for part in (word, _turned(word))) for word in words), ran.err


def _turned(word: str) -> str:
    """Which of two clashing actions is named first does not matter."""
    return word.replace("both queue.verdict and queue.sort", "both queue.sort and queue.verdict")


def test_a_theme_file_of_ones_own(tmp_path: Path) -> None:
    write("theme = 'mine'\n")
    folder = locations.themes_dir()
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text("primary = '#ff0000'\ndark = false\n[variables]\n'text-muted' = '#000000'\n")
    assert ok("config", "validate", "--json").json["settings_state"] == "valid"
    for text, word in (
        ("primry = '#fff'", "did you mean 'primary'"),
        ("primary = 'reddish'", "no colour"),
        ("dark = true", "needs `primary`"),
        ("primary = '#fff'\ndark = 'yes'", "true or false"),
        ("primary = [", "cannot read the theme"),
        ("primary = '#fff'\nvariables = 1", "names with texts"),
    ):
        (folder / "mine.toml").write_text(text)
        refused(run("config", "validate"), 2, "mine.toml", word)


def test_the_page_of_settings_is_what_the_code_says() -> None:
    kept = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
    assert kept.read_text("utf-8") == page(), "run `python -m review.settings_page > docs/settings.md`"
    for name in FIELDS:
        assert f"`{name}`" in page() and f"`{variable(name)}`" in page()
