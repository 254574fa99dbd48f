"""A policy's life: versions with what they would have done, which is in force from when, and what that is held against."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from policy.agents.base import RuleFile
from policy.changes import rule_changes, text_diff
from review.derive.building import build
from review.errors import RemitError
from review.intake.importing import import_logs
from review.policy import versions
from review.show import conformance
from review.workspace import Workspace, open_workspace
from tests.running import ORG, POLICY, SAMPLE, Day, run

pytestmark = pytest.mark.usefixtures("alone")

DENY_EXEC = "version: 1\ndefault: allow\nrules:\n- {id: no-shell, effect: deny, when: action.verb == 'exec'}\n"
ASK_EXEC = DENY_EXEC.replace("deny", "ask")


@pytest.fixture
def work(day: Day, tmp_path: Path) -> Any:
    with open_workspace(str(day.copy(tmp_path / "own").store), str(ORG)) as opened:
        yield opened


def test_a_version_keeps_what_it_would_have_done(work: Workspace) -> None:
    versions.save(work, "house", ASK_EXEC, "ask first")
    versions.save(work, "house", DENY_EXEC, "then deny")
    shown = versions.show(work, "house")
    requests = list(work.store.requests())
    executed = [row for row in requests if row.request.get("action.verb") == "exec"]
    tried = shown["dry_run"]
    assert tried["history"]["requests"] == len(requests) and tried["history"]["from"] and tried["history"]["state"]
    denied = sum(row.recorded != "deny" for row in executed)
    assert tried["recorded"]["summary"]["newly_denied"] == denied > 0
    assert "flips" not in tried["recorded"]
    assert tried["previous"]["baseline"] == "house@1" and tried["previous"]["summary"]["newly_denied"] == len(executed)
    (changed,) = shown["since_before"]["rules"]
    assert (changed["id"], changed["change"], changed["fields"]) == ("no-shell", "changed", ("effect",))
    assert versions.show(work, "house@1")["dry_run"]["previous"] is None
    assert versions.show(work, "house@1")["dry_run"]["history"]["state"] == tried["history"]["state"]


def test_an_agents_files_are_one_version(work: Workspace, tmp_path: Path) -> None:
    counts: dict[int, Any] = {}
    for number, effect in enumerate(("ask", "deny"), 1):
        files = []
        for layer, told in (("project", {effect: ["Bash(git push:*)"]}), ("user", {"allow": ["Bash(git status:*)"]})):
            path = tmp_path / f"{layer}.json"
            path.write_text(json.dumps({"permissions": told}))
            files.append(RuleFile(layer, str(path), path.read_text()))
        versions.save_files(work, "claude", files, "", format="claude-code")
        counts[number] = versions.show(work, f"claude@{number}")
    assert [file["layer"] for file in counts[1]["files"]] == ["project", "user"]
    assert str(tmp_path) not in json.dumps(counts[1]["files"])
    pushed = counts[2]["dry_run"]["previous"]["summary"]
    assert pushed["newly_denied"] > 0 and pushed["newly_allowed"] == 0
    assert sum(pushed.values()) == counts[2]["dry_run"]["recorded"]["history"]["requests"]
    assert [(one["id"], one["fields"]) for one in counts[2]["since_before"]["rules"]] == [
        ("project: Bash(git push:*)", ("effect",))
    ]


def test_what_is_in_force_is_a_stack_of_rows(work: Workspace) -> None:
    for text in (DENY_EXEC, ASK_EXEC, DENY_EXEC):
        versions.save(work, "house", text, "why")
    versions.save(work, "other", ASK_EXEC, "why")
    assert versions.current(work) is None
    for ref in ("house@1", "house@2", "house"):
        versions.promote(work, ref, "reviewed")
    versions.promote(work, "other", "reviewed")
    assert [versions.rollback(work, "house", "broke the build")["version"] for _ in range(2)] == [2, 1]
    with pytest.raises(RemitError, match="version 1 is the first of house"):
        versions.rollback(work, "house", "once more")
    with pytest.raises(RemitError, match="in force already"):
        versions.promote(work, "house@1", "again")
    with pytest.raises(RemitError, match="--reason"):
        versions.promote(work, "house@2", " ")
    now = versions.current(work)
    assert now is not None and (now.name, now.version) == ("house", 1), "the last row of any policy"
    states = {f"{row['name']}@{row['version']}": row["state"] for row in versions.versions(work)}
    assert states == {"house@1": "in force", "house@2": "was in force", "house@3": "was in force", "other@1": "in force"}
    words = [entry.what for entry in work.store.journal()]
    assert words.count("policy promote") == 4 and words.count("policy rollback") == 2 and work.store.verify_journal().ok


def test_a_policy_put_in_force_at_a_point_is_held_against_what_happened(work: Workspace) -> None:
    versions.save(work, "gateway", DENY_EXEC, "why")
    versions.promote(work, "gateway", "reviewed", point="opa*")
    build(work)
    assert not conformance.counts(work), "it holds from now on, and nothing happened since"
    revisions = Counter(
        item.decision.policy
        for task in work.store.task_ids()
        for step in work.store.steps(task)
        for item in step.decisions
        if item.decision is not None and item.point.startswith("opa")
    )
    told, seen = revisions.most_common(1)[0]
    versions.save(work, "bundle", DENY_EXEC.replace("no-shell", "shell"), "why", revision=told.rpartition("@")[2])
    build(work)
    (counted,) = conformance.counts(work)
    assert counted["policy"] == "bundle version 1" and 0 < counted["steps"] <= seen
    assert counted["executed_although_denied"] > 0


def test_a_log_may_name_a_version_by_its_name(tmp_path: Path, day: Day) -> None:
    log = tmp_path / "opa-decisions.jsonl"
    lines = (SAMPLE / "opa-decisions.jsonl").read_text().splitlines()[:40]
    named = [json.loads(line) | {"bundles": {"house": {"revision": "1"}}} for line in lines]
    log.write_text("\n".join(json.dumps(line) for line in named))
    with open_workspace(str(tmp_path / "s.db"), str(ORG), create=True) as work:
        versions.save(work, "house", DENY_EXEC, "why")
        import_logs(work, [str(log), *map(str, sorted(SAMPLE.glob("claude-code-*.jsonl")))])
        build(work)
        (counted,) = conformance.counts(work)
        assert counted["policy"] == "house version 1" and counted["steps"] > 0
        before = conformance.conformance(work)
        build(work)
        assert conformance.conformance(work) == before


def test_rules_are_compared_in_every_language_that_lists_them() -> None:
    def changed(format: str, before: str, after: str, name: str = "x") -> set[tuple[str, str]]:
        told = rule_changes(format, [RuleFile("user", name, before)], [RuleFile("user", name, after)])
        assert told is not None
        return {(one.id, one.change) for one in told}

    assert changed("codex", 'prefix_rule(pattern=["git", "push"], decision="prompt")', 'prefix_rule(pattern=["git", "push"], decision="forbidden")') == {
        ('user: prefix_rule(pattern=["git", "push"])', "changed")
    }  # fmt: skip
    assert changed("opencode", '{"permission": {"bash": {"git *": "allow"}}}', '{"permission": {"edit": "deny"}}') == {
        ("user: bash git *", "removed"),
        ("user: edit *", "added"),
    }
    rule = '[[rule]]\ntoolName = "run_shell_command"\ncommandPrefix = "git"\ndecision = "{}"\npriority = 10\n'
    ((_, kind),) = changed("gemini-cli", rule.format("allow"), rule.format("deny"), "x.toml")
    assert kind == "changed"
    assert rule_changes("cedar", [RuleFile("", "a", "x")], [RuleFile("", "a", "y")]) is None
    assert "-a\n+b" in text_diff([RuleFile("", "x", "a")], [RuleFile("", "y", "b")], ("p@1", "p@2"))


def test_versions_on_the_command_line(day: Day, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "cli")
    bad = run("--store", mine.store, "policy", "save", POLICY, "--name", "a b")
    assert bad.code == 2 and "no name for a policy" in bad.err
    mine.json("policy", "save", POLICY, "--name", "house", "--reason", "r1")
    done = mine.json("policy", "promote", "house@1", "--reason", "go", "--point", "opa*")
    assert (done["version"], done["point"], done["turn"]) == (1, "opa*", "promote")
    (row,) = mine.json("policy", "history")
    assert (row["state"], row["points"], row["since"]) == ("in force", ["opa*"], done["at"])
    plain = run("--store", mine.store, "policy", "show", "house")
    assert "Dry-run over" in plain.out and "promoted" in plain.out and "deny-push-to-main" in plain.out
    for words, said in ((("show", "none"), "no policy called none"), (("diff", "house", "house@7"), "its last is 1"),
                        (("rollback", "house", "--reason", "x", "--point", "opa*"), "nothing to go back to")):  # fmt: skip
        told = run("--store", mine.store, "policy", *words)
        assert told.code == 2 and said in told.err
