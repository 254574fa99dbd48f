"""A policy written for another program means the same there: asked again by our own models, over random requests and calls."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cel_writer import Writer, a_request
from policy.agents import adapter_of
from policy.agents.base import RuleFile
from policy.decide import decide
from policy.document import check
from policy.export import Exported, claude_code, codex, copilot_cli, cursor, export, gemini_cli, opencode, targets
from policy.export.charclass import characters
from policy.mining.conditions import quoted
from policy.model import Policy, Request
from tests.running import ok, refused, run

CONDITIONS = (
    "action.forced", "has(action.command)", '"repo.write" in action.verbs', 'action.verbs.all(v, v in ["ab", "a"])',
    'action.verbs.exists(v, v == "a")', 'action.verbs.exists(v, !(v in ["a"]))', 'action.verbs.all(v, v != "a")',
    'resource.name == "ab"', 'resource.name.startsWith("a")', 'resource.name.endsWith("b*")', 'action.command.contains("*")',
    r'!action.command.matches(r"[;&|<>`$(){}\\\n\r\x00-\x08*]")', "credential.ttl_seconds <= 3600", "agent.depth > 1",
    'action.arguments.path != "a"', r'resource.name in ["a", "ab", "\u0001\"*"]', 'has(action.arguments.url)',
)  # fmt: skip


def condition(draw: random.Random, depth: int = 2) -> str:
    match draw.randrange(6) if depth else 5:
        case 0:
            return f"({condition(draw, depth - 1)} && {condition(draw, depth - 1)})"
        case 1:
            return f"({condition(draw, depth - 1)} || {condition(draw, depth - 1)})"
        case 2:
            return f"!({condition(draw, depth - 1)})"
    return draw.choice(CONDITIONS)


def written(rules: list[tuple[str, str]], default: str) -> tuple[Policy, str]:
    text = f"version: 1\nname: house\ndefault: {default}\nrules:\n"
    for number, (effect, when) in enumerate(rules):
        text += f"  - id: r{number}\n    effect: {effect}\n    when: '" + when.replace("'", "''") + '\'\n    reason: a "reason"\n'
    policy = check(text).policy
    assert policy is not None, (text, check(text).diagnostics)
    return policy, text


def random_policies(seed: int, count: int, choose: Any) -> Any:
    draw = random.Random(seed)
    for _ in range(count):
        rules = [(draw.choice(("deny", "ask", "allow")), choose(draw)) for _ in range(draw.randrange(1, 4))]
        yield draw, *written(rules, draw.choice(("deny", "ask", "allow")))


@pytest.mark.parametrize("seed", range(2))
def test_cedar_answers_as_the_policy_does_unknown_included(seed: int) -> None:
    pytest.importorskip("cedarpy")
    from policy.cedar.check import check as cedar_check
    from policy.cedar.replay import decide as cedar_decide

    answers: Counter[str] = Counter()
    for draw, policy, text in random_policies(seed, 20, condition):
        made = export(policy, text, targets()["cedar"])
        assert not made.refused
        cedar = cedar_check(made.text).policy
        assert cedar is not None, (made.text, cedar_check(made.text).diagnostics)
        for _ in range(8):
            request = a_request(draw, draw.choice((0, 0.3)))
            answer = decide(policy, request).effect
            assert cedar_decide(cedar, request).effect == answer, (text, made.text, request)
            answers[answer] += 1
    assert set(answers) == {"deny", "ask", "allow", "unknown"}


@pytest.mark.parametrize("seed", range(2))
def test_rego_answers_as_the_policy_does(seed: int) -> None:
    regopy = pytest.importorskip("regopy")
    answers: Counter[str] = Counter()
    for draw, policy, text in random_policies(seed, 20, condition):
        made = export(policy, text, targets()["rego"])
        assert not made.refused
        engine = regopy.Interpreter()
        engine.add_module("policy", made.text)
        for _ in range(10):
            request = a_request(draw, draw.choice((0, 0.3)))
            answer = decide(policy, request).effect
            if answer != "unknown":  # OPA has no such answer: what cannot be told does not match there
                engine.set_input(nested(request))
                said = engine.query("data.remit.decision").results[0].expressions[0]
                assert said == answer, (text, made.text, request)
            answers[answer] += 1
    assert set(answers) == {"deny", "ask", "allow", "unknown"}


def nested(request: Request) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in request.items():
        *groups, key = name.split(".")
        inner = out
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[key] = list(value) if isinstance(value, tuple) else value
    return out


@pytest.mark.parametrize("to", ["cedar", "rego"])
def test_what_is_not_refused_of_any_condition_is_answered_the_same(to: str) -> None:
    """Over conditions of every form there is, most of which are refused."""
    pytest.importorskip("cedarpy")
    from policy.cedar.check import check as cedar_check
    from policy.cedar.replay import decide as cedar_decide

    seen: Counter[bool] = Counter()
    draw = random.Random(7)
    for _ in range(90):
        when = Writer(draw).boolean(2)
        if check(f"version: 1\ndefault: ask\nrules:\n- {{id: a, effect: deny, when: {quoted(when)}}}\n").policy is None:
            continue
        policy, text = written([("deny", when)], "ask")
        made = export(policy, text, targets()[to])
        seen[bool(made.refused)] += 1
        if to == "cedar" and not made.refused and "?" not in when:
            cedar = cedar_check(made.text).policy
            assert cedar is not None, made.text
            for _ in range(6):
                request = a_request(draw)
                assert cedar_decide(cedar, request).effect == decide(policy, request).effect, (text, made.text, request)
        for one in made.refused:
            line = text.splitlines()[one.line - 1]
            assert (one.rule, line[one.column - 1 :].partition(":")[0]) == ("r0", "when") and one.reason
    assert seen[True] > 10 and seen[False] > 10


# the agents

AGENTS = {
    "claude-code": claude_code, "codex": codex, "copilot-cli": copilot_cli, "cursor": cursor, "gemini-cli": gemini_cli,
    "opencode": opencode,
}  # fmt: skip
NO_DEFAULT = ("codex", "copilot-cli", "cursor")
"""Programs that decide by themselves what no rule names: the default is always refused, and with it the whole."""
COMMANDS = ("npm test", "git push", "git status", "npm", "make all")
MORE = ("", " -x", " --all file", "ing")


def about_calls(module: Any) -> Any:
    """A condition an agent's rules can hold: about tools, about servers, about commands."""
    agent = module.AGENT

    def choose(draw: random.Random) -> str:
        command = draw.choice(COMMANDS)
        begins = f'(action.command == "{command}" || action.command.startsWith("{command} "))'
        forms = [
            f'action.verb == "exec" && {begins}',
            f'action.verb == "exec" && action.command == "{command}"',
            'action.verb == "exec"',
        ]
        if agent.id != "codex":
            tool = draw.choice(agent.tools)
            forms += [
                f'action.tool == "{tool}"',
                'action.verb == "file.write"',
                "true",
                f'agent.name == "{agent.id}" && action.verb == "http.request"',
            ]
            forms += ['action.verb == "mcp.call" && resource.name == "gh"', 'action.verb == "file.read" || action.verb == "exec"']
            forms += ['action.verb == "mcp.call" && resource.name == "gh" && resource.detail == "merge"']
        return draw.choice(forms)

    return choose


