"""JavaScript regular expressions, searched by RE2: the same language where RE2 has it, and refused where it has not.

The dialect is that of `new RegExp(text)` without flags. Text is compared in UTF-16 units as JavaScript does; a surrogate is
a character of a private plane here, in patterns and in what is searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import re2

WHITESPACE = "\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000\ufeff"
"""What `\\s` matches and `trim` takes away."""

_LAST = 0xFFFF
_PLANE = 0xF0000
_MAX_REPEAT = 1000
_DIGITS = ((0x30, 0x39),)
_WORDS = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_SPACES = tuple((ord(c), ord(c)) for c in sorted(WHITESPACE))
_LINE_ENDS = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
_LETTERS = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D}
_REPEAT = re.compile(r"\{(\d{1,9})(,(\d{0,9}))?\}")
_GROUP_NAME = re.compile(r"\(\?<([A-Za-z_$][\w$]*)>", re.ASCII)
_HEX2 = re.compile(r"x([0-9A-Fa-f]{2})")
_HEX4 = re.compile(r"u([0-9A-Fa-f]{4})")
_OCTAL = re.compile(r"[0-3][0-7]{0,2}|[4-7][0-7]?")
_CONTROL = re.compile(r"c([A-Za-z])")
_CONTROL_IN_CLASS = re.compile(r"c([A-Za-z0-9_])")
_NAMED = re.compile(r"k<([A-Za-z_$][\w$]*)>", re.ASCII)
_NUMBER = re.compile(r"[1-9]\d{0,3}")

Ranges = tuple[tuple[int, int], ...]


class JsSyntaxError(ValueError):
    """JavaScript would not compile the pattern."""


class JsUnsupported(ValueError):
    """JavaScript would compile it, and what it matches is not decided here (lookaround, back reference, huge repeats)."""


def units(text: str) -> str:
    """Text as UTF-16 units, surrogates moved to a private plane."""
    if text.isascii():
        return text
    found = []
    for char in text:
        code = ord(char)
        if code > _LAST:
            found.append(chr(_PLANE + ((code - 0x10000) >> 10)) + chr(_PLANE + 0x400 + ((code - 0x10000) & 0x3FF)))
        else:
            found.append(chr(_PLANE + code - 0xD800) if 0xD800 <= code <= 0xDFFF else char)
    return "".join(found)


def length(text: str) -> int:
    """The length JavaScript gives a text."""
    return len(text) + sum(ord(char) > _LAST for char in text)


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern to search `units` with; raises `JsSyntaxError` or `JsUnsupported`."""
    options = re2.Options()
    options.log_errors = False
    try:
        found: re.Pattern[str] = re2.compile(_Translator(units(pattern)).translated(), options)
    except re2.error as error:
        raise JsUnsupported(f"too large for a search in linear time: {error}") from None
    return found


def searched(pattern: str, text: str) -> bool:
    """Whether a pattern is found in a text given as `units`; raises as `compiled` does."""
    return compiled(pattern).search(text) is not None


@lru_cache(maxsize=4096)
def alternatives(pattern: str) -> tuple[str, ...]:
    """A pattern cut at the `|` outside all groups and classes, for those who look at its parts."""
    parts, depth, start, at, klass = [], 0, 0, 0, False
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 1
        elif klass:
            klass = char != "]"
        elif char == "[":
            klass = True
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif char == "|" and depth == 0:
            parts.append(pattern[start:at])
            start = at + 1
        at += 1
    return (*parts, pattern[start:])


