"""Rego text to a checked policy: what the engine refuses and what it would silently take, each at its line and column."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

import msgspec

from lang.cel.functions import MAX_PATTERN, pattern
from model.request import FIELD, FIELDS
from policy.decisions import EngineFailed
from policy.diagnostics import Checked, Diagnostic, Severity
from policy.model import EffectWord
from policy.rego.engine import ENGINE, Source, available
from policy.rego.interpreter import NOW
from policy.rego.plan import Function, Plan, Spot, Statement, rule_name, statements
from policy.rego.results import ALLOWING, ASKING, DECIDING, DENYING, WORDS

FORMAT = "rego"
MAX_TEXT = 500_000
MAX_DEPTH = 100
_FIELDS = tuple(field.name for field in FIELDS)

_PACKAGE = re.compile(r"^[ \t]*package[ \t]+([A-Za-z_][\w.]*(?:\[\"[^\"]*\"\])*)", re.MULTILINE)
_RULE = re.compile(r"^(?:default[ \t]+)?([A-Za-z_]\w*)", re.MULTILINE)
_MARKED = re.compile(r"^#[ \t]*METADATA[ \t]*\n((?:#.*\n)*)\s*(?:default[ \t]+)?([A-Za-z_]\w*)", re.MULTILINE)
_OLD_SET = re.compile(r"^([A-Za-z_]\w*)\[", re.MULTILINE)
_ERROR = re.compile(r"\(error \d+:[^|\s]*\|(\d+)\|(\d+)\s*\(errormsg \d+:([^\n]*?)\)\s*\n?")
_LITERAL = re.compile(r'"(?:\\.|[^"\\\n])*"|`[^`]*`|#[^\n]*')


class RegoRule(NamedTuple):
    """One body of a rule that decides, named by the rule and its line; `function` and `block` are its place in the plan."""

    id: str
    effect: EffectWord
    line: int
    function: str
    block: int


class RegoPolicy(msgspec.Struct, frozen=True):
    """A checked Rego policy: the rules that are its decision (`entries`, by name) and what holds where they say nothing.

    `reads` are attributes of our schema; it is `foreign` where it reads anything else, and is then asked as its own engine was.
    """

    source: Source
    own: Source
    package: str
    entries: tuple[str, ...]
    rules: tuple[RegoRule, ...]
    reads: tuple[str, ...]
    foreign: bool
    sha256: str
    default: EffectWord
    name: str = ""
    format: str = FORMAT


def check(text: str) -> Checked[RegoPolicy]:
    """Read a Rego policy; never raises: the policy is None where there is any error."""
    return _checked(text)


@lru_cache(maxsize=16)
def _checked(text: str) -> Checked[RegoPolicy]:
    reader = _Reader(text)
    try:
        policy = reader.policy()
    except EngineFailed as error:
        reader.say(0, 0, "engine", str(error))
        policy = None
    found = tuple(sorted(set(reader.found)))
    return Checked(None if any(one.severity == "error" for one in found) else policy, found)


class _Reader:
    """Reads one text."""

    def __init__(self, text: str) -> None:
        self.text = text.removeprefix("\ufeff")
        self.found: list[Diagnostic] = []
        self._lines = [0, *(match.end() for match in re.finditer("\n", self.text))]

    def say(self, start: int, length: int, code: str, message: str, severity: Severity = "error") -> None:
        """A diagnostic at a place of the text, in characters."""
        start = min(start, len(self.text))
        line = bisect_right(self._lines, start) - 1
        column = start - self._lines[line] + 1
        self.found.append(Diagnostic(line + 1, column, column + max(length, 1), severity, code, message))

    def _say_at(self, spot: Spot, code: str, message: str, severity: Severity = "error") -> None:
        line = self._line(spot.row)
        column = len(line.encode()[: spot.col].decode("utf-8", "ignore"))
        self.say(self._lines[min(max(spot.row, 1), len(self._lines)) - 1] + column, 1, code, message, severity)

    def _line(self, row: int) -> str:
        if not 1 <= row <= len(self._lines):
            return ""
        end = self._lines[row] if row < len(self._lines) else len(self.text)
        return self.text[self._lines[row - 1] : end]

    def policy(self) -> RegoPolicy | None:
        if not available():
            self.say(0, 0, "no-engine", "Rego policies need an engine of their own: install it with `pip install 'remit[rego]'`")
            return None
        if len(self.text) > MAX_TEXT:
            self.say(0, 0, "too-large", f"more than {MAX_TEXT:,} characters of Rego; split the policy")
            return None
        if "\0" in self.text:
            self.say(self.text.index("\0"), 1, "not-text", "this is no text: it holds a zero byte")
            return None
        bare = _LITERAL.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), self.text)
        if self._too_deep(bare):
            return None
        package = self._package(bare)
        if package is None:
            return None
        entries = self._entries(bare)
        modern, shifts = _modern(self.text, bare)
        # The engine builds nothing without an entry; one that is not there is undefined, and mistakes are told all the same.
        paths = tuple(f"{package.replace('.', '/')}/{entry}" for entry in entries or ("remit_none",))
        digest = sha256(repr((modern, paths)).encode("utf-8", "replace")).hexdigest()
        source = Source(digest, modern, paths, _FIELDS)
        told = ENGINE.load(source)
        if "error" in told:
            self._refused(str(told["error"]), shifts)
            return None
        if not entries:
            named = ", ".join((*DENYING[:2], *ASKING[:1], *ALLOWING[:1], *DECIDING[:2]))
            self.say(0, 0, "no-entry", f"no rule says what is decided: name one {named}, or mark one with `entrypoint: true`")
            return None
        plan = Plan(told["plan"])
        self._examined(plan)
        rules = tuple(self._rules(plan, package, entries))
        reads = tuple(sorted({name for path in plan.reads() for name in _fields(path)}))
        words = {WORDS.get(entry) for entry in entries}
        default: EffectWord = "allow" if words and words <= {"deny", "ask"} else "deny"
        own = Source(f"{digest}:own", modern, paths, ())
        sha = sha256(self.text.encode("utf-8", "replace")).hexdigest()
        foreign = any(path[-1:] != ("*",) and not _fields(path) for path in plan.reads())
        return RegoPolicy(source, own, package, tuple(entries), rules, reads, foreign, sha, default)

    def _too_deep(self, bare: str) -> bool:
        """The engine walks a text by recursion: what is nested deeper than any person's work would end it."""
        depth = 0
        for match in re.finditer(r"[][(){}]", bare):
            depth += 1 if match.group() in "([{" else -1
            if depth > MAX_DEPTH:
                self.say(match.start(), 1, "too-deep", f"nested more than {MAX_DEPTH} deep; split the rule")
                return True
        return False

    def _package(self, bare: str) -> str | None:
        named = list(_PACKAGE.finditer(bare))
        if not named:
            self.say(0, 0, "no-package", "a Rego policy begins with `package` and its name")
            return None
        if len(named) > 1:
            self.say(
                named[1].start(1), len(named[1].group(1)), "two-packages", "a file is one package; put this one into its own"
            )
            return None
        name = named[0].group(1)
        if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", name):
            self.say(named[0].start(1), len(name), "package", "a package is read whose name is words and dots")
            return None
        return name

    def _entries(self, bare: str) -> list[str]:
        """The rules to ask: those marked as entry points, else those by the name of an effect, else one that is a decision."""
        defined = list(dict.fromkeys(_RULE.findall(bare)))
        marked = [
            m.group(2) for m in _MARKED.finditer(self.text) if re.search(r"^#\s+entrypoint:\s*true", m.group(1), re.MULTILINE)
        ]
        if chosen := [name for name in dict.fromkeys(marked) if name in defined]:
            return chosen
        if chosen := [name for name in (*DENYING, *ASKING, *ALLOWING) if name in defined]:
            return chosen
        return [name for name in DECIDING if name in defined][:1]

    def _refused(self, error: str, shifts: list[tuple[int, int]]) -> None:
        """The engine's messages at their places, which it gives as bytes from the beginning of what it read."""
        found = _ERROR.findall(error)
        for start, length, message in found:
            place = int(start)
            place -= sum(more for at, more in shifts if at < place)
            characters = len(self.text.encode()[:place].decode("utf-8", "ignore"))
            self.say(characters, int(length), "syntax", message[:300] or "not a Rego policy")
        if not found:
            self.say(0, 0, "syntax", error.strip().splitlines()[0][:300] if error.strip() else "not a Rego policy")

    def _examined(self, plan: Plan) -> None:
        """What the engine takes without a word and OPA refuses, or what nobody can answer later."""
        for spot in plan.strange_calls():
            self._say_at(spot, "unknown-function", f"`{spot.name}` is neither in this file nor a function of Rego")
        if (circle := plan.circle()) is not None:
            self._say_at(circle, "recursion", f"`{rule_name(circle.name)}` is defined by itself")
        for spot in plan.unbound():
            self._say_at(spot, "unsafe", "a variable here is given no value anywhere")
        for _, spot in plan.calls():
            if spot.name in NOW:
                message = f"`{spot.name}` is of the moment and the machine: what hangs on it cannot be judged later"
                self._say_at(spot, "moment", message, "warning")
        for spot in plan.patterns():
            if wrong := _no_pattern(spot.name):
                self._say_at(
                    spot, "bad-pattern", f"not an RE2 pattern: {wrong}; the call is undefined, as if nothing matched", "warning"
                )
        for path, spot in plan.reads().items():
            if path and path[-1] != "*" and not _fields(path):
                message = f"no request of the history has `input.{'.'.join(path)}`; only what OPA was asked with may"
                self._say_at(spot, "unknown-attribute", message, "warning")

    def _rules(self, plan: Plan, package: str, entries: Iterable[str]) -> Iterable[RegoRule]:
        seen: dict[str, int] = {}
        for entry in entries:
            function = plan.functions.get(f"g0.data.{package}.{entry}")
            for number, block in enumerate(function.blocks if function is not None else ()):
                assert function is not None
                if not _gives(function, block):
                    continue
                line = self._head(entry, function.lines[number])
                identity = f"{entry}:{line}" if line else entry
                seen[identity] = seen.get(identity, 0) + 1
                if seen[identity] > 1:
                    identity = f"{identity}.{seen[identity]}"
                yield RegoRule(identity, _effect(entry, block), line, function.name, number)

    def _head(self, entry: str, line: int) -> int:
        """The line a rule begins on whose body is known to stand at or below it; the plan knows of no other."""
        heads = [self.text.count("\n", 0, m.start()) + 1 for m in re.finditer(rf"^{entry}\b", self.text, re.MULTILINE)]
        return max((head for head in heads if head <= line), default=heads[0] if heads and not line else line)