@pytest.mark.parametrize("id", sorted(AGENTS))
def test_an_agents_own_file_answers_every_call_as_the_policy_does(id: str) -> None:
    module = AGENTS[id]
    agent, adapter = module.AGENT, adapter_of(id)
    layer = {"codex": "user", "gemini-cli": "user", "copilot-cli": "flags"}.get(id, "project")
    compared: Counter[str] = Counter()
    whole = 0
    for draw, policy, text in random_policies(5, 100, about_calls(module)):
        made: Exported = export(policy, text, targets()[id], per_command=True)
        kept = policy
        if id in NO_DEFAULT:
            gone = {one.rule for one in made.refused}
            kept = Policy(policy.name, policy.default, tuple(r for r in policy.rules if r.id not in gone), policy.sha256)
        elif made.refused:
            continue
        whole += 1
        held = adapter.load([RuleFile(layer, targets()[id].file, made.text)])
        assert not [one for _, one in held.problems if one.severity == "error"], made.text
        for _ in range(15):
            tool, given = call(draw, agent)
            wanted = decide(kept, agent.request(tool, given))
            if wanted.effect == "unknown" or (id in NO_DEFAULT and not wanted.rule):
                continue
            answer = held.judge(module.asked(tool, given))
            assert answer.effect.value == wanted.effect, (text, made.text, tool, given, answer)
            compared[wanted.effect] += 1
    assert whole > 10 and set(compared) == {"deny", "ask", "allow"}, (whole, compared)


def call(draw: random.Random, agent: Any) -> tuple[str, dict[str, object]]:
    shell = min(agent.shells)
    if agent.id == "codex" or draw.random() < 0.5:
        return shell, {"command": draw.choice(COMMANDS) + draw.choice(MORE)}
    if agent.mcp and draw.random() < 0.3:
        split = "__" if agent.mcp.endswith("__") else "_"
        return f"{agent.mcp}{draw.choice(('gh', 'other'))}{split}{draw.choice(('merge', 'read'))}", {}
    tool = draw.choice([one for one in agent.tools if one not in agent.shells])
    return tool, {
        "file_path": "/work/project/src/a.py",
        "filePath": "/work/project/src/a.py",
        "url": "https://docs.example/x",
        "pattern": "x",
    }


