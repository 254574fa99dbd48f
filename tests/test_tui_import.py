"""Importing from the dashboard: files chosen, previewed, read in a process of their own, refusals shown with their place."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from textual.widgets import Input

from model.evidence import SourceFile
from model.words import VerdictWord
from review.errors import RemitError
from review.intake.choosing import completed, completions, meant, recent, tree
from review.sitting.arrival import Arrival
from review.sitting.desk import Desk
from tests.tui_desk import KEY, ROOT, current, dashboard, fill, go_to, panel, press, said, table, text_of, until
from tui.screens.finished import FinishedScreen
from tui.screens.importing import ImportScreen, progress_lines, size
from tui.screens.queue import QueueScreen
from tui.screens.sources import SourcesScreen

LOG = ROOT / "sample_data" / "claude-code-00c681b3.jsonl"


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in: a log with one new, one known and one broken record, a stranger, a folder within."""
    folder = tmp_path / "logs"
    (folder / "inner").mkdir(parents=True)
    good = (ROOT / "sample_data" / "opa-decisions.jsonl").read_text().splitlines()[0]
    fresh = json.dumps(json.loads(good) | {"decision_id": "5b5c8a43-0000-4000-8000-000000000000"})
    (folder / "more.jsonl").write_text(f"{fresh}\n{good}\nnot json at all\n")
    (folder / "inner" / "deep.jsonl").write_bytes(LOG.read_bytes())
    (folder / "stranger.txt").write_text("hello")
    (folder / ".hidden").write_text("x")
    monkeypatch.chdir(folder)
    return folder