class _Translator:
    """One pass over a pattern; what is written is RE2 and means the same."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.out: list[str] = []
        self.unsupported = ""
        self.named = _names(text)
        if len(self.named) != len(set(self.named)):
            raise JsSyntaxError("two groups of one name")
        self.groups = _captures(text)

    def translated(self) -> str:
        depth = 0
        repeatable = False
        text = self.text
        while self.at < len(text):
            char = text[self.at]
            if char == "(":
                self._open()
                depth += 1
                repeatable = False
            elif char == ")":
                if depth == 0:
                    raise JsSyntaxError("unmatched `)`")
                depth -= 1
                self._put(")")
                repeatable = True
            elif char in "|^$":
                self._put({"|": "|", "^": r"\A", "$": r"\z"}[char])
                repeatable = False
            elif char in "*+?" or (char == "{" and _REPEAT.match(text, self.at)):
                if not repeatable:
                    raise JsSyntaxError("nothing to repeat")
                self._repeat(_REPEAT.match(text, self.at))
                repeatable = False
            elif char == "\\":
                repeatable = self._escape()
            elif char == "[":
                self._class()
                repeatable = True
            elif char == ".":
                self._put(_class(_LINE_ENDS, negated=True))
                repeatable = True
            else:
                self._put(_char(ord(char)))
                repeatable = True
        if depth:
            raise JsSyntaxError("unterminated group")
        if self.unsupported:
            raise JsUnsupported(self.unsupported)
        return "".join(self.out)

    def _put(self, written: str, taken: int = 1) -> None:
        self.out.append(written)
        self.at += taken

    def _open(self) -> None:
        text, at = self.text, self.at
        if not text.startswith("(?", at):
            self._put("(")
        elif text.startswith("(?:", at):
            self._put("(?:", 3)
        elif text.startswith(("(?=", "(?!"), at):
            self.unsupported = "it looks ahead"
            self._put("(?:", 3)
        elif text.startswith(("(?<=", "(?<!"), at):
            self.unsupported = "it looks behind"
            self._put("(?:", 4)
        elif name := _GROUP_NAME.match(text, at):
            self._put("(", name.end() - at)
        elif modifiers := re.compile(r"\(\?[ims]*(?:-[ims]*)?:").match(text, at):
            self.unsupported = "it changes its flags, which only newer runtimes read"
            self._put("(?:", modifiers.end() - at)
        else:
            raise JsSyntaxError("invalid group")

    def _repeat(self, counted: re.Match[str] | None) -> None:
        if counted is not None:
            low = int(counted.group(1))
            high = int(counted.group(3)) if counted.group(3) else low
            if high < low:
                raise JsSyntaxError("numbers out of order in a quantifier")
            if high > _MAX_REPEAT:
                self.unsupported = f"it repeats more than {_MAX_REPEAT} times"
            self._put(counted.group(), len(counted.group()))
        else:
            self._put(self.text[self.at])
        if self.text.startswith("?", self.at):
            self._put("?")

    def _escape(self) -> bool:
        """One escape outside a class; whether a quantifier may follow."""
        text, at = self.text, self.at + 1
        if at >= len(text):
            raise JsSyntaxError("`\\` at the end")
        char = text[at]
        if char in "bB":
            self._put("\\" + char, 2)
            return False
        if number := _NUMBER.match(text, at):
            if int(number.group()) <= self.groups:
                self.unsupported = "it refers back to a group"
                self._put("(?:)", 1 + len(number.group()))
                return True
        elif char == "k" and self.named:
            back = _NAMED.match(text, at)
            if back is None or back.group(1) not in self.named:
                raise JsSyntaxError("no group of that name")
            self.unsupported = "it refers back to a group"
            self._put("(?:)", 1 + len(back.group()))
            return True
        ranges, taken = self._escaped(at, in_class=False)
        self._put(_class(ranges) if len(ranges) > 1 or ranges[0][0] != ranges[0][1] else _char(ranges[0][0]), 1 + taken)
        return True

    def _escaped(self, at: int, *, in_class: bool) -> tuple[Ranges, int]:
        """What the escape after a `\\` stands for, and how many characters it takes."""
        text = self.text
        char = text[at]
        sets = {"d": _DIGITS, "w": _WORDS, "s": _SPACES}
        if char.lower() in sets:
            held = sets[char.lower()]
            return (_others(held) if char.isupper() else held), 1
        if in_class and char == "b":
            return ((8, 8),), 1
        if in_class and char == "-":
            return ((0x2D, 0x2D),), 1
        if char in _LETTERS:
            return ((_LETTERS[char], _LETTERS[char]),), 1
        if found := _HEX2.match(text, at) or _HEX4.match(text, at):
            code = int(found.group(1), 16)
            return ((code, code),), len(found.group())
        if found := _OCTAL.match(text, at):
            code = int(found.group(), 8)
            return ((code, code),), len(found.group())
        if char == "c":
            found = (_CONTROL_IN_CLASS if in_class else _CONTROL).match(text, at)
            if found is None:
                return ((0x5C, 0x5C),), 0
            code = ord(found.group(1)) % 32
            return ((code, code),), 2
        code = _unit(char)
        return ((code, code),), 1

    def _class(self) -> None:
        text = self.text
        at = self.at + 1
        negated = text.startswith("^", at)
        at += negated
        ranges: list[tuple[int, int]] = []
        while True:
            if at >= len(text):
                raise JsSyntaxError("unterminated character class")
            if text[at] == "]":
                break
            first, at = self._member(at)
            if text.startswith("-", at) and at + 1 < len(text) and text[at + 1] != "]":
                last, after = self._member(at + 1)
                if len(first) == len(last) == 1 and first[0][0] == first[0][1] and last[0][0] == last[0][1]:
                    if last[0][0] < first[0][0]:
                        raise JsSyntaxError("range out of order in a character class")
                    ranges.append((first[0][0], last[0][0]))
                else:
                    ranges += [*first, (0x2D, 0x2D), *last]
                at = after
            else:
                ranges += first
        self._put(_class(ranges, negated=negated), at + 1 - self.at)

    def _member(self, at: int) -> tuple[Ranges, int]:
        char = self.text[at]
        if char != "\\":
            return ((_unit(char), _unit(char)),), at + 1
        if at + 1 >= len(self.text):
            raise JsSyntaxError("`\\` at the end")
        ranges, taken = self._escaped(at + 1, in_class=True)
        return ranges, at + 1 + taken


def _bare(text: str) -> str:
    """A pattern without its escapes and classes."""
    return re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "", text, flags=re.DOTALL)


def _names(text: str) -> list[str]:
    return [found.group(1) for found in _GROUP_NAME.finditer(_bare(text))]


def _captures(text: str) -> int:
    return len(re.findall(r"\((?!\?)|\(\?<(?![=!])", _bare(text)))


def _unit(char: str) -> int:
    """The UTF-16 unit a character of `units` stands for."""
    code = ord(char)
    return code - _PLANE + 0xD800 if code >= _PLANE else code


def _others(ranges: Iterable[tuple[int, int]]) -> Ranges:
    found, at = [], 0
    for low, high in sorted(ranges):
        if low > at:
            found.append((at, low - 1))
        at = max(at, high + 1)
    if at <= _LAST:
        found.append((at, _LAST))
    return tuple(found)


def _char(code: int) -> str:
    if code < _PLANE and 0xD800 <= code <= 0xDFFF:
        code += _PLANE - 0xD800
    return chr(code) if code < 128 and chr(code).isalnum() else f"\\x{{{code:X}}}"


def _class(ranges: Iterable[tuple[int, int]], *, negated: bool = False) -> str:
    held = tuple(ranges)
    if not held:
        return r"[\x{0}-\x{10FFFF}]" if negated else r"[^\x{0}-\x{10FFFF}]"
    parts = []
    for low, high in held:
        for first, last, shift in ((0, 0xD7FF, 0), (0xD800, 0xDFFF, _PLANE - 0xD800), (0xE000, _LAST, 0)):
            if max(low, first) <= min(high, last):
                parts.append(f"\\x{{{max(low, first) + shift:X}}}-\\x{{{min(high, last) + shift:X}}}")
    return f"[{'^' if negated else ''}{''.join(parts)}]"
