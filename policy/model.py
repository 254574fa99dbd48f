"""A policy as replay reads it: rules with typed conditions, and the answers a policy can give."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from lang.cel import Tree
from lang.cel.typed import Value

EffectWord = Literal["allow", "ask", "deny"]
Answer = Literal["allow", "ask", "deny", "unknown"]
Request: TypeAlias = "dict[str, Value]"

# Codes of effects in arrays; a higher code wins: deny > ask > allow.
ALLOW, ASK, DENY, UNKNOWN = range(4)
ANSWERS: tuple[Answer, ...] = ("allow", "ask", "deny", "unknown")
EFFECTS: tuple[EffectWord, ...] = ("allow", "ask", "deny")
CODE: dict[str, int] = {word: code for code, word in enumerate(ANSWERS)}

FORMAT = "remit"


class Example(msgspec.Struct, frozen=True):
    """A request that a rule must (`match`) or must not match, and the line it stands on."""

    match: bool
    request: Request
    line: int


class Rule(msgspec.Struct, frozen=True):
    """One rule. `expires` is microseconds UTC; an `expired` rule is out of force and matches nothing."""

    id: str
    effect: EffectWord
    when: str
    tree: Tree
    reason: str = ""
    controls: tuple[str, ...] = ()
    expires: int | None = None
    expired: bool = False
    examples: tuple[Example, ...] = ()
    line: int = 0


class Policy(msgspec.Struct, frozen=True):
    """A checked `policy.yaml`; `sha256` is that of its text, UTF-8. No priorities: deny > ask > allow > default."""

    name: str
    default: EffectWord
    rules: tuple[Rule, ...]
    sha256: str
    version: int = 1
    format: str = FORMAT

    @property
    def in_force(self) -> tuple[tuple[int, Rule], ...]:
        """The rules that are not expired, with their place in `rules`."""
        return tuple((i, rule) for i, rule in enumerate(self.rules) if not rule.expired)
