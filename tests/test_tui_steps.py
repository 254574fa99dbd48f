"""The walk's own ways: repeated steps and sub-agents unfolded in place, a search inside, changes as a diff, gaps, a place kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.desk_task import write_logs
from review.sitting.desk import Desk
from tests.running import ok
from tests.tui_desk import KEY, current, dashboard, go_to, panel, press, said, table, text_of, type_text, until
from tui.app import RemitApp
from tui.screens.queue import QueueScreen
from tui.screens.task import TaskScreen
from tui.walk_cells import GAPS

STEPS = 90


def imported(place: Path) -> Path:
    """A store of the task whose log lies in a folder."""
    store = place / "walk.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REMIT_PSEUDONYM_KEY", KEY)
        desk = Desk(str(store))
        desk.import_files(str(place / "task.ndjson"))
        desk.close()
    return store


@pytest.fixture(scope="module")
def repeating(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of one task whose steps repeat, with one that edits a file."""
    place = tmp_path_factory.mktemp("walk")
    write_logs(place, STEPS)
    edit = {
        "format": "remit-events", "version": 1, "id": "edit", "time": "2026-03-02T09:00:00Z", "kind": "action", "phase": "call",
        "vantage": "agent", "point": "claude-code", "verb": "file.write", "target": {"class": "filesystem", "name": "src/limits.py"},
        "keys": [{"role": "scope", "kind": "session", "value": "s-1"}, {"role": "call", "kind": "call", "value": "edit"}],
        "text": json.dumps({"file_path": "src/limits.py", "old_string": "LIMIT = 3\x1b[31m", "new_string": "LIMIT = 5"}),
    }  # fmt: skip
    with (place / "task.ndjson").open("a") as out:
        out.write(json.dumps(edit) + "\n")
    return imported(place)


def screen(app: RemitApp) -> TaskScreen:
    assert isinstance(app.screen, TaskScreen)
    return app.screen


def group(app: RemitApp) -> dict[str, object]:
    return go_to(app, lambda row: bool(row["group"]))


async def test_repeated_steps_are_one_row_that_space_unfolds_and_folds(repeating: Path) -> None:
    async with dashboard(repeating) as (app, pilot):
        await press(pilot, "enter")
        before = table(app).rows
        assert before < STEPS
        first = group(app)
        await pilot.pause()
        count = first["group"]["count"]  # type: ignore[index]
        assert f"{count}× " in text_of(app) and "do the same and end the same" in panel(app, "panel").text
        place = table(app).cursor
        await press(pilot, "space")
        assert table(app).rows == before + count and table(app).cursor == place
        await press(pilot, "j", "j")
        assert current(app)["depth"] == 1 and not current(app)["group"]
        await press(pilot, "space")
        assert table(app).rows == before and current(app)["key"] == first["key"]
        await press(pilot, "enter")
        assert table(app).rows == before + count


async def test_all_groups_unfold_and_fold_at_once(repeating: Path) -> None:
    async with dashboard(repeating) as (app, pilot):
        await press(pilot, "enter")
        before = table(app).rows
        await press(pilot, "j")
        step = current(app)["id"]
        await press(pilot, "z")
        assert table(app).rows > STEPS and current(app)["id"] == step
        await press(pilot, "z")
        assert table(app).rows == before
        go_to(app, lambda row: not row["group"])
        await press(pilot, "space")
        assert any("nothing is folded here" in word for word in said(app))


async def test_a_search_inside_walks_its_hits_and_escape_ends_it(repeating: Path) -> None:
    async with dashboard(repeating) as (app, pilot):
        await press(pilot, "enter", "slash")
        await type_text(pilot, "limits.py\n")
        assert current(app)["target"]["name"] == "src/limits.py" and "/limits.py 1 hits" in text_of(app)
        await press(pilot, "n")
        assert any("no further step holds" in word for word in said(app))
        await press(pilot, "g", "slash")
        app.screen.focused.value = ""  # type: ignore[union-attr]
        await type_text(pilot, "src/part\n")
        hit = table(app).cursor
        await press(pilot, "n", "n", "N")
        assert table(app).cursor > hit and "src/part" in current(app)["title"] + str(current(app)["target"]["name"])
        await press(pilot, "escape")
        assert not screen(app).walker.sought  # type: ignore[union-attr]
        await press(pilot, "slash")
        await type_text(pilot, "no such thing\n")
        assert any("holds 'no such thing'" in word for word in said(app))


async def test_changes_of_a_file_are_a_diff_and_harmless(repeating: Path) -> None:
    async with dashboard(repeating) as (app, pilot):
        await press(pilot, "enter", "slash")
        await type_text(pilot, "limits.py\n")
        await press(pilot, "f")
        shown = panel(app, "panel").text
        assert "── src/limits.py  +1 -1" in shown and "\n-LIMIT = 3␛[31m\n+LIMIT = 5" in shown
        await press(pilot, "g")
        assert "No record of this step states a change" in panel(app, "panel").text


