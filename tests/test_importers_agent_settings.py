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


@pytest.mark.parametrize("record", [CODEX, GEMINI, BARE, CURSOR_CLI, CURSOR_PROJECT, CURSOR_EDITOR, CURSOR_HOOKS])
def test_they_are_recognised_however_they_are_written(record: dict[str, Any]) -> None:
    for text in (json.dumps(record), pretty(record)):
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
@given(mutated([CODEX, GEMINI, BARE, CURSOR_CLI, CURSOR_PROJECT, CURSOR_EDITOR, CURSOR_HOOKS]))
def test_hostile_settings_are_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
