"""`policy.yaml` to a checked Policy: every problem at once, each at its line and column."""

from __future__ import annotations

import re
from collections.abc import Mapping as AbstractMapping
from hashlib import sha256
from typing import Literal, TypeGuard

from lang.cel import Tree, compile_condition
from lang.cel.problems import did_you_mean
from lang.times import parse_time
from policy.diagnostics import Checked, Diagnostic, Severity
from policy.model import EFFECTS, EffectWord, Example, Policy, Request, Rule
from policy.places import places
from policy.requests import RequestError, read_request
from policy.yamltree import Mapping, Node, Place, Scalar, Sequence, YamlProblem, lines_of, plain, read

POLICY_KEYS = ("version", "name", "default", "rules")
RULE_KEYS = ("id", "effect", "when", "reason", "controls", "expires", "tests")
TEST_KEYS = ("match", "not_match")
MAX_RULES = 10_000
VERSION = 1

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
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
    try:
        root = read(text)
    except YamlProblem as problem:
        reader.say(problem.start, problem.end, "error", problem.code, problem.message)
        return Checked(None, tuple(reader.diagnostics))
    policy = reader.policy(root)
    diagnostics = tuple(sorted(set(reader.diagnostics)))
    return Checked(None if any(d.severity == "error" for d in diagnostics) else policy, diagnostics)