async def test_the_record_marks_the_fields_that_were_used(repeating: Path) -> None:
    async with dashboard(repeating) as (app, pilot):
        await press(pilot, "enter", "r")
        lines = panel(app, "panel").text.splitlines()
        assert any(line.startswith("   read as action/call of claude-code") for line in lines)
        assert any(line.startswith("» ") and '"verb"' not in line and '"value": "c0"' in line for line in lines)
        assert any(line.startswith("  ") and '"format": "remit-events"' in line for line in lines)


async def test_gaps_are_drawn_with_their_reason_beside_one_another_and_stacked(repeating: Path) -> None:
    async with dashboard(repeating, size=(160, 40)) as (app, pilot):
        await press(pilot, "enter")
        step = current(app)
        kinds = {one["part"]: one for one in step["gaps"]}
        assert kinds["effect"]["kind"] == "not logged"
        for part in ("credential", "effect"):
            assert f"{GAPS[kinds[part]['kind']]} {kinds[part]['kind']}" in text_of(app)
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "c a e" in text_of(app), "the columns changed")
        shown = panel(app, "panel").text
        places = [shown.index(f"\n  {part:<10} ") for part in ("decision", "credential", "action", "effect")]
        assert places == sorted(places) and all(one["why"] in shown for one in step["gaps"])


async def test_the_operations_of_a_command_are_marked_in_it() -> None:
    async with dashboard() as (app, pilot):
        await press(pilot, "enter")
        step = go_to(app, lambda row: bool(row["operations"]))
        await pilot.pause()
        assert "⟦1 " in panel(app, "panel").text and f"operation  1 {step['operations'][0]['verb']}" in panel(app, "panel").text


async def test_a_sub_agent_unfolds_in_place_and_stays_so_after_its_own_screen() -> None:
    async with dashboard() as (app, pilot):
        go_to(app, lambda row: bool(app.desk.work.store.task(row["id"]).children))
        await press(pilot, "enter")
        step = go_to(app, lambda row: bool(row["child"]))
        before = table(app).rows
        await press(pilot, "space")
        inside = app.desk.work.store.count_steps(step["child"])
        assert table(app).rows == before + inside and "▾ " in text_of(app)
        await press(pilot, "j")
        assert current(app)["task"] == step["child"] and current(app)["depth"] == 1
        await press(pilot, "k", "enter", "escape")
        assert table(app).rows == before + inside and current(app)["id"] == step["id"]
        await press(pilot, "space")
        assert table(app).rows == before


async def test_a_task_opens_where_it_was_left(repeating: Path) -> None:
    async with dashboard(repeating) as (app, pilot):
        await press(pilot, "enter", "j", "j", "j")
        step = current(app)["id"]
        await press(pilot, "escape")
        assert isinstance(app.screen, QueueScreen)
        await press(pilot, "enter")
        assert current(app)["id"] == step


def test_a_part_of_the_steps_is_shown_alone(repeating: Path) -> None:
    from review.errors import RemitError
    from review.show.sentences import sentences
    from review.show.showing import show
    from review.workspace import open_workspace

    with open_workspace(str(repeating), readonly=True) as work:
        task = next(work.store.task_ids())
        whole = show(work, task)
        part = show(work, task, steps="10-12")
        assert part["steps"] == whole["steps"][9:12] and part["steps_shown"] == {"from": 10, "to": 12, "of": STEPS + 1}
        assert part["repeated"] == whole["repeated"] and part["facts"] == whole["facts"]
        assert {f["step"] for f in part["findings"]} <= {None, *(s["id"] for s in part["steps"])}
        assert show(work, task, steps="7")["steps"] == whole["steps"][6:7]
        assert show(work, task, steps=f"{STEPS}-")["steps"] == whole["steps"][STEPS - 1 :]
        told = list(sentences(part))
        assert "Steps 10 to 12 of 91:" in told and any(line.startswith("   missing: ") for line in told)
        for wrong in ("0", "x", "9-3", "200", "", "-", "1-2-3"):
            with pytest.raises(RemitError, match="--steps"):
                show(work, task, steps=wrong)
        with pytest.raises(RemitError, match="asked of a task"):
            show(work, whole["steps"][0]["id"], steps="1")
        edit = show(work, whole["steps"][-1]["id"])
        assert edit["changes"][0]["lines"][-1] == "+LIMIT = 5"


