"""opencode's `opencode.json`: permissions, of all agents and of single ones. Source: its configuration's reference and schema."""

from __future__ import annotations

from collections.abc import Iterator

from importers.shared.agents import field
from importers.shared.fields import Json, mapping
from importers.shared.settings import parts, servers, told

_SCHEMA = "https://opencode.ai/config.json"
_PARTS = frozenset({"permission", "agent", "mode", "tools", "mcp", "plugin", "share"})
_ACTIONS = frozenset({"allow", "ask", "deny"})


class Opencode:
    """See `importers.shared.settings.Program`."""

    name = "opencode"

    def weigh(self, settings: Json) -> int:
        """By its schema, or by permissions that are actions."""
        permission = settings.get("permission")
        told = permission in _ACTIONS if isinstance(permission, str) else _acts(permission)
        return 95 if field(settings, "$schema") == _SCHEMA else 75 if told else 0

    def stated(self, settings: Json) -> Json:
        return parts(settings, _PARTS)

    def mode(self, settings: Json) -> str:
        return ""

    def sandbox(self, settings: Json) -> str:
        return ""

    def words(self, settings: Json) -> Iterator[str]:
        yield from _rules("", settings)
        for part in ("mode", "agent"):
            for name, agent in mapping(settings.get(part)).items():
                yield from _rules(f"{part}.{name}.", mapping(agent))
        yield from servers(settings.get("mcp"))


def _acts(permission: object) -> bool:
    """Whether this is an object of actions, or of actions by pattern."""
    said = [one for rule in mapping(permission).values() for one in (mapping(rule).values() or [rule])]
    return bool(said) and all(isinstance(one, str) and one in _ACTIONS for one in said)


def _rules(before: str, settings: Json) -> Iterator[str]:
    permission = settings.get("permission")
    if isinstance(permission, str):
        yield told(f"{before}permission", permission)
    for name, rule in mapping(permission).items():
        for pattern, action in mapping(rule).items() or [("", rule)]:
            yield told(f"{before}permission.{name}{f' {pattern}' if pattern else ''}", action)
    for name, on in mapping(settings.get("tools")).items():
        if on is False:
            yield f"{before}tools.{name}: off"


PROGRAM = Opencode()