def _no_pattern(text: str) -> str:
    """What keeps a text from being a regular expression, "" where nothing does."""
    try:
        pattern(text)
    except ValueError as error:
        return str(error)[:200] if len(text) <= MAX_PATTERN else ""
    return ""


def _gives(function: Function, block: tuple[Statement, ...]) -> bool:
    """Whether a block gives a rule its value; that of `default` stands behind a test that it has none."""
    if block and block[0].kind == "IsUndefinedStmt":
        return False
    wanted = {"AssignVarOnceStmt": "target", "SetAddStmt": "set", "ObjectInsertOnceStmt": "object", "ObjectInsertStmt": "object"}
    return any(one.args.get(wanted[one.kind]) == function.result for one in statements(block) if one.kind in wanted)


def _effect(entry: str, block: tuple[Statement, ...]) -> EffectWord:
    """What a body does where its rule's name or a word in it says so; a decision that says neither denies."""
    if entry in WORDS:
        return WORDS[entry]
    texts = [value for one in statements(block) for value in one.args.values() if isinstance(value, str)]
    return next((WORDS[text] for text in texts if text in WORDS and text not in _NAMES), "deny")


_NAMES = frozenset(("allow", "allowed", "deny"))
"""Words that are as likely the names of a decision's parts."""


def _fields(path: tuple[str, ...]) -> list[str]:
    """The attributes of our schema at, above or below a path of the input."""
    joined = ".".join(path[:-1] if path and path[-1] == "*" else path)
    return [name for name in FIELD if not joined or f"{name}.".startswith(f"{joined}.") or f"{joined}.".startswith(f"{name}.")]


def _modern(text: str, bare: str) -> tuple[str, list[tuple[int, int]]]:
    """The older notation of a set, `deny[msg] { ... }`, as `deny contains msg { ... }`: the engine takes it for an object.

    With it the places, in bytes of the new text, behind which it is longer, and by how much.
    """
    out: list[str] = []
    shifts: list[tuple[int, int]] = []
    at = size = 0
    for match in _OLD_SET.finditer(bare):
        close = _closing(bare, match.end() - 1)
        if close < 0 or not re.match(r"[ \t]*\{", bare[close + 1 :]):
            continue
        inner = text[match.end() : close]
        for piece, new in ((text[at : match.end() - 1], " contains "), (inner, " ")):
            size += len((piece + new).encode("utf-8", "replace"))
            out += (piece, new)
            shifts.append((size - 1, len(new) - 1))
        at = close + 1
    return "".join((*out, text[at:])), shifts


def _closing(bare: str, opening: int) -> int:
    depth = 0
    for match in re.compile(r"[][(){}]").finditer(bare, opening):
        depth += 1 if match.group() in "([{" else -1
        if depth == 0:
            return match.start()
    return -1
