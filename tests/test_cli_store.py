"""The store's and the settings' commands keep their contract."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from review.stores import retaining
from review.workspace import Workspace
from store import Store, StoreError
from tests.cli_contract import (
    COUNT,
    TASK,
    TEXT,
)
from tests.running import (
    Day,
    fits,
    ok,
    refused,
    run,
    sample_logs,
)

pytestmark = pytest.mark.usefixtures("alone")


def test_the_store_tells_checks_and_rebuilds_itself(day: Day, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "mine")
    info = mine.json("store", "info")
    totals = day.imported["totals"]
    assert (info["records"], info["events"], info["tasks"], info["steps"]) == (
        totals["accepted"], totals["events"], totals["tasks"], totals["steps"])  # fmt: skip
    fits(mine.json("store", "check"), {"state": {"intact"}, "problems": list})
    before = ok("--store", mine.store, "store", "export").out
    mine.json("store", "rebuild")
    assert ok("--store", mine.store, "store", "export").out == before
    mine.json("store", "rebuild", "--events")
    assert ok("--store", mine.store, "store", "export").out == before
    assert mine.json("store", "migrate")["tasks"] == info["tasks"]


def test_what_is_let_go_is_told_wherever_it_was(day: Day, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "mine")
    moment = "2026-03-31"
    task = mine.json("show", mine.json("tasks")[0]["id"])
    place = task["steps"][0]["records"][0]
    escalated = mine.json("tasks")[0]["id"]
    mine.json("review", escalated, "--verdict", "escalate", "--reason", "look at this")
    held = mine.json("store", "retain", "--before", moment, "--dry-run")
    assert held["applied"] is False and held["held"] == {"blocks": held["held"]["blocks"], "tasks": [escalated]}
    mine.json("review", escalated, "--verdict", "within-remit", "--reason", "was asked for")

    gone = mine.json("store", "retain", "--before", moment)
    assert gone["applied"] and gone["records"] == sum(row["records"] for row in gone["sources"]) > held["records"]
    checked = mine.json("store", "check")
    assert checked["state"] == "intact" and checked["not_kept"]["records"] == gone["records"]
    told = {row["id"]: row for row in mine.json("sources") if row["not_kept"]}
    assert {id: row["not_kept"] for id, row in told.items()} == {row["id"]: row["records"] for row in gone["sources"]}
    assert all("not_kept" in row["flags"] and row["records"]["accepted"] >= row["not_kept"] for row in told.values())
    assert (
        f"raw records no longer kept: {next(iter(told.values()))['not_kept']:,} of"
        in ok("--store", mine.store, "sources", "--plain").out
    )
    shown = mine.json("show", place["digest"][:16])
    assert shown["raw"] is None and "no longer kept" in shown["not_kept"] and shown["record"]["digest"]
    assert ok("--store", mine.store, "show", place["digest"][:16]).out.splitlines()[-1] == shown["not_kept"]
    first, last = checked["not_kept"]["first"], checked["not_kept"]["last"]
    assert (
        f"not_kept: blocks {checked['not_kept']['blocks']}, records {gone['records']}, first {first}, last {last}\n"
        in ok("--store", mine.store, "store", "check").out
    )
    mine.json("store", "rebuild", "--events")
    again = mine.json("import", *sample_logs())
    known = {row["id"]: row.get("not_kept", 0) for row in again["sources"]}
    assert again["totals"]["accepted"] == 0 and known == {id: row["not_kept"] for id, row in told.items()}, (
        "of files read on from a bookmark as well"
    )
    assert (
        f"{gone['records']:,} of the records known already were let go"
        in run("--store", mine.store, "import", *sample_logs()).err
    )
    ok("--store", mine.store, "report", "--out", tmp_path / "pack")
    assert f"raw record no longer kept,records,{gone['records']}" in (tmp_path / "pack" / "limits.csv").read_text("utf-8")
    for refusal, word in (("soon", "is no time"), ("2999-01-01", "still to come"), (moment, "nothing to let go")):
        refused(run("--store", mine.store, "store", "retain", "--before", refusal), 2, word)


def test_many_sources_and_tasks_are_told_in_few_lines(day: Day, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "mine")
    for task in mine.json("tasks")[:12]:
        mine.json("review", task["id"], "--verdict", "escalate", "--reason", "look at this")
    retain = ("store", "retain", "--before", "2026-03-31", "--dry-run")
    whole = mine.json(*retain)
    records, formats = Counter[str](), Counter[str]()
    for one in whole["sources"]:
        records[one["format"]] += one["records"]
        formats[one["format"]] += 1
    lines = ok("--store", mine.store, *retain).out.splitlines()
    assert len(lines) < 30 < len(whole["sources"]) and "  and 2 tasks more" in lines
    assert {f"  {records['codex']:,} of {formats['codex']} sources in codex", "each source and task: --json"} <= set(lines)
    assert sum(records.values()) == whole["records"]


def test_what_somebody_still_looks_into_is_not_let_go(day: Day, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "mine")
    retain = ("store", "retain", "--before", "2026-03-31", "--dry-run")

    def held() -> set[str]:
        return set(mine.json(*retain)["held"]["tasks"])

    tasks = {one["id"]: one for one in mine.json("tasks")}
    findings = [one for one in mine.json("findings") if one["task"]]
    first, other = findings[0], next(one for one in findings if one["task"] != findings[0]["task"])
    step = mine.json("show", other["task"])["steps"][0]["id"]
    assert held() == set()
    mine.json("review", first["id"], "--verdict", "escalate", "--reason", "a finding")
    assert held() == {first["task"]}
    mine.json("review", step, "--verdict", "escalate", "--reason", "a step")
    assert held() == {first["task"], other["task"]}
    for id in (first["id"], step):
        mine.json("review", id, "--verdict", "within-remit", "--reason", "it was asked for")
    assert held() == set()

    (detection, _), *_ = Counter(one["detection"] for one in findings if not one["blind_spot"]).most_common(1)
    alike = {
        one["id"]: one["task"]
        for one in findings
        if one["detection"] == detection and tasks[one["task"]]["agent"] == "claude-code"
    }
    mine.json("except", next(iter(alike)), "--owner", "lee", "--ticket", "SEC-1", "--expires", "2199-01-01", "--reason", "known",
              "--scope", "agent")  # fmt: skip
    assert held() == set(alike.values()) and len(held()) > 1


def test_nobody_escalates_between_the_look_and_the_letting_go(day: Day, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = day.copy(tmp_path / "mine")
    looked = retaining._held

    def beside(work: Workspace) -> tuple[list[str], list[str], list[str]]:
        with closing(sqlite3.connect(mine.store, timeout=0)) as other, pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        return looked(work)

    monkeypatch.setattr(retaining, "_held", beside)
    assert mine.json("store", "retain", "--before", "2026-03-31")["applied"]


def test_what_was_let_go_is_told_though_its_space_is_not_given_back(
    day: Day, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = day.copy(tmp_path / "mine")

    def full(_: Store) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(Store, "vacuum", full)
    ran = ok("--store", mine.store, "store", "retain", "--before", "2026-03-31")
    assert ran.out.startswith("let go the raw bytes of ") and "not given back yet: the disk is full" in ran.err


def test_an_altered_store_is_code_4(day: Day, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "mine")
    task = mine.json("tasks")[0]["id"]
    mine.json("review", task, "--verdict", "escalate", "--reason", "look at this")
    data = mine.store.read_bytes()
    assert b"look at this" in data
    mine.store.write_bytes(data.replace(b"look at this", b"look at that"))
    ran = run("--store", mine.store, "journal", "verify", "--json")
    assert ran.code == 4 and ran.json["state"] == "altered"
    assert run("--store", mine.store, "store", "check", "--json").code == 4


def test_export_is_one_object_a_line_and_one_document(day: Day) -> None:
    lines = ok("--store", day.store, "store", "export", "--jsonl").lines
    kinds = Counter(row["kind"] for row in lines)
    assert kinds["task"] == day.imported["totals"]["tasks"]
    assert kinds["finding"] == len(day.json("findings"))
    assert kinds["credential"] == len(day.json("credentials"))
    assert day.json("store", "export") == lines


def test_config_tells_where_things_lie(day: Day) -> None:
    said = day.json("config", "show")
    assert said["store"] == str(day.store)
    assert said["organisation"] == str(day.store.parent / "org.yaml")
    assert day.json("config", "validate")["organisation_state"] == "valid"
    assert day.json("config", "path")["store"] == str(day.store)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_command(shell: str) -> None:
    said = ok("completion", shell).out
    for name in ("import", "tasks", "show", "findings", "policy", "report", "verify", "--store", "dry-run"):
        assert name.lstrip("-") in said, name


def test_search_finds_a_command(day: Day) -> None:
    hits = day.json("search", "create-access-key")
    fits(hits, [{"task": str, "step": TEXT, "text": str}])
    assert hits


def test_help_and_version_end_well() -> None:
    for arguments in (["--version"], ["--help"], ["policy", "--help"], ["policy", "dry-run", "--help"], ["store", "--help"]):
        assert ok(*arguments).out


def test_demo_without_a_terminal_prints_a_summary_and_ends_well() -> None:
    said = ok("demo", "--json").json
    fits(said, {"store": str, "totals": {"tasks": COUNT, "findings": COUNT}, "top": [TASK]})
    assert said["totals"]["tasks"] >= 40
    again = ok("demo")
    assert "Demo store" in again.out
    for row, line in zip(said["top"], again.out.splitlines()[1:], strict=False):
        shown = line.split(None, 2)[2][:24].split(" +")[0].strip()
        assert set(shown.split(", ")) <= {*row["detections"], "-"}, line
    assert "--store is not used" in run("demo", "--store", "elsewhere.db").err
    refused(run("demo", "--tasks", "0"), 2, "--tasks")
