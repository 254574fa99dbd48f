"""Codex's `config.toml`, `requirements.toml` and `hooks.json`. Source: Codex's references of both; its hooks as its users publish them."""

from __future__ import annotations

from collections.abc import Iterator

from importers.claude_code_settings import hook_lines
from importers.hook_answers import EVENTS
from importers.shared.agents import field
from importers.shared.fields import Json, canonical, mapping
from importers.shared.settings import parts, servers, told

_ASKS, _CONFINES = "approval_policy", "sandbox_mode"
_LISTS = ("allowed_approval_policies", "allowed_sandbox_modes", "allowed_web_search_modes")
_TABLES = ("sandbox_workspace_write", "shell_environment_policy", "model_providers")
_TEXTS = (_ASKS, _CONFINES, "model_reasoning_effort", "model_reasoning_summary", "model_provider", "default_permissions")
_PARTS = frozenset(
    {
        _ASKS,
        _CONFINES,
        "approvals_reviewer",
        "default_permissions",
        "permissions",
        "profile",
        "profiles",
        "projects",
        "mcp_servers",
    }
    | {
        "sandbox_workspace_write",
        "shell_environment_policy",
        "features",
        "tools",
        "web_search",
        "apps",
        "hooks",
        "rules",
        *_LISTS,
    }
)
_NOT = frozenset({"type", "timestamp", "id", "payload"})
"""Members of the program's records, which tell what was in force for a turn by the same names."""


class Codex:
    """See `importers.shared.settings.Program`."""

    name = "codex"

    def weigh(self, settings: Json) -> int:
        # Beside its other settings stand hooks that have Claude Code's shape.
        return 0 if _NOT & settings.keys() else 85 if self._configures(settings) else 75 if self._hooks(settings) else 0

    def _configures(self, settings: Json) -> bool:
        """Whether there are settings by names that only it has."""
        if any(isinstance(settings.get(name), list) for name in _LISTS) or any(field(settings, name) for name in _TEXTS):
            return True
        if any(isinstance(settings.get(name), dict) for name in (_ASKS, *_TABLES)):
            return True
        projects, servers = mapping(settings.get("projects")), mapping(settings.get("mcp_servers"))
        if any("trust_level" in mapping(one) for one in projects.values()):
            return True
        return bool(servers) and all({"command", "url"} & mapping(one).keys() for one in servers.values())

    def _hooks(self, settings: Json) -> bool:
        """Whether there are hooks in its shape, and nothing else."""
        entries = {name: one for name, one in mapping(settings.get("hooks")).items() if isinstance(one, list)}
        shaped = entries and all(isinstance(mapping(entry).get("hooks"), list) for one in entries.values() for entry in one)
        return bool(shaped) and entries.keys() <= EVENTS and settings.keys() <= {"hooks", "version", "description"}

    def stated(self, settings: Json) -> Json:
        return parts(settings, _PARTS)

    def mode(self, settings: Json) -> str:
        return _said(_chosen(settings).get(_ASKS, settings.get(_ASKS)))

    def sandbox(self, settings: Json) -> str:
        return _said(_chosen(settings).get(_CONFINES, settings.get(_CONFINES)))

    def words(self, settings: Json) -> Iterator[str]:
        yield from _rules("", settings)
        if profile := field(settings, "profile"):
            yield f"profile: {profile}"
        for name, held in mapping(settings.get("profiles")).items():
            yield from _rules(f"profiles.{name}.", mapping(held))
        yield from (told(name, settings[name]) for name in (*_LISTS, "web_search", "default_permissions") if name in settings)
        for path, project in mapping(settings.get("projects")).items():
            if level := field(mapping(project), "trust_level"):
                yield f"project {path}: {level}"
        yield from servers(settings.get("mcp_servers"))
        yield from hook_lines(mapping(settings.get("hooks")))


def _chosen(settings: Json) -> Json:
    """The profile that is in force, which goes before what stands outside of it."""
    return mapping(mapping(settings.get("profiles")).get(field(settings, "profile")))


def _said(value: object) -> str:
    """A policy by its name; one that is a table (`granular`) by the table's."""
    return value if isinstance(value, str) else next(iter(value), "") if isinstance(value, dict) else ""


def _rules(before: str, settings: Json) -> Iterator[str]:
    for name in (_ASKS, _CONFINES):
        if (value := settings.get(name)) is not None:
            yield told(f"{before}{name}", value if isinstance(value, str) else canonical(value).decode("utf-8", "replace"))
    for name, value in mapping(settings.get("sandbox_workspace_write")).items():
        yield told(f"{before}sandbox_workspace_write.{name}", value)


PROGRAM = Codex()
