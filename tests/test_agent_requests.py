"""`policy explain` over an agent's own rules: requests as they stand, layers by name and folder, answers in the fixed shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policy.agents.calls import CallError, read_call
from tests.running import ok, run

PROJECT = "/home/dana/work/payments"


def explained(tmp_path: Path, requests: list[object], *arguments: str | Path) -> list[dict[str, Any]]:
    path = tmp_path / "requests.jsonl"
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in requests), "utf-8")
    told = run("policy", "explain", *arguments, "--requests", path, "--jsonl")
    assert len(told.lines) == len(requests), told.err
    found: list[dict[str, Any]] = told.lines
    return found


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_the_answer_has_the_fixed_shape(tmp_path: Path) -> None:
    rules = write(tmp_path / "a.rules", 'prefix_rule(pattern=["git", "push"], decision="prompt")')
    request = {"agent": "codex", "command": "git push && ls", "approval_policy": "on-request", "sandbox": "workspace-write"}
    (told,) = explained(tmp_path, [request], rules, "--format", "codex")
    assert {"effect", "rule", "reason", "matched", "undetermined", "operations"} <= set(told)
    assert (told["effect"], told["matched"], told["undetermined"]) == ("ask", [told["rule"]], [])
    assert told["operations"] == [
        {"text": "git push", "effect": "ask", "rule": told["rule"]},
        {"text": "ls", "effect": "allow", "rule": None},
    ]


def test_a_missing_fact_is_named_as_the_request_names_it(tmp_path: Path) -> None:
    rules = write(tmp_path / "a.rules", 'prefix_rule(pattern=["git"], decision="prompt")')
    (told,) = explained(tmp_path, [{"agent": "codex", "command": "git log"}], rules, "--format", "codex")
    assert told["effect"] == "unknown"
    (open_,) = told["undetermined"]
    assert (told["rule"], open_["missing"]) == (None, ["approval_policy"])
    assert open_["rule"].startswith("prefix_rule")


def test_codex_check_says_none_where_no_rule_matches(tmp_path: Path) -> None:
    rules = write(tmp_path / "a.rules", 'prefix_rule(pattern=["git"], decision="allow")')
    requests: list[object] = [{"agent": "codex", "argv": argv} for argv in (["ls"], ["/usr/bin/git", "log"])]
    check = ("--format", "codex", "--mode", "check")
    assert [one["effect"] for one in explained(tmp_path, requests, rules, *check)] == ["none", "none"]
    resolved = explained(tmp_path, requests, rules, *check, "--resolve-host-executables")
    assert [one["effect"] for one in resolved] == ["none", "allow"]
    assert run("policy", "explain", "--format", "opencode", "--mode", "check", "--request", "{}").code == 2


def test_the_escalation_and_the_granular_policy_stand_beside_the_command() -> None:
    call, ignored = read_call(
        {
            "agent": "codex",
            "command": "ls",
            "escalation": {"sandbox_permissions": "require_escalated"},
            "approval_policy": {"granular": {"rules": True}},
            "outcome": "x",
        },
        "codex",
    )
    assert (call.input["sandbox_permissions"], call.mode, call.facts["granular"]) == (
        "require_escalated",
        "granular",
        {"rules": True},
    )
    assert ignored == ("outcome",)


def test_layers_are_told_by_scope_and_by_folder(tmp_path: Path) -> None:
    write(tmp_path / "admin" / "a.toml", '[[rule]]\ntoolName = "read_file"\ndecision = "deny"\npriority = 1\n')
    write(tmp_path / "user" / "u.toml", '[[rule]]\ntoolName = "read_file"\ndecision = "allow"\npriority = 999\n')
    request = {"agent": "gemini-cli", "tool": "read_file", "input": {"file_path": "x"}, "mode": "default", "interactive": True}
    for names in (
        [tmp_path / "user" / "u.toml", tmp_path / "admin" / "a.toml"],
        [tmp_path],
        ["--scope", f"user={tmp_path / 'user'}", "--scope", f"admin={tmp_path / 'admin' / 'a.toml'}"],
    ):
        (told,) = explained(tmp_path, [request], *names, "--format", "gemini-cli")
        assert told["effect"] == "deny", names
    settings = write(tmp_path / "any.json", '{"tools": {"exclude": ["read_file"]}}')
    (told,) = explained(tmp_path, [request], "--scope", f"settings={settings}", "--format", "gemini-cli")
    assert told["effect"] == "deny"
    wrong = run("policy", "explain", "--scope", f"nowhere={settings}", "--format", "gemini-cli", "--request", "{}")
    assert wrong.code == 2
    assert "its layers: user, workspace, admin, extension, settings" in wrong.err


def test_an_untrusted_project_holds_nothing_back(tmp_path: Path) -> None:
    rules = write(tmp_path / "p.rules", 'prefix_rule(pattern=["git"], decision="forbidden")')
    request = {"agent": "codex", "command": "git log", "approval_policy": "on-request", "sandbox": "workspace-write"}
    for scope, effect in (("project", "deny"), ("project-untrusted", "allow")):
        (told,) = explained(tmp_path, [request], "--scope", f"{scope}={rules}", "--format", "codex")
        assert told["effect"] == effect
    (told,) = explained(tmp_path, [request | {"trusted": False}], "--scope", f"project={rules}", "--format", "codex")
    assert told["effect"] == "allow"


def test_no_file_is_the_programs_own_defaults(tmp_path: Path) -> None:
    for format, request, effect in (
        ("claude-code", {"tool": "Bash", "input": {"command": "git push"}, "mode": "default"}, "ask"),
        ("codex", {"command": "rm -rf x", "approval_policy": "never", "sandbox": "read-only"}, "deny"),
        ("gemini-cli", {"tool": "read_file", "input": {"file_path": "a"}, "mode": "default", "interactive": True}, "allow"),
        ("opencode", {"tool": "read", "input": {"filePath": ".env"}, "mode": "build", "interactive": True}, "ask"),
    ):
        asked = {"agent": format, "cwd": PROJECT, "project": PROJECT, **request}
        (told,) = explained(tmp_path, [asked], "--format", format)
        assert told["effect"] == effect, format


def test_a_malformed_request_answers_in_place(tmp_path: Path) -> None:
    good = {"agent": "opencode", "tool": "bash", "input": {"command": "ls"}, "cwd": PROJECT}
    bad: list[object] = ["{", "[]", "3", {"tool": 3}, {"agent": "codex", "command": "ls"}, {"agent": "opencode"}, '"\\ud800"']
    told = explained(tmp_path, [good, *bad, good], "--format", "opencode")
    assert [one["effect"] for one in told] == ["allow", *(["unknown"] * len(bad)), "allow"]
    assert all("error" in one for one in told[1:-1])


@pytest.mark.parametrize(
    "value",
    [
        {"command": 3},
        {"argv": "ls"},
        {"argv": [1]},
        {"tool": "x", "input": 3},
        {"tool": "x", "trusted": "yes"},
        {"command": "ls", "approval_policy": {"granular": 1}},
        {"command": "ls", "escalation": 4},
        {"tool": "x", "annotations": []},
        {"tool": "x", "prior_identical_calls": -1},
        {"tool": "x", "facts": []},
    ],
)
def test_what_is_wrong_with_a_call_is_said(value: object) -> None:
    with pytest.raises(CallError):
        read_call(value, "codex")


def test_half_a_character_pair_is_no_error(tmp_path: Path) -> None:
    for format, tool in (("opencode", "bash"), ("claude-code", "Bash"), ("gemini-cli", "run_shell_command"), ("codex", "shell")):
        request = f'{{"tool": "{tool}", "input": {{"command": "echo \\ud800 && ls"}}, "cwd": "{PROJECT}", "mode": "default"}}'
        told = ok("policy", "explain", "--format", format, "--request", request, "--json").json
        assert "error" not in told


def test_a_part_that_cannot_be_judged_is_unknown_and_no_rule_is_none(tmp_path: Path) -> None:
    flags = write(tmp_path / "run.sh", "copilot --allow-tool='shell(npm run build)' --deny-tool='shell(rm)'")
    requests: list[object] = [
        {"agent": "copilot-cli", "command": command} for command in ("npm run build", "npm run build && rm x")
    ]
    one, two = explained(tmp_path, requests, flags, "--format", "copilot-cli")
    assert (one["effect"], one["operations"][0]["effect"], one["rule"]) == ("unknown", "unknown", None)
    assert one["undetermined"] == [{"rule": "shell(npm run build)", "missing": ["how many words of a command are its name"]}]
    assert (two["effect"], [part["effect"] for part in two["operations"]]) == ("deny", ["unknown", "deny"])
