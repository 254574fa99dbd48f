"""The report room in the dashboard: choose, drill down from control to record and back, state by hand, sign, write the pack."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from review.judge.live import News
from review.pack.packing import _write as write_asked
from review.pack.report_room import Room
from review.pack.signing import new_key
from review.pack.verifying import verify_pack
from review.sitting.desk import Desk
from review.workspace import open_workspace
from tests.tui_desk import current, dashboard, fill, go_to, own_store, panel, place, press, said, status, table, text_of, until
from tui.app import RemitApp
from tui.screens.form import FormScreen
from tui.screens.report import ReportScreen
from tui.screens.report_controls import ControlsScreen
from tui.screens.report_findings import FindingsScreen
from tui.screens.sign_off import SignOffScreen
from tui.screens.task import TaskScreen

ASI = "owasp-asi-2026"
RMF = "nist-ai-rmf-1.0"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of this module's own: what is stated in it by hand changes no result."""
    return own_store(tmp_path_factory.mktemp("report"))


async def test_frameworks_show_their_results_and_the_choice_is_remembered(own: Path) -> None:
    async with dashboard(own) as (app, pilot):
        await press(pilot, "6")
        row = current(app)
        with open_workspace(str(own), readonly=True) as work:
            told = Room(work).framework(row["id"])
        assert row["id"] in app.desk.chosen_frameworks()
        for word, count in told["counts"].items():
            assert str(count) in next(line for line in panel(app).text.splitlines() if line[2:].startswith(word[:12]))
        assert "50 findings" in text_of(app) and "the last of it" in text_of(app)
        await press(pilot, "space", "G", "space")
        picked = current(app)["id"]
        assert "3 frameworks chosen" in text_of(app)
        app.desk._choices = None
        assert set(app.desk.chosen_frameworks()) == {picked, "owasp-nhi-2025", ASI}
        await press(pilot, "y")
        assert any("copied the command" in word for word in said(app))


async def test_from_a_control_to_its_raw_record_and_back_to_the_same_place(own: Path) -> None:
    async with dashboard(own, size=(120, 40)) as (app, pilot):
        await press(pilot, "6")
        go_to(app, lambda one: one["id"] == ASI)
        await press(pilot, "enter")
        assert place(app) == "controls"
        control = go_to(app, lambda one: one["id"] == "ASI02")
        await until(pilot, lambda: "ASI02" in str(panel(app).border_title), "the control came")
        for words in (control["shows"], control["does_not_show"]):
            assert words in panel(app).text
        await press(pilot, "enter")
        assert isinstance(app.screen, FindingsScreen) and table(app).rows == len(control["findings"])
        assert f"{control['open']} open" in text_of(app)
        finding = go_to(app, lambda one: one["step"] is not None and one["detection"] == "GOV-02")
        await press(pilot, "r")
        first = finding["evidence"][0]
        assert first["digest"] in panel(app).text and f"{first['name']}:{first['line']}" in panel(app).text
        await press(pilot, "escape")
        assert panel(app).text.startswith("── ") and isinstance(app.screen, FindingsScreen)
        await press(pilot, "p")
        assert isinstance(app.screen, FormScreen) and str(finding["title"]) in text_of(app)
        await press(pilot, "escape")
        await press(pilot, "l")
        assert isinstance(app.screen, TaskScreen) and app.screen.task_id == finding["task"]
        assert current(app)["id"] == finding["step"]
        assert "Report › ASI02 › GOV-02 ›" in text_of(app)
        await press(pilot, "r")
        await until(pilot, lambda: "sha256" in panel(app, "panel").text, "the record came")
        await press(pilot, "escape", "escape")
        screen = app.screen
        if isinstance(screen, TaskScreen):
            await press(pilot, "escape")
        assert isinstance(app.screen, FindingsScreen) and current(app)["id"] == finding["id"]
        await press(pilot, "y", "f5")
        assert current(app)["id"] == finding["id"]
        await press(pilot, "escape")
        assert isinstance(app.screen, ControlsScreen) and current(app)["id"] == "ASI02"
        await press(pilot, "escape")
        assert isinstance(app.screen, ReportScreen) and current(app)["id"] == ASI


