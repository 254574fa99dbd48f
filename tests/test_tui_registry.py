"""The laws of the registry: no key, palette entry or line of help outside it, and what cannot be done says why."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import Theme
from textual.widgets import Input, OptionList, Static

from review import locations
from review.errors import RemitError
from review.settings import Settings
from review.sitting.tour import STOPS
from tests.running import surroundings
from tests.tui_desk import ROOT, current, dashboard, fill, place, press, said, table, text_of, type_text, until
from tui.actions import ACTIONS, PRIORITY
from tui.app import RemitApp
from tui.keymap import PRESETS, changes, clashes, keyed
from tui.scopes import DIALOGS, EVERYWHERE, NOUNS, PANEL, TABLE, at_once
from tui.screens.base import hints
from tui.screens.command import ALIASES, CommandScreen, matching, offered
from tui.screens.help import HelpScreen, help_text
from tui.screens.jump import JumpScreen, labels, targets
from tui.screens.queue import QueueScreen
from tui.screens.task import TaskScreen
from tui.screens.topics import TopicsScreen
from tui.screens.tour import TourScreen
from tui.screens.tour import said as told_at
from tui.themes import HIGH_CONTRAST, choose, known_themes, sixteen_colours

SCREENS = [
    scope
    for scope in dict.fromkeys(one.scope for one in ACTIONS)
    if scope not in (EVERYWHERE, TABLE, PANEL) and scope not in DIALOGS
]

KEYS_BY_HAND = {
    ("jump.py", "on_key"),
    ("policy_editor.py", "_on_key"),
    ("filter_bar.py", "_on_key"),
    ("importing.py", "on_key"),
}
"""Labels that exist only while they are seen, and lists of completions, which take keys from the text they stand in."""


def test_no_key_is_heeded_outside_the_registry() -> None:
    found = set()
    for path in (ROOT / "tui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
                node.name in ("on_key", "_on_key")
                or (node.name.startswith("key_") and path.name not in ("action.py", "keymap.py"))
            ):
                found.add((path.name, node.name))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Binding":
                assert path.name == "actions.py", f"{path.name} makes a binding of its own"
    assert found == KEYS_BY_HAND


def test_every_palette_name_is_a_noun_and_a_verb_and_stands_once() -> None:
    for scope in SCREENS:
        names = [one.said for one in offered(scope)]
        assert len(set(names)) == len(names)
        for name in names:
            noun, colon, verb = name.partition(": ")
            assert colon and noun and verb and noun == noun.lower(), name
    assert set(NOUNS) <= {one.scope for one in ACTIONS}
    assert set(ALIASES.values()) <= {one.name for one in ACTIONS}


def test_the_palette_holds_the_actions_of_a_screen_and_nothing_else() -> None:
    for scope in SCREENS:
        assert set(offered(scope)) == {one for one in ACTIONS if one.scope in (scope, EVERYWHERE)}
        assert matching(offered(scope), "") == list(offered(scope))


def test_every_line_of_help_is_an_action_of_the_registry() -> None:
    for scope in SCREENS:
        flat = " ".join(help_text(scope, 300).split())
        heads = {scope.capitalize(), "Everywhere", "Lists", "Panels"}
        told = [one for one in ACTIONS if one.scope in at_once(scope)]
        for one in sorted(told, key=lambda one: -len(one.help)):
            flat = flat.replace(" ".join(f"{one.shown_keys} {one.label} {one.help}".split()), "", 1)
        rest = flat.partition("While typing")[0].partition("Marks")[0].split()
        assert set(rest) <= heads, rest


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_stands_together_on_every_screen(preset: str) -> None:
    made = keyed(preset, {})
    assert not list(clashes(made, PRESETS[preset]))
    assert set(changes(made)) == set(PRESETS[preset])
    for was, now in zip(ACTIONS, made, strict=True):
        assert set(was.keys.split(",")) & PRIORITY <= set(now.keys.split(","))


async def test_a_persons_own_keys_hold_everywhere_they_are_told() -> None:
    settings = Settings(preset="arrows", keys={"queue.sort": "o,f6", "everywhere.help": "f11", "everywhere.quit": "Z"})
    async with dashboard(settings=settings) as (app, pilot):
        assert ("o", "sort") in hints("queue", app.actions) and ("f11", "help") in hints("queue", app.actions)
        await press(pilot, "s", "j")
        assert isinstance(app.screen, QueueScreen) and app.screen.order == "risk" and table(app).cursor == 0
        await press(pilot, "o", "down")
        assert app.screen.order == "started" and table(app).cursor == 1
        await press(pilot, "question_mark")
        assert isinstance(app.screen, QueueScreen)
        await press(pilot, "f11")
        assert isinstance(app.screen, HelpScreen) and "o f6" in text_of(app)
        await press(pilot, "escape", "slash")
        await type_text(pilot, "Z")
        assert app.is_running and isinstance(app.focused, Input) and app.focused.value == "Z"
        await press(pilot, "ctrl+q")
        await pilot.pause()
        assert not app.is_running


def test_a_dashboard_refuses_settings_that_name_what_is_not_there() -> None:
    for settings, word in ((Settings(theme="nrod"), "nord"), (Settings(keys={"queue.sort": "v"}), "queue.verdict")):
        with pytest.raises(RemitError, match=word):
            RemitApp(None, settings=settings)  # type: ignore[arg-type]


async def test_what_cannot_be_done_is_shown_with_the_reason_and_said_when_asked_for() -> None:
    async with dashboard(readonly=True) as (app, pilot):
        await press(pilot, "colon")
        await type_text(pilot, "queue: verdict")
        assert isinstance(app.screen, CommandScreen) and "not now: this sitting is read-only" in text_of(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, CommandScreen) and "✗ queue: verdict: this sitting is read-only" in text_of(app)
        await press(pilot, "escape", "question_mark")
        assert "not now: this sitting is" in " ".join(text_of(app).split())
        await press(pilot, "escape", "slash")
        await fill(app, pilot, "no such words anywhere")
        await press(pilot, "l", "y")
        assert isinstance(app.screen, QueueScreen) and said(app)[-2:] == ["there is no row to do it with"] * 2


async def test_what_was_said_in_passing_can_be_read_again() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "y", "Y", "ctrl+p")
        await fill(app, pilot, "remit: messages")
        told = text_of(app).splitlines()
        first, second = (next(n for n, line in enumerate(told) if word in line) for word in ("the row as JSON", "copied task-"))
        assert first < second
        await press(pilot, "escape")
        assert place(app) == "queue"


async def test_the_place_all_others_lie_upon_offers_no_way_back() -> None:
    async with dashboard(start="overview") as (app, pilot):
        assert "esc back" not in text_of(app)
        await press(pilot, "4")
        assert "esc back" in text_of(app)


async def test_a_theme_is_seen_while_chosen_and_put_back_by_esc() -> None:
    async with dashboard() as (app, pilot):
        before = app.theme
        for end, kept in (("escape", False), ("enter", True)):
            await press(pilot, "ctrl+p")
            await fill(app, pilot, "theme: choose")
            await press(pilot, "down")
            seen = app.theme
            assert seen != before
            await press(pilot, end)
            assert app.theme == (seen if kept else before) and place(app) == "queue"


async def test_themes_that_are_not_textuals_draw() -> None:
    async with dashboard(size=(80, 24)) as (app, pilot):
        for name in ("high-contrast", "high-contrast-light", "ansi-light"):
            app.theme = name
            await pilot.pause()
            assert "risk" in text_of(app)


@pytest.mark.parametrize("theme", HIGH_CONTRAST, ids=lambda theme: theme.name)
def test_high_contrast_is_seven_to_one(theme: Theme) -> None:
    ground = Color.parse(theme.surface or "")
    written = [theme.foreground, *(value for name, value in theme.variables.items() if name.startswith("text-"))]
    for text in written:
        assert _contrast(Color.parse(text or ""), ground) >= 7, text
        assert _contrast(Color.parse(text or ""), Color.parse(theme.panel or "")) >= 5.5, text


def _contrast(one: Color, other: Color) -> float:
    """As WCAG 2 defines it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Color) -> float:
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_a_terminal_gets_a_theme_it_can_show(tmp_path: Path) -> None:
    names = known_themes(tmp_path / "none")
    assert choose("auto", names, {"TERM": "xterm-256color"}) == "textual-dark"
    assert choose("auto", names, {"TERM": "linux"}) == "ansi-dark"
    assert choose("auto", names, {"TERM": "linux", "COLORTERM": "truecolor"}) == "textual-dark"
    assert choose("nord", names, {"TERM": "linux"}) == "nord"
    assert choose("nord", names, {"NO_COLOR": "1"}) == "ansi-dark"
    assert not sixteen_colours({})


