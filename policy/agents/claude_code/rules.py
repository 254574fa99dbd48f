"""Claude Code's permission rules as text: `Tool` or `Tool(specifier)`, and what a specifier of a tool means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import msgspec

from lang.names import host_name
from model.words import Effect
from policy.agents.base import name_set as name_set

ORDER = (Effect.DENY, Effect.ASK, Effect.ALLOW)
_RULE = re.compile(r"([^()\s]+)(?:\((.*)\))?", re.DOTALL)
_ALIAS = {"Task": "Agent"}
_MAX_LENGTH = 10_000


class Rule(msgspec.Struct, frozen=True):
    """One rule: as written, its tool, its specifier (None for the whole tool), and the file and scope it stands in."""

    text: str
    tool: str
    spec: str | None
    effect: Effect
    place: str = ""
    layer: str = ""


class Rules:
    """The rules of all files in force, by effect."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self.all = tuple(rules)
        self._by: dict[tuple[str, Effect], tuple[Rule, ...]] = {}

    def of(self, tool: str, effect: Effect) -> tuple[Rule, ...]:
        """Rules of one tool that have a specifier."""
        key = (tool, effect)
        if key not in self._by:
            self._by[key] = tuple(r for r in self.all if r.tool == tool and r.effect is effect and r.spec is not None)
        return self._by[key]

    def whole(self, tool: str, effect: Effect) -> Rule | None:
        """The first rule for all of a tool. `*` in its name counts in a deny or an ask, in an allow only after a server's name."""
        return next((r for r in self.all if r.effect is effect and r.spec is None and covers(r, tool)), None)


def parse(text: str) -> tuple[str, str | None] | None:
    """The tool and the specifier of a rule; None where it is malformed and so matches nothing."""
    found = _RULE.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if found is None:
        return None
    tool, spec = found.group(1), found.group(2)
    tool = _ALIAS.get(tool, tool)
    if spec == "":
        return None
    if spec == "*" and not tool.startswith("mcp__"):
        spec = None
    return tool, spec


def named(tool: str) -> str:
    """A tool by the name that rules know it by."""
    return _ALIAS.get(tool, tool)


def covers(rule: Rule, tool: str) -> bool:
    tool = named(tool)
    if rule.tool == tool:
        return True
    if tool.startswith("mcp__"):
        server = "mcp__" + tool.removeprefix("mcp__").partition("__")[0]
        if rule.tool == server:
            return True
    if "*" not in rule.tool:
        return False
    if rule.effect is Effect.ALLOW:
        head, _, rest = rule.tool.removeprefix("mcp__").partition("__")
        if not rule.tool.startswith("mcp__") or "*" in head or not rest:
            return False
    return wild(rule.tool, tool)


@lru_cache(maxsize=4096)
def _pieces(pattern: str) -> tuple[str, ...]:
    r"""The literal pieces of a pattern between its stars; `\*` is a star itself."""
    parts = re.split(r"(\\\*|\\\\|\*+)", pattern)
    found = [""]
    for part in parts:
        if part.startswith("*"):
            found.append("")
        else:
            found[-1] += part[1:] if part in ("\\*", "\\\\") else part
    return tuple(found)


def wild(pattern: str, text: str) -> bool:
    """Whether a pattern with `*`, which spans anything, matches a whole text; takes time in proportion to both."""
    first, *rest = _pieces(pattern)
    if not rest:
        return text == first
    last = rest.pop()
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in rest:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def is_prefix(spec: str) -> bool:
    return spec.endswith(":*") and len(spec) > len(":*")


def has_star(spec: str) -> bool:
    return "*" in spec.replace("\\\\", "").replace("\\*", "")


def command_matches(spec: str, command: str) -> bool:
    """Whether a specifier of a shell command matches one command: `x:*` by words, `*` spans anything, else the same text."""
    if is_prefix(spec):
        prefix = spec[: -len(":*")]
        return command == prefix or command.startswith(prefix + " ")
    if not has_star(spec):
        return command == spec.replace("\\*", "*").replace("\\\\", "\\")
    if spec.endswith(" *") and not has_star(spec[:-2]) and command == spec[:-2]:
        return True
    return wild(spec, command)


def first_match(rules: Sequence[Rule], commands: Sequence[str]) -> Rule | None:
    return next((r for r in rules if any(command_matches(r.spec or "", c) for c in commands)), None)


def domain_matches(spec: str, url: str) -> bool:
    """A `domain:` specifier: case, port, user information and a last dot do not matter; `*` stands for what has no dot.

    `*.x` leaves x itself out and spans any depth; `*` alone is every host.
    """
    kind, _, domain = spec.partition(":")
    host = host_name(url).casefold().rstrip(".")
    if kind != "domain" or not host:
        return False
    domain = domain.strip().casefold().rstrip(".")
    if domain == "*":
        return True
    if domain.startswith("*."):
        return host.endswith(domain[1:]) and host != domain[2:]
    if "*" in domain:
        labels, stars = host.split("."), domain.split(".")
        return len(labels) == len(stars) and all(wild(star, label) for star, label in zip(stars, labels, strict=True))
    return host == domain


def listed(permissions: object, effect: Effect) -> Iterator[tuple[int, object]]:
    """The entries of one list of `permissions` as they stand."""
    found = permissions.get(effect.value) if isinstance(permissions, dict) else None
    yield from enumerate(found if isinstance(found, list) else ())