async def test_controls_are_narrowed_by_result_and_by_words() -> None:
    async with dashboard(size=(80, 24)) as (app, pilot):
        await press(pilot, "6", "enter")
        screen = app.screen
        assert isinstance(screen, ControlsScreen) and screen.told is not None and screen.framework == RMF
        counts, every = screen.told["counts"], len(screen.told["controls"])
        await press(pilot, "f")
        options = app.screen.query_one(OptionList)
        assert [str(one.prompt).strip()[0] for one in options.options] == ["a", "!", "○", "?", "–"]
        await press(pilot, "down", "down", "down", "enter")
        assert {row["result"] for row in table(app).at_hand()} == {"insufficient evidence"}
        assert table(app).rows == counts["insufficient evidence"] and f"{table(app).rows} of {every}" in text_of(app)
        await press(pilot, "slash")
        await fill(app, pilot, "no such words")
        assert table(app).rows == 0 and "No control comes out so." in text_of(app)
        await press(pilot, "escape")
        assert table(app).rows == every
        await press(pilot, "slash")
        await fill(app, pilot, "govern 1.4")
        assert [row["id"] for row in table(app).at_hand()] == ["GOVERN 1.4"]
        await press(pilot, "escape", "g", "n")
        assert current(app)["result"] == "exceptions found"
        first = current(app)["id"]
        await press(pilot, "n", "N")
        assert current(app)["id"] == first
        await press(pilot, "N")
        assert "no control with exceptions further up" in said(app)
        bare = go_to(app, lambda one: not one["findings"])
        await press(pilot, "enter")
        assert isinstance(app.screen, ControlsScreen) and any(f"no finding speaks to {bare['id']}" in word for word in said(app))


async def test_brackets_turn_to_the_next_chosen_framework(own: Path) -> None:
    async with dashboard(own) as (app, pilot):
        await press(pilot, "6", "enter", "right_square_bracket")
        screen = app.screen
        assert isinstance(screen, ControlsScreen) and screen.framework == screen.turns[1]
        assert len(screen.turns) == 3 and current(app)["id"] in {"ASI01", "NHI1:2025"}
        await press(pilot, "left_square_bracket", "left_square_bracket", "r", "y")
        assert screen.framework == screen.turns[0] and "no chosen framework before it" in said(app)


async def test_a_framework_that_is_left_off_says_why() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "6")
        go_to(app, lambda one: one["id"].startswith("eu-ai-act"))
        await press(pilot, "enter")
        assert isinstance(app.screen, ControlsScreen) and table(app).rows == 0
        assert "This framework is left off until it is stated" in text_of(app)
        await press(pilot, "a", "enter")
        assert "there is no row to do it with" in said(app) and isinstance(app.screen, ControlsScreen)


async def test_what_is_attested_stands_beside_the_control_and_changes_no_result(own: Path) -> None:
    async with dashboard(own) as (app, pilot):
        await press(pilot, "6", "enter")
        before = dict(current(app))
        hostile = "policy \x1b[31mDOC-88\u202e [@click=quit] approved"
        await press(pilot, "a")
        assert isinstance(app.screen, FormScreen)
        await press(pilot, "enter")
        assert "say what is stated" in text_of(app)
        app.screen.query_one(Input).focus()
        await fill(app, pilot, hostile)
        await until(pilot, lambda: "» attested" in panel(app).text, "it stands there")
        assert "\x1b" not in text_of(app) and "\u202e" not in text_of(app) and "[@click=quit]" in panel(app).text
        assert {**current(app)} == before
        with open_workspace(str(own), readonly=True) as work:
            (kept,) = Room(work).control(RMF, before["id"])["attestations"]
        assert kept["control"] == before["id"] and kept["reviewer"] in panel(app).text


