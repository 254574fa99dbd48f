"""Cedar text to a checked policy: every problem at once, each at its line and column.

Cedar's own messages carry no place. A text is cut into its policies, each is parsed alone, and the first token that
Cedar refuses is found by giving it ever shorter beginnings; other messages are placed at the word they name.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal

import msgspec

from model.words import TargetClass, Verb
from policy.cedar.conditions import Condition, condition_of, entity_types
from policy.cedar.schema import MAPPING, RESOURCES, TYPES, schema_text
from policy.cedar.text import Statement, Token, statements
from policy.diagnostics import Checked, Diagnostic, Severity
from policy.model import EffectWord

FORMAT = "cedar"
MAX_TEXT = 2_000_000
MAX_POLICIES = 10_000
# Cedar's parser and ours walk trees by recursion; what is deeper or longer would end the process or is no person's work.
MAX_DEPTH = 60
MAX_LINKS = 300
MAX_TOKENS = 20_000

_QUOTED = re.compile(r"`([^`]*)`")
_PREFIX = re.compile(r"^for policy `[^`]*`, ")
_WHERE = re.compile(r' in context for Action::"[^"]*"| on entity type `[^`]*`')
_UNSAFE = "unable to guarantee safety of access to optional attribute"
_NOWHERE = "unable to find an applicable action"
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")


class CedarRule(msgspec.Struct, frozen=True):
    """One Cedar policy as a rule. `id` is its `@id`, else the name Cedar gives it (`policy0`); `line` counts from 1."""

    id: str
    effect: EffectWord
    condition: Condition
    reason: str
    line: int


class CedarPolicy(msgspec.Struct, frozen=True):
    """A checked set of Cedar policies. Cedar denies what no policy permits."""

    rules: tuple[CedarRule, ...]
    sha256: str
    name: str = ""
    format: str = FORMAT
    default: EffectWord = "deny"


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong with a statement; `start` and `end` are offsets into it."""

    start: int
    end: int
    code: str
    message: str
    severity: Severity = "error"


def available() -> bool:
    """Whether Cedar's engine is installed."""
    try:
        import cedarpy  # noqa: F401
    except ImportError:
        return False
    return True


def check(text: str) -> Checked[CedarPolicy]:
    """Read Cedar policies; never raises: the policy is None where there is any error."""
    reader = _Reader(text)
    rules = reader.rules()
    found = tuple(sorted(reader.found))
    if any(one.severity == "error" for one in found):
        return Checked(None, found)
    return Checked(CedarPolicy(rules, sha256(text.encode("utf-8", "replace")).hexdigest()), found)


