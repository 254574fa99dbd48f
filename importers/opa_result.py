"""What a policy answered: `result` in the shapes policies return it, and OPA's AST form read as plain JSON."""

from __future__ import annotations

import re

import msgspec

from importers.shared.fields import Json, first_text, mapping, text
from model.words import Effect

_ALLOW = ("allow", "allowed", "is_allowed", "permit", "permitted", "authorized", "authorised", "granted", "approved", "pass")
_DENY = ("deny", "denied", "block", "blocked", "forbidden", "violation", "violations", "reject", "rejected")
_FOUND = ("violation", "violations")
"""What a policy found is a refusal only where it does not itself say that the thing is allowed all the same."""
_WORD = frozenset({*_DENY, "forbid", "prohibited", "disallow", "disallowed", "refuse", "refused", "unauthorized", "unauthorised"})
_NO = frozenset({"not", "no", "non", "without", "un"})
_TURNED = frozenset({*_NO, "or", *_ALLOW})
_PARTS = re.compile(r"[_\s-]+|(?<=[a-z0-9])(?=[A-Z])")
_WORD_OF_LEAVE = frozenset(_ALLOW)
_ASK = ("ask", "requires_approval", "require_approval", "needs_approval", "approval_required", "human_approval", "escalate")
_ASKED = frozenset({"approval", "approvals", "confirm", "confirmation", "escalate", "escalation", "review", "human"})
_DEMANDS = frozenset({"require", "requires", "need", "needs", "must", "warn", "warning", "warnings"})
_WORDED = ("decision", "effect", "verdict", "outcome", "action", "result", "status", "permission_decision", "permissionDecision")
_REASONS = ("reason", "reasons", "message", "messages", "msg", "explanation", "denied_reason", "deny_reasons", "justification",
            "permissionDecisionReason", "permission_decision_reason")  # fmt: skip
_WHY = (*_REASONS, *_DENY)
_RULES = ("rule", "rule_id", "ruleId", "matched_rule", "policy_rule", "policy_id", "policyId")
_WORDS: dict[str, Effect] = {
    word: effect
    for effect, words in (
        (Effect.ALLOW, "allow allowed permit permitted grant granted approve approved pass accept accepted true yes authorized"),
        (Effect.DENY, "deny denied forbid forbidden block blocked reject rejected refuse refused false no unauthorized"),
        (Effect.ASK, "ask prompt escalate review confirm require_approval requires_approval needs_approval approval_required"),
    )
    for word in words.split()
}
_RULE_LIKE = re.compile(r"^[A-Za-z][\w.:/-]{1,80}$")
_TERMS = frozenset({"string", "number", "boolean", "null", "object", "array", "set"})
_DEPTH = 60


class Answer(msgspec.Struct, frozen=True):
    """The effect of one decision, the rule that made it and why."""

    effect: Effect
    rule: str = ""
    reason: str = ""


def decided(entry: Json, path: str) -> Answer:
    """The answer of one decision; what was undefined or is not understood is unknown, never a deny."""
    if "result" not in entry:
        fault = entry.get("error")
        why = text(fault) or first_text(mapping(fault), "message", "code")
        gone = entry.get("erased")
        hidden = isinstance(gone, list) and "/result" in gone
        return Answer(Effect.UNKNOWN, reason=why or ("the result was erased from the log" if hidden else "undefined"))
    result = plain(entry["result"])
    last = path.rpartition("/")[2]
    if denies(last) and not isinstance(result, dict):
        return _denials(result)
    if asks(last) and not isinstance(result, dict):
        return (
            Answer(Effect.ASK, reason=_listed(result))
            if _holds(result)
            else Answer(Effect.UNKNOWN, reason="nothing is asked for")
        )
    if demands(last) and not isinstance(result, dict):
        return Answer(Effect.UNKNOWN, reason="the rule states a condition, no decision")
    effect = _effect(result)
    rule, reason = "", ""
    if isinstance(result, dict):
        told = result if effect is not None else _nested(result)
        effect = effect if effect is not None else _effect(told)
        rule = first_text(told, *_RULES)
        reason = _reason(told)
        if not rule and _RULE_LIKE.match(reason):
            rule = reason
    if effect is None and isinstance(result, dict) and denies(last):
        # A rule may list what it refuses as the names of an object.
        return Answer(Effect.DENY if result else Effect.ALLOW, rule, reason or "; ".join(list(result)[:20]))
    if effect is None:
        return Answer(Effect.UNKNOWN, rule, reason or "the result states no decision")
    return Answer(effect, rule, reason)


def denies(name: str) -> bool:
    """Whether a rule of this name says, where it holds, that something is refused: `deny`, `isDenied`, `should_block`, `not_allowed`."""
    words = [word.lower() for word in _PARTS.split(name)]
    if not _WORD.isdisjoint(words):
        return _TURNED.isdisjoint(words)
    return not _NO.isdisjoint(words) and not _WORD_OF_LEAVE.isdisjoint(words)


