"""`policy.yaml` to a checked Policy: every problem at once, each at its line and column."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Literal, TypeGuard

from lang.cel import Answer, Tree, evaluate
from lang.cel.typed import Value
from lang.times import parse_time
from lang.yamlcheck import Document
from lang.yamltree import Node, Place, Scalar, Sequence, plain
from policy.diagnostics import Checked
from policy.model import EFFECTS, EffectWord, Example, Policy, Rule

POLICY_KEYS = ("version", "name", "default", "rules")
RULE_KEYS = ("id", "effect", "when", "reason", "controls", "expires", "tests")
TEST_KEYS = ("match", "not_match")
MAX_RULES = 10_000
VERSION = 1

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
# Of a day in another spelling day and month are told apart by a guess, and a day with a zone would end with its morning.
_EXPIRES = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?\Z"
)
_DAY_MICROS = 86_400_000_000
_SYNONYMS = {
    "condition": "when", "if": "when", "expression": "when", "action": "effect", "decision": "effect", "verdict": "effect",
    "name": "id", "description": "reason", "message": "reason", "comment": "reason", "expiry": "expires", "until": "expires",
    "examples": "tests", "default_effect": "default", "policies": "rules",
}  # fmt: skip
_EFFECT_SYNONYMS = {
    "block": "deny", "forbid": "deny", "forbidden": "deny", "reject": "deny", "prompt": "ask", "confirm": "ask", "warn": "ask",
    "permit": "allow", "approve": "allow", "accept": "allow",
}  # fmt: skip


def check(text: str, as_of: int | None = None) -> Checked[Policy]:
    """Read a policy; never raises: the policy is None where there is any error.

    `as_of` is microseconds UTC: rules that expire before it are out of force and warned of. Without it none expires.
    """
    reader = _Reader(text, as_of)
    root = reader.read("policy", "`version`, `default` and `rules`")
    policy = reader.policy(root) if root is not None else None
    diagnostics = reader.found()
    return Checked(None if any(d.severity == "error" for d in diagnostics) else policy, diagnostics)


class _Reader(Document):
    """Walks the tree of one policy."""

    synonyms = _SYNONYMS

    def __init__(self, text: str, as_of: int | None) -> None:
        super().__init__(text)
        self.as_of = as_of

    def policy(self, root: Node) -> Policy | None:
        keys = self.keys(root, POLICY_KEYS, "a policy")
        if keys is None:
            return None
        self._version(root, keys.get("version"))
        name = self.text_of(keys.get("name"), "name") or ""
        default: EffectWord = "deny"
        if "default" in keys:
            default = self._effect(keys["default"], "default") or "deny"
        else:
            first = Place(root.start.line, root.start.column)
            message = "`default` is missing; what no rule decides is denied. Write `default: deny`, `ask` or `allow`"
            self.say(first, first, "warning", "missing-key", message)
        rules = self._rules(root, keys.get("rules"))
        return Policy(name, default, rules, sha256(self.text.encode("utf-8", "replace")).hexdigest())

    def _version(self, root: Node, node: Node | None) -> None:
        if node is None:
            message = f"`version` is missing; write `version: {VERSION}`"
            self.say(root.start, root.start, "warning", "missing-key", message)
        elif plain(node) != VERSION or isinstance(plain(node), bool):
            self.error(node, "bad-version", f"this program reads policies of `version: {VERSION}`")

    def _rules(self, root: Node, node: Node | None) -> tuple[Rule, ...]:
        if node is None:
            self.say(root.start, root.start, "error", "missing-key", "`rules` is missing; write `rules: []` for none")
            return ()
        if not isinstance(node, Sequence):
            self.error(node, "wrong-type", "`rules` is a list: each rule begins with `- id: ...`")
            return ()
        if not node.items:
            self.say(node.start, node.end, "warning", "no-rules", "there are no rules: the default decides everything")
        if len(node.items) > MAX_RULES:
            self.error(node, "too-large", f"more than {MAX_RULES:,} rules; split the policy")
            return ()
        seen: dict[str, int] = {}
        return tuple(rule for item in node.items if (rule := self._rule(item, seen)) is not None)

    def _rule(self, node: Node, seen: dict[str, int]) -> Rule | None:
        keys = self.keys(node, RULE_KEYS, "a rule")
        if keys is None:
            return None
        for key in ("id", "effect", "when"):
            if key not in keys:
                self.say(node.start, node.start, "error", "missing-key", f"the rule has no `{key}`")
        identity = self.identity(keys.get("id"), seen, "rule")
        effect = self._effect(keys["effect"], "effect") if "effect" in keys else None
        when = keys.get("when")
        tree = self.condition(when) if when is not None else None
        reason = self.text_of(keys.get("reason"), "reason") or ""
        controls = self.texts_of(keys.get("controls"), "controls")
        expires, expired = self._expires(keys.get("expires"))
        examples = self._examples(keys.get("tests"), tree)
        if identity is None or effect is None or tree is None or not isinstance(when, Scalar):
            return None
        line = node.start.line + 1
        return Rule(identity, effect, when.value, tree, reason, controls, expires, expired, examples, line)

    def _effect(self, node: Node, key: str) -> EffectWord | None:
        word = self.choice(node, key, EFFECTS[::-1], _EFFECT_SYNONYMS, "bad-effect")
        return word if word is not None and _is_effect(word) else None

    def _expires(self, node: Node | None) -> tuple[int | None, bool]:
        text = self.text_of(node, "expires")
        if node is None or text is None:
            return None, False
        at, _ = parse_time(text) if _EXPIRES.match(text) else (None, None)
        if at is None:
            self.error(node, "bad-time", "`expires` is a day or a time: 2027-01-31 or 2027-01-31T18:00:00Z")
            return None, False
        if _DAY.match(text):
            at += _DAY_MICROS  # a day is meant with its evening
        expired = self.as_of is not None and at <= self.as_of
        if expired:
            self.say(node.start, node.end, "warning", "expired", f"the rule expired ({text}) and is out of force")
        return at, expired

    def _examples(self, node: Node | None, tree: Tree | None) -> tuple[Example, ...]:
        """The requests of a rule's tests; those that contradict each other or the condition are warned of."""
        if node is None:
            return ()
        told: dict[tuple[tuple[str, Value], ...], tuple[str, int]] = {}
        keys = self.keys(node, TEST_KEYS, "tests")
        out: list[Example] = []
        for key, examples in (keys or {}).items():
            if not isinstance(examples, Sequence):
                self.error(examples, "wrong-type", f"`{key}` is a list of requests: `- {{action.verb: exec}}`")
                continue
            for item in examples.items:
                request = self.request(item)
                if request is None:
                    continue
                line = item.start.line + 1
                out.append(Example(key == "match", request, line))
                other, at = told.setdefault(tuple(sorted(request.items())), (key, line))
                if other != key:
                    self.error(item, "contradiction", f"the same request is under `{other}` in line {at}")
                elif tree is not None and (answer := evaluate(tree, request)).value is not (key == "match"):
                    self.warn(item, "failing-test", _failing(key, answer))
        return tuple(out)


def _failing(key: str, answer: Answer) -> str:
    if answer.value is None:
        lacks = ", ".join(sorted(answer.missing))
        return f"cannot be judged: it does not state {lacks}" if lacks else "cannot be judged: a value cannot be computed"
    return f"`{key}`, but the condition does {'not match' if key == 'match' else 'match'} it"


def _is_effect(word: str) -> TypeGuard[Literal["allow", "ask", "deny"]]:
    return word in EFFECTS