def test_no_label_of_jump_mode_is_the_beginning_of_another() -> None:
    for count in (0, 1, 26, 27, 300):
        made = labels(count)
        assert len(set(made)) == count and len({len(one) for one in made}) <= 1


async def test_jump_mode_goes_to_panes_and_rows() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "enter", "semicolon")
        assert isinstance(app.screen, JumpScreen)
        marks = app.screen.targets
        third = next(label for label, target in marks.items() if target.row == 2)
        await press(pilot, *third)
        assert isinstance(app.screen, TaskScreen) and table(app).cursor == 2
        await press(pilot, "semicolon")
        assert isinstance(app.screen, JumpScreen)
        pane = next(label for label, one in app.screen.targets.items() if one.row is None and one.widget.id == "panel")
        await press(pilot, *pane)
        assert app.focused is not None and app.focused.id == "panel"
        await press(pilot, "semicolon", "exclamation_mark")
        assert isinstance(app.screen, TaskScreen) and table(app).cursor == 2
        drawn = text_of(app).splitlines()
        for target in targets(app.screen):
            if target.row is not None:
                assert str(table(app).row_at(target.row)["n"]) in drawn[target.y][:12]
        await press(pilot, "semicolon", "escape")
        assert isinstance(app.screen, TaskScreen)