class _Reader:
    """Walks the statements of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[Diagnostic] = []
        self._lines = [0, *(match.end() for match in re.finditer(r"\n", text))]

    def say(self, start: int, end: int, code: str, message: str, severity: Severity = "error") -> None:
        line = bisect_right(self._lines, start) - 1
        column = start - self._lines[line] + 1
        self.found.append(Diagnostic(line + 1, column, max(column + 1, column + end - start), severity, code, message))

    def rules(self) -> tuple[CedarRule, ...]:
        if not available():
            self.say(0, 0, "no-engine", "Cedar policies need Cedar's own engine: install it with `pip install 'remit[cedar]'`")
            return ()
        if len(self.text) > MAX_TEXT:
            self.say(0, 0, "too-large", f"more than {MAX_TEXT:,} characters of Cedar; split the policy")
            return ()
        cut = statements(self.text)
        if len(cut) > MAX_POLICIES:
            self.say(0, 0, "too-large", f"more than {MAX_POLICIES:,} policies; split the file")
            return ()
        if not cut:
            self.say(0, 0, "no-rules", "there are no policies: everything is denied", "warning")
        seen: dict[str, int] = {}
        out = []
        for number, statement in enumerate(cut):
            # Offsets into the statement, not into the file: an unchanged policy is found again wherever it has moved.
            tree, problems = _read(statement.text)
            for one in problems:
                self.say(statement.start + one.start, statement.start + one.end, one.code, one.message, one.severity)
            if tree is not None and not any(one.severity == "error" for one in problems):
                rule = self._rule(tree, statement, f"policy{number}", seen)
                out.append(rule)
        return tuple(out)

    def _rule(self, tree: dict[str, Any], statement: Statement, name: str, seen: dict[str, int]) -> CedarRule:
        notes = tree.get("annotations") or {}
        line = bisect_right(self._lines, statement.start)
        identity = str(notes.get("id") or name)
        if identity in seen:
            message = f"`{identity[:100]}` is also the policy of line {seen[identity]}; give each its own @id"
            self.say(statement.start, statement.start + len(statement.tokens[0].text), "duplicate-id", message)
        seen.setdefault(identity, line)
        effect: EffectWord = "allow" if tree["effect"] == "permit" else "ask" if notes.get("decision") == "ask" else "deny"
        reason = str(notes.get("reason") or notes.get("description") or notes.get("advice") or "")
        return CedarRule(identity, effect, _condition(statement.text), reason, line)


@lru_cache(maxsize=MAX_POLICIES)
def _condition(text: str) -> Condition:
    tree, _ = _read(text)
    assert tree is not None
    return condition_of(tree)


@lru_cache(maxsize=MAX_POLICIES)
def _read(text: str) -> tuple[dict[str, Any] | None, tuple[Problem, ...]]:
    """One policy in Cedar's JSON, None where it does not parse, and what is wrong with it."""
    import cedarpy

    (statement, *_) = statements(text)
    if (problem := _too_deep(statement)) is not None:
        return None, (problem,)
    try:
        found = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        return None, (_refused(statement, str(error)),)
    if found["templates"]:
        slot = next((t for t in statement.tokens if t.text == "?"), statement.tokens[0])
        message = "a template (`?principal`, `?resource`) decides nothing by itself; write the entity"
        return None, (_at(slot, "template", message),)
    ((_, tree),) = found["staticPolicies"].items()
    return tree, (*_decision(tree, statement), *(_foreign(tree, statement) or _validated(tree, statement)))


def _at(token: Token, code: str, message: str, severity: Severity = "error") -> Problem:
    return Problem(token.start, token.end, code, message, severity)


def _too_deep(statement: Statement) -> Problem | None:
    depth = links = branches = 0
    for count, token in enumerate(statement.tokens):
        depth += (token.text in _OPEN) - (token.text in _CLOSE)
        links += token.text in ("&&", "||", "+", "-", "*", ".", "[")
        branches += token.text == "if"
        if depth + branches > MAX_DEPTH:
            return _at(token, "too-deep", f"nested more than {MAX_DEPTH} deep; split the policy")
        if links > MAX_LINKS or count > MAX_TOKENS:
            return _at(token, "too-long", 'the policy is too long; split it, or test for membership: `["a", "b"].contains(...)`')
    return None


def _refused(statement: Statement, error: str) -> Problem:
    """Where Cedar stops reading. Its parser reads token by token: a beginning it can still go on from is *unfinished*."""
    message = error or "not a Cedar policy"
    if message.startswith("unexpected end of input"):
        last = statement.tokens[-1]
        return Problem(last.end - 1, last.end, "syntax", "the policy is not finished: it ends with `;`")
    lowest, highest = 0, len(statement.tokens)
    while lowest < highest:
        middle = (lowest + highest) // 2
        if _unfinished(statement.text[: statement.tokens[middle].end]):
            lowest = middle + 1
        else:
            highest = middle
    # Where the parser had gone on behind what it refuses, the word it names is the nearest one before.
    named = next(iter(_QUOTED.findall(message)), "")
    if message.startswith("unexpected token"):
        lowest = next(
            (i for i in range(min(lowest, len(statement.tokens) - 1), -1, -1) if statement.tokens[i].text == named), lowest
        )
    if lowest < len(statement.tokens) - 1 or message.startswith(("unexpected token", "invalid token")):
        token = statement.tokens[min(lowest, len(statement.tokens) - 1)]
        return _at(
            token, "syntax", f"`{token.text[:40]}` cannot stand here ({message})" if token.text not in message else message
        )
    return _named(statement, message, "syntax")


