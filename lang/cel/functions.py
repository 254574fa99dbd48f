"""The strict operations of the subset: their types and what they yield for values that are all known.

A result of None is an error in CEL's sense (division by zero, 64-bit overflow) and counts as unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import msgspec
import re2

from lang.cel.spans import FIRST, LAST, MAX_SECONDS, MAX_SPAN, SECOND, moment_of
from lang.cel.typed import Type

INT_MIN, INT_MAX = -(1 << 63), (1 << 63) - 1
MAX_PATTERN = 1_000


class Method(msgspec.Struct, frozen=True):
    """A function written after a value: the types of that value and of its arguments, its result, and what it does."""

    types: tuple[Type, ...]
    result: Type
    doc: str


METHODS: dict[str, Method] = {
    "startsWith": Method(("string", "string"), "bool", "the text begins with another"),
    "endsWith": Method(("string", "string"), "bool", "the text ends with another"),
    "contains": Method(("string", "string"), "bool", "the text holds another"),
    "matches": Method(("string", "string"), "bool", "an RE2 pattern matches anywhere in the text"),
    "lowerAscii": Method(("string",), "string", "the text with A-Z as a-z"),
    "upperAscii": Method(("string",), "string", "the text with a-z as A-Z"),
    "trim": Method(("string",), "string", "the text without white space at its ends"),
    "replace": Method(("string", "string", "string"), "string", "the text with every occurrence of one text replaced by another"),
    "indexOf": Method(("string", "string"), "int", "where another text begins in the text, counted from 0; -1 where it does not"),
    "getFullYear": Method(("timestamp",), "int", "the year"),
    "getMonth": Method(("timestamp",), "int", "the month, 0 for January"),
    "getDate": Method(("timestamp",), "int", "the day of the month, from 1"),
    "getDayOfMonth": Method(("timestamp",), "int", "the day of the month, from 0"),
    "getDayOfWeek": Method(("timestamp",), "int", "the day of the week, 0 for Sunday"),
    "getDayOfYear": Method(("timestamp",), "int", "the day of the year, from 0"),
    "getHours": Method(("duration",), "int", "the whole hours of a duration"),
    "getMinutes": Method(("duration",), "int", "the whole minutes of a duration"),
    "getSeconds": Method(("duration",), "int", "the whole seconds of a duration"),
}

# What CEL counts as white space: Unicode's White_Space.
_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
MAX_RESULT = 1 << 20
"""Characters of the longest text a function may yield; a longer one is an error, which is unknown."""

_LOWER = {c: c + 32 for c in range(ord("A"), ord("Z") + 1)}
_UPPER = {c: c - 32 for c in range(ord("a"), ord("z") + 1)}


class Pattern:
    """A compiled RE2 pattern that answers whether it occurs in a text, as UTF-8 bytes or str; linear in the text."""

    __slots__ = ("_search",)

    def __init__(self, pattern: str) -> None:
        options = re2.Options()
        options.log_errors = False
        options.never_capture = True
        self._search = re2.compile(pattern, options).search

    def found_in(self, text: str | bytes) -> bool:
        data = text.encode("utf-8", "replace") if isinstance(text, str) else text
        return self._search(data) is not None


@lru_cache(maxsize=512)
def pattern(text: str) -> Pattern:
    """The compiled pattern; raises ValueError with RE2's own words where it is none."""
    if len(text) > MAX_PATTERN:
        raise ValueError(f"the pattern is longer than {MAX_PATTERN:,} characters")
    try:
        return Pattern(text)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        raise ValueError(reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)) from None
    except UnicodeEncodeError:
        raise ValueError("the pattern holds half a character (a lone surrogate)") from None


def _checked(value: int) -> int | None:
    return value if INT_MIN <= value <= INT_MAX else None


def _span(value: int) -> int | None:
    return value if -MAX_SPAN <= value <= MAX_SPAN else None


def _time(value: int) -> int | None:
    return value if FIRST <= value <= LAST else None


def _whole(micros: int, unit: int) -> int:
    return abs(micros) // (unit * SECOND) * (-1 if micros < 0 else 1)


def _replace(s: str, old: str, new: str) -> str | None:
    most = len(s) + (s.count(old) if len(new) > len(old) else 0) * (len(new) - len(old))
    return s.replace(old, new) if most <= MAX_RESULT else None


def _concat(a: str, b: str) -> str | None:
    return a + b if len(a) + len(b) <= MAX_RESULT else None


def _divide(a: int, b: int) -> int | None:
    if b == 0:
        return None
    quotient = abs(a) // abs(b)
    return _checked(quotient if (a < 0) == (b < 0) else -quotient)


def _remainder(a: int, b: int) -> int | None:
    if b == 0 or (a == INT_MIN and b == -1):
        return None
    rest = abs(a) % abs(b)
    return -rest if a < 0 else rest


# Values come checked by type, so each function may rely on its signature.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "==": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
    "in": lambda item, items: item in items,
    "+": lambda a, b: _checked(a + b),
    "-": lambda a, b: _checked(a - b),
    "*": lambda a, b: _checked(a * b),
    "/": _divide,
    "%": _remainder,
    "neg": lambda a: _checked(-a),
    "span+": lambda a, b: _span(a + b),
    "span-": lambda a, b: _span(a - b),
    "time+": lambda a, b: _time(a + b),
    "time-": lambda a, b: _time(a - b),
    "seconds": lambda s: max(-MAX_SECONDS, min(s, MAX_SECONDS)) * SECOND,
    "concat": _concat,
    "count": lambda *stated: sum(stated),
    "list": lambda *items: items,
    "size": len,
    "startsWith": lambda s, t: s.startswith(t),
    "endsWith": lambda s, t: s.endswith(t),
    "contains": lambda s, t: t in s,
    "matches": lambda s, p: pattern(p).found_in(s),
    "lowerAscii": lambda s: s.translate(_LOWER),
    "upperAscii": lambda s: s.translate(_UPPER),
    "trim": lambda s: s.strip(_SPACE),
    "replace": _replace,
    "indexOf": lambda s, t: s.find(t),
    "getFullYear": lambda t: moment_of(t).year,
    "getMonth": lambda t: moment_of(t).month - 1,
    "getDate": lambda t: moment_of(t).day,
    "getDayOfMonth": lambda t: moment_of(t).day - 1,
    "getDayOfWeek": lambda t: moment_of(t).isoweekday() % 7,
    "getDayOfYear": lambda t: moment_of(t).timetuple().tm_yday - 1,
    "getHours": lambda d: _whole(d, 3600),
    "getMinutes": lambda d: _whole(d, 60),
    "getSeconds": lambda d: _whole(d, 1),
}
