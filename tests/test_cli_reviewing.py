"""Verdicts, exceptions and thresholds keep their contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli_contract import (
    COUNT,
    SEVERITIES,
    TIME,
)
from tests.running import (
    DRAFT,
    Day,
    fits,
    ok,
    run,
)

pytestmark = pytest.mark.usefixtures("alone")


def test_fail_on_counts_what_is_at_least_as_severe(day: Day) -> None:
    worst = {row["severity"] for row in day.json("findings") if not row["blind_spot"]}
    for severity in SEVERITIES:
        expected = any(SEVERITIES.index(one) <= SEVERITIES.index(severity) for one in worst)
        assert run("--store", day.store, "findings", "--fail-on", severity, "--json").code == int(expected)
    assert run("--store", day.store, "findings", "--filter", "detection:NONE-00", "--fail-on", "low", "--json").code == 0


def test_fail_on_looks_beyond_the_limit(day: Day) -> None:
    assert run("--store", day.store, "findings", "--limit", "1", "--fail-on", "low", "--json").code == 1


def test_blind_spots_alone_cross_no_threshold_and_are_in_no_summary(day: Day, tmp_path: Path) -> None:
    blind = [row for row in day.json("findings") if row["blind_spot"]]
    assert blind
    assert run("--store", day.store, "findings", "--filter", "blind:yes", "--fail-on", "low", "--json").code == 0
    assert len(day.json("findings", "--filter", "blind:yes")) == len(blind)
    assert day.json("store", "info")["findings"] == len(day.json("findings")) - len(blind)
    ok("--store", day.store, "report", "--out", tmp_path / "pack")
    report = json.loads((tmp_path / "pack" / "report.json").read_text("utf-8"))
    ids = {row["id"] for row in blind}
    assert not ids & {row["id"] for row in report["summary"]["worst"]}
    listed = [control for framework in report["frameworks"] for control in framework["controls"] if control.get("findings")]
    assert any(ids & set(control["findings"]) for control in listed)
    for control in listed:
        assert control["open"] + control["accepted"] + control["dismissed"] == len(set(control["findings"]) - ids)


def test_a_verdict_is_kept_listed_and_journalled(day: Day, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "mine")
    task = mine.json("tasks")[0]["id"]
    given = mine.json("review", task, "--verdict", "outside-remit", "--reason", "the key outlived the task")
    assert (given["subject"], given["verdict"]) == (task, "outside-remit")
    review = next(row for row in mine.json("tasks") if row["id"] == task)["review"]
    assert (review["state"], review["verdict"]) == ("reviewed", "outside-remit") and review["reviewer"] and review["at"]
    (entry,) = mine.json("journal")
    fits(entry, {"seq": COUNT, "at": TIME, "who": str, "what": str, "head": str})
    assert mine.json("journal", "verify")["state"] == "intact"
    run_now = mine.json("policy", "dry-run", DRAFT)
    assert run_now["verdicts"]["harm_stopped"] + run_now["verdicts"]["harm_missed"] == 1
