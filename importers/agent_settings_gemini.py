"""Gemini CLI's `settings.json` and the rules of its policy engine (`policies/*.toml`). Source: its references of both."""

from __future__ import annotations

from collections.abc import Iterator

from importers.claude_code_settings import hook_lines
from importers.shared.agents import field
from importers.shared.fields import Json, mapping, texts
from importers.shared.settings import WORDS, enabled, parts, servers, told

EVENTS = frozenset(
    {"BeforeTool", "AfterTool", "BeforeAgent", "AfterAgent", "BeforeModel", "AfterModel", "BeforeToolSelection"}
    | {"SessionStart", "SessionEnd", "PreCompress", "Notification"}
)
_ONLY = EVENTS - {"SessionStart", "SessionEnd", "Notification"}
_RULES = ("rule", "safety_checker")
_PARTS = frozenset({"general", "security", "tools", "hooks", "hooksConfig", "mcp", "mcpServers", "admin", "policyPaths", *_RULES})
_SIGNS = frozenset({"general", "security", "privacy", "ui", "telemetry", "tools", "context", "model"})
_STATED = {
    "general": ("defaultApprovalMode",),
    "security": ("disableYoloMode", "disableAlwaysAllow", "enablePermanentToolApproval", "folderTrust", "blockGitExtensions"),
    "tools": ("sandbox", "core", "allowed", "exclude", "confirmationRequired", "enableHooks"),
    "mcp": ("allowed", "excluded"),
}
_DECISIONS = frozenset({"allow", "deny", "ask_user"})
_NARROWED = ("mcpName", "commandPrefix", "commandRegex", "argsPattern", "subagent", "modes")


class Gemini:
    """See `importers.shared.settings.Program`."""

    name = "gemini-cli"

    def weigh(self, settings: Json) -> int:
        return 75 if self._knows(settings) else 0

    def _knows(self, settings: Json) -> bool:
        """Hooks of its events, at least three of its parts, or rules that each decide."""
        entries = {name: one for name, one in mapping(settings.get("hooks")).items() if isinstance(one, list)}
        shaped = entries and all(isinstance(mapping(entry).get("hooks"), list) for one in entries.values() for entry in one)
        if shaped and entries.keys() & _ONLY and entries.keys() <= EVENTS:
            return True
        if settings.keys() <= {*_RULES} and isinstance(rules := settings.get("rule"), list) and rules:
            return all(field(mapping(rule), "decision") in _DECISIONS for rule in rules)
        held = [name for name in _SIGNS & settings.keys() if isinstance(settings[name], dict)]
        return len(held) >= 3 and not any(isinstance(settings[name], str) for name in _SIGNS & settings.keys())

    def stated(self, settings: Json) -> Json:
        return parts(settings, _PARTS)

    def mode(self, settings: Json) -> str:
        return field(mapping(settings.get("general")), "defaultApprovalMode")

    def sandbox(self, settings: Json) -> str:
        return enabled(mapping(settings.get("tools")).get("sandbox"))

    def words(self, settings: Json) -> Iterator[str]:
        for part, names in _STATED.items():
            held = mapping(settings.get(part))
            yield from (told(f"{part}.{name}", held[name]) for name in names if name in held)
        rules = settings.get("rule")
        for rule in rules if isinstance(rules, list) else []:
            yield _rule(mapping(rule))
        yield from servers(settings.get("mcpServers"))
        yield from hook_lines(mapping(settings.get("hooks")))


def _rule(rule: Json) -> str:
    tools = texts(rule.get("toolName")) if isinstance(rule.get("toolName"), list) else [field(rule, "toolName") or "*"]
    narrowed = "; ".join(told(name, rule[name]) for name in _NARROWED if name in rule)
    order = rule.get("priority")
    said = f"{field(rule, 'decision')}: {', '.join(tools)}"
    return f"{said}{f' where {narrowed}' if narrowed else ''}{f' (priority {order})' if isinstance(order, int) else ''}"[:WORDS]


PROGRAM = Gemini()