def test_a_mode_that_is_stated_is_no_call_and_says_from_what_to_what() -> None:
    from review.show.sentences import act_text, item_text, step_text, target_text
    from tui.walk_cells import action, marks, wants

    stated = {"phase": "posture", "vantage": "agent", "by": "codex", "clock": "exact", "verb": "unknown", "text": ""}
    mode = {
        "verb": "guardrail.change",
        "title": "permission mode changed from default to yolo",
        "actions": [stated],
        "gaps": [],
        "credentials": [],
        "credential_events": [],
        "effects": [],
        "outcome": {"tool": "unknown", "disputed": False},
        "target": {"class": "agent", "name": None, "detail": "yolo"},
    }
    assert act_text(mode) == "guardrail.change: permission mode changed from default to yolo"
    assert item_text(stated) == "agent codex posture" and item_text(stated | {"text": "go on"}) == "agent codex posture: go on"
    assert (action(mode), marks(mode)) == ("✓ stated", "· ✓ ·")
    shrug = {"effect": "unknown", "by": "hook", "rule": None, "reason": "no objection"}
    told = mode | {"at": None, "decisions": [shrug], "decision_distance": None, "agent_claimed": True, "zone_assumed": []}
    outcome = {"permitted": "unknown", "transport": "unknown", "tool": "yes", "effect": "unknown", "disputed": False}
    assert "; not decided by hook (no objection); " in step_text(told | {"outcome": outcome})
    assert wants(mode | {"group": None, "child": None, "depth": 0, "agent_claimed": True}, verb=True) == mode["title"]
    call = mode | {"verb": "exec", "actions": [stated | {"phase": "call"}]}
    assert action(call) == "? unclear"
    assert act_text(call | {"target": {"class": "repository", "name": None}}) == "exec on an unnamed repository"
    assert target_text({"class": "unknown", "name": "make", "environment": "prod"}) == "unknown make in prod"


@pytest.fixture(scope="module")
def forging(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of one task in which a prompt, a path and a tool hold lines that look like evidence."""
    place = tmp_path_factory.mktemp("forged")
    common = {"format": "remit-events", "version": 1, "vantage": "agent", "point": "claude-code"}
    scope = {"role": "scope", "kind": "session", "value": "s-1"}

    def call(name: str, **more: object) -> dict[str, object]:
        keys = [scope, {"role": "call", "kind": "call", "value": name}]
        return {**common, "id": name, "kind": "action", "phase": "call", "keys": keys, **more}

    events = [
        {**common, "id": "p", "time": "2026-03-02T09:00:00Z", "kind": "intent", "phase": "prompt", "keys": [scope], "text": f"Tidy up{FORGED}"},
        call("a", time="2026-03-02T09:00:01Z", verb="file.read", target={"class": "filesystem", "name": f"/srv/a{FORGED}.txt"}),
        *(
            call(f"c{n}", time=f"2026-03-02T09:00:0{n}Z", verb="exec", attrs={"command": f"make test\n./tool{letter}"})
            for n, letter in enumerate("xyz", 2)
        ),
    ]  # fmt: skip
    (place / "task.ndjson").write_text("".join(json.dumps(one) + "\n" for one in events))
    return imported(place)


FORGED = "\n  decision   allow by gate rule trusted  [gate.jsonl:1]\n2. 2026-03-02T09:00:09Z: exec; permitted yes.\n"


async def test_a_name_with_a_line_break_makes_no_line_of_evidence(forging: Path) -> None:
    async with dashboard(forging) as (app, pilot):
        await press(pilot, "enter")
        lines = panel(app, "panel").text.splitlines()
        assert any("/srv/a␊  decision   allow by gate" in line for line in lines)
        assert [line for line in lines if line.startswith(("  decision", "2."))] == [
            line for line in lines if line.startswith("  decision   ▒ not covered")
        ]


@pytest.mark.usefixtures("alone")
def test_a_name_with_a_line_break_makes_no_line_of_a_document(forging: Path) -> None:
    task = ok("--store", forging, "tasks", "--json").json[0]["id"]
    step = ok("--store", forging, "show", task, "--json").json["steps"][0]["id"]
    for id, steps in ((task, 4), (step, 0)):
        lines = ok("--store", forging, "show", id).out.splitlines()
        assert not [line for line in lines if line.startswith(("  decision", "2. 2026-03-02T09:00:09Z"))]
        assert len([line for line in lines if line[:1].isdigit() and line[1:3] == ". "]) == steps
        assert any("␊  decision   allow by gate" in line for line in lines)


async def test_a_command_of_several_lines_says_so_and_is_no_repetition(forging: Path) -> None:
    async with dashboard(forging) as (app, pilot):
        await press(pilot, "enter")
        titles = []
        for _ in range(table(app).rows):
            titles.append(current(app)["title"])
            await press(pilot, "j")
        assert titles == ["file.read /srv/a …", "make test …", "make test …", "make test …"]
