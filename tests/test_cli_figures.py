"""`remit coverage --by`, `points`, `baselines` and the facts of `remit show`, over the sample day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.running import Day, fits, ok, refused, run, sample_day

NUMBER = (int, float)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return sample_day(tmp_path_factory)


pytestmark = pytest.mark.usefixtures("alone")


def steps_of(day: Day) -> list[dict[str, Any]]:
    """Every step of the day, told the long way round: task by task."""
    tasks = day.json("tasks")
    return [step | {"agent": task["agent"], "of": task["id"]} for task in tasks for step in day.json("show", task["id"])["steps"]]


def test_the_governed_share_is_what_counting_every_step_gives(day: Day) -> None:
    actions = [
        step
        for step in steps_of(day)
        if step["agent_claimed"] and step["verb"] not in ("unknown", "agent.message", "guardrail.change")
    ]
    for row in day.json("coverage", "--by", "agent"):
        mine = [step for step in actions if step["agent"] == row["agent"]]
        assert row["actions"] == len(mine) > 0
        assert row["decided"] == sum(any(d["effect"] != "unknown" for d in step["decisions"]) for step in mine)
        assert row["confirmed"] == sum(step["outcome"]["effect"] == "yes" for step in mine)
        assert row["with_credential"] == sum(bool(step["credentials"]) for step in mine)
        bound = [step for step in mine if step["request"].get("credential", {}).get("task_bound") is True]
        assert row["with_task_bound_credential"] == len(bound)
        assert row["share"]["with_decision"] == round(row["decided"] / row["actions"], 4)
    total = sum(row["actions"] for row in day.json("coverage", "--by", "agent"))
    for by in ("team", "week"):
        rows = day.json("coverage", "--by", by)
        assert sum(row["actions"] for row in rows) == total == len(actions), by
    assert {"team-ledger", "team-quay"} <= {row["team"] for row in day.json("coverage", "--by", "team")}


def test_points_are_watched_less_their_silences(day: Day) -> None:
    rows = {row["point"]: row for row in day.json("coverage", "--by", "point")}
    assert rows["codex"]["share"]["watched"] == 1.0 and rows["codex"]["gaps"] == []
    late = rows["github:harbour-lane"]
    assert late["expected"] and late["share"]["watched"] < 0.1 and len(late["gaps"]) == 2
    assert late["longest_gap"] == late["gaps"][0]
    assert {gap["kind"] for gap in late["gaps"]} <= {"silence longer than usual", "not heard", "heartbeat missed"}
    assert all(row["sequence_breaks"] == [] for row in rows.values()) and day.json("coverage", "--by", "key") == []
    assert all(row["usual_silence_seconds"] is None or row["usual_silence_seconds"] >= 10 for row in rows.values())


def test_the_registry_says_when_whether_expected_and_in_which_versions(day: Day, tmp_path: Path) -> None:
    rows = {(row["id"], row["vantage"]): row for row in day.json("points")}
    agent = rows["claude-code", "agent"]
    assert {v["version"] for v in agent["versions"] if v["kind"] == "software"} == {"2.1.32", "2.1.39", "2.1.42"}
    assert rows["opa:agents/tools/decision", "enforcer"]["decides_on"]
    assert rows["codex", "agent"]["state"] == "not expected" and rows["vault", "enforcer"]["state"] == "seen"
    org = tmp_path / "org.yaml"
    org.write_text("enforcement_points: [{id: 'opa:*'}, {id: seccomp, vantage: witness, since: 2026-01-01}]\n")
    told = ok("--store", day.copy(tmp_path / "own").store, "--org", org, "points", "--json").json
    (missing,) = [row for row in told if row["state"] == "missing"]
    assert (missing["id"], missing["vantage"], missing["records"]) == ("seccomp", "witness", 0)
    without = ok("--store", day.store, "--org", _empty(tmp_path), "points", "--json").json
    assert {row["state"] for row in without} == {"seen"}


def _empty(folder: Path) -> Path:
    path = folder / "none.yaml"
    path.write_text("name: Nobody\n")
    return path


def test_baselines_have_a_row_for_each_agent_in_each_repository(day: Day) -> None:
    rows = day.json("baselines")
    pairs = {(task["agent"], task["repository"]) for task in day.json("tasks")}
    assert {(row["agent"], row["repository"]) for row in rows} == pairs
    row = next(row for row in rows if (row["agent"], row["repository"]) == ("claude-code", "harbour-lane/quay-api"))
    fits(
        row,
        {
            "tasks": int,
            "first_seen": str,
            "per_week": NUMBER,
            "burst": {"actions": int, "within_seconds": int},
            "decision_distance": {"decisions": int, "mean_seconds": NUMBER, "same_host": int, "other_host": int},
            "time_to_evidence": {"findings": int, "median_seconds": NUMBER},
            "tools": [{"tool": str, "verb": str, "actions": int, "drift": bool}],
        },
    )
    assert row["actions"] == sum(tool["actions"] for tool in row["tools"]) == row["per_week"]
    # One week has no earlier one to drift from.
    assert all(row["drift"] == [] for row in rows)


def test_show_tells_the_facts_of_a_task_a_step_and_a_finding(day: Day) -> None:
    first, *_, last = sorted(
        (t for t in day.json("tasks") if t["repository"] == "harbour-lane/quay-api" and t["agent"] == "claude-code"),
        key=lambda t: t["started"],
    )
    begun, ended = day.json("show", first["id"])["facts"], day.json("show", last["id"])["facts"]
    assert begun["baseline"]["first_task"] and begun["baseline"]["first_seen"] == first["started"]
    assert ended["baseline"]["tasks_before"] > 5 and ended["baseline"]["first_seen"] == first["started"]
    assert ended["burst"]["actions"] >= 1 and ended["per_hour"] > 0
    steps = day.json("show", last["id"])["steps"]
    distance = next(step["decision_distance"] for step in steps if step["decision_distance"])
    assert distance["by"].startswith("opa:") and abs(distance["seconds"]) < 5 and distance["hops"] == 1
    finding = next(f for f in day.json("findings") if not f["blind_spot"])
    times = day.json("show", finding["id"])["finding"]["times"]
    assert times["happened"] == finding["at"] and times["judged"] is None
    assert times["seconds_to"]["imported"] > times["seconds_to"]["evident"] >= 0
    said = ok("--store", day.store, "show", last["id"], "--plain").out
    assert "earlier tasks of this agent in this repository" in said
    paces = [(d["over_seconds"], d["per_hour"], d["actions"]) for d in (begun, ended)]
    for task, (seconds, hourly, actions) in zip((first, last), paces, strict=True):
        told = ok("--store", day.store, "show", task["id"], "--plain").out
        assert (f"{hourly:g} actions an hour" if seconds >= 600 else f"{actions} actions in {seconds:g} s, too short") in told
    assert "its evidence was whole" in ok("--store", day.store, "show", finding["id"], "--plain").out


def test_every_form_of_each_listing_holds_every_row(day: Day) -> None:
    for arguments in (("coverage", "--by", "agent"), ("coverage", "--by", "point"), ("points",), ("baselines",)):
        count = len(day.json(*arguments))
        assert count == len(ok("--store", day.store, *arguments, "--jsonl").lines)
        for form, extra in (("--csv", 1), ("--plain", 0), (None, 1)):
            told = ok("--store", day.store, *arguments, *([form] if form else [])).out.splitlines()
            assert len(told) == count + extra, (arguments, form)


def test_an_unknown_way_to_tell_coverage_is_refused(day: Day) -> None:
    refused(run("--store", day.store, "coverage", "--by", "moon"), 2, "moon")
