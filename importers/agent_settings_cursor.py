"""Cursor's `cli-config.json`, `permissions.json` and `hooks.json`. Source: Cursor's documentation of its permissions and hooks."""

from __future__ import annotations

from collections.abc import Iterator

from importers.claude_code_settings import hook_lines
from importers.shared.agents import field
from importers.shared.fields import Json, mapping, texts
from importers.shared.settings import WORDS, enabled, parts

_LISTS = ("terminalAllowlist", "mcpAllowlist")
_PARTS = frozenset({"permissions", "approvalMode", "sandbox", "autoRun", "hooks", *_LISTS})
_HOOKS = frozenset(
    {"beforeShellExecution", "afterShellExecution", "beforeMCPExecution", "afterMCPExecution", "beforeReadFile", "afterFileEdit"}
    | {"beforeSubmitPrompt", "afterAgentResponse", "afterAgentThought", "beforeTabFileRead", "afterTabFileEdit", "workspaceOpen"}
)
"""Events of Cursor's hooks that no other program has."""
_RULES, _CLAUDE_RULES = ("Shell(", "Mcp("), ("Bash", "Edit", "mcp__")


class Cursor:
    """See `importers.shared.settings.Program`."""

    name = "cursor"

    def weigh(self, settings: Json) -> int:
        # Its lists have the outer shape of Claude Code's, which are sure of it.
        return 95 if self._knows(settings) else 0

    def _knows(self, settings: Json) -> bool:
        """Its editor's lists, its command line's file or rules, or hooks of events only it has."""
        if any(isinstance(settings.get(name), list) for name in _LISTS):
            return True
        permissions = settings.get("permissions")
        if isinstance(permissions, dict):
            rules = [rule for name in ("allow", "deny") for rule in texts(permissions.get(name))]
            told = any(rule.startswith(_RULES) for rule in rules) and not any(rule.startswith(_CLAUDE_RULES) for rule in rules)
            return told or {"version", "editor"} <= settings.keys()
        hooks = mapping(settings.get("hooks"))
        entries = [entry for one in hooks.values() for entry in (one if isinstance(one, list) else [None])]
        return bool(_HOOKS & hooks.keys() and entries) and all({"command", "prompt"} & mapping(entry).keys() for entry in entries)

    def stated(self, settings: Json) -> Json:
        return parts(settings, _PARTS)

    def mode(self, settings: Json) -> str:
        return field(settings, "approvalMode")

    def sandbox(self, settings: Json) -> str:
        return enabled(mapping(settings.get("sandbox")).get("mode"))

    def words(self, settings: Json) -> Iterator[str]:
        lists = {f"permissions.{name}": rules for name, rules in mapping(settings.get("permissions")).items()}
        lists |= {name: settings[name] for name in _LISTS if name in settings}
        for name, given in lists.items():
            if rules := texts(given):
                yield f"{name}: {', '.join(rules)}"[:WORDS]
        if mode := field(settings, "approvalMode"):
            yield f"approvalMode: {mode}"
        # Its hooks stand in a list each, without the group that the other programs put around them.
        hooks: Json = {
            event: [{"matcher": mapping(one).get("matcher"), "hooks": [one]} for one in entries]
            for event, entries in mapping(settings.get("hooks")).items()
            if isinstance(entries, list)
        }
        yield from hook_lines(hooks)


PROGRAM = Cursor()
