"""Settings of Codex, Cursor and Gemini CLI: whose they are, what they put in force, and what is nobody's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from importers.agent_settings import IMPORTER
from importers.registry import importers
from model.event import BadRecord
from model.words import EventKind, Phase
from tests.importer_checks import mutated, only, pretty, read, survives, whole

CODEX: dict[str, Any] = {
    "hooks": {
        "Stop": [{"matcher": None, "hooks": [{"type": "command", "command": "notify.sh", "timeoutSec": 10}]}],
        "SessionStart": [{"matcher": "^startup$", "hooks": [{"type": "command", "command": "begin.sh"}]}],
    }
}
GEMINI: dict[str, Any] = {
    "general": {"defaultApprovalMode": "auto_edit"},
    "security": {"disableYoloMode": True, "folderTrust": {"enabled": True}},
    "tools": {"sandbox": "docker", "exclude": ["run_shell_command(rm)"], "allowed": []},
    "mcpServers": {"files": {"command": "x"}},
    "hooks": {
        "enabled": True,
        "BeforeTool": [{"matcher": "*", "hooks": [{"name": "n", "type": "command", "command": "check.sh"}]}],
    },
}
CURSOR_CLI: dict[str, Any] = {
    "version": 1,
    "editor": {"vimMode": False},
    "permissions": {"allow": ["Read(**)"], "deny": ["Write(secrets/**)"]},
    "approvalMode": "allowlist",
    "sandbox": {"mode": "enabled"},
}
CURSOR_PROJECT: dict[str, Any] = {"permissions": {"allow": ["Shell(git)"], "deny": ["Shell(rm)", "Read(.env*)"]}}
CURSOR_EDITOR: dict[str, Any] = {"terminalAllowlist": ["git status"], "mcpAllowlist": []}
CURSOR_HOOKS: dict[str, Any] = {
    "version": 1,
    "hooks": {"beforeShellExecution": [{"command": "./check.sh", "matcher": "curl"}], "stop": [{"command": "./end.sh"}]},
}
GEMINI_RULES: dict[str, Any] = {
    "rule": [
        {"toolName": "run_shell_command", "commandPrefix": "git push", "decision": "ask_user", "priority": 100},
        {"toolName": ["write_file", "replace"], "modes": ["yolo"], "decision": "deny", "priority": 900},
    ]
}
CODEX_CONFIG: dict[str, Any] = {
    "model": "gpt-5",
    "approval_policy": "on-request",
    "sandbox_mode": "workspace-write",
    "profile": "full",
    "sandbox_workspace_write": {"network_access": True},
    "projects": {"/home/dana/payments": {"trust_level": "trusted"}},
    "mcp_servers": {"github": {"command": "npx"}},
    "profiles": {"full": {"approval_policy": "never", "sandbox_mode": "danger-full-access"}},
}
CODEX_REQUIRED: dict[str, Any] = {"allowed_approval_policies": ["on-request"], "allowed_sandbox_modes": ["read-only"]}
OPENCODE: dict[str, Any] = {
    "$schema": "https://opencode.ai/config.json",
    "permission": {"edit": "ask", "bash": {"*": "ask", "git push": "deny"}},
    "agent": {"plan": {"permission": "deny", "tools": {"bash": False, "read": True}}},
    "mcp": {"jira": {"type": "remote", "url": "https://jira.example/mcp"}},
}
BARE: dict[str, Any] = {"general": {}, "privacy": {"usageStatisticsEnabled": False}, "telemetry": {"enabled": True}, "ui": {}}


def test_codex_hooks_are_in_force() -> None:
    event = only(read(IMPORTER, CODEX).events, EventKind.DECISION, Phase.POSTURE)
    assert event.point == "codex" and event.at is None and event.decision is None
    assert event.text.splitlines() == ["hook Stop: notify.sh", "hook SessionStart on ^startup$: begin.sh"]


def test_gemini_settings_say_mode_sandbox_and_rules() -> None:
    event = only(read(IMPORTER, GEMINI).events, EventKind.DECISION, Phase.POSTURE)
    assert event.point == "gemini-cli"
    assert (event.attrs["mode"], event.attrs["sandbox"]) == ("auto_edit", "docker")
    for line in (
        "tools.exclude: run_shell_command(rm)",
        "security.disableYoloMode: True",
        "MCP servers: files",
        "hook BeforeTool on *: check.sh",
    ):
        assert line in event.text.splitlines()
    changed = {**GEMINI, "tools": {**GEMINI["tools"], "exclude": []}}
    assert read(IMPORTER, changed).events[0].attrs["policy_revision"] != event.attrs["policy_revision"]
    without = read(IMPORTER, BARE).events[0]
    assert "mode" not in without.attrs and "sandbox" not in without.attrs


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (CURSOR_CLI, ["permissions.allow: Read(**)", "permissions.deny: Write(secrets/**)", "approvalMode: allowlist"]),
        (CURSOR_PROJECT, ["permissions.allow: Shell(git)", "permissions.deny: Shell(rm), Read(.env*)"]),
        (CURSOR_EDITOR, ["terminalAllowlist: git status"]),
        (CURSOR_HOOKS, ["hook beforeShellExecution on curl: ./check.sh", "hook stop: ./end.sh"]),
    ],
)
def test_cursors_lists_and_hooks_are_cursors_and_not_claude_codes(record: dict[str, Any], words: list[str]) -> None:
    assert IMPORTER.sniff([record]) > max(one.sniff([record]) for one in importers().values() if one is not IMPORTER)
    event = only(read(IMPORTER, record).events, EventKind.DECISION, Phase.POSTURE)
    assert event.point == "cursor" and event.text.splitlines() == words
    told = ("allowlist", "enabled") if record is CURSOR_CLI else (None, None)
    assert (event.attrs.get("mode"), event.attrs.get("sandbox")) == told


def test_a_codex_configuration_says_what_is_asked_and_how_far_commands_reach() -> None:
    event = only(read(IMPORTER, CODEX_CONFIG).events, EventKind.DECISION, Phase.POSTURE)
    assert event.point == "codex"
    assert (event.attrs["mode"], event.attrs["sandbox"]) == ("never", "danger-full-access"), "the profile in force goes first"
    assert event.text.splitlines() == [
        "approval_policy: on-request",
        "sandbox_mode: workspace-write",
        "sandbox_workspace_write.network_access: True",
        "profile: full",
        "profiles.full.approval_policy: never",
        "profiles.full.sandbox_mode: danger-full-access",
        "project /home/dana/payments: trusted",
        "MCP servers: github",
    ]
    outside = read(IMPORTER, {name: value for name, value in CODEX_CONFIG.items() if name != "profile"}).events[0]
    assert (outside.attrs["mode"], outside.attrs["sandbox"]) == ("on-request", "workspace-write")
    granular = read(IMPORTER, {"approval_policy": {"granular": {"rules": True}}}).events[0]
    assert granular.attrs["mode"] == "granular" and granular.text == 'approval_policy: {"granular":{"rules":true}}'
    required = read(IMPORTER, CODEX_REQUIRED).events[0]
    assert "mode" not in required.attrs and required.text.splitlines()[0] == "allowed_approval_policies: on-request"
    model = read(IMPORTER, CODEX_CONFIG | {"model": "gpt-6"}).events[0]
    assert model.attrs["policy_revision"] == event.attrs["policy_revision"], "a model is no policy"


def test_hooks_in_a_codex_configuration_are_codexs() -> None:
    hooks = {"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "check.sh"}]}]}
    record = CODEX_CONFIG | {"hooks": hooks}
    assert IMPORTER.sniff([record]) > max(one.sniff([record]) for one in importers().values() if one is not IMPORTER)
    assert read(IMPORTER, record).events[0].text.splitlines()[-1] == "hook PreToolUse on Bash: check.sh"


def test_gemini_rules_are_told_with_what_narrows_them() -> None:
    event = only(read(IMPORTER, GEMINI_RULES).events, EventKind.DECISION, Phase.POSTURE)
    assert event.point == "gemini-cli"
    assert event.text.splitlines() == [
        "ask_user: run_shell_command where commandPrefix: git push (priority 100)",
        "deny: write_file, replace where modes: yolo (priority 900)",
    ]


def test_opencode_permissions_are_told_by_agent() -> None:
    event = only(read(IMPORTER, OPENCODE).events, EventKind.DECISION, Phase.POSTURE)
    assert event.point == "opencode"
    assert event.text.splitlines() == [
        "permission.edit: ask",
        "permission.bash *: ask",
        "permission.bash git push: deny",
        "agent.plan.permission: deny",
        "agent.plan.tools.bash: off",
        "MCP servers: jira",
    ]


ALL = [
    CODEX,
    CODEX_CONFIG,
    CODEX_REQUIRED,
    GEMINI,
    GEMINI_RULES,
    BARE,
    CURSOR_CLI,
    CURSOR_PROJECT,
    CURSOR_EDITOR,
    CURSOR_HOOKS,
    OPENCODE,
]


# Gemini's rules are written in TOML alone: as JSON, they are a list's elements.
@pytest.mark.parametrize("record", [one for one in ALL if one is not GEMINI_RULES])
def test_they_are_recognised_however_they_are_written(record: dict[str, Any]) -> None:
    for text in (json.dumps(record), pretty(record), "// ours\n" + pretty(record).replace("\n}", ", /* more */\n}")):
        parsed, rejects = whole(text, "agent-settings")
        assert len(parsed) == 1 and rejects == []


@pytest.mark.parametrize(
    "record",
    [
        {"hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "x"}]}]}},
        {"permissions": {"allow": ["Bash(ls:*)"]}, "hooks": CODEX["hooks"]},
        {"permissions": {"allow": ["Bash(ls:*)", "Shell(ls)"]}},
        {"permissions": {"allow": ["Read(**)"]}},
        {"version": 1, "hooks": {"preToolUse": [{"type": "command", "bash": "./check.sh"}]}},
        {"hooks": ["https://hooks.example"]},
        {"hooks": {"push": [{"hooks": []}]}},
        {"general": "x", "security": {}, "tools": {}, "ui": {}},
        {"model": {"name": "m"}, "tools": {}},
        {"type": "turn_context", "approval_policy": "never", "sandbox_mode": "read-only"},
        {"rule": [{"toolName": "x"}]},
        {"permission": {"edit": "sometimes"}},
        {"mcp_servers": {}, "projects": {"a": "b"}},
    ],
)
def test_what_is_somebody_elses_is_left_to_them(record: dict[str, Any]) -> None:
    mine = IMPORTER.sniff([record])
    assert mine == 0 or max(one.sniff([record]) for one in importers().values()) > mine


@pytest.mark.parametrize("record", [None, [], {}, {"hooks": {}}, {"hooks": {"Stop": [1]}}])
def test_what_is_no_settings_is_refused(record: object) -> None:
    assert IMPORTER.sniff([record]) == 0
    with pytest.raises(BadRecord):
        read(IMPORTER, record)


@settings(max_examples=60, deadline=None)
@given(mutated(ALL))
def test_hostile_settings_are_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
