"""Claude Code's settings: recognised, told as the policy in force, never as a decision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from importers.claude_code_settings import IMPORTER
from model.event import ATTRS, BadRecord, Event
from model.words import EventKind, Phase
from tests.importer_checks import mutated, survives, whole

HOOKS = {"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "check.sh", "timeout": 10}]}]}
FULL = {
    "permissions": {
        "allow": ["Bash", "mcp__*", "WebFetch(domain:example.com)"],
        "ask": ["Bash(git push:*)"],
        "deny": ["Bash(sudo:*)", "Read(./.env)"],
        "defaultMode": "bypassPermissions",
        "additionalDirectories": ["../docs"],
        "disableBypassPermissionsMode": "disable",
    },
    "hooks": HOOKS,
    "sandbox": {"enabled": True},
    "enableAllProjectMcpServers": True,
    "model": "opus",
}


def posture(record: dict[str, Any]) -> Event:
    (event,) = IMPORTER.open().read(record).events
    return event


def test_the_policy_in_force_is_told_whole() -> None:
    event = posture(FULL)
    assert (event.kind, event.phase, event.decision, event.at) == (EventKind.DECISION, Phase.POSTURE, None, None)
    assert (event.attrs["mode"], event.attrs["sandbox"]) == ("bypassPermissions", "enabled")
    assert event.text.splitlines() == [
        "mode bypassPermissions",
        "deny: Bash(sudo:*), Read(./.env)",
        "ask: Bash(git push:*)",
        "allow: Bash, mcp__*, WebFetch(domain:example.com)",
        "also in: ../docs",
        "disableBypassPermissionsMode: disable",
        "enableAllProjectMcpServers: True",
        "hook PreToolUse on Bash: check.sh",
    ]
    assert event.attrs.keys() <= ATTRS.keys()


def test_the_revision_changes_with_the_policy_and_with_nothing_else() -> None:
    first = posture(FULL).attrs["policy_revision"]
    assert posture({**FULL, "model": "sonnet", "theme": "dark"}).attrs["policy_revision"] == first
    assert posture({**FULL, "permissions": {"allow": ["Bash"]}}).attrs["policy_revision"] != first
    assert "mode" not in posture({"permissions": {"allow": ["Bash"]}}).attrs


@pytest.mark.parametrize(
    "record", [{"permissions": {"deny": ["Bash"]}}, {"permissions": {"defaultMode": "plan"}}, {"hooks": HOOKS}, FULL]
)
def test_settings_are_recognised_printed_in_any_way(record: dict[str, Any]) -> None:
    for text in (json.dumps(record), json.dumps(record, indent=2), json.dumps(record, indent=4) + "\n"):
        parsed, rejects = whole(text, "claude-code-settings")
        assert (len(parsed), rejects) == (1, [])


@pytest.mark.parametrize(
    "record",
    [
        {"permissions": {"issues": "write"}},
        {"permissions": {}},
        {"permissions": ["a"]},
        {"hooks": {"enabled": True, "SessionStart": [{"hooks": []}]}},
        {"hooks": {"BeforeTool": [{"hooks": [{"type": "command", "command": "x"}]}]}},
        {"hooks": {"Stop": [{"matcher": None, "hooks": [{"type": "command", "command": "x"}]}]}},
        {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "x", "timeoutSec": 3}]}]}},
        {"hooks": {}},
        {"theme": "dark"},
    ],
)
def test_other_programs_settings_are_not(record: dict[str, Any]) -> None:
    assert IMPORTER.sniff([record]) == 0


def test_without_a_policy_there_is_nothing_to_tell() -> None:
    for record in ({"theme": "dark"}, [], "x"):
        with pytest.raises(BadRecord, match=r"policy|object"):
            IMPORTER.open().read(record)


def test_corpus_rules_all_stand_in_what_is_told(corpus: Path) -> None:
    paths = [*corpus.glob("claude-code-settings/*/*"), *corpus.glob("claude-code-live/*/*/settings-*.json")]
    assert len(paths) > 80
    for path in paths:
        (parsed,), rejects = whole(path.read_bytes(), "claude-code-settings")
        assert not rejects
        (event,) = parsed.events
        permissions = json.loads(path.read_bytes()).get("permissions", {})
        for rule in (rule for name in ("allow", "ask", "deny") for rule in permissions.get(name, [])):
            assert rule in event.text
        assert event.attrs.get("mode") == permissions.get("defaultMode")
    for path in [
        *corpus.glob("codex-settings/*/*"),
        *corpus.glob("gemini-settings/*/*"),
        *corpus.glob("gemini-cli-live/*/.gemini/settings.json"),
    ]:
        assert IMPORTER.sniff([json.loads(path.read_bytes())]) == 0, path


@settings(max_examples=100, deadline=None)
@given(mutated([FULL]))
def test_anything_at_all_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
    IMPORTER.sniff([record])
