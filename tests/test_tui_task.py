"""The walk through one task: its steps, the evidence behind each, jumps, sub-agents, turning to the next task, verdicts."""

from __future__ import annotations

import json
from pathlib import Path

from tests.running import ok
from tests.tui_desk import current, dashboard, go_to, own_store, panel, press, said, table, text_of, type_text, until
from tui.app import RemitApp
from tui.format import period
from tui.screens.queue import QueueScreen
from tui.screens.task import TaskScreen


def task_screen(app: RemitApp) -> TaskScreen:
    assert isinstance(app.screen, TaskScreen)
    return app.screen


def shown(app: RemitApp) -> str:
    return panel(app, "panel").text


async def test_the_head_says_who_through_what_on_what_and_why() -> None:
    async with dashboard() as (app, pilot):
        row = current(app)
        await press(pilot, "enter")
        text = text_of(app)
        assert row["title"] in text.splitlines()[0] and f"risk {row['risk']}" in text.splitlines()[0]
        assert f"{row['principal']} → {row['agent']}" in text
        assert "INTENT" in text and "not reviewed" in text
        assert table(app).rows == row["steps"]


async def test_the_evidence_names_every_record_it_rests_on() -> None:
    async with dashboard(size=(80, 24)) as (app, pilot):
        await press(pilot, "enter", "n")
        step = current(app)
        assert step["findings"]
        for finding in step["findings"]:
            assert finding["detection"] in shown(app) and finding["why"] in shown(app)
        for record in step["records"]:
            assert f"{record['name']}:{record['line']}" in shown(app)
        assert f"step {step['n']} · evidence" in text_of(app)


async def test_a_task_without_steps_says_what_is_on_record(tmp_path: Path) -> None:
    log, store = tmp_path / "s.jsonl", tmp_path / "store.db"
    log.write_text(
        '{"type":"user","uuid":"u1","sessionId":"s1","timestamp":"2026-06-01T10:00:00Z","message":{"role":"user","content":"look at it"}}\n'
    )
    ok("--store", store, "import", log)
    async with dashboard(store) as (app, pilot):
        await press(pilot, "enter")
        assert table(app).rows == 0
        assert shown(app).splitlines()[0] == "No action, decision, credential or effect of this task is on record."
        assert "“look at it”  [s.jsonl:1]" in shown(app)
        assert not panel(app, "side").display, "there is no step to tell the authority of"


async def test_raw_records_come_redacted_with_source_line_and_digest() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "enter", "n", "r")
        step = current(app)
        for record in step["records"]:
            assert f"{record['name']}:{record['line']}" in shown(app)
            assert f"byte {record['offset']}" in shown(app) and record["digest"] in shown(app)
        assert "REDACTED." in shown(app)
        await press(pilot, "r")
        assert "evidence" in str(panel(app, "panel").border_title)


async def test_links_tell_key_kind_score_and_rivals() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "enter", "l")
        links = current(app)["links"]
        assert links
        for link in links:
            assert link["kind"] in shown(app) and link["key"] in shown(app) and str(link["confidence"]) in shown(app)
        assert {link["kind"] for link in links} & {"exact", "derived"}


async def test_what_was_authorised_at_the_step_is_beside_it_when_wide_and_on_a_key_when_narrow() -> None:
    async with dashboard(size=(120, 40)) as (app, pilot):
        await press(pilot, "enter", "n")
        assert "Authorised at" in panel(app, "side").text
        await press(pilot, "t")
        assert not panel(app, "side").display
        await press(pilot, "t")
        assert panel(app, "side").display
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: not panel(app, "side").display, "the side panel went")
        await press(pilot, "t")
        assert "Authorised at" in shown(app) and "authorised at step" in str(panel(app, "panel").border_title)
        moment = shown(app)
        await press(pilot, "j")
        await until(pilot, lambda: shown(app) != moment, "the moment followed the cursor")


