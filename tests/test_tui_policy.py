"""The policy studio: what is typed is text, its problems stand beside it, and the dry-run follows every change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from policy import format_of
from policy.agents import adapter_of
from policy.agents.base import RuleFile
from policy.google_cel import available
from review.policy.draft_formats import draft_formats, format_of_file
from review.policy.studio import Studio
from review.show import dryrun_words
from tests.tui_desk import ROOT, current, dashboard, fill, own_store, panel, press, said, table, text_of, type_text, until
from tui.app import RemitApp
from tui.dryrun_tables import no_flips
from tui.screens.policy import PolicyScreen
from tui.screens.queue import QueueScreen
from tui.screens.referee import RefereeScreen
from tui.screens.task import TaskScreen
from tui.widgets.policy_editor import PolicyEditor, indent_after, visible

DENY_ALL = "version: 1\nname: nothing\ndefault: deny\nrules: []\n"
BROKEN = 'version: 1\ndefault: allow\nrules:\n- id: a\n  effect: deny\n  when: action.vreb == "exec"\n'


def screen(app: RemitApp) -> PolicyScreen:
    assert isinstance(app.screen, PolicyScreen)
    return app.screen


def summary(app: RemitApp) -> str:
    return str(app.screen.query_one("#summary", Static).content)


async def studio(app: RemitApp, pilot: Pilot[None]) -> PolicyEditor:
    await press(pilot, "3")
    await until(pilot, lambda: screen(app).run is not None, "the first dry-run came")
    await press(pilot, "i")
    return screen(app).editor


async def replace(app: RemitApp, pilot: Pilot[None], text: str) -> None:
    """Put another text into the editor and wait until it was replayed."""
    before = screen(app).run
    problems = screen(app).problems
    screen(app).editor.text = text
    await until(pilot, lambda: screen(app).run is not before or screen(app).problems is not problems, "it was replayed")


async def test_it_opens_on_the_policy_beside_the_store_with_its_dry_run() -> None:
    async with dashboard() as (app, pilot):
        editor = await studio(app, pilot)
        assert editor.text == (ROOT / "sample_data" / "policy.yaml").read_text()
        run = screen(app).run
        assert run is not None
        assert f"{run['history']['requests']:,} requests" in summary(app) and "exact" in summary(app)
        for name in ("newly_denied", "newly_asked", "newly_allowed", "cannot_judge"):
            assert name.replace("_", " ") in summary(app)
        assert table(app).rows == len(run["flips"])
        assert "edited" not in text_of(app).splitlines()[0] and "against recorded" in text_of(app).splitlines()[0]
        assert "no problems" in text_of(app)


async def test_a_digit_goes_on_to_the_next_place_and_is_not_typed_until_asked() -> None:
    async with dashboard(size=(80, 24)) as (app, pilot):
        await press(pilot, "3", "4", "3")
        assert isinstance(app.screen, PolicyScreen) and not app.screen.edited and table(app).has_focus
        assert "i edit" in text_of(app).splitlines()[-1]
        await press(pilot, "i", "4")
        assert app.screen.edited and screen(app).editor.text.startswith("4")
        assert "i edit" not in text_of(app).splitlines()[-1] and "f1 help" in text_of(app).splitlines()[-1]


async def test_the_policy_and_its_problems_are_there_before_the_history_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    read = Studio.read_history

    def waits(studio: Studio, progress: Callable[[int], None] | None = None) -> None:
        assert progress is not None
        progress(5_000)
        assert go_on.wait(30)
        read(studio, progress)

    monkeypatch.setattr(Studio, "read_history", waits)
    async with dashboard() as (app, pilot):
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, PolicyScreen) and "rules" in screen(app).editor.text, "the text came")
        await until(pilot, lambda: "5,000 requests" in summary(app), "the reading tells how far it is")
        screen(app).editor.text = BROKEN
        await until(pilot, lambda: any("vreb" in problem["message"] for problem in screen(app).problems), "it was checked")
        assert "errors" in summary(app) and screen(app).run is None
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, QueueScreen), "other screens stay alive")
        go_on.set()
        await press(pilot, "3")
        await replace(app, pilot, DENY_ALL)
        await until(pilot, lambda: screen(app).run is not None, "the dry-run came")


def test_an_empty_list_of_flips_does_not_claim_what_could_not_be_judged() -> None:
    run = {"history": {"requests": 3}, "summary": {"cannot_judge": 2}}
    assert "2 could not" in no_flips(run) and "nothing would change" not in no_flips(run)
    assert "nothing would change" in no_flips(run | {"summary": {"cannot_judge": 0}})
    assert no_flips({"history": {"requests": 0}, "summary": {"cannot_judge": 0}}) == ""


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        ("rules:", "  "),
        ("  - id: a", "    "),
        ("    when: >-", "      "),
        ("  -", "    "),
        ("    effect: deny", "    "),
        ("default: deny", ""),
        ("# a note:", ""),
        ("      ", "      "),
        ("\t- a", "\t  "),
    ],
)
def test_a_new_line_begins_where_the_next_key_belongs(line: str, begins: str) -> None:
    assert indent_after(line) == begins
    assert indent_after("    if x:", yaml=False) == "    "


LONG = "version: 1\nname: long\ndefault: allow\nrules:\n" + "".join(
    f"- id: r{n}\n  effect: deny\n  when: action.command.contains('no such command {n}')\n" for n in range(665)
)


async def test_a_rule_typed_at_the_end_of_two_thousand_lines_is_replayed_like_any_other() -> None:
    async with dashboard() as (app, pilot):
        editor = await studio(app, pilot)
        await replace(app, pilot, LONG + "- id: typed\n  effect: deny")
        editor.move_cursor(editor.document.end)
        await type_text(pilot, "\nwhen: 'true'")
        await until(pilot, lambda: "typed" in {rule["id"] for rule in screen(app).run["rules"]}, "the rule counts")  # type: ignore[index]
        run, text = screen(app).run, editor.text
        assert text == LONG + "- id: typed\n  effect: deny\n  when: 'true'"
        whole = Studio(app.desk.work)
        whole.read_history()
        again = whole.replay(screen(app).draft, "recorded").told
        assert run is not None and again is not None and run["summary"] == again["summary"]
        assert run["summary"]["newly_denied"] > 0 and not screen(app).problems


async def test_yaml_is_highlighted() -> None:
    async with dashboard() as (app, pilot):
        editor = await studio(app, pilot)
        assert editor.language == "yaml"
        colours = {segment.style.color for segment in editor.render_line(0) if segment.style and segment.text.strip()}
        assert len(colours) > 1


async def test_keys_are_typed_while_the_editor_has_the_focus() -> None:
    async with dashboard() as (app, pilot):
        editor = await studio(app, pilot)
        before = editor.text
        typed = "# qhjklvrsyViUNn12345?:/[]"
        for char in typed:
            await pilot.press(char)
        await pilot.press("space", "tab")
        assert editor.text.splitlines()[0].startswith(typed + " ")
        assert editor.text.endswith(before.partition("\n")[2])
        assert isinstance(app.screen, PolicyScreen) and app.is_running


async def test_typing_updates_the_dry_run() -> None:
    async with dashboard() as (app, pilot):
        await studio(app, pilot)
        await replace(app, pilot, "")
        await type_text(pilot, DENY_ALL)
        await until(
            pilot, lambda: (screen(app).run or {}).get("policy", {}).get("name") == "nothing", "the typed draft was replayed"
        )
        run = screen(app).run
        assert run is not None and run["summary"]["newly_denied"] > 50
        assert table(app).rows == len(run["flips"]) and current(app)["to"] == "deny"
        assert "● edited" in text_of(app).splitlines()[0]


async def test_a_problem_stands_in_the_text_and_in_the_list_and_old_figures_say_so() -> None:
    async with dashboard(size=(120, 40)) as (app, pilot):
        editor = await studio(app, pilot)
        run = screen(app).run
        await replace(app, pilot, BROKEN)
        await until(pilot, lambda: bool(screen(app).problems), "it was checked")
        problem = screen(app).problems[0]
        assert problem["line"] == 6 and "did you mean" in problem["message"]
        line = editor.get_line(5)
        assert f"✗ {problem['message']}" in line.plain
        assert any(getattr(span.style, "underline", False) for span in line.spans)
        assert f"✗ 6:{problem['column']}" in str(app.screen.query_one("#problems", Static).content)
        assert "last sound state" in summary(app) and screen(app).run is run
        await press(pilot, "f4")
        assert editor.cursor_location == (5, problem["column"] - 1)
        assert "✗" in text_of(app)


async def test_next_problem_walks_all_of_them_in_turn() -> None:
    async with dashboard() as (app, pilot):
        editor = await studio(app, pilot)
        await press(pilot, "f4")
        assert "no problems" in said(app)
        await replace(app, pilot, "version: 1\nfoo: 1\nbar: 2\nrules: []\n")
        await until(pilot, lambda: len(screen(app).problems) > 1, "two problems were found")
        lines = []
        for _ in range(len(screen(app).problems) + 1):
            await press(pilot, "f4")
            lines.append(editor.cursor_location[0] + 1)
        assert lines == [*(p["line"] for p in screen(app).problems), screen(app).problems[0]["line"]]
        await press(pilot, "ctrl+end")
        assert editor.has_focus and editor.cursor_location == editor.document.end
        await press(pilot, "ctrl+home")
        assert editor.cursor_location == (0, 0)


async def test_text_that_is_no_yaml_at_all() -> None:
    async with dashboard() as (app, pilot):
        await studio(app, pilot)
        for text in ("", "{", "- [", "\t", "a: &a [*a]", "&x *x", "é: 日本語", "x" * 5000, "rules: " + "[" * 2000):
            await replace(app, pilot, text)
        assert app.is_running


async def test_a_flip_drills_into_its_step_and_back() -> None:
    async with dashboard() as (app, pilot):
        editor = await studio(app, pilot)
        await replace(app, pilot, (ROOT / "sample_data" / "draft-no-prod-secrets.yaml").read_text())
        await press(pilot, "f2")
        assert table(app).has_focus
        await press(pilot, "j")
        flip = current(app)
        assert "→" in text_of(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, TaskScreen) and app.screen.task_id == flip["task"]
        assert current(app)["id"] == flip["step"]
        assert f"step {current(app)['n']}" in str(panel(app, "panel").border_title)
        await press(pilot, "escape")
        assert isinstance(app.screen, PolicyScreen) and current(app)["step"] == flip["step"]
        await press(pilot, "f2")
        assert editor.has_focus


async def test_escape_leaves_the_text_then_the_place_and_the_draft_stays() -> None:
    async with dashboard() as (app, pilot):
        editor = await studio(app, pilot)
        await pilot.press("end", "enter", "hash")
        await press(pilot, "escape")
        assert table(app).has_focus and isinstance(app.screen, PolicyScreen)
        await press(pilot, "i")
        assert editor.has_focus
        draft = editor.text
        await press(pilot, "escape", "2")
        assert isinstance(app.screen, QueueScreen)
        await press(pilot, "3")
        assert screen(app).editor.text == draft and screen(app).edited


async def test_quitting_with_an_unsaved_draft_asks_once() -> None:
    async with dashboard() as (app, pilot):
        await studio(app, pilot)
        await pilot.press("x")
        await until(pilot, lambda: screen(app).edited, "it is edited")
        await press(pilot, "ctrl+q")
        assert app.is_running and any("not saved" in word for word in said(app))
        await pilot.press("y")
        await pilot.pause()
        await press(pilot, "ctrl+q")
        assert app.is_running, "more typing makes it ask again"
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert not app.is_running


async def test_saving_a_version_wants_a_reason_and_gives_a_baseline(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path)) as (app, pilot):
        await studio(app, pilot)
        await press(pilot, "f3")
        assert any("no policy is saved yet" in word for word in said(app))
        await press(pilot, "ctrl+s", "enter")
        assert app.desk.work.store.policies() == []
        assert app.screen.query_one("#reason", Input).has_focus
        await type_text(pilot, "agreed on Monday\n")
        await until(pilot, lambda: "saved policy as version 1" in said(app), "it was saved")
        kept = app.desk.work.store.policies()
        assert [(p.name, p.version, p.reason, p.text) for p in kept] == [
            ("policy", 1, "agreed on Monday", screen(app).editor.text)
        ]
        assert not screen(app).edited and screen(app).editor.has_focus
        await press(pilot, "f2", "ctrl+s", "escape")
        assert screen(app).flips.has_focus
        await press(pilot, "f3")
        await until(pilot, lambda: (screen(app).run or {}).get("baseline") == "policy", "it was compared with the saved policy")
        run = screen(app).run
        assert run is not None and run["flips"] == [] and "against policy" in text_of(app).splitlines()[0]
        assert "No flips" in text_of(app)
        await press(pilot, "f3")
        await until(pilot, lambda: (screen(app).run or {}).get("baseline") == "recorded", "it turned round")


async def test_a_draft_with_errors_is_no_version(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path)) as (app, pilot):
        await studio(app, pilot)
        await replace(app, pilot, BROKEN)
        await until(pilot, lambda: bool(screen(app).problems), "it was checked")
        await press(pilot, "ctrl+s")
        assert any("without errors" in word for word in said(app))
        assert not app.screen.query_one("#reason", Input).has_class("-open")


async def test_a_read_only_sitting_saves_nothing() -> None:
    async with dashboard(readonly=True) as (app, pilot):
        await studio(app, pilot)
        await press(pilot, "ctrl+s")
        assert any("read-only" in word for word in said(app))


async def test_opening_a_file(tmp_path: Path) -> None:
    draft = ROOT / "sample_data" / "draft-no-prod-secrets.yaml"
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    async with dashboard() as (app, pilot):
        editor = await studio(app, pilot)
        for path, sentence in ((tmp_path / "none.yaml", "No such file"), (tmp_path, "Is a directory"), (binary, "not UTF-8")):
            await press(pilot, "ctrl+o")
            await fill(app, pilot, str(path))
            assert any(sentence in word for word in said(app)), sentence
            await press(pilot, "escape")
            assert isinstance(app.screen, PolicyScreen) and editor.has_focus
        await press(pilot, "ctrl+o")
        await fill(app, pilot, str(draft))
        await until(pilot, lambda: editor.text == draft.read_text(), "it was loaded")
        assert draft.name in text_of(app).splitlines()[0] and not screen(app).edited


async def test_verdicts_given_meanwhile_count(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path)) as (app, pilot):
        await studio(app, pilot)
        await replace(app, pilot, DENY_ALL)
        await until(pilot, lambda: table(app).rows > 50, "everything is denied")
        await press(pilot, "escape", "enter", "v", "w")
        await type_text(pilot, "was fine\n")
        await until(pilot, lambda: isinstance(app.screen, TaskScreen), "the dialog closed")
        await press(pilot, "escape")
        await until(pilot, lambda: (screen(app).run or {})["verdicts"]["work_broken"] == 1, "the verdict counts in the dry-run")


def test_characters_that_steer_a_terminal_are_drawn_as_others_of_the_same_number() -> None:
    hostile = "a\x1b]52;c;AAAA\x07 \u202etxt\u2066 \x9b31m\x00 日本 é \t."
    shown = visible(hostile)
    assert len(shown) == len(hostile)
    assert not any((char < " " and char != "\t") or "\x7f" <= char < "\xa0" or char in "\u202e\u2066" for char in shown)
    assert "日本 é" in shown


async def test_what_may_be_written_is_offered_at_the_cursor_and_taken_with_enter() -> None:
    async with dashboard(size=(80, 24)) as (app, pilot):
        editor = await studio(app, pilot)
        await replace(app, pilot, "version: 1\ndefault: ask\nrules:\n- id: a\n  effect: deny\n  when: ")
        editor.move_cursor(editor.document.end)
        await type_text(pilot, "resource.cl")
        await press(pilot, "f8")
        await until(pilot, lambda: editor.candidates.display, "the list is open")
        assert "resource.classification" in text_of(app)
        await type_text(pilot, "assi")
        await until(pilot, lambda: len(editor.candidates.listed) == 1, "it is narrowed")
        await press(pilot, "enter")
        assert editor.text.endswith("when: resource.classification") and not editor.candidates.display
        await type_text(pilot, ' == "')
        await press(pilot, "ctrl+@")
        await until(pilot, lambda: editor.candidates.display, "values are offered")
        assert "requests" in text_of(app)
        await press(pilot, "down", "up", "tab")
        assert editor.text.endswith(f" == {editor.candidates.listed[0]['text']}".replace("== ", '== "'))
        await press(pilot, "ctrl+@")
        await until(
            pilot, lambda: editor.candidates.display or "nothing to offer" in said(app), "it answers after a whole text too"
        )
        await press(pilot, "escape")
        assert not editor.candidates.display and editor.has_focus


@pytest.mark.skipif(not available(), reason="Google's CEL is not installed: the extra `referee`")
async def test_the_referee_judges_every_shape_beside_the_editor() -> None:
    async with dashboard(size=(80, 24)) as (app, pilot):
        await studio(app, pilot)
        run = screen(app).run
        assert run is not None
        await press(pilot, "f5")
        await until(pilot, lambda: isinstance(app.screen, RefereeScreen), "the judgement is shown")
        shapes = f"{run['history']['shapes']:,}"
        assert f"{shapes} of {shapes} shapes agree with Google CEL" in " ".join(text_of(app).split())
        await press(pilot, "escape")
        await replace(app, pilot, BROKEN)
        await press(pilot, "f5")
        await until(pilot, lambda: any("did you mean" in word for word in said(app)), "a draft with errors is not judged")


async def test_leaving_the_editor_closes_the_list() -> None:
    async with dashboard() as (app, pilot):
        editor = await studio(app, pilot)
        await replace(app, pilot, "version: 1\n")
        editor.move_cursor(editor.document.end)
        await press(pilot, "f8")
        await until(pilot, lambda: editor.candidates.display, "the list is open")
        await press(pilot, "f2")
        await until(pilot, lambda: not editor.candidates.display, "the list went away")


async def test_each_list_is_walked_and_leads_to_its_rule(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path), size=(80, 24)) as (app, pilot):
        editor = await studio(app, pilot)
        await replace(app, pilot, (ROOT / "sample_data" / "draft-no-prod-secrets.yaml").read_text())
        await until(pilot, lambda: "controls" in (screen(app).run or {}) and screen(app).idle, "all of it is told")
        run = screen(app).run
        assert run is not None
        few = summary(app)
        for word in ("recorded", "denied", "unjudged", "self-check", "exactly", "fall"):
            assert word in few, word
        await press(pilot, "f2", "r")
        flip = run["flips"][0]
        assert editor.has_focus and editor.cursor_location == (flip["line"] - 1, 0)
        await press(pilot, "f2", "f6")
        sentences = list(dryrun_words.sentences(run))
        assert table(app).rows == len(sentences) and sum(line.startswith("Limit: ") for line in sentences) == 3
        await press(pilot, "f6")
        assert table(app).rows == len(run["rules"]) == 3
        await press(pilot, "enter")
        assert editor.has_focus and editor.cursor_location == (run["rules"][0]["line"] - 1, 0)
        await press(pilot, "f2", "f6")
        assert table(app).rows == len(
            {(c["framework"], c["id"]) for part in ("controls", "silent") for c in run["controls"][part]}
        )
        await press(pilot, "f6")
        assert current(app)["step"] == flip["step"]


async def test_undo_brings_back_what_an_opened_file_replaced(tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(DENY_ALL)
    async with dashboard() as (app, pilot):
        editor = await studio(app, pilot)
        await press(pilot, "x")
        edited = editor.text
        await press(pilot, "ctrl+o")
        assert any("ctrl+z" in word for word in said(app))
        await fill(app, pilot, str(draft))
        await until(pilot, lambda: editor.text == DENY_ALL, "it was loaded")
        await press(pilot, "ctrl+z")
        assert editor.text == edited
        await press(pilot, "ctrl+y")
        assert editor.text == DENY_ALL


async def test_each_language_keeps_a_draft_of_its_own(tmp_path: Path) -> None:
    async def choose(id: str) -> None:
        await press(pilot, "f9")
        options = app.screen.query_one(OptionList)
        options.highlighted = next(n for n in range(options.option_count) if options.get_option_at_index(n).id == id)
        await press(pilot, "enter")

    async with dashboard(own_store(tmp_path), size=(80, 24)) as (app, pilot):
        editor = await studio(app, pilot)
        await press(pilot, "x")
        mine = editor.text
        await choose("claude-code")
        await until(pilot, lambda: (screen(app).run or {}).get("policy", {}).get("format") == "claude-code", "it was judged")
        run = screen(app).run
        assert run is not None and run["summary"]["newly_asked"] > 50 and 0 < run["history"]["requests"] < 329
        assert "claude-code   against recorded" in text_of(app).splitlines()[0] and "▲ 3:" in text_of(app)
        assert "…" not in summary(app), "nothing is waited for"
        allows = '{"permissions": {"defaultMode": "bypassPermissions", "deny": ["Bash(pytest:*)"]}}'
        await replace(app, pilot, allows)
        await until(pilot, lambda: (screen(app).run or {})["summary"]["newly_denied"] > 0, "the edit was judged")
        await press(pilot, "f2", "enter")
        assert isinstance(app.screen, TaskScreen)
        await press(pilot, "escape")
        assert "settings.json" in screen(app).unsaved() and "policy.yaml" in screen(app).unsaved()
        await press(pilot, "ctrl+s")
        await type_text(pilot, "rolled out\n")
        await until(pilot, lambda: "saved settings as version 1" in said(app), "it was saved")
        assert [(p.name, p.format, p.text) for p in app.desk.work.store.policies()] == [("settings", "claude-code", allows)]
        await press(pilot, "f3")
        await until(pilot, lambda: (screen(app).run or {}).get("baseline") == "settings", "it was compared with itself")
        assert (screen(app).run or {})["flips"] == []
        await replace(app, pilot, "{ not json")
        await until(pilot, lambda: not screen(app).sound, "it does not load")
        await choose("remit")
        assert editor.text == mine and screen(app).edited and screen(app).against == "recorded"


@pytest.mark.parametrize(
    ("path", "present", "found"),
    [
        ("x/.claude/settings.json", "remit", "claude-code"), ("x/.gemini/settings.json", "remit", "gemini-cli"),
        ("default.rules", "remit", "codex"), ("a/policies/mine.toml", "remit", "gemini-cli"), ("a.cedar", "codex", "cedar"),
        ("opencode.jsonc", "remit", "opencode"), ("policy.yml", "codex", "remit"), ("what.conf", "codex", "codex"),
        ("mine.json", "opencode", "opencode"), ("settings.json", "remit", "claude-code"),
    ],
)  # fmt: skip
def test_a_file_is_opened_in_the_language_its_name_tells(path: str, present: str, found: str) -> None:
    assert format_of_file(path, present) == found


def test_every_language_begins_with_a_text_without_errors() -> None:
    for one in draft_formats().values():
        if one.agent:
            adapter = adapter_of(one.id)
            found = [problem for _, problem in adapter.load([RuleFile(adapter.layers[0], one.file, one.starter)]).problems]
        else:
            found = list(format_of(one.id).check(one.starter).diagnostics)
        assert [problem for problem in found if problem.severity == "error"] == [], one.id


async def test_a_draft_is_noted_as_it_was_left_not_for_each_key(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path)) as (app, pilot):
        before = len(app.desk.work.store.journal(journal="access"))
        await studio(app, pilot)
        for text in (DENY_ALL, BROKEN, DENY_ALL.replace("nothing", "other"), DENY_ALL.replace("nothing", "last")):
            await replace(app, pilot, text)
        desk = app.desk
        assert len(desk.work.store.journal(journal="access")) == before
        await press(pilot, "escape", "2", "3", "2")
        assert desk.leave() == 0
        (entry,) = desk.work.store.journal(after=before, journal="access")
        assert entry.what == "trial" and '"name":"last"' in entry.body and '"against":"recorded"' in entry.body
