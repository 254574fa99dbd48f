"""What a value that a Rego rule came to means: allow, ask or deny, why, and by which rule of its own naming."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from policy.model import CODE, EffectWord
from policy.rego.values import OPEN, SET

DENYING = ("deny", "violation", "violations", "forbid", "block", "halt")
ASKING = ("ask", "confirm", "prompt")
ALLOWING = ("allow", "permit", "authorized", "allowed")
DECIDING = ("decision", "verdict", "response", "result", "authz", "main")
"""Names of rules that are a decision by what they come to; read only where none by the name of an effect is there."""
WORDS: dict[str, EffectWord] = {
    **dict.fromkeys((*DENYING, "denied", "reject", "blocked", "forbidden"), "deny"),
    **dict.fromkeys((*ASKING, "ask_user", "require_approval", "approval", "review", "escalate"), "ask"),
    **dict.fromkeys((*ALLOWING, "accept", "approve", "permitted", "pass"), "allow"),
}
_DECIDES = ("decision", "effect", "action", "verdict", "result", "permission", "allow", "allowed", "deny")
_REASONS = ("reason", "reasons", "message", "messages", "msg", "violations", "deny")
_RULES = ("rule", "rule_id", "id", "policy")


class Meaning(msgspec.Struct, frozen=True):
    """`effect` is None where the value is no decision, or says nothing either way (an empty set of messages)."""

    effect: EffectWord | None
    reason: str = ""
    rule: str = ""
    readable: bool = True


NOTHING = Meaning(None)


def _kind(name: str) -> EffectWord | None:
    return WORDS.get(name.lower())


def meaning(name: str, value: object) -> Meaning:
    """What the value of a rule of this name means."""
    kind = _kind(name)
    if isinstance(value, bool):
        return _truth(kind, value)
    if isinstance(value, str):
        word = WORDS.get(value.lower())
        return Meaning(word, readable=word is not None)
    if isinstance(value, Mapping):
        return _object(kind, value)
    if isinstance(value, Sequence):
        return _members(kind, value)
    return Meaning(None, readable=False)


def _truth(kind: EffectWord | None, value: bool) -> Meaning:
    """A rule by the name of an effect says nothing where it is false; what then holds is the default."""
    if kind is None:
        return Meaning("allow" if value else "deny")
    return Meaning(kind) if value else NOTHING


def _members(kind: EffectWord | None, value: Sequence[object]) -> Meaning:
    """A set of messages denies or asks where it is not empty; one of decisions says the strongest."""
    if kind in ("deny", "ask"):
        if not value:
            return NOTHING
        texts = [_text(one) for one in value]
        rules = [str(one[key]) for one in value if isinstance(one, Mapping) for key in _RULES if isinstance(one.get(key), str)]
        return Meaning(kind, "; ".join(sorted(text for text in texts if text))[:1000], rules[0] if rules else "")
    found = [meaning("", one) for one in value]
    if any(not one.readable for one in found):
        return Meaning(None, readable=False)
    return max(found, key=lambda one: -1 if one.effect is None else CODE[one.effect], default=NOTHING)


def _object(kind: EffectWord | None, value: Mapping[str, object]) -> Meaning:
    key = next((key for key in _DECIDES if key in value), None)
    if key is None:
        # A partial object: `deny[msg]` in the older notation, whose keys are the messages.
        if kind in ("deny", "ask") and all(one is True for one in value.values()):
            return _members(kind, list(value))
        return Meaning(None, readable=False)
    said = meaning(key if key in ("allow", "allowed", "deny") else "", value[key])
    if said.readable and said.effect is None:
        said = Meaning("allow" if key == "deny" else "deny")
    reasons = [text for name in _REASONS if name != key for text in _texts(value.get(name))]
    rule = next((str(value[name]) for name in _RULES if isinstance(value.get(name), str)), "")
    return Meaning(said.effect, "; ".join(reasons)[:1000] or said.reason, rule, said.readable)


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    return [_text(one) for one in value if _text(one)] if isinstance(value, list) else []


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return next((str(value[name]) for name in _REASONS if isinstance(value.get(name), str)), "")
    return value if isinstance(value, str) else ""


def possible(name: str, told: Mapping[str, Any] | None) -> frozenset[EffectWord | None]:
    """Every effect the value of a rule may have, None for none: `told` is `worker.Compiled.answer`'s, None where undefined.

    Raises Unreadable where the value is no decision whatever is missing.
    """
    if told is None:
        return frozenset((None,))
    found = _effects(name, told["value"])
    return found | {None} if "maybe" in told else found


class Unreadable(ValueError):
    """A rule came to a value that is no decision."""


def _effects(name: str, value: Any) -> frozenset[EffectWord | None]:
    kind = _kind(name)
    if not isinstance(value, Mapping) or OPEN not in value:
        if isinstance(value, Mapping) and any(isinstance(inner, Mapping) and OPEN in inner for inner in value.values()):
            return _object_effects(name, value)
        said = meaning(name, value)
        if not said.readable:
            raise Unreadable(f"`{name}` came to {json.dumps(value)[:100]}, which is no decision")
        return frozenset((said.effect,))
    if SET in value or (kind in ("deny", "ask") and len(value) > 1):
        members = value[SET] if SET in value else [inner for inner in value if inner != OPEN]
        sure = _effects(name, list(members)) if members else frozenset((None,))
        return sure if kind in ("deny", "ask") and members else sure | (_ANY if kind is None else {kind})
    return _ANY if kind is None else frozenset((kind, None))


def _object_effects(name: str, value: Mapping[str, Any]) -> frozenset[EffectWord | None]:
    """A decision some of whose parts are open: they matter where they are what decides."""
    decides = next((one for one in _DECIDES if one in value), None)
    if decides is None or not (isinstance(value[decides], Mapping) and OPEN in value[decides]):
        told = {one: inner for one, inner in value.items() if not (isinstance(inner, Mapping) and OPEN in inner)}
        return _effects(name, told)
    inner = WORDS.get(decides)
    return frozenset((inner, "deny" if inner == "allow" else "allow")) if inner is not None else _ANY - {None}


_ANY: frozenset[EffectWord | None] = frozenset(("deny", "ask", "allow", None))