async def test_escape_leaves_the_panel_first_then_the_task() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "enter", "r", "tab")
        assert panel(app, "panel").has_focus
        await press(pilot, "escape")
        assert table(app).has_focus and task_screen(app).panel == "raw records"
        await press(pilot, "escape")
        assert task_screen(app).panel == "evidence"
        await press(pilot, "h")
        assert isinstance(app.screen, QueueScreen)


async def test_the_panel_scrolls_while_the_list_has_the_focus() -> None:
    async with dashboard(size=(80, 24)) as (app, pilot):
        await press(pilot, "enter", "r", "J")
        assert panel(app, "panel").scroll_offset.y > 0
        await press(pilot, "K")
        assert panel(app, "panel").scroll_offset.y == 0
        assert table(app).cursor == 0


async def test_jumps_go_to_the_next_finding_decision_and_credential() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "enter")
        steps = [table(app).row_at(n) for n in range(table(app).rows)]
        for key, wanted in (("n", "findings"), ("d", "decisions"), ("c", "credentials")):
            await press(pilot, "g", key)
            expected = next(i for i, step in enumerate(steps) if i > 0 and step[wanted])
            assert table(app).cursor == expected, key
        await press(pilot, "G", "N")
        assert current(app)["findings"]
        await press(pilot, "G", "n", "d", "c")
        assert {"no further finding in this task", "no further decision in this task"} <= set(said(app))


async def test_the_brackets_turn_to_the_next_task_without_going_back() -> None:
    async with dashboard() as (app, pilot):
        queue = app.screen
        assert isinstance(queue, QueueScreen)
        ids = [queue.table.row_at(i)["id"] for i in range(3)]
        await press(pilot, "enter", "right_square_bracket")
        assert task_screen(app).document["task"]["id"] == ids[1]  # type: ignore[index]
        await press(pilot, "right_square_bracket", "left_square_bracket", "left_square_bracket")
        assert task_screen(app).document["task"]["id"] == ids[0]  # type: ignore[index]
        await press(pilot, "left_square_bracket")
        assert "this is the first task of the queue" in said(app)
        await press(pilot, "right_square_bracket", "escape")
        assert current(app)["id"] == ids[1]


async def test_a_sub_agent_opens_and_closing_it_restores_the_step() -> None:
    async with dashboard() as (app, pilot):
        with_child = next(row["id"] for row in all_rows(app) if children(app, row["id"]))
        go_to(app, lambda row: row["id"] == with_child)
        await press(pilot, "enter")
        step = go_to(app, lambda row: bool(row["child"]))
        await pilot.pause()
        place, parent = table(app).cursor, task_screen(app)
        assert "▸" in text_of(app)
        await press(pilot, "enter")
        child = task_screen(app)
        assert child is not parent and child.task_id == step["child"]
        assert child.crumbs()[:2] == ["Queue", parent.title_text]
        await press(pilot, "right_square_bracket")
        assert any("not opened from the queue" in word for word in said(app))
        await press(pilot, "escape")
        assert task_screen(app) is parent and table(app).cursor == place


def all_rows(app: RemitApp) -> list[dict[str, str]]:
    return [table(app).row_at(i) for i in range(table(app).rows)]


def children(app: RemitApp, task: str) -> bool:
    return bool(app.desk.task(task)["children"])


async def test_enter_on_a_plain_step_shows_its_records() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "enter")
        go_to(app, lambda row: not row["child"])
        await press(pilot, "enter")
        assert "sha256" in shown(app)


