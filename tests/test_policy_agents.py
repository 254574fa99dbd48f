"""What the agents' own permission files say of a call, whatever stands in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from model.words import Effect
from policy.agents import adapter_of, adapters
from policy.agents.base import Answer, Call, RuleFile

CWD = "/home/dana/work/payments"
TOOLS = {
    "claude-code": "Bash", "codex": "exec_command", "copilot-cli": "bash", "cursor": "Shell", "gemini-cli": "run_shell_command",
    "opencode": "bash",
}  # fmt: skip
MODES = {"claude-code": "default", "codex": "on-request", "gemini-cli": "default"}


def asked(agent: str, settings: object, call: Call) -> Answer:
    return adapter_of(agent).load([RuleFile("managed", "settings.json", json.dumps(settings))]).judge(call)


def bash(command: str, mode: str = "default") -> Call:
    return Call("Bash", {"command": command}, cwd=CWD, mode=mode)


@pytest.mark.parametrize("agent", ["claude-code", "gemini-cli"])
@pytest.mark.parametrize(
    "settings",
    [{}, [], None, {"permissions": []}, {"permissions": {"deny": "Bash"}}, {"permissions": {"deny": [1, None, "(", "(" * 3000]}}],
)
def test_hostile_settings_allow_nothing(agent: str, settings: Mapping[str, Any]) -> None:
    assert asked(agent, settings, bash("git push")).effect in (Effect.UNKNOWN, Effect.ASK)


@pytest.mark.parametrize("agent", ["claude-code", "gemini-cli"])
def test_what_is_no_json_is_a_problem_and_the_rest_holds(agent: str) -> None:
    loaded = adapter_of(agent).load([RuleFile("user", "a.json", "{"), RuleFile("user", "b.json", "{}")])
    assert [name for name, _ in loaded.problems] == ["a.json"]
    assert loaded.judge(bash("git push")).effect in (Effect.UNKNOWN, Effect.ASK)


def test_gemini_leaves_out_what_its_settings_exclude() -> None:
    settings = {"tools": {"exclude": ["run_shell_command"]}, "mcp": {"excluded": ["mail"]}}
    assert asked("gemini-cli", settings, Call("run_shell_command", {"command": "ls"})).effect is Effect.DENY
    assert asked("gemini-cli", settings, Call("mcp_mail_send", {})).effect is Effect.DENY
    assert asked("gemini-cli", settings, Call("read_file", {})).effect is Effect.ALLOW


@pytest.mark.parametrize("agent", sorted(adapters()))
def test_a_file_of_no_layer_belongs_to_the_first_one(agent: str) -> None:
    adapter = adapter_of(agent)
    proposal = adapter.proposed("make all")
    assert proposal is not None
    for layer in ("", adapter.layers[0]):
        file = RuleFile(layer, proposal.file.name, proposal.file.text)
        call = Call(TOOLS[agent], {"command": "make all"}, cwd=CWD, project=CWD, mode=MODES.get(agent, ""), interactive=True)
        answer = adapter.load([file]).judge(call)
        assert (answer.effect, bool(answer.rule)) == (Effect.ALLOW, True)


DEEP = "[" * 5000 + "]" * 5000
LONG = "9" * 5000
WRONG = [
    ("claude-code", "settings.json", '{"permissions": {"defaultMode": ["plan"]}}', (1, 18)),
    ("claude-code", "settings.json", DEEP, (1, 1)),
    ("codex", "config.toml", f"model_context_window = {LONG}", (1, 1)),
    ("codex", "config.toml", f"notify = {DEEP}", (1, 1)),
    ("copilot-cli", "permissions-config.json", '{"locations": {"/a": {"tool_approvals": [{"kind": ["write"]}]}}}', (1, 23)),
    ("copilot-cli", "settings.json", DEEP, (1, 1)),
    ("cursor", "cli-config.json", DEEP, (1, 1)),
    ("gemini-cli", "settings.json", DEEP, (1, 1)),
    ("opencode", "opencode.json", '{"permission": {"bash": {"git *": {"deny": 1}}}}', (1, 26)),
    ("opencode", "opencode.json", '{"permission": {"edit": ["deny"]}}', (1, 17)),
    ("opencode", "opencode.json", DEEP, (1, 1)),
    ("opencode", "auditor.md", f"---\ndescription: reads\npermission: {DEEP}\n---\n", (3, 24)),
    ("opencode", "auditor.md", "---\npermission: {edit: deny\n---\n", (3, 1)),
    (
        "opencode",
        "auditor.md",
        "---\na: &a [x, x]\nb: &b [*a, *a]\npermission: {bash: {x: *b}}\n---\n",
        (3, 8),
    ),
]


@pytest.mark.parametrize(("agent", "name", "text", "place"), WRONG, ids=[f"{n}-{a}-{f}" for n, (a, f, _, _) in enumerate(WRONG)])
def test_a_value_of_another_kind_is_a_problem_at_its_place(agent: str, name: str, text: str, place: tuple[int, int]) -> None:
    policy = adapter_of(agent).load([RuleFile("agent" if name.endswith(".md") else "user", name, text)])
    assert place in {(problem.line, problem.column) for _, problem in policy.problems}


def test_the_head_of_an_agent_is_read_by_the_core_schema_of_yaml() -> None:
    head = "---\npermission:\n  edit: deny\n  bash: {'*': ask, git *: allow}\ntools: {write: false}\ncreated: 2026-13-45\n---\n"
    policy = adapter_of("opencode").load([RuleFile("agent", "auditor.md", head)])
    assert not policy.problems
