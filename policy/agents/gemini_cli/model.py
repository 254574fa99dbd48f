"""A rule of Gemini CLI as its engine holds it, the names its tools go by, and whether the two meet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import msgspec

from model.words import Effect
from policy.agents.gemini_cli.regexes import units

MODES = ("default", "autoEdit", "plan", "yolo")
TIERS = {"extension": 2, "workspace": 3, "user": 4, "admin": 5}
SHELL = "run_shell_command"
SHELL_NAMES = (SHELL, "ShellTool")
AGENT = "invoke_agent"
EFFECTS = {"allow": Effect.ALLOW, "deny": Effect.DENY, "ask_user": Effect.ASK}
MCP = "mcp_"
PREFIX_END = r'(?:[\s"]|\\")'
"""How the pattern of a command prefix ends: a space, or the end of the command."""
BUILT_IN_TOOLS = (
    "glob", "write_todos", "write_file", "google_web_search", "web_fetch", "replace", SHELL, "grep_search", "read_many_files",
    "read_file", "list_directory", "save_memory", "activate_skill", "ask_user", "tracker_create_task", "tracker_update_task",
    "tracker_get_task", "tracker_list_tasks", "tracker_add_dependency", "tracker_visualize", "get_internal_docs",
    "enter_plan_mode", "exit_plan_mode", "update_topic", "complete_task", AGENT,
)  # fmt: skip
_ALIASES = {"search_file_content": "grep_search"}
_QUALIFIED = re.compile(r"mcp_([^_]+)_(.+)", re.DOTALL)
_SPECIAL = re.compile(r"[-\[\]{}()*+?.,\\^$|#\s\"]")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_SLUG = re.compile(r"[A-Za-z0-9_.:-]+")


@lru_cache(maxsize=8192)
def needed(pattern: str) -> str:
    """The text without which a pattern is not found, "" where that is not plain: all of a prefix, which most rules have."""
    if not pattern.endswith(PREFIX_END):
        return ""
    stem = pattern.removesuffix(PREFIX_END)
    return units(_ESCAPE.sub(r"\1", stem)) if escaped(_ESCAPE.sub(r"\1", stem)) == stem else ""


def escaped(text: str) -> str:
    """A text as a pattern that finds it."""
    return _SPECIAL.sub(r"\\\g<0>", text)


class Rule(msgspec.Struct, frozen=True):
    """One rule after loading: one tool name and at most one pattern, its priority the tier and a thousandth of its own.

    `place` is the file it stands in ("" for what is built in) and `index` its number there, from 0.
    """

    tool: str
    effect: Effect
    priority: float
    place: str = ""
    pattern: str = ""
    mcp: str | None = None
    subagent: str | None = None
    modes: tuple[str, ...] = ()
    interactive: bool | None = None
    annotations: Mapping[str, object] | None = None
    redirection: bool = False
    source: str = ""
    index: int = -1

    def __str__(self) -> str:
        pattern = f" /{self.pattern}/" if self.pattern else ""
        return f"{self.effect.value} {self.tool}{pattern} at {self.priority:g} ({self.source})"

    @property
    def always_allow(self) -> bool:
        return round((self.priority % 1) * 1000) == 950


class Checker(msgspec.Struct, frozen=True):
    """A safety checker: a second opinion on calls that a rule like `when` matches. `name` is "" for a program of its own."""

    when: Rule
    name: str = ""
    included: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


class World(msgspec.Struct, frozen=True):
    """What the engine knows about a session besides the call itself."""

    mode: str
    interactive: bool
    trusted: bool
    annotations: Mapping[str, object] | None = None


def is_mcp(name: str) -> bool:
    return name.startswith(MCP)


def server_of(name: str) -> str:
    """The server in a qualified name: what stands before the first `_`, "" where the name is not qualified."""
    found = _QUALIFIED.fullmatch(name)
    return found.group(1) if found else ""


def qualified(server: str, tool: str) -> str:
    if server == "*" and tool in ("", "*"):
        return f"{MCP}*"
    return f"{MCP}{server}_{tool or '*'}"


def aliases(name: str) -> tuple[str, ...]:
    """All names a tool goes by, older ones too."""
    current = _ALIASES.get(name, name)
    return tuple(dict.fromkeys((name, current, *(old for old, new in _ALIASES.items() if new == current))))


def valid_name(name: str) -> bool:
    """Whether the program takes a rule's tool name for that of a tool or a wildcard."""
    if name in BUILT_IN_TOOLS or name in _ALIASES or name in ("*", f"{MCP}*") or name.startswith("discovered_tool_"):
        return True
    found = _QUALIFIED.fullmatch(name)
    if found is None or name.startswith(f"{MCP}_"):
        return False
    server, tool = found.groups()
    if not _SLUG.fullmatch(server):
        return False
    return tool == "*" or (bool(_SLUG.fullmatch(tool)) and bool(tool.strip("_")))


def applies(rule: Rule, name: str, server: str, world: World, subagent: str) -> bool:
    """Whether everything but the pattern of a rule fits a call."""
    if rule.modes and world.mode not in rule.modes:
        return False
    if rule.subagent is not None and rule.subagent != subagent:
        return False
    if rule.mcp is not None and (not server if rule.mcp == "*" else server != rule.mcp):
        return False
    if rule.interactive is not None and rule.interactive is not world.interactive:
        return False
    return _named(rule, name, server) and _annotated(rule, world)


def _named(rule: Rule, name: str, server: str) -> bool:
    if rule.tool in ("*", name):
        return True
    if "*" in rule.tool:
        if rule.tool == f"{MCP}*":
            return bool(server)
        if is_mcp(rule.tool) and rule.tool.endswith("_*"):
            expected = rule.tool[len(MCP) : -2]
            return server == expected and name.startswith(f"{MCP}{expected}_")
        return False
    if not server:
        return False
    if is_mcp(rule.tool):
        return rule.tool == qualified(server, name)
    return bool(rule.mcp) and name == qualified(str(rule.mcp), rule.tool)


def _annotated(rule: Rule, world: World) -> bool:
    if rule.annotations is None:
        return True
    if world.annotations is None:
        return False
    held = world.annotations
    return all(name in held and _same(held[name], value) for name, value in rule.annotations.items())


def _same(one: object, other: object) -> bool:
    """JavaScript's `===`: no two objects are the same, and a truth is no number."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return isinstance(one, int | float | str) and one == other
