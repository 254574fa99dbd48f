"""What the agents' own permission files say of a call: exact where it can be, unknown where it cannot, never wrong on what was observed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lang.shell_plain import MAX_LENGTH, plain
from model.words import Effect
from policy.agents import adapter_of
from policy.agents.base import Answer, Call, RuleFile

CWD = "/home/dana/work/payments"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("git push origin main", ("git push origin main",)),
        ("npm  test   && git add .", ("npm test", "git add .")),
        ("a | b; c\nd", ("a", "b", "c", "d")),
        ("git push 2>&1", None),
        ("git push > out", None),
        ("A=1 git push", None),
        ("git 'push'", None),
        ("git push $x", None),
        ("git push &", None),
        ("! git push", None),
        ("(git push)", None),
        ("ls *.py", None),
        ("echo é", None),
        ("", None),
        ("x " * MAX_LENGTH, None),
    ],
)
def test_plain_commands(script: str, expected: tuple[str, ...] | None) -> None:
    assert plain(script) == expected


def asked(agent: str, settings: object, call: Call) -> Answer:
    return adapter_of(agent).load([RuleFile("managed", "settings.json", json.dumps(settings))]).judge(call)


def claude(call: Call, **permissions: Any) -> tuple[str, str]:
    answer = asked("claude-code", {"permissions": permissions}, call)
    return answer.effect.value, answer.rule


def bash(command: str, mode: str = "default") -> Call:
    return Call("Bash", {"command": command}, cwd=CWD, mode=mode)


@pytest.mark.parametrize(
    ("command", "effect"),
    [
        ("git push", "deny"),
        ("git push --force", "deny"),
        ("npm test && git push origin main", "deny"),
        ("git pushes", "ask"),
        ("git pull", "ask"),
        ("npm test", "allow"),
        ("npm test && npm test", "allow"),
        ("npm test && ls", "unknown"),
        ("ls", "unknown"),
        ("npm test > out", "unknown"),
        ("/usr/bin/git push", "unknown"),
        ("strace git push", "unknown"),
        ("sudo git push", "unknown"),
        ("bash -c 'git push'", "unknown"),
        ("", "unknown"),
    ],
)
def test_deny_before_ask_before_allow_over_commands(command: str, effect: str) -> None:
    assert (
        claude(bash(command), deny=["Bash(git push:*)"], ask=["Bash(git *)"], allow=["Bash(npm test)", "Bash(git:*)"])[0]
        == effect
    )


def test_modes_and_hooks_change_what_a_rule_settles() -> None:
    assert claude(bash("git push", "dontAsk"), ask=["Bash(git push:*)"]) == ("deny", "Bash(git push:*)")
    assert claude(bash("git push", "bypassPermissions"), deny=["Bash(git push:*)"])[0] == "deny"
    assert claude(bash("npm test", "plan"), allow=["Bash(npm test)"])[0] == "unknown"
    settings = {"permissions": {"allow": ["Bash"], "deny": ["WebFetch"]}, "hooks": {"PreToolUse": []}}
    answer = asked("claude-code", settings, bash("ls"))
    assert answer.effect is Effect.UNKNOWN and "hook" in answer.reason
    assert asked("claude-code", settings, Call("WebFetch", {"url": "https://a.example"})).effect is Effect.DENY


@pytest.mark.parametrize(
    ("rule", "path", "effect"),
    [
        ("Read(./.env)", f"{CWD}/.env", "deny"),
        ("Read(./.env)", f"{CWD}/src/.env", "deny"),
        ("Read(./.env)", f"{CWD}/.ENV", "deny"),
        ("Read(./secrets/**)", f"{CWD}/secrets/a/b.txt", "deny"),
        ("Read(./secrets/**)", f"{CWD}/src/secrets/a.txt", "unknown"),
        ("Read(//etc/**)", "/etc/passwd", "deny"),
        ("Read(*.pem)", f"{CWD}/keys/a.pem", "deny"),
        ("Read(./.env)", "/elsewhere/.env", "unknown"),
        ("Read(~/.ssh/**)", "/home/dana/.ssh/id", "unknown"),
        ("Read(/src/**)", f"{CWD}/src/a.py", "unknown"),
        ("Read(", f"{CWD}/.env", "unknown"),
    ],
)
def test_path_rules_in_their_plain_spellings(rule: str, path: str, effect: str) -> None:
    assert claude(Call("Read", {"file_path": path}, cwd=CWD), deny=[rule])[0] == effect


def test_servers_domains_and_sub_agents() -> None:
    tool = Call("mcp__tickets__close", {})
    assert (
        claude(tool, deny=["mcp__tickets"])[0]
        == claude(tool, deny=["mcp__tickets__c*"])[0]
        == claude(tool, deny=["mcp__*"])[0]
        == "deny"
    )
    assert claude(tool, allow=["mcp__*"])[0] == claude(tool, deny=["mcp__mail"])[0] == "unknown"
    fetch = Call("WebFetch", {"url": "https://API.example.com./x"})
    assert (
        claude(fetch, ask=["WebFetch(domain:api.example.com)"])[0]
        == claude(fetch, ask=["WebFetch(domain:*.example.com)"])[0]
        == "ask"
    )
    assert claude(fetch, ask=["WebFetch(domain:example.com)"])[0] == "unknown"
    assert claude(Call("Task", {"subagent_type": "Explore"}), deny=["Agent(Explore)"])[0] == "deny"
    assert claude(Call("Agent", {"subagent_type": "Explore"}), ask=["Agent(Explore)"])[0] == "unknown"


@pytest.mark.parametrize("agent", ["claude-code", "gemini-cli"])
@pytest.mark.parametrize(
    "settings",
    [{}, [], None, {"permissions": []}, {"permissions": {"deny": "Bash"}}, {"permissions": {"deny": [1, None, "(", "*" * 3000]}}],
)
def test_hostile_settings_say_nothing(agent: str, settings: Mapping[str, Any]) -> None:
    assert asked(agent, settings, bash("git push")).effect is Effect.UNKNOWN


@pytest.mark.parametrize("agent", ["claude-code", "gemini-cli"])
def test_what_is_no_json_is_a_problem_and_the_rest_holds(agent: str) -> None:
    loaded = adapter_of(agent).load([RuleFile("user", "a.json", "{"), RuleFile("user", "b.json", "{}")])
    assert [name for name, _ in loaded.problems] == ["a.json"]
    assert loaded.judge(bash("ls")).effect is Effect.UNKNOWN


def test_gemini_leaves_out_what_its_settings_exclude() -> None:
    settings = {"tools": {"exclude": ["run_shell_command"]}, "mcp": {"excluded": ["mail"]}}
    assert asked("gemini-cli", settings, Call("run_shell_command", {"command": "ls"})).effect is Effect.DENY
    assert asked("gemini-cli", settings, Call("mcp_mail_send", {})).effect is Effect.DENY
    assert asked("gemini-cli", settings, Call("read_file", {})).effect is Effect.UNKNOWN


def test_what_the_real_program_did_agrees_wherever_an_answer_is_given(corpus: Path) -> None:
    """Every observed call of the modelled version whose settings were read: an answer, where there is one, is the program's."""
    words = {"allowed": "allow", "asked": "ask", "denied": "deny"}
    told: Counter[tuple[str, bool]] = Counter()
    wrong = []
    adapter = adapter_of("claude-code")
    for line in (corpus / "oracles" / "claude-code-permissions.jsonl").read_text().splitlines():
        row = json.loads(line)
        # A project's settings are not read where the program is started below its root.
        if row["version"] != adapter.modelled or row["cwd"] != row["project_dir"]:
            continue
        call = Call(row["tool"], row["input"], cwd=row["cwd"], mode=row["mode_effective"] or row["mode"])
        files = [RuleFile(name, name, json.dumps(settings)) for name, settings in row["settings"].items()]
        if row.get("hook"):
            files.append(RuleFile("user", "hook", json.dumps({"hooks": {"PreToolUse": []}})))
        effect = adapter.load(files).judge(call).effect.value
        if effect != "unknown":
            right = effect == words[row["outcome"]]
            told[effect, right] += 1
            wrong += [] if right else [(row["rule_set"], effect, row["outcome"], row["input"])]
    assert not wrong
    assert all(told[effect, True] >= 100 for effect in ("allow", "ask", "deny")), told
