"""What a reviewer does at one key each: judging findings, undoing, assigning, commenting, accepting a risk, revealing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.events import Key, Paste
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static, TextArea

from model.review import Remedy
from review.judge.journals import journal
from review.sitting.arrival import Arrival
from tests.tui_desk import current, dashboard, fill, own_store, panel, press, said, table, text_of, type_text, until
from tui.app import RemitApp
from tui.screens.choice import ChoiceScreen
from tui.screens.comments import CommentsScreen, literal
from tui.screens.form import FormScreen
from tui.screens.judging import review_facts
from tui.screens.verdict import VerdictScreen, before_lines

Doc = dict[str, Any]


async def open_task(app: RemitApp, pilot: Pilot[None], detection: str) -> str:
    """Open the first task of the queue in which a detection found something on a step; the cursor stands on that step."""
    found = next(one for one in app.desk.work.store.findings() if one.detection == detection and one.step)
    await press(pilot, "slash")
    await fill(app, pilot, f"finding:{detection}")
    await until(pilot, lambda: current(app) is not None, "a task is found")
    for _ in range(table(app).rows):
        if current(app)["id"] == found.task:
            break
        await press(pilot, "j")
    await press(pilot, "enter")
    await until(pilot, lambda: current(app) is not None and "findings" in current(app), "its steps are there")
    while current(app)["id"] != found.step:
        await press(pilot, "j")
    return found.task


async def test_a_finding_is_judged_and_the_verdict_undone(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path)) as (app, pilot):
        task = await open_task(app, pilot, "CRED-08")
        store = app.desk.work.store
        await press(pilot, "F")
        if isinstance(app.screen, ChoiceScreen):
            await press(pilot, "enter")
        assert isinstance(app.screen, VerdictScreen)
        await press(pilot, "f")
        await type_text(pilot, "a test key")
        await press(pilot, "enter")
        await until(pilot, lambda: len(store.verdicts()) == 1, "it is recorded")
        assert store.verdicts()[0].kind == "finding" and store.verdicts()[0].task == task
        await press(pilot, "v", "e")
        assert "a test key" in text_of(app), "the reason given before is offered"
        await press(pilot, "up", "enter")
        await until(pilot, lambda: len(store.verdicts()) == 2, "the task is judged as well")
        await press(pilot, "left_square_bracket")
        await until(pilot, lambda: getattr(app.screen, "task_id", "") == task, "back at it")
        await press(pilot, "u")
        assert isinstance(app.screen, FormScreen)
        await press(pilot, "enter")
        await until(pilot, lambda: "needs a reason" in text_of(app), "it wants a reason")
        await type_text(pilot, "not that one")
        await press(pilot, "enter")
        await until(pilot, lambda: len(store.verdicts()) == 1, "it is taken back")
        assert any("is withdrawn" in word for word in said(app)) and store.verdict_rows()[-1].reason == "not that one"
        await press(pilot, "u")
        await type_text(pilot, "again")
        await press(pilot, "enter")
        await until(pilot, lambda: "you gave no verdict" in text_of(app), "there is nothing to take back")


async def test_a_verdict_and_its_reason_may_be_typed_in_one_breath(tmp_path: Path) -> None:
    """All keys are on their way before the first of them moves the focus, as from a quick hand on a slow line."""
    async with dashboard(own_store(tmp_path)) as (app, pilot):
        await press(pilot, "v")
        assert isinstance(app.screen, VerdictScreen)
        for key in (*"w", *"wow, fewer"):
            named = {" ": "space", ",": "comma"}.get(key, key)
            app.post_message(Key(named, key))
        app.post_message(Key("enter", "\r"))
        await until(pilot, lambda: len(app.desk.work.store.verdicts()) == 1, "it is recorded")
        given = app.desk.work.store.verdicts()[0]
        assert (given.verdict.value, given.reason) == ("within-remit", "wow, fewer")


async def test_a_task_is_assigned_commented_and_its_risk_accepted(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path), (80, 24)) as (app, pilot):
        task = await open_task(app, pilot, "CRED-08")
        store = app.desk.work.store
        await press(pilot, "a")
        await until(pilot, lambda: isinstance(app.screen, ChoiceScreen), "who is asked")
        await press(pilot, "tab")
        await fill(app, pilot, "kim")
        await until(pilot, lambda: store.assignees() == {task: "kim"}, "it is assigned")
        await until(pilot, lambda: "→ kim" in text_of(app), "it shows")
        await press(pilot, "C")
        assert isinstance(app.screen, CommentsScreen)
        for keys, text in ((("ctrl+s",), "see **this**"), (("ctrl+t", "ctrl+s"), "the push [evil](http://x)")):
            app.screen.query_one(TextArea).text = text
            await press(pilot, *keys)
        await until(pilot, lambda: sum(store.comment_counts().values()) == 2, "both are kept")
        await until(pilot, lambda: "see this" in text_of(app), "they show")
        assert [row["kind"] for row in app.desk.comments(task)] == ["task", "step"]
        await press(pilot, "escape", "x")
        if isinstance(app.screen, ChoiceScreen):
            await press(pilot, "enter")
        for value in ("kim", "PAY-1", "2001-01-01", "known"):
            await fill(app, pilot, value)
        await until(pilot, lambda: "lies in the past" in text_of(app), "an end in the past is none")
        assert isinstance(app.screen, FormScreen)
        assert app.focused is app.screen.query_one("#field-expires") and "✗ expires 2001-01-01 lies in" in text_of(app)
        app.screen.query_one("#field-expires", Input).value = "2999-01-01"
        await press(pilot, "enter")
        await until(pilot, lambda: len(store.exceptions()) == 1, "it is accepted")
        whats = [entry.what for entry in store.journal()]
        assert whats == ["assignment", "comment", "comment", "exception"] and store.verify_journal().ok


async def test_a_reason_that_is_pasted_keeps_all_of_its_lines(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path), (80, 24)) as (app, pilot):
        await open_task(app, pilot, "CRED-08")
        await press(pilot, "v", "w")
        app.post_message(Paste("looked at the diff,\r\n\n  asked Kim\nand it is fine\n"))
        reason = app.screen.query_one("#reason", Input)
        await until(pilot, lambda: reason.value == "looked at the diff, asked Kim and it is fine", "nothing of it is lost")
        assert not app.desk.work.store.verdicts()


async def test_what_was_typed_and_not_recorded_stands_there_again(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path), (80, 24)) as (app, pilot):
        await open_task(app, pilot, "CRED-08")
        await press(pilot, "C")
        app.screen.query_one(TextArea).text = "half a thought"
        await press(pilot, "escape")
        assert not isinstance(app.screen, CommentsScreen)
        await press(pilot, "C")
        assert app.screen.query_one(TextArea).text == "half a thought"
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: sum(app.desk.work.store.comment_counts().values()) == 1, "it is kept")
        await until(pilot, lambda: not app.screen.query_one(TextArea).text, "the field is empty")
        await press(pilot, "escape", "C")
        assert app.screen.query_one(TextArea).text == ""
        await press(pilot, "escape", "v", "w")
        app.screen.query_one("#reason", Input).value = "looked at the diff"
        await press(pilot, "escape", "v")
        assert app.screen.query_one("#reason", Input).value == "looked at the diff"
        await press(pilot, "enter", "escape")
        assert not app.desk.work.store.verdicts()
        await press(pilot, "right_square_bracket")
        await press(pilot, "v")
        assert app.screen.query_one("#reason", Input).value == ""


async def test_an_accepted_risk_is_seen_before_it_is_recorded_and_waits_for_an_import(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path), (80, 24)) as (app, pilot):
        await open_task(app, pilot, "CRED-08")
        store = app.desk.work.store

        def ahead() -> str:
            return str(app.screen.query_one("#preview", Static).content)

        async def form() -> None:
            await press(pilot, "x")
            if isinstance(app.screen, ChoiceScreen):
                await press(pilot, "enter")
            await until(pilot, lambda: isinstance(app.screen, FormScreen), "the form is there")

        app.desk.arrivals.append(Arrival(["an import that is under way"]))
        with store.together():
            await form()
            await until(pilot, lambda: ahead() == "hides 1 finding", "what it would hide is told beforehand")
            scope = app.screen.query_one("#field-scope", Input)
            scope.value = "planet"
            await until(pilot, lambda: ahead() == "✗ scope 'planet' is none of finding, task, repository, agent", "no scope")
            scope.value = "task"
            for value in ("kim", "PAY-1", "2001-01-01", "known"):
                await fill(app, pilot, value)
            await until(
                pilot,
                lambda: "✗ expires 2001-01-01 lies in" in text_of(app),
                "what is wrong is told at once, not behind the import",
            )
            app.screen.query_one("#field-expires", Input).value = "2999-01-01"
            await until(pilot, lambda: ahead().endswith(" until 2999-01-01"), "with its end")
            await press(pilot, "enter")
            await until(
                pilot, lambda: "… accepted risk is pending until the import" in panel(app).text, "it waits, and is seen to"
            )
        await until(pilot, lambda: len(store.exceptions()) == 1 and not app.desk.pending, "it was let through")
        await until(
            pilot, lambda: any("accepted risk recorded; no longer pending" in word for word in said(app)), "it is told of"
        )
        app.desk.arrivals.clear()
        assert [entry.what for entry in store.journal()] == ["exception"] and store.verify_journal().ok


async def test_how_a_finding_is_put_right_is_seen_before_it_is_recorded_and_waits_for_an_import(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path), (80, 24)) as (app, pilot):
        await open_task(app, pilot, "CRED-08")
        store = app.desk.work.store

        async def form() -> None:
            await press(pilot, "p")
            if isinstance(app.screen, ChoiceScreen):
                await press(pilot, "enter")
            await until(pilot, lambda: isinstance(app.screen, FormScreen), "the form is there")

        def ahead() -> str:
            return str(app.screen.query_one("#preview", Static).content)

        await form()
        await until(pilot, lambda: "nothing to record" in text_of(app), "nothing is stated yet")
        for value in ("the key was never rotated", "kim", "soon"):
            await fill(app, pilot, value)
        await until(pilot, lambda: "✗ due: 'soon' is not a time" in ahead(), "what cannot be recorded is told beforehand")
        assert isinstance(app.screen, FormScreen)
        app.screen.query_one("#field-due", Input).value = "2001-01-01"
        await until(pilot, lambda: "recorded: overdue; cause the key was never rotated; owner kim; due 2001" in ahead(), "seen")
        assert store.statements(Remedy) == []
        await press(pilot, "enter")
        await until(pilot, lambda: len(store.statements(Remedy)) == 1, "it is recorded")
        await until(pilot, lambda: "put right: overdue; cause the key was never rotated" in panel(app).text, "it shows")

        app.desk.arrivals.append(Arrival(["an import that is under way"]))
        with store.together():
            await form()
            assert "2001-01-01" in text_of(app), "what stands is offered"
            await press(pilot, "enter")
            await until(pilot, lambda: "another than what stands" in text_of(app), "the same is not recorded twice")
            await fill(app, pilot, "PR 88")
            await until(pilot, lambda: "… remedy is pending until the import" in panel(app).text, "it waits, and is seen to")
        await until(pilot, lambda: "put right: done" in panel(app).text and not app.desk.pending, "it was let through")
        assert any("remedy recorded; no longer pending" in word for word in said(app))
        app.desk.arrivals.clear()
        assert [entry.what for entry in store.journal()] == ["remedy", "remedy"] and store.verify_journal().ok


async def test_a_reveal_wants_a_reason_and_both_are_kept(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path)) as (app, pilot):
        task = await open_task(app, pilot, "CRED-08")
        await press(pilot, "R")
        await until(pilot, lambda: isinstance(app.screen, ChoiceScreen | FormScreen), "it asks")
        if isinstance(app.screen, ChoiceScreen):
            await press(pilot, "enter")
        await type_text(pilot, "rotating it")
        await press(pilot, "enter")
        await until(pilot, lambda: "the secret itself is in no store" in panel(app).text, "the places show")
        app.desk.leave()
        kept = journal(app.desk.work, "access")
        assert ("open", task) in [(row["what"], row["about"]) for row in kept]
        assert [row["what"] for row in kept].count("reveal") == 1 and any("rotating it" in row["body"] for row in kept)


async def test_marked_tasks_are_assigned_together_and_a_readonly_sitting_assigns_none(tmp_path: Path) -> None:
    store = own_store(tmp_path)
    async with dashboard(store) as (app, pilot):
        await press(pilot, "space", "j", "space", "a")
        await until(pilot, lambda: isinstance(app.screen, ChoiceScreen), "who is asked")
        await press(pilot, "enter")
        await until(pilot, lambda: len(app.desk.work.store.assignees()) == 2, "both are assigned")
        await until(pilot, lambda: not table(app).marked, "the marks are gone")
    async with dashboard(store, readonly=True) as (app, pilot):
        await press(pilot, "a")
        assert not isinstance(app.screen, ChoiceScreen) and any("read-only" in word for word in said(app))


def before(**more: object) -> Doc:
    return {"critical": False, "own": False, "reopened": False, "last": None, "mine": False, "separation": "unenforced"} | more


LAST = {
    "verdict": "within-remit", "reviewer": "kim", "asserted": False, "at": "2026-06-01T10:00:00Z", "reason": "so",
    "disagreement": False, "pending_second": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        (before(), ""),
        (before(critical=True), "a second reviewer has to agree. Separation of duties unenforced"),
        (before(critical=True, last=LAST), "your agreement would settle it"),
        (before(critical=True, last=LAST, mine=True), "somebody else must"),
        (before(critical=True, own=True, last=LAST), "the agent acted for you"),
        (before(last=LAST, reopened=True), "evidence has changed since: so"),
        (before(last=LAST | {"disagreement": True}), "reviewers disagree"),
    ],
)
def test_what_to_know_before_judging(known: Doc, wanted: str) -> None:
    told = " ".join(before_lines(known))
    assert wanted in told and bool(told) == bool(wanted)


def test_names_are_no_markdown_and_facts_are_few() -> None:
    assert literal("*kim* [x](y)") == r"\*kim\* \[x\]\(y\)"
    quiet = {"comments": 0, "assignee": None, "pending_second": False, "state": "open"}
    assert review_facts(quiet) == ""
    busy = {"comments": 2, "assignee": "kim", "pending_second": True, "disagreement": True, "state": "reopened"}
    assert review_facts(busy).split("  ")[:-1] == ["2 comments", "→ kim", "! disagreement", "! second wanted", "reopened"]


def shown_whole(app: RemitApp, widget: Widget) -> bool:
    return app.screen.query_one(".dialog").content_region.contains_region(widget.region)


async def test_where_a_dialog_does_not_fit_what_has_the_focus_is_in_sight() -> None:
    async with dashboard(size=(50, 12)) as (app, pilot):
        await press(pilot, "2", "v", "w")
        assert app.focused is not None and app.focused.id == "reason"
        assert shown_whole(app, app.focused)
        await pilot.resize_terminal(24, 7)
        await until(pilot, lambda: app.focused is not None and shown_whole(app, app.focused), "it is in sight still")
        await pilot.resize_terminal(50, 12)
        await press(pilot, "escape", "w", *["down"] * 7)
        views = app.screen.query_one(OptionList)
        row = views.region.y + (views.highlighted or 0) - views.scroll_offset.y
        assert views.highlighted == 7 and app.screen.query_one(".dialog").content_region.contains(views.region.x, row)
