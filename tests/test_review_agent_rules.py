"""An agent's own rule files: checked, asked about one call, and dry-run over what that agent did."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model.words import Effect
from policy.agents.base import Answer, Part, Written
from policy.dryrun import RuleResult
from review.policy.agent_ledger import with_idle
from tests.running import Day, ok, run

RULES = {"permissions": {"deny": ["Bash(git push:*)"]}}


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(RULES), "utf-8")
    return path


def test_problems_stand_at_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "opencode.json"
    path.write_text('{\n  "permission": {"write": "deny"}\n}', "utf-8")
    told = ok("policy", "check", path, "--format", "opencode", "--json").json
    (one,) = told["diagnostics"]
    assert (told["ok"], one["line"], one["severity"]) == (True, 2, "warning")
    path.write_text('{"permission": {"bash": "block"}}', "utf-8")
    bad = run("policy", "check", path, "--format", "opencode")
    assert bad.code == 2
    assert "'block' is no action" in bad.out


def test_one_call_is_answered_with_its_parts(tmp_path: Path) -> None:
    path = tmp_path / "opencode.json"
    path.write_text('{"permission": {"bash": {"*": "ask", "git *": "allow"}}}', "utf-8")
    call = json.dumps({"tool": "bash", "input": {"command": "git status && npm test"}, "project": "/x", "cwd": "/x"})
    told = ok("policy", "explain", path, "--format", "opencode", "--request", call, "--json").json
    assert (told["effect"], told["rule"]) == ("ask", "bash *: ask")
    assert [part["effect"] for part in told["operations"]] == ["allow", "ask"]
    bad = run("policy", "explain", path, "--format", "opencode", "--request", '{"tool": 3}')
    assert bad.code == 2
    assert "--request" in bad.err


def test_a_dry_run_says_which_calls_the_rules_would_have_stopped(day: Day, settings: Path) -> None:
    told = ok("--store", day.store, "policy", "dry-run", settings, "--format", "claude-code", "--json").json
    pushes = {flip["step"] for flip in told["flips"] if flip["kind"] == "newly_denied"}
    assert pushes
    assert told["summary"]["newly_denied"] == len(pushes)
    denied = [flip for flip in told["flips"] if flip["kind"] == "newly_denied"]
    assert all("push" in flip["request"]["input"]["command"] for flip in denied)
    assert sum(told["summary"].values()) == told["history"]["requests"]
    few = ok("--store", day.store, "policy", "dry-run", settings, "--format", "claude-code", "--limit", "1", "--json").json
    assert len(few["flips"]) == 1
    assert few["flips_total"] == told["flips_total"]
    failed = run("--store", day.store, "policy", "dry-run", settings, "--format", "claude-code", "--fail-on", "newly-denied")
    assert failed.code == 1


def test_a_dry_run_names_what_lacked_a_rule_and_the_narrowest_one_that_helps(day: Day, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"permissions": {}}', "utf-8")
    told = ok("--store", day.store, "policy", "dry-run", path, "--format", "claude-code", "--json").json
    asks = {one["command"]: one for one in told["asks"]}
    assert list(asks) == sorted(asks, key=lambda name: (-asks[name]["count"], name))
    push = asks["git push"]
    assert push["count"] >= push["tasks"] > 0
    assert push["covers"] == push["tried"] == push["count"]
    assert all(text.startswith("git push") for text in push["examples"])
    # The proposal, taken over, takes exactly these questions away.
    rules = [one["rule"] for one in told["asks"]]
    path.write_text(json.dumps({"permissions": {"allow": rules}}), "utf-8")
    after = ok("--store", day.store, "policy", "dry-run", path, "--format", "claude-code", "--json").json
    assert not {one["command"] for one in after["asks"]} & {name for name, one in asks.items() if one["covers"] == one["count"]}
    words = ok("--store", day.store, "policy", "dry-run", path, "--format", "claude-code", "--plain").out
    assert "Lacked a rule" in words or not after["asks"]


def test_a_dry_run_can_be_held_against_other_files(day: Day, settings: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"permissions": {"allow": ["Bash"]}}', "utf-8")
    args = ("--store", day.store, "policy", "dry-run", settings, "--format", "claude-code", "--json", "--against")
    told = ok(*args, other).json
    assert told["baseline"] == str(other)
    assert {flip["from"] for flip in told["flips"]} == {"allow"}
    assert told["summary"]["newly_denied"] > 0
    assert ok(*args, settings).json["flips_total"] == 0
    assert "no version of settings is saved" in run(*args, "current").err


def test_slips_stand_with_the_rule_they_got_past(day: Day, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"permissions": {"deny": ["Bash(git push:*)", "Bash(npm test:*)", "Read(./x)"]}}', "utf-8")
    told = ok("--store", day.store, "policy", "check", path, "--format", "claude-code", "--history", "--json").json
    assert len({(one["line"], one["column"]) for one in told["diagnostics"]}) == 3
    totals = {path.read_text("utf-8")[one["column"] :].partition("(")[0]: one["total"] for one in told["diagnostics"][::-1]}
    assert (totals["Read"], totals["Bash"] > 0) == (0, True)
    for one in told["diagnostics"]:
        assert one["total"] >= len(one["calls"])
        assert all({"task", "step", "command"} == set(call) for call in one["calls"])


def test_what_cannot_be_done_is_one_sentence(day: Day, settings: Path) -> None:
    for more, said in (
        (("--format", "nonesuch"), "is not supported; supported: "),
        (("--format", "claude-code", "--against", "x.yaml"), "cannot read the policy x.yaml"),
        (("--format", "claude-code", "--scope", "nowhere=x"), "has no layer 'nowhere'"),
    ):
        told = run("--store", day.store, "policy", "dry-run", settings, *more)
        assert told.code in (2, 3)
        assert said in told.err
    layers = run("policy", "check", f"nowhere={settings}", "--format", "claude-code")
    assert layers.code == 2
    assert "its layers: project, user, local, flags, managed" in layers.err


def test_a_dry_run_says_what_it_rests_on_and_which_rules_do_nothing(day: Day, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    rules = {"ask": ["Bash(git push:*)"], "allow": ["Bash(git push:*)", "Bash(cd:*)"], "deny": ["Bash(frobnicate:*)"]}
    path.write_text(json.dumps({"permissions": rules}), "utf-8")
    args = ("--store", day.store, "policy", "dry-run", path, "--format", "claude-code")
    told = ok(*args, "--json").json
    ledger, friction, history = told["ledger"], told["friction"], told["history"]
    assert ledger["exact"] + ledger["stand_in"] + ledger["not_replayable"] == history["requests"]
    assert ledger["not_replayable"] and sum(one["requests"] for one in ledger["missing"]) >= ledger["not_replayable"]
    assert all(one["told_by"] == {"claude-code": one["requests"]} for one in ledger["log_next"])
    asked = {flip["step"] for flip in told["flips"] if flip["kind"] == "newly_asked"}
    assert friction["asks_added"] + friction["unattributed"] == told["summary"]["newly_asked"] == len(asked) > 0
    assert 0 < friction["developers"] <= friction["developer_days"]
    idle = {rule["id"] for rule in told["rules"] if not rule["hits"]}
    assert "settings.json: Bash(frobnicate:*)" in {name.rpartition("/")[2] for name in idle}
    assert told["policy"]["rules"] == 4
    plain = ok(*args, "--plain").out
    assert "Replayed: " in plain and "Friction: " in plain and "Rules that never fired: " in plain and "frobnicate" in plain


def test_a_rule_that_others_overrule_is_told_and_one_that_agrees_is_not() -> None:
    def answer(effect: Effect, rule: str, *parts: Part) -> Answer:
        return Answer(effect, rule, "f", parts=parts)

    ls, cd, push = Part("ls", Effect.ALLOW, "ls"), Part("cd", Effect.ALLOW, "cd"), Part("push", Effect.ASK, "push")
    held = [answer(Effect.ASK, "push", ls, push), answer(Effect.ASK, "push", cd, push), answer(Effect.ALLOW, "cd", cd)]
    rules = [RuleResult(f"f: {name}", "allow", 1, decides, 0, []) for name, decides in (("ls", 0), ("cd", 1), ("push", 2))]

    class Files:
        def written(self) -> list[Written]:
            return [Written("ls", "f", Effect.ALLOW), Written("rm", "f", Effect.DENY)]

    found = {one.id: one for one in with_idle(rules, Files(), held)}  # type: ignore[arg-type]
    assert found["f: ls"].shadowed_by == ["f: push"] and found["f: cd"].shadowed_by == []
    assert (found["f: rm"].hits, found["f: rm"].effect) == (0, "deny") and len(found) == 4