def _unfinished(text: str) -> bool:
    import cedarpy

    try:
        cedarpy.policies_to_json_str(text)
    except ValueError as error:
        return str(error).startswith("unexpected end of input")
    return True


def _named(statement: Statement, message: str, code: str, severity: Severity = "error") -> Problem:
    """A message placed at the first word of the statement that it names between backticks, else at its beginning."""
    for quoted in _QUOTED.findall(message):
        words = [w for w in (quoted, *re.split(r'::|"|\.', quoted)[::-1]) if w]
        for word in words:
            for token in statement.tokens:
                if word in (token.text, token.text[1:-1] if token.kind == "string" else ""):
                    return _at(token, code, message, severity)
    return _at(statement.tokens[0], code, message, severity)


def _decision(tree: dict[str, Any], statement: Statement) -> list[Problem]:
    """`@decision("ask")` makes a question of a forbid; nothing else can be meant by the annotation."""
    word = (tree.get("annotations") or {}).get("decision")
    if (
        word is None
        or (tree["effect"] == "forbid" and word in ("ask", "deny"))
        or (tree["effect"] == "permit" and word == "allow")
    ):
        return []
    place = next((t for t in statement.tokens if t.text == "decision"), statement.tokens[0])
    if word == "ask":
        return [
            _at(
                place,
                "bad-decision",
                'a permit cannot ask: write `@decision("ask") forbid ...`, which is asked before it is permitted',
            )
        ]
    return [_at(place, "bad-decision", f'`@decision("{str(word)[:40]}")` is not known; write `@decision("ask")` on a forbid')]


def _foreign(tree: dict[str, Any], statement: Statement) -> list[Problem]:
    """Entity types of another application's schema, each refused by name."""
    out = []
    for name in sorted(entity_types(tree) - TYPES):
        message = f"entity type `{name[:100]}` is not one a request has: {MAPPING}"
        last = name.rpartition("::")[2]
        token = next((t for t in statement.tokens if t.text == last), statement.tokens[0])
        out.append(_at(token, "unknown-type", message))
    return out


def _validated(tree: dict[str, Any], statement: Statement) -> list[Problem]:
    """Cedar's strict validation. All actions have one context and all resources one set of attributes, so a few stand for all."""
    import cedarpy

    words = {t.text for t in statement.tokens} | {t.text[1:-1] for t in statement.tokens if t.kind == "string"}
    verbs = tuple(v.value for v in Verb if v.value in words or v.value.partition(".")[0] in words)
    types = tuple(sorted(name for name in {*RESOURCES.values()} if name in words))
    result = cedarpy.validate_policies(statement.text, _schema(verbs, types))
    out: dict[str, Problem] = {}
    for one in result.errors:
        message = _WHERE.sub("", _PREFIX.sub("", one.error))
        code: Literal["unguarded", "invalid"] = "invalid"
        severity: Severity = "error"
        if message.startswith(_UNSAFE):
            name = next(iter(_QUOTED.findall(message)), "the attribute")
            does = "forbids nothing" if tree["effect"] == "forbid" else "permits nothing"
            message = f"`{name}` may be missing: Cedar then skips this policy, which {does}; test it first with `has {name}`"
            code, severity = "unguarded", "warning"
        out.setdefault(message, _named(statement, message, code, severity))
    told = [one for one in out.values() if not one.message.startswith(_NOWHERE)]
    return told or list(out.values())


@lru_cache(maxsize=256)
def _schema(verbs: tuple[str, ...], types: tuple[str, ...]) -> Any:
    import cedarpy

    some = frozenset((*verbs, *(() if verbs else (Verb.UNKNOWN.value,))))
    return cedarpy.Schema.from_str(schema_text(some, frozenset((*types, RESOURCES[TargetClass.UNKNOWN.value]))))
