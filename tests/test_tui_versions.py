"""Versions and proposals by keyboard: a draft is saved, put in force, taken back; a mined rule goes into the draft and nowhere else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from model.words import VerdictWord
from review.policy.mining import judged
from review.policy.versions import save
from review.sitting.desk import Desk
from tests.tui_desk import KEY, current, dashboard, fill, go_to, own_store, panel, place, press, said, table, text_of, until
from tui.screens.policy import PolicyScreen
from tui.screens.proposals import ProposalsScreen

FIRST = "version: 1\nname: house\ndefault: allow\nrules:\n- {id: a, effect: ask, when: 'action.verb == \"secret.read\"'}\n"
SECOND = FIRST.replace("ask", "deny")
BLOCK = "version: 1\nname: house\ndefault: allow\nrules:\n  - id: a\n    effect: ask\n    when: action.forced\n"


@pytest.fixture(scope="module")
def judged_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two versions of a policy and verdicts: within where nothing was found, outside where it is critical."""
    path = own_store(tmp_path_factory.mktemp("judged"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REMIT_PSEUDONYM_KEY", KEY)
        desk = Desk(str(path))
        save(desk.work, "house", FIRST, "ask first")
        save(desk.work, "house", SECOND, "then deny")
        found = {one.task for one in desk.work.store.findings() if not one.blind_spot}
        for row in desk.work.store.task_rows(limit=500):
            if row.critical or row.id not in found:
                desk.judge(row.id, VerdictWord.OUTSIDE if row.critical else VerdictWord.WITHIN, "looked at it")
        desk.close()
    return path


@pytest.fixture
def store(judged_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to write to."""
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", KEY)
    shutil.copytree(judged_store.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / judged_store.name


async def test_a_version_is_put_in_force_with_a_reason_and_taken_back(store: Path) -> None:
    async with dashboard(store, (80, 24)) as (app, pilot):
        await press(pilot, "3", "v")
        assert place(app) == "versions" and table(app).rows == 2
        assert current(app)["version"] == 2 and "in force: none" in text_of(app).splitlines()[0]
        assert "against what was recorded: newly allowed" in panel(app).text and "then deny" in panel(app).text
        await press(pilot, "d")
        assert "effect ask -> deny" in panel(app).text
        await press(pilot, "p", "enter")
        assert "reason" in said(app)[-1]
        await fill(app, pilot, "agreed")
        assert current(app)["state"] == "in force" and said(app)[-1].startswith("house@2 is in force since")
        await press(pilot, "b")
        await fill(app, pilot, "too early")
        assert "nothing to go back to" in said(app)[-1]
        go_to(app, lambda row: row["version"] == 1)
        await press(pilot, "p")
        await fill(app, pilot, "safer")
        await press(pilot, "b")
        await fill(app, pilot, "not needed")
        assert {row["version"]: row["state"] for row in (table(app).row_at(0), table(app).row_at(1)) if row} == {
            2: "in force",
            1: "was in force",
        }
        assert [line[:12] for line in panel(app).text.splitlines()] != []


async def test_a_version_becomes_the_draft_and_the_one_before_comes_back_with_undo(store: Path) -> None:
    async with dashboard(store) as (app, pilot):
        await press(pilot, "3")
        screen = app.screen
        assert isinstance(screen, PolicyScreen) and screen.editor.text == SECOND
        await press(pilot, "v")
        go_to(app, lambda row: row["version"] == 1)
        await press(pilot)
        await until(pilot, lambda: panel(app).border_title.startswith("house@1"), "the first version is shown")
        await press(pilot, "enter")
        assert app.screen is screen and screen.editor.text == FIRST and not screen.edited
        screen.editor.undo()
        assert screen.editor.text == SECOND


async def test_nothing_is_put_in_force_in_a_read_only_sitting(store: Path) -> None:
    async with dashboard(store, readonly=True) as (app, pilot):
        await press(pilot, "3", "v", "p")
        assert "read-only" in said(app)[-1] and not app.screen.query(".bar.-open")


async def test_proposals_are_walked_tried_and_taken_into_the_draft(store: Path) -> None:
    async with dashboard(store, (80, 24)) as (app, pilot):
        await press(pilot, "3")
        policy = app.screen
        assert isinstance(policy, PolicyScreen)
        await until(pilot, lambda: policy.run is not None, "the first dry-run came")
        policy.editor.text = BLOCK
        await press(pilot, "i", "f12")
        screen = app.screen
        assert isinstance(screen, ProposalsScreen) and screen.source == "verdicts" and table(app).rows > 3
        assert all(row["harm"]["requests"] == row["findings"]["requests"] == 0 for row in screen.told["proposals"])  # type: ignore[index]
        await press(pilot, "d")
        await until(pilot, lambda: "added to house.yaml" in panel(app).text, "the proposal was tried in the draft")
        await press(pilot, "e")
        assert "only rules from a step" in said(app)[-1]
        await press(pilot, "s")
        assert "denied" in text_of(app).splitlines()[0]
        await press(pilot, "s")
        assert current(app)["kind"] == "grant" and "standing credential" in panel(app).text
        await press(pilot, "s", "j", "enter")
        assert app.screen is policy and policy.editor.text.startswith(BLOCK) and "- id: mined-" in policy.editor.text
        await until(pilot, lambda: not any(p["severity"] == "error" for p in policy.problems) and policy.edited, "it is sound")
        policy.editor.undo()
        assert policy.editor.text == BLOCK


async def test_a_step_is_caught_from_where_it_stands(store: Path) -> None:
    desk = Desk(str(store))
    flagged = judged(desk.work).findings
    desk.close()
    async with dashboard(store) as (app, pilot):
        go_to(app, lambda row: row["id"] in flagged)
        await press(pilot, "enter", "n", "m")
        screen = app.screen
        assert isinstance(screen, ProposalsScreen) and screen.source == "step" and table(app).rows
        assert current(app)["effect"] == "deny" and current(app)["broken"]["requests"] == 0
        await press(pilot, "e")
        assert current(app)["effect"] == "ask"
        await press(pilot, "enter")
        policy = app.screen
        assert isinstance(policy, PolicyScreen)
        await until(pilot, lambda: "- id: catch-" in policy.editor.text, "the rule stands in the draft")
        assert policy.editor.text.startswith(SECOND)
