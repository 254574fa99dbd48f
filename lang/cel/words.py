"""The checker's words: types as people call them, and for what is not here the nearest thing that is."""

from __future__ import annotations

from lang.cel.functions import METHODS
from lang.cel.problems import nearest
from lang.cel.typed import Type

MACROS = ("exists", "all")
CALLS = ("has", "size", "duration", "timestamp")
# What people write in other languages or in full CEL, and the nearest thing that is here.
NEAREST = {
    "exists_one": "`exists`", "existsOne": "`exists`", "map": "`exists` or `all`", "filter": "`exists` or `all`",
    "any": "`exists`", "some": "`exists`", "every": "`all`", "includes": "`contains`, or `in` for a list",
    "length": "`size()`", "len": "`size()`", "count": "`size()`", "startswith": "`startsWith`", "endswith": "`endsWith`",
    "lower": "`lowerAscii()`", "toLowerCase": "`lowerAscii()`", "upper": "`upperAscii()`", "match": "`matches`",
    "regex": "`matches`", "find": "`indexOf` or `contains`", "lastIndexOf": "`indexOf`", "split": "`contains` or `matches`",
    "join": "`exists` or `all`", "substring": "`startsWith`, `endsWith` or `matches`", "charAt": "`startsWith` or `matches`",
    "strip": "`trim()`", "reverse": "`endsWith`", "format": "`+`",
    "glob": "`matches`, or `startsWith` and `endsWith`", "like": "`matches`, or `startsWith` and `endsWith`",
    "getMilliseconds": "`getSeconds()`", "getTime": "`getDayOfWeek()`, or a comparison with `timestamp(\"...\")`",
    "int": "a whole number", "uint": "a whole number", "double": "a whole number", "string": "a text",
    "type": "nothing: every attribute has one known type", "dyn": "nothing: every attribute has one known type",
    "optional": "`has(...)`", "orValue": "`has(x) ? x : ...`", "keys": "`m.exists(k, ...)` over the keys of a map",
}  # fmt: skip
_CLOCK = frozenset(("now", "time", "today", "date", "hour", "at", "timestamp", "weekday", "getHours", "getMinutes", "getSeconds"))
_PLAIN: dict[Type, str] = {
    "string": "a text", "int": "a number", "bool": "true or false", "duration": "a duration", "timestamp": "a timestamp",
    "list<string>": "a list of texts", "list<int>": "a list of numbers", "list<bool>": "a list of booleans",
    "list<?>": "an empty list", "?": "unknown",
}  # fmt: skip
_MANY: dict[Type, str] = {"string": "texts", "int": "numbers", "bool": "booleans"}
EXAMPLE: dict[Type, str] = {
    "string": '!= ""', "int": "> 0", "duration": '> duration("1h")', "timestamp": '> timestamp("2026-01-01T00:00:00Z")',
}  # fmt: skip
"""What makes a condition of a value that is none."""


def named(kind: Type) -> str:
    """The type with its article."""
    return _PLAIN[kind]


def many(kind: Type) -> str:
    """Several of the type."""
    return _MANY.get(kind, "others")


def mismatch(one: Type, other: Type) -> str:
    """What is likely meant where two types are compared that do not compare."""
    kinds = {one, other}
    if kinds == {"string", "bool"}:
        return "; booleans are written true and false, without quotes"
    if kinds == {"string", "int"}:
        return "; numbers are written without quotes"
    if "duration" in kinds:
        return '; durations are written duration("1h30m")'
    if "timestamp" in kinds:
        return '; timestamps are written timestamp("2026-03-01T00:00:00Z")'
    return "; use `in`, `exists` or `all`" if any(k.startswith("list") for k in kinds) else ""


def near_function(name: str) -> str:
    """The end of a message on an unknown function."""
    if name in NEAREST:
        return f"; the nearest that is supported: {NEAREST[name]}"
    names = (*METHODS, *CALLS, *MACROS)
    near = nearest(name, names)
    return f"; did you mean `{near}`?" if near else f"; supported: {', '.join(names)}"


def near_clock(path: str) -> str:
    """The end of a message on a name that asks for the time of a step, "" for all others."""
    if path in _CLOCK or path.rpartition(".")[2] in _CLOCK:
        return (
            ": the time of a step is no attribute, for it would make a shape of nearly every request; "
            "the nearest: `context.day`, a timestamp, and `context.in_change_window`"
        )
    return ""


def short(text: str) -> str:
    """A text as it may stand in a message."""
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[:60])
    return shown + ("…" if len(text) > 60 else "")
