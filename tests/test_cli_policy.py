"""The policy commands keep their contract."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.cli_contract import (
    COUNT,
    DIGEST,
    DRY_RUN,
    EXPLAINED,
    TIME,
)
from tests.neutral import happened
from tests.running import (
    DRAFT,
    POLICY,
    SAMPLE,
    Day,
    fits,
    ok,
    run,
)

pytestmark = pytest.mark.usefixtures("alone")


def test_policy_check_gives_diagnostics_with_their_place(tmp_path: Path) -> None:
    good = ok("policy", "check", POLICY, "--json").json
    fits(good, {"ok": bool, "diagnostics": [{"line": COUNT, "column": COUNT, "severity": str, "message": str}]})
    assert good["ok"] is True
    bad = tmp_path / "bad.yaml"
    bad.write_text("version: 1\ndefault: allow\nrules:\n  - id: a\n    effect: refuse\n    when: 'action.verb == '\n")
    ran = run("policy", "check", bad, "--json")
    assert ran.code == 2 and ran.json["ok"] is False
    assert {one["line"] for one in ran.json["diagnostics"] if one["severity"] == "error"} == {5, 6}
    plain = run("policy", "check", bad)
    assert plain.code == 2 and re.search(r"bad\.yaml:5:\d+: error: ", plain.out)


def test_dry_run_sums_hold(day: Day, chains: list[dict[str, Any]]) -> None:
    said = day.json("policy", "dry-run", DRAFT)
    fits(said, DRY_RUN)
    summary = said["summary"]
    steps = {step["id"]: chain["task"]["id"] for chain in chains for step in chain["steps"]}
    assert sum(summary.values()) == said["history"]["requests"] == len(steps)
    assert said["flips_total"] == sum(summary[kind] for kind in ("newly_denied", "newly_asked", "newly_allowed"))
    assert len(said["flips"]) == said["flips_total"]
    assert said["baseline"] == "recorded"
    assert said["policy"]["sha256"] == sha256(DRAFT.read_bytes()).hexdigest()
    for flip in said["flips"]:
        assert steps[flip["step"]] == flip["task"] and flip["from"] != flip["to"]
        assert set(flip["downstream"]) <= set(steps)
    for rule in said["rules"]:
        assert rule["flips"] <= rule["decides"] <= rule["hits"] <= said["history"]["requests"]


def test_a_dry_run_is_in_the_access_journal_once(day: Day, tmp_path: Path) -> None:
    own = day.copy(tmp_path / "own")
    before = len(own.json("journal", "--access"))
    run = own.json("policy", "dry-run", DRAFT, "--against", POLICY)
    (entry,) = own.json("journal", "--access")[before:]
    assert entry["what"] == "trial" and entry["about"] == run["policy"]["name"] and run["policy"]["sha256"] in entry["body"]
    assert not own.json("journal"), "reading changes no head that reports print"
    own.json("policy", "check", DRAFT)
    assert len(own.json("journal", "--access")) == before + 1


def test_dry_run_against_itself_changes_nothing(day: Day) -> None:
    said = day.json("policy", "dry-run", POLICY, "--against", POLICY)
    assert said["flips_total"] == 0 and said["flips"] == []
    assert said["summary"]["unchanged"] + said["summary"]["cannot_judge"] == said["history"]["requests"]


def test_dry_run_of_the_draft_denies_more_than_the_policy_in_force(day: Day) -> None:
    said = day.json("policy", "dry-run", DRAFT, "--against", POLICY)
    assert said["summary"]["newly_denied"] > 0
    assert said["summary"]["newly_asked"] == said["summary"]["newly_allowed"] == 0
    assert len({flip["rule"] for flip in said["flips"]}) == 1


def test_the_draft_flips_exactly_what_the_truth_says(day: Day, chains: list[dict[str, Any]]) -> None:
    said = day.json("policy", "dry-run", DRAFT, "--against", POLICY)
    calls = {step["id"]: (chain["task"]["scope"], step["call"]) for chain in chains for step in chain["steps"]}
    truth = json.loads((SAMPLE / "truth.json").read_text("utf-8"))["dry_run"]["newly_denied"]
    assert {calls[flip["step"]] for flip in said["flips"]} == {(one["task"], f"call:{one['step']}") for one in truth}
    assert said["flips_total"] == said["summary"]["newly_denied"] == len(truth) > 0


def test_dry_run_counts_over_chosen_tasks_only(day: Day) -> None:
    whole, some = (day.json("policy", "dry-run", DRAFT, *more) for more in ((), ("--filter", "agent:codex")))
    chosen = {row["id"] for row in day.json("tasks", "--filter", "agent:codex")}
    assert 0 < some["history"]["requests"] < whole["history"]["requests"]
    assert {flip["task"] for flip in some["flips"]} <= chosen
    limited = day.json("policy", "dry-run", DRAFT, "--limit", "1")
    assert len(limited["flips"]) == 1 and limited["flips_total"] == whole["flips_total"]


@pytest.mark.parametrize(
    ("kinds", "code"),
    [("newly-denied", 1), ("newly_denied", 1), ("newly-allowed", 0), ("newly-allowed,newly-denied", 1), ("newly-asked", 0)],
)
def test_dry_run_fails_on_what_is_asked_for(day: Day, kinds: str, code: int) -> None:
    assert run("--store", day.store, "policy", "dry-run", DRAFT, "--against", POLICY, "--fail-on", kinds, "--json").code == code


def test_explain_answers_one_request_and_many(tmp_path: Path) -> None:
    push = {"agent": "claude-code", "tool": "Bash", "input": {"command": "git push origin main"}, "cwd": "/home/x/repo"}
    own = {"action": {"verb": "exec", "verbs": ["exec", "repo.write"], "command": "git push origin main"}, "resource": {"class": "repository", "detail": "main"},
           "principal": {"origin": "endpoint"}}  # fmt: skip
    one = ok("policy", "explain", POLICY, "--request", json.dumps(own), "--json").json
    fits(one, EXPLAINED)
    assert (one["effect"], one["rule"]) == ("deny", "deny-push-to-main")
    requests = tmp_path / "requests.jsonl"
    requests.write_text("".join(json.dumps(r) + "\n" for r in (own, push, own)))
    answers = ok("policy", "explain", POLICY, "--requests", requests, "--jsonl").lines
    fits(answers, [EXPLAINED])
    assert len(answers) == 3 and answers[0] == answers[2] == one
    assert answers[1]["operations"]


def test_policy_test_runs_the_examples(tmp_path: Path) -> None:
    said = ok("policy", "test", POLICY, "--json").json
    assert said["failed"] == 0 and said["tests"]
    broken = tmp_path / "broken.yaml"
    broken.write_text(POLICY.read_text().replace("action.verbs: [exec, repo.write], action.command: git push origin main",
                                                 "action.verbs: [exec], action.command: git push origin main"))  # fmt: skip
    ran = run("policy", "test", broken, "--json")
    assert ran.code == 1 and ran.json["failed"] == 1


def test_policies_are_kept_by_version(day: Day, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "mine")
    for text, version in ((POLICY, 1), (DRAFT, 2)):
        kept = mine.json("policy", "save", text, "--name", "prod", "--reason", "first words")
        assert (kept["name"], kept["version"], kept["sha256"]) == ("prod", version, sha256(text.read_bytes()).hexdigest())
    rows = mine.json("policy", "history")
    fits(rows, [{"name": str, "version": COUNT, "author": str, "at": TIME, "reason": str, "sha256": DIGEST}])
    assert [row["version"] for row in rows] == [1, 2]
    assert ok("--store", mine.store, "policy", "history", "--jsonl").lines == rows


def test_the_schemas_are_published() -> None:
    assert ok("policy", "schema", "--json").json == ok("policy", "schema").json
    assert ok("config", "schema", "org").json["$schema"]


def test_complete_offers_values_of_the_history_and_needs_no_store(day: Day, tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    line = '    when: action.tool == "B'
    draft.write_text(f"version: 1\ndefault: ask\nrules:\n  - id: a\n    effect: deny\n{line}")
    place = ("policy", "complete", draft, "--line", "6", "--column", str(len(line) + 1))
    said = day.json(*place)
    fits(
        said,
        {
            "line": COUNT,
            "column": COUNT,
            "end_column": COUNT,
            "candidates": [{"text": str, "kind": str, "shown": str, "doc": str}],
        },
    )
    assert (said["line"], said["column"], said["end_column"]) == (6, len(line), len(line) + 1)
    best = said["candidates"][0]
    assert best["shown"].startswith("B") and best["text"] == best["shown"] + '"' and best["seen"] > 0
    assert ok(*place, "--no-history", "--json").json["candidates"] == []
    assert "default" in ok("policy", "complete", draft, "--line", "2", "--column", "1", "--no-history").out
    assert run("policy", "complete", tmp_path / "none.yaml", "--line", "1", "--column", "1").code == 3


def test_a_history_without_requests_says_what_is_missing(tmp_path: Path) -> None:
    log, store = tmp_path / "events.jsonl", tmp_path / "s.db"
    log.write_text(json.dumps(happened("x", kind="effect", vantage="target")) + "\n")
    told = ok("--store", store, "import", log).out
    assert "None of these events belongs to an agent's task" in told
    assert "There is nothing to replay" in ok("--store", store, "policy", "dry-run", DRAFT).out