async def test_the_tour_visits_every_place_can_be_left_and_taken_again() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "colon")
        await fill(app, pilot, "help: tour")
        seen = []
        for stop in STOPS:
            assert isinstance(app.screen, TourScreen) and stop.title in text_of(app)
            seen.append(app.screen_stack[-2].SCOPE)  # type: ignore[attr-defined]
            await press(pilot, "enter")
        assert seen == [stop.place for stop in STOPS]
        assert place(app) == "queue" and len(app.screen_stack) == 2
        app.action_tour()
        await press(pilot, "enter", "left", "escape")
        assert place(app) == "queue"


def test_the_tour_names_keys_that_exist() -> None:
    ids = {one.id for one in ACTIONS}
    for stop in STOPS:
        assert {id for id, _ in stop.keys} <= ids
        assert told_at(stop).count("\n") < 20


async def test_the_demo_offers_the_tour_once(tmp_path: Path) -> None:
    with surroundings(tmp_path):
        for expected in (TourScreen, QueueScreen):
            async with dashboard(tour=True) as (app, pilot):
                await until(pilot, lambda wanted=expected: isinstance(app.screen, wanted), "the first screen")  # type: ignore[misc]


async def test_topics_tell_this_stores_own_figures() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "colon")
        await fill(app, pilot, "help: topics")
        assert isinstance(app.screen, TopicsScreen)
        app.screen.query_one("#sheet").scroll_end(animate=False)
        await press(pilot, "k", "j")
        assert "GOV-01" in text_of(app)
        app.screen.query_one(OptionList).highlighted = 2
        await until(pilot, lambda: "calls to MCP servers: 8" in _topic(app), "the topic came")
        await press(pilot, "escape")
        assert place(app) == "queue"


def _topic(app: RemitApp) -> str:
    return str(app.screen.query_one("#topic").content)  # type: ignore[attr-defined]


@pytest.mark.parametrize("where", ["both", "terminal", "file"])
async def test_what_is_copied_lies_where_the_settings_say(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    async with dashboard(settings=Settings(copy=where)) as (app, pilot):  # type: ignore[arg-type]
        await press(pilot, "y")
        id = current(app)["id"]
        kept = locations.copied_file()
        told = said(app)[-1]
        assert app.clipboard == ("" if where == "file" else id)
        assert (str(kept) in told) is (where != "terminal") is kept.exists()
        if kept.exists():
            assert kept.read_text() == id and kept.stat().st_mode & 0o77 == 0


async def test_a_copy_that_cannot_be_kept_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "taken").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "taken"))
    async with dashboard() as (app, pilot):
        await press(pilot, "y")
        assert "not kept in" in said(app)[-1]


async def test_the_keys_are_set_anew_where_the_terminal_gets_narrower() -> None:
    async with dashboard(size=(160, 40)) as (app, pilot):
        await press(pilot, "question_mark")
        sheet = app.screen
        assert isinstance(sheet, HelpScreen)
        await pilot.resize_terminal(80, 24)
        fitting = help_text(sheet.scope, 64, sheet.actions, sheet.why_not)
        await until(pilot, lambda: sheet.query_one(Static).content == fitting, "no line is broken a second time")
