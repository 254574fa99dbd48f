"""One policy, one request: the plain reading of deny > ask > allow > default with unknowns, rule by rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from lang.cel import evaluate
from policy.model import CODE, Answer, EffectWord, Policy, Request, Rule


class Undetermined(msgspec.Struct, frozen=True):
    """A rule that may or may not match and could change the answer, and the missing attributes it hangs on."""

    rule: str
    missing: tuple[str, ...]


class Decision(msgspec.Struct, frozen=True):
    """`effect` is unknown unless every way to fill in what is missing gives the same answer; `rule` is "" for the default.

    `matched` lists every rule that certainly matches, in the order of the policy; `rule` is the first of those whose
    effect wins.
    """

    effect: Answer
    rule: str
    matched: tuple[str, ...]
    undetermined: tuple[Undetermined, ...]


def decide(policy: Policy, request: Request) -> Decision:
    """The policy's answer to one projected request."""
    matched: list[Rule] = []
    open_: list[tuple[Rule, frozenset[str]]] = []
    for _, rule in policy.in_force:
        answer = evaluate(rule.tree, request)
        if answer.value is None:
            open_.append((rule, answer.missing))
        elif answer.value:
            matched.append(rule)
    return settled(policy.default, matched, open_)


class Ruled(Protocol):
    """A rule of any format: its name and what it does where it matches."""

    @property
    def id(self) -> str: ...
    @property
    def effect(self) -> EffectWord: ...


def settled(default: EffectWord, matched: Sequence[Ruled], open_: Sequence[tuple[Ruled, frozenset[str]]]) -> Decision:
    """Deny > ask > allow > default over the rules that match and those that may, with the names these lack."""
    names = tuple(rule.id for rule in matched)
    certain = max(matched, key=lambda rule: CODE[rule.effect], default=None)
    if certain is None:
        effect: EffectWord = default
        rivals = list(open_)
    else:
        effect = certain.effect
        rivals = [(rule, missing) for rule, missing in open_ if CODE[rule.effect] > CODE[effect]]
    if all(rule.effect == effect for rule, _ in rivals):
        return Decision(effect, certain.id if certain is not None else "", names, ())
    undetermined = tuple(Undetermined(rule.id, tuple(sorted(missing))) for rule, missing in rivals)
    return Decision("unknown", "", names, undetermined)