async def test_a_sign_off_shows_what_it_rests_on_and_is_kept_in_the_review_journal(own: Path) -> None:
    async with dashboard(own, size=(80, 24)) as (app, pilot):
        await press(pilot, "6", "s")
        assert isinstance(app.screen, SignOffScreen)
        flat = " ".join(panel(app).text.split())
        assert "separation of duties unenforced" in flat and "not yet judged 50 of 50 findings" in flat
        assert RMF in text_of(app)
        await press(pilot, "down", "up", "escape")
        assert isinstance(app.screen, ReportScreen) and "not signed off" in text_of(app)
        await press(pilot, "s")
        await fill(app, pilot, "third quarter")
        await until(pilot, lambda: "signed off by" in status(app), "it said so")
        await until(pilot, lambda: text_of(app).count("signed off by") == 2, "the head says so")
        with open_workspace(str(own), readonly=True) as work:
            entry = work.store.journal()[-1]
        screen = app.screen
        assert isinstance(screen, ReportScreen) and screen.head is not None
        screen._signed_here = True
        screen.live(News())
        assert not screen.outdated, "what was signed here is no news"
        screen.live(News())
        assert screen.outdated
        assert "I have read the coverage" in entry.body and "third quarter" in entry.body and ASI in entry.body


async def test_another_period_is_assessed_anew(own: Path) -> None:
    async with dashboard(own) as (app, pilot):
        await press(pilot, "6", "p")
        await fill(app, pilot, "yesterday")
        await press(pilot, "enter", "enter")
        assert "✗ from: 'yesterday' is not a time" in text_of(app)
        app.screen.query_one("#field-from", Input).value = "2026-03-17T12:00:00Z"
        await press(pilot, "enter")
        screen = app.screen
        assert isinstance(screen, ReportScreen)
        assert screen.head is not None and 0 < screen.head["tasks"] < 81
        assert "from 2026-03-17 12:00 to …" in text_of(app)


async def ask_for(app: RemitApp, pilot: Pilot[None], **fields: str) -> None:
    """Fill the form of a pack and enter it at its last field."""
    for name, text in fields.items():
        app.screen.query_one(f"#field-{name.replace('_', '-')}", Input).value = text
    app.screen.query(Input).last().focus()
    await press(pilot, "enter")


async def test_a_pack_is_written_beside_the_desk_and_told_how_to_check(own: Path, tmp_path: Path) -> None:
    out, key = tmp_path / "pack", tmp_path / "key"
    new_key(key, "correct horse")
    async with dashboard(own, size=(120, 40)) as (app, pilot):
        await press(pilot, "6", "e")
        assert isinstance(app.screen, FormScreen) and Path(app.screen.query_one("#field-folder", Input).value).is_absolute()
        await ask_for(app, pilot, folder=str(out), formats="htlm")
        assert "✗" in text_of(app) and "html" in text_of(app)
        await ask_for(app, pilot, formats="json, csv", leave_out="no-faces")
        assert "✗" in text_of(app) and "no-names" in text_of(app)
        await ask_for(app, pilot, leave_out="no-prompts", sign_with=str(tmp_path / "none"))
        assert "there is no key at" in text_of(app)
        await ask_for(app, pilot, sign_with=str(key), passphrase="correct horse")
        one = app.desk.packs[-1]
        await until(pilot, lambda: not one.under_way, "it is over")
        assert one.good, one.error
        await until(pilot, lambda: f"`remit verify {out}`" in status(app), "it says how to check it")
        assert (out / "report.json").is_file() and not (out / "report.html").exists()
        assert verify_pack(out)[0]["signature"]["state"] in ("valid", "untrusted")
        await until(pilot, lambda: any("wrote and signed" in word and str(out) in word for word in said(app)), "it was said")
        assert "correct horse" not in msgspec.json.encode(app.desk.choices).decode() and "correct horse" not in repr(one)
        await press(pilot, "x")
        assert "no pack is being written" in said(app)
        await press(pilot, "e")
        await ask_for(app, pilot, folder=str(own.parent / "policy.yaml"), sign_with="")
        await until(pilot, lambda: not app.desk.packs[-1].under_way, "it is over")
        await until(pilot, lambda: "✗ no pack was written" in status(app) and "is a file" in status(app), "it said why not")
    with open_workspace(str(own), readonly=True) as work:
        assert [e.what for e in work.store.journal(journal="access")].count("export") == 1
        given = json.loads((out / "report.json").read_text("utf-8"))
        room = Room(work)
        for section in given["frameworks"]:
            told = {one["id"]: one for one in room.framework(section["id"])["controls"]}
            assert len(told) == len(section["controls"]) > 0
            for control in section["controls"]:
                shared = told[control["id"]].keys() & control.keys()
                assert shared >= {"result", "word", "open", "population", "shows", "does_not_show", "findings"}
                assert all(told[control["id"]][name] == control[name] for name in shared), control["id"]