class _Reader:
    """Walks the tree of one document and collects what is wrong with it."""

    def __init__(self, text: str, as_of: int | None) -> None:
        self.text = text
        self.lines = lines_of(text)
        self.as_of = as_of
        self.diagnostics: list[Diagnostic] = []

    def say(self, start: Place, end: Place, severity: Severity, code: str, message: str) -> None:
        """Adds a diagnostic; one that spans lines ends with its first line."""
        line = self.lines[start.line] if start.line < len(self.lines) else ""
        until = end.column if end.line == start.line else len(line)
        self.diagnostics.append(
            Diagnostic(start.line + 1, start.column + 1, max(until, start.column + 1) + 1, severity, code, message)
        )

    def error(self, node: Node, code: str, message: str) -> None:
        self.say(node.start, node.end, "error", code, message)

    def policy(self, root: Node | None) -> Policy | None:
        if root is None:
            start = Place(0, 0)
            self.say(start, start, "error", "empty", "the policy is empty; it needs `version`, `default` and `rules`")
            return None
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
        identity = self._id(keys.get("id"), seen)
        effect = self._effect(keys["effect"], "effect") if "effect" in keys else None
        when = keys.get("when")
        tree = self._when(when) if when is not None else None
        reason = self.text_of(keys.get("reason"), "reason") or ""
        controls = self._texts(keys.get("controls"), "controls")
        expires, expired = self._expires(keys.get("expires"))
        examples = self._examples(keys.get("tests"))
        if identity is None or effect is None or tree is None or not isinstance(when, Scalar):
            return None
        line = node.start.line + 1
        return Rule(identity, effect, when.value, tree, reason, controls, expires, expired, examples, line)

    def _id(self, node: Node | None, seen: dict[str, int]) -> str | None:
        identity = self.text_of(node, "id")
        if node is None or identity is None:
            return None
        if not _ID.match(identity):
            self.error(
                node, "bad-id", "an id is letters, digits, `.`, `_` and `-`, at most 128, and begins with a letter or digit"
            )
            return None
        if identity in seen:
            self.error(node, "duplicate-id", f"`{identity}` is already the id of the rule in line {seen[identity]}")
            return None
        seen[identity] = node.start.line + 1
        return identity

    def _effect(self, node: Node, key: str) -> EffectWord | None:
        word = self.text_of(node, key)
        if word is None:
            return None
        if _is_effect(word):
            return word
        near = _EFFECT_SYNONYMS.get(word.lower(), "")
        hint = f"; did you mean `{near}`?" if near else did_you_mean(word, EFFECTS)
        self.error(node, "bad-effect", f"`{key}` is `deny`, `ask` or `allow`{hint}")
        return None

    def _when(self, node: Node) -> Tree | None:
        if not isinstance(node, Scalar):
            self.error(node, "wrong-type", "`when` is a condition in CEL, one text; quote it if it begins with `[`, `{` or `!`")
            return None
        compiled = compile_condition(node.value)
        if compiled.problems:
            where = places(self.lines, node)
            for p in compiled.problems:
                self.say(where[p.start], where[p.end] if p.end > p.start else where[p.start], p.severity, p.code, p.message)
        return compiled.tree

    def _expires(self, node: Node | None) -> tuple[int | None, bool]:
        text = self.text_of(node, "expires")
        if node is None or text is None:
            return None, False
        at, _ = parse_time(text) if text[:1].isdigit() and "-" in text else (None, None)
        if at is None:
            self.error(node, "bad-time", "`expires` is a day or a time: 2027-01-31 or 2027-01-31T18:00:00Z")
            return None, False
        if _DAY.match(text):
            at += _DAY_MICROS  # a day is meant with its evening
        expired = self.as_of is not None and at <= self.as_of
        if expired:
            self.say(node.start, node.end, "warning", "expired", f"the rule expired ({text}) and is out of force")
        return at, expired

    def _examples(self, node: Node | None) -> tuple[Example, ...]:
        if node is None:
            return ()
        keys = self.keys(node, TEST_KEYS, "tests")
        out: list[Example] = []
        for key, examples in (keys or {}).items():
            if not isinstance(examples, Sequence):
                self.error(examples, "wrong-type", f"`{key}` is a list of requests: `- {{action.verb: exec}}`")
                continue
            for item in examples.items:
                request = self._request(item)
                if request is not None:
                    out.append(Example(key == "match", request, item.start.line + 1))
        return tuple(out)

    def _request(self, node: Node) -> Request | None:
        value = plain(node)
        try:
            return read_request(value)
        except RequestError as error:
            places_of = _key_places(node)
            for problem in error.problems:
                at = places_of.get(problem.name, node)
                self.error(at, "bad-request", problem.message)
            return None

    # nodes

    def keys(self, node: Node, known: tuple[str, ...], what: str) -> AbstractMapping[str, Node] | None:
        """The values of a mapping by key, null ones left out; unknown and repeated keys are errors."""
        if not isinstance(node, Mapping):
            self.error(node, "wrong-type", f"{what} is a mapping of {', '.join(f'`{k}`' for k in known)}")
            return None
        out: dict[str, Node] = {}
        for key, value in node.pairs:
            if not isinstance(key, Scalar):
                self.error(key, "wrong-type", "a key is a word")
            elif key.value not in known:
                synonym = _SYNONYMS.get(key.value.lower(), "")
                hint = f"; did you mean `{synonym}`?" if synonym in known else did_you_mean(key.value, known)
                message = f"unknown key `{key.value[:60]}` in {what}{hint or '; known: ' + ', '.join(known)}"
                self.error(key, "unknown-key", message)
            elif key.value in out:
                self.error(key, "duplicate-key", f"`{key.value}` is given twice in {what}")
            elif plain(value) is not None or key.value == "when":
                out[key.value] = value
        return out

    def text_of(self, node: Node | None, key: str) -> str | None:
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self.error(node, "wrong-type", f"`{key}` is one text")
            return None
        return node.value

    def _texts(self, node: Node | None, key: str) -> tuple[str, ...]:
        if node is None:
            return ()
        items = node.items if isinstance(node, Sequence) else [node]
        return tuple(text for item in items if (text := self.text_of(item, key)) is not None)


def _is_effect(word: str) -> TypeGuard[Literal["allow", "ask", "deny"]]:
    return word in EFFECTS


def _key_places(node: Node) -> dict[str, Node]:
    """Where each attribute of a written request stands, by its dotted name."""
    out: dict[str, Node] = {}
    if isinstance(node, Mapping):
        for key, value in node.pairs:
            if not isinstance(key, Scalar):
                continue
            out.setdefault(key.value, key)
            if isinstance(value, Mapping):
                for part, _ in value.pairs:
                    if isinstance(part, Scalar):
                        out.setdefault(f"{key.value}.{part.value}", part)
    return out