async def test_a_verdict_needs_a_reason_and_opens_the_next_task(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path)) as (app, pilot):
        queue = app.screen
        assert isinstance(queue, QueueScreen)
        ids = [queue.table.row_at(i)["id"] for i in range(2)]
        await press(pilot, "enter", "v", "o", "enter")
        assert "a verdict needs a reason" in text_of(app)
        await type_text(pilot, "pushed around the refusal\n")
        await until(pilot, lambda: isinstance(app.screen, TaskScreen), "the dialog closed")
        await until(pilot, lambda: task_screen(app).document["task"]["id"] == ids[1], "the next task opened")  # type: ignore[index]
        given = app.desk.work.store.verdicts()
        assert [(v.subject, v.verdict.value, v.reason) for v in given] == [(ids[0], "outside-remit", "pushed around the refusal")]
        await press(pilot, "left_square_bracket")
        assert "outside-remit" in text_of(app).splitlines()[0]
        await press(pilot, "escape")
        assert queue.table.row_at(0)["review"]["verdict"] == "outside-remit"


async def test_a_verdict_on_a_step(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path)) as (app, pilot):
        await press(pilot, "enter", "n")
        step, task = current(app)["id"], task_screen(app).task_id
        await press(pilot, "V", "f")
        await type_text(pilot, "seen and fine\n")
        await until(pilot, lambda: isinstance(app.screen, TaskScreen), "the dialog closed")
        assert [(v.subject, v.kind) for v in app.desk.work.store.verdicts()] == [(step, "step")]
        assert task_screen(app).task_id == task


async def test_a_recent_reason_is_offered_again(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path)) as (app, pilot):
        for reason in ("first reason", "second reason"):
            await press(pilot, "v", "w")
            await type_text(pilot, f"{reason}\n")
            await until(pilot, lambda: isinstance(app.screen, QueueScreen), "the dialog closed")
            await press(pilot, "j")
        await press(pilot, "v", "e", "up", "up", "down", "up", "enter")
        await until(pilot, lambda: isinstance(app.screen, QueueScreen), "the dialog closed")
        assert app.desk.work.store.verdicts()[-1].reason == "first reason"


async def test_escape_and_ctrl_c_give_a_verdict_up(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path)) as (app, pilot):
        for leave in ("escape", "ctrl+c"):
            await press(pilot, "v", leave)
            assert isinstance(app.screen, QueueScreen)
        await press(pilot, "v", "w")
        await type_text(pilot, "half a rea")
        await press(pilot, "escape")
        assert isinstance(app.screen, QueueScreen) and app.desk.work.store.verdicts() == []


async def test_copying_a_step() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "enter", "j", "y")
        assert app.clipboard == current(app)["id"]
        await press(pilot, "Y")
        assert json.loads(app.clipboard)["id"] == current(app)["id"] and app.clipboard.isascii()


async def test_a_task_that_is_gone_says_so_in_one_sentence() -> None:
    async with dashboard() as (app, pilot):
        app.push_screen(TaskScreen("task-that-is-gone"))
        await until(pilot, lambda: "there is no task task-that-is-gone" in text_of(app), "it said so")
        await press(pilot, "r", "l", "t", "n", "d", "c", "enter", "V", "J")
        await press(pilot, "escape")
        assert isinstance(app.screen, QueueScreen)


async def test_a_key_pressed_before_the_chain_is_read_does_not_claim_there_is_nothing() -> None:
    async with dashboard() as (app, pilot):
        title = current(app)["title"]
        screen = TaskScreen(str(current(app)["id"]), title=title)
        await app.push_screen(screen)
        screen.document = None
        screen.action_next_finding()
        await pilot.pause()
        assert any("still being read" in word for word in said(app)) and not any("no further" in word for word in said(app))
        assert screen.title_text == title


def test_a_period_names_the_day_of_its_end_where_it_is_another() -> None:
    assert period("2026-06-01T14:02:00Z", "2026-06-01T14:31:00Z") == "2026-06-01 14:02 – 14:31 UTC"
    assert period("2026-06-01T23:02:00Z", "2026-06-02T00:31:00Z") == "2026-06-01 23:02 – 2026-06-02 00:31 UTC"
    assert period("2026-06-01T23:02:00Z", None) == "2026-06-01 23:02 – ? UTC" and period(None, None) == "· – ? UTC"