async def test_a_pack_that_is_stopped_leaves_nothing(own: Path, tmp_path: Path) -> None:
    async with dashboard(own) as (app, pilot):
        await press(pilot, "6", "e")
        await ask_for(app, pilot, folder=str(tmp_path / "pack"))
        assert app.desk.packing is not None and "would be stopped" in app.unsaved()
        await press(pilot, "e")
        assert "a pack is being written; x stops it" in said(app)
        await press(pilot, "x")
        one = app.desk.packs[-1]
        await until(pilot, lambda: not one.under_way, "it is over")
        assert "nothing of it stays" in one.error and not list(tmp_path.iterdir())


async def test_without_a_framework_or_with_readonly_nothing_is_written() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "6")
        screen = app.screen
        assert isinstance(screen, ReportScreen)
        screen.chosen.clear()
        await press(pilot, "e")
        assert any("choose a framework" in word for word in said(app)) and isinstance(app.screen, ReportScreen)
    async with dashboard(readonly=True) as (app, pilot):
        await press(pilot, "6", "e", "s", "enter", "a")
        assert len([word for word in said(app) if "read-only" in word]) == 3 and isinstance(app.screen, ControlsScreen)


async def test_an_empty_store_teaches_what_to_do(tmp_path: Path) -> None:
    async with dashboard(tmp_path / "new.db", size=(80, 24)) as (app, pilot):
        await press(pilot, "6")
        assert "Nothing was imported yet" in text_of(app) and "key i in Sources" in text_of(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, ControlsScreen) and "exceptions found" not in text_of(app)


def test_a_pack_from_the_desk_knows_the_frameworks_the_desk_was_given(own: Path, tmp_path: Path) -> None:
    (tmp_path / "frameworks").mkdir()
    (tmp_path / "frameworks" / "house-7.yaml").write_text(
        "catalogue_schema: 1\nid: house\nedition: '7'\ntitle: House rules\npublisher: Acme\nattribution: Acme\n"
        "items: [{id: H1, title: Ask first}]\n"
    )
    desk = Desk(str(own), frameworks=str(tmp_path / "frameworks"))
    assert "house-7" in desk.work.library.frameworks
    wish = {"frameworks": ["house-7"], "only": ["json"]}
    asked = {"folder": str(tmp_path / "pack"), "wish": wish, "key": "", "noted": False, "passphrase": ""}
    names = write_asked(desk.whereabouts | asked, BytesIO())
    desk.close()
    assert "report.json" in names
    given = json.loads((tmp_path / "pack" / "report.json").read_text("utf-8"))
    assert [(section["id"], section["controls"][0]["id"]) for section in given["frameworks"]] == [("house-7", "H1")]
