"""Rules that Gemini CLI makes of `settings.json`: tools and servers left out, allowed, trusted, or always asked about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from model.words import Effect
from policy.agents.gemini_cli.model import MCP, SHELL, SHELL_NAMES, Rule
from policy.agents.gemini_cli.toml_rules import prefix_pattern

NOT_PLAN = ("default", "autoEdit", "yolo")
_USER = 4
_CALL = re.compile(r"([a-zA-Z0-9_-]+)\(([^\n\r\u2028\u2029]*)\)")


class Settings(msgspec.Struct, frozen=True):
    """Merged settings, and for every list the file that has the last word on it."""

    values: Mapping[str, Mapping[str, object]]
    places: Mapping[str, str]

    @property
    def no_always_allow(self) -> bool:
        """Whether rules of the priority that `always allow` stores are passed over."""
        return _table(self.values, "security").get("disableAlwaysAllow") is True or (
            _table(self.values, "admin").get("secureModeEnabled") is True
        )


def merged(files: Sequence[tuple[str, Mapping[str, object]]]) -> Settings:
    """Settings from the lowest file to the highest: a list replaces the one below, tools left out add up."""
    values: dict[str, dict[str, object]] = {}
    places: dict[str, str] = {}
    for name, settings in files:
        for group in ("tools", "mcp", "mcpServers", "security", "admin"):
            told = settings.get(group)
            if not isinstance(told, dict):
                continue
            held = values.setdefault(group, {})
            for key, value in told.items():
                below = held.get(key)
                both = group == "tools" and key == "exclude" and isinstance(below, list) and isinstance(value, list)
                held[key] = [*below, *value] if both and isinstance(below, list) else value
                places[f"{group}.{key}"] = name
    return Settings(values, places)


def rules(settings: Settings) -> list[Rule]:
    """The rules settings make, in the program's order."""
    tools, mcp, servers = (_table(settings.values, name) for name in ("tools", "mcp", "mcpServers"))
    allowed = _texts(mcp, "allowed")
    trusted = [name for name, told in servers.items() if isinstance(told, dict) and told.get("trust")]
    made = [
        *_servers(_texts(mcp, "excluded"), Effect.DENY, 0.9, "mcp.excluded", "MCP Excluded", ()),
        *(_rule(tool, Effect.DENY, 0.4, "tools.exclude", "Tools Excluded") for tool in _texts(tools, "exclude")),
        *_tools(_texts(tools, "allowed"), 0.3, "tools.allowed", "Tools Allowed", (), narrow=True),
        *(
            _rule(SHELL if tool in SHELL_NAMES else tool, Effect.ASK, 0.35, "tools.confirmationRequired", "Confirmation Required")
            for tool in _texts(tools, "confirmationRequired")
        ),
        *_core(tools),
        *_servers(trusted, Effect.ALLOW, 0.2, "mcpServers", "MCP Trusted", NOT_PLAN),
        *_servers(allowed, Effect.ALLOW, 0.1, "mcp.allowed", "MCP Allowed", NOT_PLAN),
    ]
    if mcp.get("autoAllowInHeadless") and "*" not in allowed:
        rest = [name for name in servers if name not in allowed and name not in trusted]
        headless = _servers(rest, Effect.ALLOW, 0.1, "mcp.autoAllowInHeadless", "Headless MCP Auto-Allow", NOT_PLAN)
        made += [msgspec.structs.replace(rule, interactive=False) for rule in headless]
    return [msgspec.structs.replace(rule, place=_place(settings, rule)) for rule in made]


def _core(tools: Mapping[str, object]) -> Iterator[Rule]:
    if not isinstance(tools.get("core"), list):
        return
    yield from _tools(_texts(tools, "core"), 0.25, "tools.core", "Core Tools", NOT_PLAN, narrow=False)
    rest = _rule("*", Effect.DENY, 0.25, "tools.core", "Core Tools Allowlist Enforcement", NOT_PLAN)
    yield msgspec.structs.replace(rest, priority=rest.priority - 0.01)


def _tools(
    names: Sequence[str], priority: float, place: str, source: str, modes: tuple[str, ...], *, narrow: bool
) -> Iterator[Rule]:
    narrowed = False
    for name in names:
        found = _CALL.fullmatch(name)
        tool = found.group(1) if found else name
        tool = SHELL if tool in SHELL_NAMES else tool
        rule = _rule(tool, Effect.ALLOW, priority, place, source, modes)
        if found and tool == SHELL:
            narrowed = True
            if found.group(2):
                yield msgspec.structs.replace(rule, pattern=prefix_pattern(found.group(2)))
        else:
            yield rule
    if narrow and narrowed:
        rest = _rule(SHELL, Effect.DENY, priority, place, f"{source} (Narrowing Enforcement)", modes)
        yield msgspec.structs.replace(rest, priority=rest.priority - 0.01)


def _servers(
    names: Sequence[str], effect: Effect, priority: float, place: str, source: str, modes: tuple[str, ...]
) -> Iterator[Rule]:
    for name in names:
        rule = _rule(f"{MCP}*" if name == "*" else f"{MCP}{name}_*", effect, priority, place, source, modes)
        yield msgspec.structs.replace(rule, mcp=name)


def _rule(tool: str, effect: Effect, priority: float, place: str, source: str, modes: tuple[str, ...] = ()) -> Rule:
    return Rule(tool, effect, _USER + priority, place, modes=modes, source=f"Settings ({source})")


def _place(settings: Settings, rule: Rule) -> str:
    if rule.place == "mcpServers":
        return settings.places.get(f"mcpServers.{rule.mcp}", "")
    return settings.places.get(rule.place, "")


def _table(values: Mapping[str, Mapping[str, object]], name: str) -> Mapping[str, object]:
    return values.get(name, {})


def _texts(table: Mapping[str, object], name: str) -> list[str]:
    told = table.get(name)
    return [one for one in told if isinstance(one, str)] if isinstance(told, list) else []
