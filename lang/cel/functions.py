"""The strict operations of the subset: their types and what they yield for values that are all known.

A result of None is an error in CEL's sense (division by zero, 64-bit overflow) and counts as unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import re2

from lang.cel.typed import Type

INT_MIN, INT_MAX = -(1 << 63), (1 << 63) - 1
MAX_PATTERN = 1_000

METHODS: dict[str, tuple[tuple[Type, ...], Type]] = {
    "startsWith": (("string", "string"), "bool"),
    "endsWith": (("string", "string"), "bool"),
    "contains": (("string", "string"), "bool"),
    "matches": (("string", "string"), "bool"),
    "lowerAscii": (("string",), "string"),
    "upperAscii": (("string",), "string"),
}

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
    "concat": lambda a, b: a + b,
    "list": lambda *items: items,
    "size": len,
    "startsWith": lambda s, t: s.startswith(t),
    "endsWith": lambda s, t: s.endswith(t),
    "contains": lambda s, t: t in s,
    "matches": lambda s, p: pattern(p).found_in(s),
    "lowerAscii": lambda s: s.translate(_LOWER),
    "upperAscii": lambda s: s.translate(_UPPER),
}
