"""The index of the history: what travels from the database, and that nobody is told what the store does not say now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from chains.facts import OrgFacts
from model.chain import Step, StepOutcome
from model.words import Effect
from policy import History, Policy, Replayer, check, history_files
from review import locations
from review.policy import keeping
from review.policy.history_index import history_of, index_folder, open_history
from review.workspace import Workspace
from store import Store
from store.engine import Database
from store.shapes import RequestCell, RequestView
from tests.store_fixtures import make_chain, make_step

DAY = 86_400_000_000
COMMANDS = ("git push --force", "make", "npm publish", "rm -rf build", "curl x | sh")
RULES = (
    ("deny", 'action.command.contains("--force")'),
    ("ask", 'action.command.startsWith("npm") && context.branch != "main"'),
    ("deny", 'resource.owner == "ana"'),
    ("allow", 'action.verb == "exec"'),
)


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locations, "data_dir", lambda: tmp_path / "data")


@pytest.fixture
def work(store: Store, store_url: str) -> Workspace:
    return Workspace(store, store_url, OrgFacts())


def steps_of(task: str, count: int, turn: int = 0) -> Iterator[Step]:
    for n in range(count):
        pick = n * 7 + turn + len(task)
        step = make_step(task, n, command=COMMANDS[pick % 5], request={"context.branch": "main"} if pick % 3 else {})
        step.at = None if pick % 11 == 0 else (1_700_000_000_000_000 + pick % 4 * DAY + n % 3)
        answer = (Effect.ALLOW, Effect.DENY, Effect.ASK)[pick % 3]
        step.outcome = StepOutcome(permitted=answer, answered=answer)
        yield step


def fill(store: Store, tasks: int = 6, count: int = 40) -> None:
    for n in range(tasks):
        store.save_chain(make_chain(f"task-{n}", list(steps_of(f"task-{n}", count + n))), [])


def draft() -> Policy:
    rules = [{"id": f"r{n}", "effect": effect, "when": when} for n, (effect, when) in enumerate(RULES)]
    checked = check(json.dumps({"version": 1, "default": "ask", "rules": rules}))
    assert checked.policy is not None, checked.diagnostics
    return checked.policy


def told(history: History, limit: int | None = None) -> Any:
    words = {"task-1": "within", "task-2": "outside"}
    return Replayer(history).run(draft(), flips_limit=limit, verdicts=words).as_json()


def want(work: Workspace, limit: int | None = None) -> Any:
    """The same from every request, read one by one."""
    return told(History.from_rows(work.store.requests()), limit)


def test_the_database_groups_and_no_request_travels(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(work.store, tasks=4, count=500)
    travelled: list[tuple[Any, ...]] = []
    fetch, execute = Database.fetch, []

    def spied(db: Database, *asked: Any) -> list[tuple[Any, ...]]:
        rows = fetch(db, *asked)
        travelled.extend(rows if "GROUP BY" in str(asked[1]) else ())
        return rows

    with monkeypatch.context() as patch:
        patch.setattr(Database, "fetch", spied)
        event.listen(work.store.db.engine, "before_cursor_execute", lambda *args: execute.append(args[2]))
        history = open_history(work)
    assert not [text for text in execute if "FROM request" in text], "nobody asks for requests by another way"
    steps = {row.step for row in work.store.requests()}
    assert history.requests == sum(row[3] for row in travelled) == len(steps) == 2006
    assert len(travelled) < 500, "a task's requests of one shape, answer and day come as one"
    assert not steps & {value for row in travelled for value in row}
    result = told(history, 10)
    assert result == want(work, 10)
    assert len(result["flips"]) == 10


def test_the_grouped_history_of_a_store_equals_that_of_its_rows(work: Workspace) -> None:
    fill(work.store)
    for limit in (None, 0, 1, 7, 100):
        assert told(open_history(work), limit) == want(work, limit)
    chosen = ["task-1", "task-4", "task-none"]
    rows = [row for row in work.store.requests() if row.task in chosen]
    assert told(history_of(work, chosen)) == told(History.from_rows(rows))


def test_deleting_one_request_moves_every_count(work: Workspace) -> None:
    fill(work.store)
    before = told(open_history(work, keep_from=1))
    flip = next(f for f in before["flips"] if f["task"] == "task-1" and f["rule"])
    kept = [step for step in steps_of("task-1", 41) if step.id != flip["step"]]
    work.store.save_chain(make_chain("task-1", kept), [])
    after = told(open_history(work, keep_from=1))
    assert after == want(work)
    assert after["history"]["requests"] == before["history"]["requests"] - 1
    assert after["summary"][flip["kind"]] == before["summary"][flip["kind"]] - 1
    assert after["flips_total"] == before["flips_total"] - 1 == len(after["flips"])
    for name in ("hits", "decides", "flips"):
        moved = [(a["id"], b[name] - a[name]) for a, b in zip(after["rules"], before["rules"], strict=True) if a[name] != b[name]]
        assert (flip["rule"], 1) in moved
    work.store.delete_task("task-1")
    assert told(open_history(work, keep_from=1)) == want(work)


def test_only_what_changed_is_read_again(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(work.store)
    open_history(work, keep_from=1)
    asked: list[Any] = []
    cells = RequestView.cells

    def counted(view: RequestView, tasks: Sequence[str] | None = None) -> Iterator[list[RequestCell]]:
        asked.append(tasks)
        return cells(view, tasks)

    monkeypatch.setattr(RequestView, "cells", counted)
    assert told(open_history(work, keep_from=1)) == want(work)
    assert asked == [], "an index that is up to date is believed"
    work.store.save_chain(make_chain("task-3", list(steps_of("task-3", 9, turn=2))), [])
    work.store.save_chain(make_chain("task-new", list(steps_of("task-new", 3))), [])
    assert told(open_history(work, keep_from=1)) == want(work)
    assert asked == [["task-3", "task-new"]]
    work.store.clear_derived()
    fill(work.store, tasks=2)
    assert told(open_history(work, keep_from=1)) == want(work)
    assert asked[1:] == [None], "a store built anew is read anew"


def test_an_index_of_another_store_or_a_damaged_one_is_made_anew(work: Workspace) -> None:
    fill(work.store)
    folder = index_folder(work)
    open_history(work, keep_from=1)
    strange = History.load(folder)
    strange.state = "9:ffffffffffffffff"
    strange.save(folder)
    work.store.save_chain(make_chain("task-2", list(steps_of("task-2", 5))), [])
    assert told(open_history(work, keep_from=1)) == want(work)
    [place] = [p for p in folder.iterdir() if p.is_dir()]
    (place / "grouped.weight").write_bytes(b"\xff" * (place / "grouped.weight").stat().st_size)
    assert told(open_history(work, keep_from=1)) == want(work)
    assert told(History.load(folder))["history"]["requests"] == want(work)["history"]["requests"], "and kept in its place"


def test_a_writer_that_dies_leaves_the_index_as_it_was(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(work.store)
    open_history(work, keep_from=1)
    was = History.load(index_folder(work)).state
    work.store.save_chain(make_chain("task-2", list(steps_of("task-2", 5))), [])
    write, written = history_files._write, [0]

    def dying(path: Path, content: memoryview, mode: int) -> None:
        written[0] += 1
        if written[0] % 6 == 0:
            write(path, content[: len(content) // 2], mode)
            raise OSError("no space left on device")
        write(path, content, mode)

    monkeypatch.setattr(history_files, "_write", dying)
    for _ in range(3):
        assert told(open_history(work, keep_from=1)) == want(work), "what cannot be kept is counted all the same"
        assert History.load(index_folder(work)).state == was
    monkeypatch.undo()
    assert told(open_history(work, keep_from=1)) == want(work)
    assert len([p for p in index_folder(work).iterdir() if p.is_dir()]) == 1, "what the dead left is cleared away"


def test_few_requests_are_not_kept_and_the_index_is_as_private_as_the_store(work: Workspace) -> None:
    fill(work.store)
    open_history(work)
    assert not index_folder(work).exists()
    if not locations.is_url(work.location):
        Path(work.location).chmod(0o640)
    open_history(work, keep_from=1)
    mode = 0o600 if locations.is_url(work.location) else 0o640
    assert {path.stat().st_mode & 0o777 for path in index_folder(work).rglob("*") if path.is_file()} == {mode}
    assert index_folder(work).stat().st_mode & 0o007 == 0


def test_a_little_is_left_to_the_next_dry_run(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "FEW", 50)
    monkeypatch.setattr("review.policy.history_index.open_history.__kwdefaults__", {"keep_from": 50})
    fill(work.store)
    kept = index_folder(work)
    keeping.keep_history(work, 12)
    assert not kept.exists(), "255 requests are more than twenty for each new event"
    keeping.keep_history(work, 13)
    assert kept.exists()
    fill(work.store, 7)
    assert told(open_history(work)) == want(work)