def small_store(path: Path, logs: Path) -> Path:
    """A store that knows one decision and one session."""
    known = logs.parent / "known.jsonl"
    known.write_text((ROOT / "sample_data" / "opa-decisions.jsonl").read_text().splitlines()[0] + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REMIT_PSEUDONYM_KEY", KEY)
        desk = Desk(str(path))
        for one in (known, LOG):
            desk.import_files(str(one))
        desk.close()
    return path


async def test_files_are_chosen_previewed_and_imported(tmp_path: Path, logs: Path) -> None:
    async with dashboard(small_store(tmp_path / "s.db", logs)) as (app, pilot):
        before = len(app.desk.sources())
        await press(pilot, "5", "i")
        screen = app.screen
        assert isinstance(screen, ImportScreen)
        assert [table(app).row_at(i)["name"] for i in range(3)] == ["inner", "more.jsonl", "stranger.txt"]
        await press(pilot, "enter")
        assert current(app)["open"] and table(app).row_at(1)["depth"] == 1
        await press(pilot, "enter", "full_stop")
        assert ".hidden" in text_of(app)
        go_to(app, lambda row: row["name"] == "more.jsonl")
        await press(pilot, "enter")
        told = panel(app, "told").text
        assert "1 new records, 1 known, 1 rejected" in told and "opa (1)" in told and "more.jsonl:3: " in told
        assert len(app.desk.sources()) == before
        go_to(app, lambda row: row["name"] == "more.jsonl")
        await press(pilot, "space")
        go_to(app, lambda row: row["name"] == "stranger.txt")
        await press(pilot, "space")
        assert len(screen.marked) == 2 and "2 marked" in text_of(app)
        await press(pilot, "p")
        assert "stranger.txt: " in panel(app, "told").text
        await press(pilot, "i")
        await until(pilot, lambda: app.desk.arriving is None, "the import ended")
        await until(pilot, lambda: any("1 record accepted, 1 already known, 1 rejected" in word for word in said(app)), "a word")
        told = panel(app, "told").text
        assert "more.jsonl:3: " in told and "stranger.txt: skipped: " in told
        await press(pilot, "L")
        assert isinstance(app.screen, FinishedScreen) and "more.jsonl:3: " in panel(app, "log").text
        await press(pilot, "escape", "escape")
        assert isinstance(app.screen, SourcesScreen)
        await until(pilot, lambda: table(app).rows == before + 1, "the new source is listed")
        go_to(app, lambda row: row["name"].endswith("more.jsonl"))
        await press(pilot, "enter")
        assert "line 3" in panel(app).text and "more.jsonl" in str(panel(app).border_title)


async def test_a_path_is_typed_and_completed(tmp_path: Path, logs: Path) -> None:
    async with dashboard(small_store(tmp_path / "s.db", logs)) as (app, pilot):
        await press(pilot, "5", "i", "slash")
        field = app.screen.query_one("#path", Input)
        assert field.has_focus and field.value == f"{logs}/"
        await press(pilot, "i", "n", "tab")
        assert field.value == f"{logs}/inner/"
        await fill(app, pilot, f"{logs}/inner/deep.jsonl")
        assert isinstance(app.screen, ImportScreen) and list(app.screen.marked) == [f"{logs}/inner/deep.jsonl"]
        assert app.screen.root == logs / "inner" and table(app).has_focus
        await press(pilot, "minus")
        assert app.screen.root == logs and current(app)["name"] == "inner"
        await press(pilot, "slash")
        await fill(app, pilot, f"{logs}/none")
        assert any("no such file" in word for word in said(app))
        await press(pilot, "escape", "R")
        assert "imported before" in text_of(app) and "known.jsonl" in text_of(app)


async def test_an_import_shows_in_the_queue_and_a_verdict_given_meanwhile_is_pending(tmp_path: Path, logs: Path) -> None:
    async with dashboard(small_store(tmp_path / "s.db", logs)) as (app, pilot):
        task = str(current(app)["id"])
        # An import that waits: what it reads from has no end until its writer goes.
        rows = (ROOT / "sample_data" / "opa-decisions.jsonl").read_bytes().splitlines(keepends=True)
        (logs / "growing.jsonl").write_bytes(rows[0])
        await press(pilot, "5", "i")
        go_to(app, lambda row: row["name"] == "growing.jsonl")
        await press(pilot, "f")
        one = app.desk.arriving
        assert one is not None and "s stops it" in panel(app, "told").text
        await press(pilot, "2")
        assert isinstance(app.screen, QueueScreen)
        with _writing(app.desk):
            await press(pilot, "v", "w")
            await fill(app, pilot, "looked at it")
            assert isinstance(app.screen, QueueScreen) and app.desk.pending == {task: "within-remit"}
            await press(pilot, "r")
            assert "… within" in text_of(app)
        await until(pilot, lambda: not app.desk.pending, "the verdict was written")
        await until(pilot, lambda: any("no longer pending" in word for word in said(app)), "a word said so")
        assert app.desk.rows([task])[task]["review"]["verdict"] == "within-remit"
        assert "would be stopped" in app.unsaved()
        await press(pilot, "5", "i", "s")
        await until(pilot, lambda: app.desk.arriving is None, "it stopped")
        assert one.report is not None and one.report["totals"]["accepted"] == 0


def _writing(desk: Desk) -> AbstractContextManager[None]:
    """Hold the store's one writer, as a long import does."""
    return desk.work.store.together()


async def test_new_tasks_wait_for_a_key_and_move_nothing(tmp_path: Path, logs: Path) -> None:
    store = tmp_path / "fresh.db"
    Desk(str(store)).close()
    async with dashboard(store) as (app, pilot):
        assert table(app).rows == 0
        app.begin_import([str(logs / "inner")])
        await until(pilot, lambda: "r shows them" in text_of(app), "the new tasks are counted")
        assert table(app).rows == 0
        await press(pilot, "r")
        assert table(app).rows >= 1 and "r shows them" not in text_of(app)


async def test_a_read_only_sitting_chooses_nothing(tmp_path: Path, logs: Path) -> None:
    async with dashboard(small_store(tmp_path / "s.db", logs), readonly=True) as (app, pilot):
        await press(pilot, "5", "i")
        assert isinstance(app.screen, SourcesScreen) and any("read-only" in word for word in said(app))


def test_one_import_at_a_time_and_a_wrong_verdict_is_told(tmp_path: Path) -> None:
    desk = Desk(str(tmp_path / "s.db"))
    try:
        desk.arrivals.append(Arrival(["x"]))
        with pytest.raises(RemitError, match="under way"):
            desk.arrive(["y"], lambda one: None)
        desk.arrivals.clear()
        told: list[tuple[str, bool]] = []
        came = threading.Event()
        desk.judge_later(["task-none"], VerdictWord.WITHIN, "r", {}, lambda *what: (told.append(what), came.set()))
        assert came.wait(60) and not told[0][1] and "task-none" in told[0][0] and not desk.pending
    finally:
        desk.close()


# choosing


def test_a_tree_opens_in_place_and_paths_are_completed(logs: Path) -> None:
    rows = tree(logs, [str(logs / "inner")], hidden=True)
    assert [(row["name"], row["depth"]) for row in rows] == [
        ("inner", 0),
        ("deep.jsonl", 1),
        (".hidden", 0),
        ("more.jsonl", 0),
        ("stranger.txt", 0),
    ]
    with pytest.raises(RemitError, match="none"):
        tree(logs / "none", [])
    assert completions("") == ["inner/", "more.jsonl", "stranger.txt"] and completions(".h") == [".hidden"]
    (logs / "more.log").write_text("")
    assert completed("mo") == "more." and completed("inner/d") == "inner/deep.jsonl" and completed("zz") == "zz"
    assert completions(f"{logs}/none/") == []


def test_a_whole_path_typed_behind_another_is_meant_alone(logs: Path) -> None:
    there = str(logs / "more.jsonl")
    assert meant(f"{logs}/{there}") == there and meant(f"{logs}/~") == "~"
    assert meant(f"{logs}//more.jsonl") == f"{logs}//more.jsonl" and meant(f"{logs}/none") == f"{logs}/none"
    assert completions(f"{logs}/{logs}/mo") == [there] and completions(f"{logs}//mo") == [f"{logs}//more.jsonl"]


def test_what_was_imported_before_is_offered_the_newest_first(logs: Path) -> None:
    def one(path: Path) -> SourceFile:
        return SourceFile("s", "f", path.name, "", 0, str(path), "", 0, "")

    assert recent([one(logs / "more.jsonl"), one(logs / "gone"), one(logs / "inner" / "deep.jsonl")]) == [
        str(logs / "inner" / "deep.jsonl"),
        str(logs / "more.jsonl"),
    ]
    many = [one(logs / name) for name in ("a", "b", "c")]
    assert recent(many) == [str(logs)]


def test_progress_is_told_in_figures() -> None:
    one = Arrival(
        ["x"],
        phase="reading",
        file="a\x1b[31m.log",
        files=2,
        records=1500,
        accepted=1400,
        rejected=7,
        bytes=5_000_000,
        total=20_000_000,
    )
    one.began -= 10
    told = "\n".join(progress_lines(one))
    assert "25%" in told and "1,500 records: 1,400 new, 7 rejected; 2 files done" in told
    assert "5 MB of 20 MB, 50" in told and "left" in told and one.left is not None and 25 < one.left < 35
    assert [size(n) for n in (0, 999, 1000, 5_400_000, 2_000_000_000)] == ["0 B", "999 B", "1 kB", "5 MB", "2.0 GB"]


def test_the_screen_loads_nothing_that_reads_logs() -> None:
    # Its thread would meet the reader's in the middle of the same imports.
    program = "import sys; import tui.screens.importing, tui.screens.finished, review.sitting.landing, review.sitting.arrival; print([m for m in sys.modules if m.split('.')[0] in ('importers', 'sqlalchemy')])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert ran.stdout.strip() == "[]"
