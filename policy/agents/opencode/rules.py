"""opencode's rules as they stand in files, flattened: (permission, pattern, action), compared with `*` and `?`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

import msgspec

from model.words import Effect
from policy.agents.base import name_set

EFFECTS = {"allow": Effect.ALLOW, "deny": Effect.DENY, "ask": Effect.ASK}
EDITS = name_set("edit write patch multiedit apply_patch")
TOOLS = name_set(
    "bash read edit write multiedit patch apply_patch glob grep list webfetch websearch codesearch task todowrite todoread skill lsp "
    "question plan_enter plan_exit batch"
)
KEYS = TOOLS - {"write", "multiedit", "patch", "apply_patch"} | {"external_directory", "doom_loop", "*"}
DEFAULTS = (
    ("*", "*", "allow"), ("doom_loop", "*", "ask"), ("external_directory", "*", "ask"),
    ("external_directory", "{data}/tool-output/*", "allow"), ("external_directory", "/tmp/opencode/*", "allow"),  # noqa: S108
    ("question", "*", "deny"), ("plan_enter", "*", "deny"), ("plan_exit", "*", "deny"),
    ("read", "*", "allow"), ("read", "*.env", "ask"), ("read", "*.env.*", "ask"), ("read", "*.env.example", "allow"),
)  # fmt: skip
BUILT_IN: dict[str, tuple[tuple[str, str, str], ...]] = {
    "build": (("question", "*", "allow"), ("plan_enter", "*", "allow")),
    "plan": (
        ("question", "*", "allow"), ("plan_exit", "*", "allow"), ("task", "general", "deny"),
        ("external_directory", "{data}/plans/*", "allow"), ("edit", "*", "deny"), ("edit", ".opencode/plans/*.md", "allow"),
        ("edit", "{up}/plans/*.md", "allow"),
    ),
    "general": (("todoread", "*", "deny"), ("todowrite", "*", "deny")),
    "explore": (
        ("*", "*", "deny"), ("grep", "*", "allow"), ("glob", "*", "allow"), ("list", "*", "allow"), ("bash", "*", "allow"),
        ("webfetch", "*", "allow"), ("websearch", "*", "allow"), ("codesearch", "*", "allow"), ("read", "*", "allow"),
        ("external_directory", "{data}/tool-output/*", "allow"),
    ),
}  # fmt: skip
LAST = (("external_directory", "{data}/tool-output/*", "allow"),)
"""What every agent may do whatever its rules say."""


class Rule(msgspec.Struct, frozen=True):
    """One flattened rule; `place` is the file it stands in, "" for what is built in."""

    permission: str
    pattern: str
    effect: Effect
    place: str = ""

    def __str__(self) -> str:
        return f"{self.permission} {self.pattern}: {self.effect.value}"


@lru_cache(maxsize=8192)
def _pattern(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    if text.endswith(r"\ .*"):
        text = text[: -len(r"\ .*")] + r"(?:\ .*)?"
    return re.compile(text, re.DOTALL)


def matches(text: str, pattern: str) -> bool:
    """Whether a pattern with `*` and `?` matches a whole text; a trailing ` *` may be missing."""
    return _pattern(pattern.replace("\\", "/")).fullmatch(text.replace("\\", "/")) is not None


def last(rules: Sequence[Rule], holds: Callable[[Rule], bool]) -> Rule | None:
    return next((rule for rule in reversed(rules) if holds(rule)), None)


def deciding(rules: Sequence[Rule], permission: str, pattern: str) -> Rule | None:
    return last(rules, lambda rule: matches(permission, rule.permission) and matches(pattern, rule.pattern))


def permission_of(tool: str) -> str:
    return "edit" if tool in EDITS else tool


def expanded(pattern: str, home: str) -> str:
    for mark in ("~", "$HOME"):
        if home and (pattern == mark or pattern.startswith(mark + "/")):
            return home + pattern[len(mark) :]
    return pattern


def flat(permission: Mapping[str, object]) -> Iterator[tuple[str, str, Effect]]:
    for name, told in permission.items():
        if isinstance(told, dict):
            for pattern, action in told.items():
                yield name, str(pattern), EFFECTS[str(action)]
        else:
            yield name, "*", EFFECTS[str(told)]


def merged(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    """Objects are merged member by member, the lower file's first; anything else is replaced in its place."""
    found = dict(below)
    for name, value in above.items():
        held = found.get(name)
        found[name] = merged(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return found


def with_tools(tools: object, permission: dict[str, object]) -> dict[str, object]:
    """The older `tools: {bash: false}` as permissions, which what is stated as a permission outranks."""
    if not isinstance(tools, dict):
        return permission
    stated: dict[str, object] = {permission_of(str(name)): "allow" if on else "deny" for name, on in tools.items()}
    return merged(stated, permission)


def objects(value: object) -> dict[str, dict[str, object]]:
    return {str(k): v for k, v in value.items() if isinstance(v, dict)} if isinstance(value, dict) else {}