def test_a_condition_on_the_whole_command_line_is_refused_unless_commands_are_meant() -> None:
    policy, text = written([("deny", 'action.verb == "exec" && action.command == "git push"')], "allow")
    made = export(policy, text, targets()["claude-code"])
    assert [one.rule for one in made.refused] == ["r0"] and "--per-command" in made.refused[0].reason
    assert not export(policy, text, targets()["claude-code"], per_command=True).refused


@pytest.mark.parametrize(
    ("when", "word"),
    [
        ('principal.id == "mara"', "principal.id"),
        ('action.command == "git push"', 'action.verb == "exec"'),
        ('action.verb == "exec" && action.command.startsWith("git")', "action.command"),
        ('action.verb == "exec" && action.command == "git push" && "repo.write" in action.verbs', "action.verbs"),
        ('action.verb == "mcp.call" && resource.detail == "merge"', "with its server"),
        ('action.tool.startsWith("mcp__")', "cannot be told"),
    ],
)
@pytest.mark.parametrize("id", ["claude-code", "gemini-cli", "codex", "copilot-cli", "cursor"])
def test_what_an_agents_rules_do_not_know_is_refused_by_name(id: str, when: str, word: str) -> None:
    policy, text = written([("deny", when)], "allow")
    found = [one for one in export(policy, text, targets()[id], per_command=True).refused if one.rule == "r0"]
    assert found and word in found[0].reason, found


@pytest.mark.parametrize("id", ["copilot-cli", "cursor"])
def test_lists_let_nothing_run_that_a_refused_rule_would_have_stopped(id: str) -> None:
    git, push = (
        f'action.verb == "exec" && (action.command == "{c}" || action.command.startsWith("{c} "))' for c in ("git", "git push")
    )
    policy, text = written([("allow", git), ("deny", push)], "ask")
    made = export(policy, text, targets()[id], per_command=True)
    assert [one.rule for one in made.refused] == [""] and "git" in made.text
    for stricter in (("ask", push), ("deny", 'principal.id == "mara"')):
        policy, text = written([("allow", git), stricter, ("deny", 'action.verb == "mcp.call" && resource.name == "gh"')], "ask")
        made = export(policy, text, targets()[id], per_command=True)
        assert {one.rule for one in made.refused} == {"r0", "r1", ""}
        assert "git" not in made.text and "gh" in made.text


def test_the_command_writes_all_or_says_where_and_why_not(tmp_path: Path) -> None:
    path, out = tmp_path / "policy.yaml", tmp_path / "policy.cedar"
    path.write_text(written([("deny", "action.forced"), ("ask", 'resource.name.matches("^a+$")')], "allow")[1])
    told = run("policy", "export", path, "--to", "cedar", "--out", out)
    assert told.code == 2 and f"{path}:11:5: rule r1" in told.err and "no regular expressions" in told.err
    assert not out.exists()
    told = run("policy", "export", path, "--to", "cedar", "--json")
    assert told.code == 2 and told.json["text"] is None and not told.json["whole"]
    ok("policy", "export", path, "--to", "cedar", "--out", out, "--partial")
    assert 'id("r0")' in out.read_text() and 'id("r1")' not in out.read_text()
    refused(run("policy", "export", path, "--to", "xacml"), 2, "xacml", "cedar")
    path.write_text(written([("deny", 'action.verb == "file.write"')], "allow")[1])
    assert '"deny": [' in ok("policy", "export", path, "--to", "claude-code").out


@pytest.mark.parametrize(
    ("pattern", "chars"),
    [("[ab]", "ab"), (r"[\]\\^-]", "]\\^-"), (r"[a-c\n\x41]", "abc\nA"), ("[^a]", None), ("[ab]+", None), (r"[\d]", None), ("a", None), ("[[:alpha:]]", None)],
)  # fmt: skip
def test_a_class_of_characters_is_its_characters(pattern: str, chars: str | None) -> None:
    assert characters(pattern) == chars


@pytest.mark.parametrize("id", ["claude-code", "gemini-cli", "opencode", "cedar", "rego"])
def test_a_part_of_a_policy_lets_nothing_through_that_its_refused_rules_deny(id: str) -> None:
    policy, text = written([("deny", 'resource.name.trim() == "x"'), ("ask", 'action.verb == "exec"')], "allow")
    made = export(policy, text, targets()[id])
    assert [one.rule for one in made.refused] == ["r0"]
    assert "bypass" not in made.text and '"*": "allow"' not in made.text and "permit" not in made.text
    assert 'toolName = "*"' not in made.text and 'decision := "allow"\n\n' not in made.text


@pytest.mark.parametrize("id", sorted(AGENTS))
def test_a_compound_command_is_no_command_an_agent_asks_about(id: str) -> None:
    policy, text = written([("deny", 'action.verb == "exec" && action.command == "make && make install"')], "allow")
    found = [one for one in export(policy, text, targets()[id], per_command=True).refused if one.rule == "r0"]
    assert found and "more than one plain command" in found[0].reason
