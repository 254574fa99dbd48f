"""opencode's own rules: which of them decides, sub-command by sub-command, and which do not do what they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.oracle_tables import opencode as table
from model.words import Effect
from policy.agents.base import Call, RuleFile
from policy.agents.opencode import ADAPTER, OpencodePolicy
from policy.agents.opencode.rules import matches

PROJECT, HOME = "/home/dev/app", "/home/dev"


def policy(project: object, config: object = None, agent: str = "") -> OpencodePolicy:
    files = [RuleFile("project", "opencode.json", project if isinstance(project, str) else json.dumps(project))]
    if config is not None:
        files.append(RuleFile("global", "global.json", json.dumps(config)))
    if agent:
        files.append(RuleFile("agent", "agent/auditor.md", agent))
    return ADAPTER.load(files)


def bash(held: OpencodePolicy, command: str, agent: str = "build") -> Effect:
    return held.judge(Call("bash", {"command": command}, cwd=PROJECT, project=PROJECT, home=HOME, agent=agent)).effect


GIT = {"permission": {"bash": {"*": "ask", "git *": "allow", "git push*": "deny"}}}


@pytest.mark.parametrize(
    ("command", "effect"),
    [
        ("git status", Effect.ALLOW),
        ("git", Effect.ALLOW),
        ("gitk", Effect.ASK),
        ("git push origin main", Effect.DENY),
        ("git status && npm test", Effect.ASK),
        ("npm test; git push", Effect.DENY),
        ("cd src && git status", Effect.ALLOW),
        ("A=1 git push", Effect.ASK),
        ("echo $(git push)", Effect.DENY),
        ("git log > /etc/x", Effect.ALLOW),
        ("A=1", Effect.ALLOW),
        ("cat ~/notes.txt", Effect.ASK),
    ],
)
def test_every_command_of_a_script_asks_by_itself(command: str, effect: Effect) -> None:
    assert bash(policy(GIT), command) is effect


def test_a_script_too_hard_to_parse_is_not_taken_for_harmless() -> None:
    assert bash(policy(GIT), "a|" * 3000 + "git push") is Effect.UNKNOWN


def test_the_answer_names_the_rule_and_every_part() -> None:
    answer = policy(GIT).judge(Call("bash", {"command": "git status && git push"}, cwd=PROJECT, project=PROJECT, home=HOME))
    assert (answer.effect, answer.rule, answer.place) == (Effect.DENY, "bash git push*: deny", "opencode.json")
    assert [(part.text, part.effect) for part in answer.parts] == [("git status", Effect.ALLOW), ("git push", Effect.DENY)]


@pytest.mark.parametrize(
    ("pattern", "text", "same"),
    [
        ("ls *", "ls", True),
        ("ls *", "lsof", False),
        ("git ????", "git push", True),
        ("a.c", "abc", False),
        ("*.env", "x/.env", True),
    ],
)
def test_patterns(pattern: str, text: str, same: bool) -> None:
    assert matches(text, pattern) is same


def test_layers_are_merged_member_by_member_and_a_string_is_replaced() -> None:
    both = policy({"permission": {"bash": {"git *": "allow"}}}, {"permission": {"bash": {"*": "ask", "git push*": "deny"}}})
    assert bash(both, "git push") is Effect.ALLOW
    replaced = policy({"permission": {"bash": {"git status*": "allow"}}}, {"permission": {"bash": "deny"}})
    assert bash(replaced, "rm -rf build") is Effect.ALLOW
    assert [d.code for _, d in replaced.problems] == ["replaced"]


def test_agents_have_rules_of_their_own() -> None:
    held = policy(
        GIT, agent='---\nmode: primary\npermission:\n  edit: deny\n  bash:\n    "*": deny\n    "git log*": allow\n---\nx'
    )
    assert bash(held, "git log -1", "auditor") is Effect.ALLOW
    assert bash(held, "git status", "auditor") is Effect.DENY
    edit = Call("write", {"filePath": "a.py"}, cwd=PROJECT, project=PROJECT, home=HOME, agent="auditor")
    assert held.judge(edit).reason == "the tool is not offered to the model at all"


def test_files_outside_the_project_and_secrets_ask() -> None:
    def read(path: str) -> Effect:
        return policy({}).judge(Call("read", {"filePath": path}, cwd=PROJECT, project=PROJECT, home=HOME)).effect

    assert [read(p) for p in ("a.py", ".env", "x/.env.local", ".env.example", "/etc/passwd", "../b")] == [
        Effect.ALLOW,
        Effect.ASK,
        Effect.ASK,
        Effect.ALLOW,
        Effect.ASK,
        Effect.ASK,
    ]


def test_what_does_not_load_judges_nothing_and_is_told_where() -> None:
    held = policy('{\n  // shells\n  "permission": {"bash": "block",},\n}')
    assert bash(held, "ls") is Effect.UNKNOWN
    ((name, problem),) = held.problems
    assert (name, problem.line, problem.severity) == ("opencode.json", 3, "error")
    broken = policy('{"permission": ')
    assert bash(broken, "ls") is Effect.UNKNOWN
    assert broken.problems[0][1].code == "syntax"


@pytest.mark.parametrize(
    ("permission", "code"),
    [
        ({"write": "deny"}, "no-effect"),
        ({"shell": "deny"}, "unknown"),
        ({"read": "allow"}, "env-unasked"),
        ({"edit": "allow"}, "plan-edits"),
        ({"bash": {"git push*": "deny", "*": "ask"}}, "void"),
        ({"bash": {"*": "ask", "git push*": "deny"}}, "evaded"),
    ],
)
def test_rules_that_do_not_do_what_they_say(permission: dict[str, object], code: str) -> None:
    assert code in {d.code for _, d in policy({"permission": permission}).problems}


def test_the_real_programs_answers_and_its_flattened_rules(corpus: Path) -> None:
    oracles = corpus / "oracles"
    wrong = [row for row in table.rows(oracles) if row.answer.effect is not row.truth]
    assert wrong == []
    for line in (oracles / "opencode-permission-loads.jsonl").open(encoding="utf-8"):
        told = json.loads(line)
        held = table._policy(oracles / "policies" / "opencode" / told["policy"])
        assert bool(held.broken) == ("load_error" in told)
        if "ruleset" in told:
            rules = [(r.permission, r.pattern, r.effect.value) for r in held.rules(told["agent"], table.HOME, table.PROJECT)]
            assert rules == [(r["permission"], r["pattern"], r["action"]) for r in told["ruleset"]]
