"""The queue: filtered while typed, sorted, marked, judged, and told why a task ranks where it does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from review.show.filters import task_filter
from review.sitting import views
from review.sitting.desk import Desk
from review.sitting.queueing import SORTS
from tests.tui_desk import (
    current,
    dashboard,
    fill,
    go_to,
    own_store,
    place,
    press,
    said,
    sample_store,
    table,
    text_of,
    type_text,
    until,
)
from tui.app import RemitApp
from tui.queue_cells import columns, why
from tui.screens.queue import QueueScreen
from tui.screens.task import TaskScreen
from tui.settling import settled
from tui.widgets.facet_list import FacetList
from tui.widgets.lines import Why
from tui.widgets.virtual_table import VirtualTable


def screen(app: RemitApp, depth: int = -1) -> QueueScreen:
    found = app.screen_stack[depth]
    assert isinstance(found, QueueScreen)
    return found


def view_names() -> list[str]:
    return [one.name for one in views.load()]


def crumbs(text: str) -> str:
    return text.splitlines()[0]


async def test_the_riskiest_task_stands_first_with_the_reasons_below() -> None:
    async with dashboard(size=(80, 24)) as (app, pilot):
        first = current(app)
        assert first["risk"] == max(table(app).row_at(i)["risk"] for i in range(table(app).rows))
        await until(pilot, lambda: f"why {first['risk']}:" in text_of(app), "the rank was explained")
        for name, points in app.desk.risk_factors([first["id"]])[first["id"]].items():
            assert f"{name} +{points}" in text_of(app)
        assert first["principal"] in text_of(app)


async def test_a_key_is_answered_with_the_reasons_of_the_row_it_leads_to() -> None:
    async with dashboard() as (app, pilot):
        told = app.screen.query_one("#why", Why)
        for _ in range(3):
            await press(pilot, "j")
            ahead = table(app).ahead
            await until(pilot, lambda: ahead["id"] in app.screen.factors, "the reasons of the next row were read ahead")  # noqa: B023
            table(app).action_move(1)
            # Read ahead of the key: nothing was waited for since.
            row = current(app)
            assert told.text == why(row, app.desk.risk_factors([row["id"]])[row["id"]])


async def test_the_reasons_follow_the_cursor() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "G")
        row = current(app)
        await until(pilot, lambda: f"why {row['risk']}:" in text_of(app), "the last row was explained")
        await press(pilot, "g")
        await until(pilot, lambda: f"why {current(app)['risk']}:" in text_of(app), "the first row was explained")


async def test_a_filter_narrows_while_typed_and_esc_clears_it() -> None:
    async with dashboard() as (app, pilot):
        whole = table(app).rows
        await press(pilot, "slash")
        await type_text(pilot, "agent:codex risk:>20")
        await until(pilot, lambda: 0 < table(app).rows < whole, "the filter narrowed")
        assert all(table(app).row_at(i)["agent"] == "codex" for i in range(table(app).rows))
        assert f"{table(app).rows} of {whole} tasks by risk" in crumbs(text_of(app))
        await press(pilot, "enter")
        assert table(app).has_focus
        assert "agent:codex risk:>20" in crumbs(text_of(app))
        await press(pilot, "escape")
        await until(pilot, lambda: table(app).rows == whole, "the filter was cleared")
        assert place(app) == "queue"


async def test_clearing_a_filter_stays_on_the_task() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "slash")
        await type_text(pilot, "finding:SUP-02\n")
        await until(pilot, lambda: "SUP-02" in " ".join(current(app)["detections"]), "the filter narrowed")
        here = current(app)["id"]
        await press(pilot, "escape")
        await until(pilot, lambda: table(app).rows > 20, "the filter was cleared")
        assert current(app)["id"] == here


async def test_letters_in_the_filter_are_typed_not_done() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "slash")
        await pilot.press(*"qhsvrUyV15", "question_mark", "colon", "slash", "space")
        assert app.screen.query_one("#filter", Input).value == "qhsvrUyV15?:/ "
        assert isinstance(app.screen, QueueScreen)


async def test_a_wrong_filter_says_what_is_wrong_and_keeps_the_rows() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "slash")
        await type_text(pilot, "codex")
        await until(pilot, lambda: 0 < table(app).rows < 81, "the word narrowed")
        found = table(app).rows
        await pilot.press("home")
        await type_text(pilot, '"')
        assert "quotation mark" in text_of(app)
        assert table(app).rows == found
        await press(pilot, "escape", "slash")
        await type_text(pilot, "agnet:codex")
        assert "did you mean agent?" in text_of(app)


async def test_a_filter_without_hits_says_how_to_leave_it() -> None:
    async with dashboard(size=(80, 24)) as (app, pilot):
        await press(pilot, "slash")
        await type_text(pilot, "risk:>99999\n")
        await until(pilot, lambda: "No task matches this filter; esc clears it." in text_of(app), "it said so")
        await press(pilot, "enter", "v", "y", "space", "V", "j", "G")
        assert isinstance(app.screen, QueueScreen)


async def test_an_empty_store_says_what_to_do(tmp_path: Path) -> None:
    store = tmp_path / "empty.db"
    Desk(str(store)).close()
    async with dashboard(store, size=(80, 24)) as (app, pilot):
        await until(pilot, lambda: "This store holds no tasks yet." in text_of(app), "it said so")
        assert "remit import PATH" in text_of(app) and "remit demo" in text_of(app)
        await press(pilot, "enter", "space", "v", "s", "r")
        assert isinstance(app.screen, QueueScreen)
        await press(pilot, "v", "Y", "asterisk")
        assert said(app)[-3:] == ["there is no row to do it with"] * 3


async def test_every_sort_order_in_turn() -> None:
    async with dashboard() as (app, pilot):
        for order in [*SORTS[1:], SORTS[0]]:
            await press(pilot, "s")
            assert crumbs(text_of(app)).endswith(f"by {order}")
        await press(pilot, *["s"] * SORTS.index("title"))
        titles = [table(app).row_at(i)["title"] for i in range(table(app).rows)]
        assert len(titles) > 20 and titles == sorted(titles)


async def test_marks_and_ranges_are_counted_and_taken_away() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "space", "space", "j", "j", "V")
        assert len(table(app).marked) == 5
        assert "5 marked of" in crumbs(text_of(app))
        assert sum(line[1:2] == "*" for line in text_of(app).splitlines()) == 5
        await press(pilot, "U")
        assert not table(app).marked and "marked" not in crumbs(text_of(app))


async def test_a_verdict_on_many_counts_them_and_records_each(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path)) as (app, pilot):
        await press(pilot, "space", "space", "space", "v")
        marked = sorted(table_rows := [row["id"] for row in [app.screen_stack[1].table.row_at(i) for i in range(3)]])  # type: ignore[attr-defined]
        assert "3 marked tasks" in text_of(app)
        await press(pilot, "e")
        assert "escalate on 3 tasks" in text_of(app)
        await type_text(pilot, "one owner for all\n")
        await until(pilot, lambda: isinstance(app.screen, QueueScreen), "the dialog closed")
        await until(
            pilot, lambda: current(app) is not None and table(app).row_at(0)["review"]["verdict"] == "escalate", "it shows"
        )
        given = app.desk.work.store.verdicts()
        assert sorted(v.subject for v in given) == marked == sorted(table_rows)
        assert {(v.verdict.value, v.reason) for v in given} == {("escalate", "one owner for all")}
        assert not table(app).marked
        assert "escalate recorded on 3 tasks" in said(app)
        assert text_of(app).count("escalate") >= 3


async def test_a_verdict_on_the_task_under_the_cursor(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path)) as (app, pilot):
        await press(pilot, "j", "j")
        here = current(app)["id"]
        await press(pilot, "v", "w")
        await type_text(pilot, "fine\n")
        await until(pilot, lambda: isinstance(app.screen, QueueScreen), "the dialog closed")
        assert [v.subject for v in app.desk.work.store.verdicts()] == [here]
        assert current(app)["id"] == here


async def test_a_read_only_sitting_judges_nothing() -> None:
    async with dashboard(readonly=True) as (app, pilot):
        await press(pilot, "v")
        assert isinstance(app.screen, QueueScreen)
        assert any("read-only" in word for word in said(app))
        assert "read-only" in crumbs(text_of(app))


async def test_opening_a_task_and_coming_back_restores_the_place() -> None:
    async with dashboard(size=(80, 24)) as (app, pilot):
        await press(pilot, "slash")
        await type_text(pilot, "seen:target\n")
        await until(pilot, lambda: table(app).rows > 25, "the filter narrowed")
        await press(pilot, "ctrl+f", "j", "j")
        row, top = table(app).cursor, table(app).scroll_offset.y
        for opening, leaving in (("enter", "escape"), ("l", "h")):
            await press(pilot, opening)
            assert isinstance(app.screen, TaskScreen)
            await press(pilot, leaving)
            assert isinstance(app.screen, QueueScreen)
            assert (table(app).cursor, table(app).scroll_offset.y) == (row, top)
            assert app.screen.filter == "seen:target"


async def test_refresh_shows_what_others_wrote(tmp_path: Path) -> None:
    store = own_store(tmp_path)
    async with dashboard(store) as (app, pilot):
        row = go_to(app, lambda r: r["risk"] > 0)
        other = Desk(str(store))
        from model.words import VerdictWord

        other.judge(row["id"], VerdictWord.ESCALATE, "from the other desk")
        other.close()
        await press(pilot, "r")
        await until(pilot, lambda: current(app)["review"]["verdict"] == "escalate", "it shows after a refresh")


async def test_copying_says_what_was_copied() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "y")
        assert app.clipboard == current(app)["id"]
        assert said(app)[-1].startswith(f"copied {current(app)['id']}")
        await press(pilot, "Y")
        assert json.loads(app.clipboard) == current(app) and said(app)[-1].startswith("copied the row as JSON")


async def test_the_rows_of_the_fast_path_are_those_of_the_store() -> None:
    desk = Desk(str(sample_store()))
    try:
        for order in SORTS:
            fast = [row["id"] for row in desk.tasks("", order).page(0)]
            slow = [row["id"] for row in desk.tasks("risk:>=0", order).page(0)]
            assert fast == slow and len(fast) > 50
    finally:
        desk.close()


async def test_a_filter_that_cannot_be_read_stays_open_with_the_reason() -> None:
    async with dashboard(size=(80, 24)) as (app, pilot):
        await press(pilot, "slash")
        await type_text(pilot, "foo:1\n")
        assert app.screen.query_one("#filter").has_focus
        shown = " ".join(text_of(app).split())
        assert "unknown field 'foo'" in shown and "parent" in shown, "the whole reason is shown"
        assert "esc clear it" in text_of(app)
        await press(pilot, "escape")
        assert table(app).has_focus and "1-6 places" in text_of(app)


async def test_a_word_is_completed_with_what_the_store_has() -> None:
    async with dashboard(size=(80, 24)) as (app, pilot):
        await press(pilot, "slash")
        await type_text(pilot, "-fin")
        await press(pilot, "tab")
        bar = app.screen.query_one("#filter", Input)
        assert bar.value == "-finding:"
        await type_text(pilot, "cred-")
        counts = {row["text"]: row["tasks"] for row in app.desk.complete_filter("finding:cred-", 13)["candidates"]}
        assert len(counts) > 3
        first = max(counts, key=lambda text: (counts[text], text == bar.choices.get_option_at_index(0).prompt))  # type: ignore[attr-defined]
        assert f"{first}  " in text_of(app) and str(counts[first]) in text_of(app)
        await press(pilot, "down", "up", "tab")
        assert bar.value.startswith("-finding:CRED-") and bar.value.endswith(" ")
        await press(pilot, "enter")
        named = bar.value.strip().removeprefix("-finding:")
        assert 0 < table(app).rows < 81
        assert all(named not in table(app).row_at(i)["detections"] for i in range(table(app).rows))


async def test_facets_count_and_narrow_and_leave_out() -> None:
    async with dashboard(size=(120, 40)) as (app, pilot):
        assert "facets" in [option.border_title for option in app.screen.query("#facets")]
        await press(pilot, "f")
        listed = app.screen.query_one("#facets", FacetList)
        assert listed.has_focus and all(rows is not None for rows in listed.told.values())
        first, last = 1, listed.option_count - 1
        assert listed.highlighted == first
        for key, row in (("j", 3), ("k", first), ("G", last), ("g", first), ("ctrl+f", None), ("home", first)):
            await press(pilot, key)
            assert listed.highlighted == row if row is not None else (listed.highlighted or 0) > first
        agents = listed.told["agent"] or []
        counted = [table(app).row_at(i)["agent"] for i in range(table(app).rows)]
        assert {row["value"] or "": row["tasks"] for row in agents} == {name: counted.count(name) for name in set(counted)}
        place = next(i for i in range(listed.option_count) if listed.get_option_at_index(i).id == f"agent {agents[1]['word']}")
        listed.highlighted = place
        await press(pilot, "enter")
        assert screen(app).filter == agents[1]["word"] and table(app).rows == agents[1]["tasks"]
        await press(pilot, "escape", "escape")
        assert table(app).has_focus and screen(app).filter == ""
        await press(pilot, "f")
        listed.highlighted = place
        await press(pilot, "minus")
        assert table(app).rows == 81 - agents[1]["tasks"]


async def test_facets_take_the_place_of_the_tasks_where_there_is_no_room_beside_them() -> None:
    async with dashboard(size=(80, 24)) as (app, pilot):
        listed = app.screen.query_one("#facets")
        assert not listed.display
        await press(pilot, "f")
        assert listed.display and "state:" not in text_of(app) and "open" in text_of(app)
        await press(pilot, "f")
        assert not listed.display and table(app).has_focus


async def test_a_column_sorts_by_its_key_and_its_heading_and_turns_round() -> None:
    async with dashboard(size=(120, 40)) as (app, pilot):

        def column(name: str) -> list[Any]:
            return [table(app).row_at(i)[name] for i in range(table(app).rows)]

        await press(pilot, "T")
        assert column("title") == sorted(column("title")) and "task▲" in text_of(app)
        await press(pilot, "T")
        assert column("title") == sorted(column("title"), reverse=True) and "task▼" in text_of(app)
        await pilot.click(VirtualTable, offset=(3, 0))
        await settled(pilot)
        assert column("risk") == sorted(column("risk"), reverse=True) and "risk▼" in text_of(app)
        for key, order in zip("RFTAWOEDSX", SORTS, strict=False):
            await press(pilot, key)
            assert order and table(app).rows == 81


async def test_views_are_opened_kept_and_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.locations.config_dir", lambda: tmp_path)
    async with dashboard(size=(80, 24)) as (app, pilot):
        await press(pilot, "w")
        assert "waiting" in text_of(app) and "-verdict:*" in text_of(app)
        await press(pilot, "down", "enter")
        await settled(pilot)
        assert screen(app).filter == "severity:critical -verdict:*"
        await press(pilot, "T", "w", "tab")
        await fill(app, pilot, "my morning")
        await press(pilot, "escape")
        assert screen(app).filter == ""
        await press(pilot, "w")
        await until(pilot, lambda: "my morning" in text_of(app), "it is listed")
        await press(pilot, "home", "enter")
        assert screen(app).filter == "severity:critical -verdict:*" and screen(app).order == "title"
        await press(pilot, "w", "home", "delete")
        await until(pilot, lambda: "view my morning forgotten" in text_of(app), "it is gone")
        assert view_names() == []


async def test_the_list_is_exported_with_its_path_shown(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path)) as (app, pilot):
        await press(pilot, "slash")
        await type_text(pilot, "agent:codex\n")
        rows = table(app).rows
        for ending in ("csv", "jsonl", "md"):
            path = tmp_path / f"out.{ending}"
            await press(pilot, "e")
            await fill(app, pilot, str(path))
            assert said(app)[-1] == f"{rows} tasks written to {path}"
            ids = [table(app).row_at(i)["id"] for i in range(rows)]
            text = path.read_text()
            assert [text.index(id) for id in ids] == sorted(text.index(id) for id in ids)
        await press(pilot, "e")
        await fill(app, pilot, str(path))
        assert "exists already" in said(app)[-1]
        assert app.focused.value == str(path)  # type: ignore[union-attr]
        hint = text_of(app).splitlines()[-1]
        assert "for a .csv, .jsonl or .md file" in hint
        await press(pilot, "escape", "slash")
        assert "esc give up" in hint and "esc clear it" in text_of(app).splitlines()[-1]
        assert screen(app).filter == "agent:codex"


@pytest.mark.parametrize(
    ("state", "verdict", "pending", "told"),
    [
        ("reviewed", "within-remit", None, ["within", "within-remit"]),
        ("reopened", "within-remit", None, ["again", "reopened"]),
        ("reopened", "within-remit", "escalate", ["… escalate", "… escalate"]),
        ("open", None, None, ["·", "·"]),
    ],
)
def test_a_reopened_task_does_not_look_judged(state: str, verdict: str | None, pending: str | None, told: list[str]) -> None:
    row = {"review": {"state": state, "verdict": verdict, "pending": pending}}
    assert [column.text(row) for column in columns() if column.heading == "review"] == told


async def test_many_verdicts_are_undone_as_one_act(tmp_path: Path) -> None:
    async with dashboard(own_store(tmp_path)) as (app, pilot):
        await press(pilot, "u")
        assert "nothing was judged" in said(app)[-1]
        await press(pilot, "slash")
        await type_text(pilot, "agent:codex\n")
        await press(pilot, "asterisk", "v", "w")
        rows = len(screen(app, 1).table.marked)
        assert rows > 3 and f"within-remit on {rows} tasks" in text_of(app)
        await type_text(pilot, "all of one kind\n")
        await until(pilot, lambda: isinstance(app.screen, QueueScreen), "the dialog closed")
        await settled(pilot)
        assert app.desk.work.store.count_tasks(task_filter("state:reviewed")) == rows
        await press(pilot, "u")
        assert said(app)[-1] == f"{rows} verdicts withdrawn"
        assert app.desk.work.store.count_tasks(task_filter("state:reviewed")) == 0
        assert app.desk.work.store.verify_journal().ok