def demands(name: str) -> bool:
    """Whether a rule of this name says, where it holds, that something more is needed: `require_mfa`, `ticket_required`, `warn`."""
    words = [word.lower() for word in _PARTS.split(name)]
    return words[0] in _DEMANDS or words[-1] == "required"


def asks(name: str) -> bool:
    """Whether a rule of this name says, where it holds, that somebody is to be asked: `requires_approval`, `review_required`."""
    return name in _ASK or (demands(name) and not _ASKED.isdisjoint(word.lower() for word in _PARTS.split(name)))


def _listed(result: object) -> str:
    return _told(result) if isinstance(result, str | list) else ""


def _denials(result: object) -> Answer:
    """A rule that lists or states violations: anything in it is a deny."""
    if isinstance(result, bool):
        return Answer(Effect.DENY if result else Effect.ALLOW)
    if isinstance(result, list):
        return Answer(Effect.DENY if result else Effect.ALLOW, reason=_told(result))
    return Answer(Effect.UNKNOWN, reason="the result states no decision")


def _effect(result: object) -> Effect | None:
    if isinstance(result, bool):
        return Effect.ALLOW if result else Effect.DENY
    if isinstance(result, str):
        return _WORDS.get(result.strip().lower().replace(" ", "_").replace("-", "_"))
    if not isinstance(result, dict):
        return None
    permitted = any(_flag(result.get(name)) is Effect.ALLOW for name in _ALLOW)
    denying = [name for name in result if denies(name) and not (permitted and name in _FOUND)]
    if any(_holds(result[name]) for name in denying if name in _DENY or result[name] is True):
        return Effect.DENY
    if any(value is True and asks(name) for name, value in result.items()):
        return Effect.ASK
    for name in _ALLOW:
        if (said := _flag(result.get(name))) is not None:
            return said
    for name in _WORDED:
        value = result.get(name)
        if isinstance(value, bool | str) and (said := _effect(value)) is not None:
            return said
    if any(not _holds(result[name]) for name in denying if name in _DENY or result[name] is False):
        return Effect.ALLOW
    return None


def _flag(value: object) -> Effect | None:
    return _effect(value) if isinstance(value, bool | str) else None


def _holds(value: object) -> bool:
    """Whether a deny member denies: true, or a list or set that is not empty."""
    return value is True or (isinstance(value, list | dict | str) and len(value) > 0 and value not in ("false", "no"))


def _nested(result: Json) -> Json:
    """A whole package was asked for: the one rule of it that states a decision."""
    stating = [value for value in result.values() if isinstance(value, dict) and _effect(value) is not None]
    return stating[0] if len(stating) == 1 else result


def _reason(result: Json) -> str:
    """Why, as the policy words it; where it gives no reason, what its deny rules list; an admission answer has a status, AuthZEN's a context."""
    for name in _WHY:
        if name not in result:
            continue
        value = result[name]
        if isinstance(value, dict):
            value = first_text(value, "message", "msg", "code", "id")
        if isinstance(value, str | list) and (found := _told(value)):
            return found
    said = mapping(result.get("context"))
    for name in ("reason_admin", "reason_user", "reason"):
        # AuthZEN's answer words it for whom it is for, in any language or under any code.
        stated = said.get(name)
        words = [text(one) for one in stated.values()] if isinstance(stated, dict) else [text(stated)]
        if found := "; ".join(word for word in words[:10] if word):
            return found
    return first_text(mapping(result.get("status")), "message", "reason")


def _told(value: str | list[object]) -> str:
    listed = [value] if isinstance(value, str) else value
    told = (text(one) or first_text(mapping(one), "msg", "message", "reason") for one in listed)
    return "; ".join(one for one in told if one)


def plain(value: object, depth: int = 0) -> object:
    """OPA's AST form (`{"type": "string", "value": ...}`, objects as lists of pairs) as plain JSON; all else unchanged.

    Debug lines write `input` so, and OPA 1.x leaks the form into decision logs.
    """
    if depth > _DEPTH:
        return None
    if isinstance(value, dict):
        return _term(text(value["type"]), value["value"], depth) if _is_term(value) else value
    if isinstance(value, list) and value and all(_is_pair(one) for one in value):
        return _pairs(value, depth)
    return value


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(_is_term(one) for one in value)


def _is_term(value: object) -> bool:
    if not isinstance(value, dict) or len(value) != 2 or "value" not in value:
        return False
    kind = value.get("type")
    return isinstance(kind, str) and kind in _TERMS


def _pairs(value: list[object], depth: int) -> Json:
    found: Json = {}
    for pair in value:
        if isinstance(pair, list) and len(pair) == 2:
            name = plain(pair[0], depth + 1)
            if isinstance(name, str):
                found[name] = plain(pair[1], depth + 1)
    return found


def _term(kind: str, value: object, depth: int) -> object:
    if kind == "object":
        return _pairs(value, depth) if isinstance(value, list) else {}
    if kind in ("array", "set"):
        return [plain(one, depth + 1) for one in value] if isinstance(value, list) else []
    return None if kind == "null" else value
