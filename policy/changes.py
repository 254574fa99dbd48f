"""What differs between two texts of a policy, line by line and rule by rule."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import msgspec

from lang.jsonc import loads
from policy.agents.base import RuleFile
from policy.agents.codex.rules import RuleSet
from policy.agents.codex.starlark_syntax import Refused, Unmodelled
from policy.agents.gemini_cli import toml_rules
from policy.document import check
from policy.model import FORMAT

Stated = dict[str, Any]
_EFFECTS = ("deny", "ask", "allow")


class RuleChange(msgspec.Struct, frozen=True):
    """One rule that is not as it was: `fields` names what changed of it, `before` and `after` say what it states."""

    id: str
    change: Literal["added", "removed", "changed"]
    fields: tuple[str, ...]
    before: Stated | None
    after: Stated | None


def text_diff(before: Sequence[RuleFile], after: Sequence[RuleFile], names: tuple[str, str]) -> str:
    """A unified diff of the files of both, each file by its layer and name."""
    old = {(file.layer, file.name): file.text for file in before}
    new = {(file.layer, file.name): file.text for file in after}
    if len(old) == len(new) == 1:
        # One file each is one policy, whatever the two are called.
        new = dict(zip(old, new.values(), strict=True))
    lines: list[str] = []
    for key in dict.fromkeys((*old, *new)):
        left, right = old.get(key, ""), new.get(key, "")
        shown = [f"{name}/{'/'.join(part for part in key if part)}" if len({*old, *new}) > 1 else name for name in names]
        lines += difflib.unified_diff(left.splitlines(), right.splitlines(), shown[0], shown[1], lineterm="")
    return "\n".join(lines)


def rule_changes(format: str, before: Sequence[RuleFile], after: Sequence[RuleFile]) -> list[RuleChange] | None:
    """Rules added, removed and changed, in the order of the newer text, those removed last; None where a format has no list of rules.

    A rule of our own language is the one of its id; an agent's rule is the one that reads the same. Whether order matters
    is the program's affair: rules that only moved are not listed, the text diff shows them.
    """
    read = _READERS.get(format)
    if read is None:
        return None
    old, new = dict(read(before)), dict(read(after))
    changes = []
    for id, stated in new.items():
        was = old.get(id)
        if was is None:
            changes.append(RuleChange(id, "added", (), None, stated))
        elif was != stated:
            fields = tuple(name for name in dict.fromkeys((*was, *stated)) if was.get(name) != stated.get(name))
            changes.append(RuleChange(id, "changed", fields, was, stated))
    return changes + [RuleChange(id, "removed", (), stated, None) for id, stated in old.items() if id not in new]


def _remit(files: Sequence[RuleFile]) -> Iterator[tuple[str, Stated]]:
    for file in files:
        policy = check(file.text).policy
        if policy is None:
            continue
        yield "(default)", {"effect": policy.default}
        for rule in policy.rules:
            stated: Stated = {"effect": rule.effect, "when": rule.when, "reason": rule.reason}
            yield rule.id, stated | {"controls": list(rule.controls), "expires": rule.expires}


def _claude_code(files: Sequence[RuleFile]) -> Iterator[tuple[str, Stated]]:
    for file in files:
        try:
            read = loads(file.text)
        except ValueError:
            continue
        told = read.get("permissions") if isinstance(read, dict) else None
        told = told if isinstance(told, dict) else {}
        for effect in _EFFECTS[::-1]:
            listed = told.get(effect)
            for rule in listed if isinstance(listed, list) else ():
                if isinstance(rule, str):
                    yield _at(file, rule), {"effect": effect}
        if "defaultMode" in told:
            yield _at(file, "defaultMode"), {"effect": str(told["defaultMode"])}


def _codex(files: Sequence[RuleFile]) -> Iterator[tuple[str, Stated]]:
    for file in files:
        held = RuleSet()
        try:
            held.read(file.name, file.text)
        except (Refused, Unmodelled):
            continue
        for rule in held.rules:
            yield _at(file, str(rule).rpartition(", decision=")[0] + ")"), {"effect": rule.decision, "reason": rule.justification}


def _gemini_cli(files: Sequence[RuleFile]) -> Iterator[tuple[str, Stated]]:
    for file in files:
        if file.name.endswith(".json"):
            continue
        for rule in toml_rules.load(file).rules:
            stated = msgspec.to_builtins(rule)
            kept = {name: stated[name] for name in ("priority", "modes", "interactive", "redirection") if stated[name]}
            name = " ".join(
                part for part in (rule.tool, f"/{rule.pattern}/" if rule.pattern else "", rule.subagent or "") if part
            )
            yield _at(file, name), {"effect": rule.effect.value, **kept}


def _opencode(files: Sequence[RuleFile]) -> Iterator[tuple[str, Stated]]:
    for file in files:
        try:
            read = loads(file.text)
        except ValueError:
            continue
        told = read.get("permission") if isinstance(read, dict) else None
        for name, value in (told if isinstance(told, dict) else {"*": told} if told is not None else {}).items():
            for pattern, effect in (value if isinstance(value, dict) else {"*": value}).items():
                yield _at(file, f"{name} {pattern}"), {"effect": effect if isinstance(effect, str) else json.dumps(effect)}


def _at(file: RuleFile, rule: str) -> str:
    return f"{file.layer}: {rule}" if file.layer else rule


_READERS: dict[str, Callable[[Sequence[RuleFile]], Iterator[tuple[str, Stated]]]] = {
    FORMAT: _remit,
    "claude-code": _claude_code,
    "codex": _codex,
    "gemini-cli": _gemini_cli,
    "opencode": _opencode,
}
