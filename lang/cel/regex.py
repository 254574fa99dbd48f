"""A regular expression over many texts at once: literals it cannot match without, and one scan over all of them.

Calling RE2 once per text costs about 2 µs, most of it Python's. Two ways round it, both exact: texts without a literal
that every match must hold are left out beforehand; and texts joined by line ends are scanned in one go for *lines* that
hold a match, with RE2 told never to let a match cross a line end.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import re2

from lang.cel.columns import Bools, Texts
from lang.cel.functions import pattern

_SPECIAL = frozenset("\\.+*?()|[]{}^$")
_GROUP = re.compile(r"\(\?(?:P?<\w+>|[A-Za-z-]*:)")
# What means something else in the middle of a longer text, or reaches beyond the group it would be put into.
_NOT_BY_LINE = re.compile(r"\\[AzZCQE]|\(\?(?!:|i\))")
_FEW = 64


def matching(texts: Texts, expression: str) -> Bools:
    """Which texts hold a match of an RE2 pattern."""
    out = np.ones(len(texts), np.bool_)
    for literal in required(expression):
        out &= texts.containing(literal.encode())
    rows = np.flatnonzero(out)
    if len(rows) > _FEW and len(rows) * 16 > len(texts) and not _NOT_BY_LINE.search(expression):
        return out & _by_line(texts, expression)
    found_in = pattern(expression).found_in
    out[rows] = np.fromiter((found_in(raw) for raw in texts.raws(rows)), np.bool_, len(rows))
    return out


def _by_line(texts: Texts, expression: str) -> Bools:
    """One scan over the texts as lines; texts that hold line ends themselves are looked at one by one."""
    data, starts, broken = texts.lines
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.never_nl = True
    lines = re2.compile(f"(?m:^.*?(?:{expression}).*$)", options)
    out = np.zeros(len(texts), np.bool_)
    found = np.fromiter((line.start() for line in lines.finditer(data)), np.int64)
    out[np.searchsorted(starts, found, side="right") - 1] = True
    found_in = pattern(expression).found_in
    out[broken] = np.fromiter((found_in(raw) for raw in texts.raws(broken)), np.bool_, len(broken))
    return out


@lru_cache(maxsize=512)
def required(expression: str) -> tuple[str, ...]:
    """Literal texts that occur in every match of an RE2 pattern, the longest first; () where none can be told.

    Only the top level is read: what stands in groups, classes and escapes of letters is skipped, a character with an
    optional quantifier is dropped, and an alternation at the top or a flag gives (). Cautious by construction: a text
    left out costs time, never an answer.
    """
    if "\\Q" in expression:
        return ()
    found: list[str] = []
    run: list[str] = []
    i, size, depth = 0, len(expression), 0

    def end() -> None:
        if run:
            found.append("".join(run))
            run.clear()

    while i < size:
        char = expression[i]
        if char == "[":
            end()
            i = _class_end(expression, i)
            continue
        if char == "(":
            end()
            group = _GROUP.match(expression, i)
            if group is None and expression.startswith("(?", i):
                return ()
            depth, i = depth + 1, group.end() if group is not None else i + 1
            continue
        if char == "|" and depth == 0:
            return ()
        if char == "\\":
            literal = expression[i + 1 : i + 2]
            i += 2
            if not literal or literal.isalnum():
                end()
                if literal.isdigit():
                    return ()
                i = _escape_end(expression, i, literal)
                continue
            char = literal
        elif char in _SPECIAL:
            if char in "*?{" and run:
                run.pop()
            end()
            if char == "{":
                i = expression.find("}", i)
                if i < 0:
                    return ()
            depth -= char == ")"
            i += 1
            continue
        else:
            i += 1
        if depth == 0:
            run.append(char)
    end()
    return tuple(sorted(set(found), key=lambda t: (-len(t), t))[:2])


def _escape_end(expression: str, i: int, letter: str) -> int:
    """Index after what belongs to an escape of a letter: the digits of `\\x41`, the name of `\\p{Greek}`."""
    if letter in ("x", "p", "P") and expression[i : i + 1] == "{":
        return expression.find("}", i) + 1 or len(expression)
    return i + {"x": 2, "p": 1, "P": 1}.get(letter, 0)


def _class_end(expression: str, i: int) -> int:
    """Index after the character class that begins at `i`."""
    i += 1
    if expression[i : i + 1] == "^":
        i += 1
    if expression[i : i + 1] == "]":
        i += 1
    while i < len(expression) and expression[i] != "]":
        if expression.startswith("[:", i):
            close = expression.find(":]", i)
            i = close + 2 if close >= 0 else i + 1
        else:
            i += 2 if expression[i] == "\\" else 1
    return i + 1
