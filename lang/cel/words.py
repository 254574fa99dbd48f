"""The checker's words: types as people call them, and for what is not here the nearest thing that is."""

from __future__ import annotations

import re

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
    "int": "a whole number", "uint": "a whole number", "double": "a whole number", "string": "a text", "bool": "`true` or `false`",
    "bytes": "a text", "keys": "`m.exists(k, ...)` over the keys of a map", "values": "`m.exists(k, m[k] ...)`",
    "orValue": "`has(x) ? x : ...`", "or": "`has(x) ? x : ...`", "optMap": "`has(x) && ...`", "optFlatMap": "`has(x) && ...`",
    "hasValue": "`has(x)`", "value": "the name itself", "transformList": "`exists` or `all`", "transformMap": "`exists` or `all`",
    "transformMapEntry": "`exists` or `all`", "quote": "a comparison with the text itself", "findAll": "`matches`", "extract": "`matches`",
    "distinct": "`exists` or `all`", "sort": "`exists` or `all`", "sortBy": "`exists` or `all`", "flatten": "`exists` or `all`",
    "slice": "`exists` or `all`", "first": "`exists`", "last": "`exists`", "sum": "`size()`", "min": "`all`", "max": "`all`",
    "isSorted": "`==` with a list that is written out", "ip": "`startsWith` or `matches`", "isIP": "`matches`", "cidr": "`startsWith` or `matches`",
    "isCIDR": "`matches`", "containsIP": "`startsWith` or `matches`", "containsCIDR": "`startsWith` or `matches`", "url": "`matches`",
    "isURL": "`startsWith`", "getHost": "`matches`", "getHostname": "`matches`", "getScheme": "`startsWith`", "semver": "`matches`",
    "quantity": "a whole number", "isQuantity": "a whole number",
}  # fmt: skip
_LEFT_OUT = dict.fromkeys(("type", "dyn"), "; leave it out: every attribute has one known type")
# Extensions of CEL that are called by a name of their own, and the nearest to each of them.
NAMESPACES = {
    "math": "comparisons such as `agent.depth > 3`, and `? :`", "strings": "functions of a text: `name.contains(...)`",
    "sets": '`"a" in list`, `list.exists(...)` and `list.all(...)`', "lists": "a list that is written out: `[\"a\", \"b\"]`",
    "optional": "`has(name) ? ... : ...`", "cel": "the value itself, written where it is used", "base64": "the text as it is",
    "regex": "`name.matches(...)`", "proto": "the attribute itself", "net": "`startsWith` or `matches`", "google": "`duration(...)` or `timestamp(...)`",
}  # fmt: skip
TYPE_NAMES = frozenset(
    ("int", "uint", "double", "string", "bool", "bytes", "list", "map", "null_type", "type", "duration", "timestamp")
)
_RE2 = (
    (
        re.compile(r"\(\?<?[=!]"),
        "RE2 looks neither ahead nor back: join two `matches` with `&&`, the second after `!` for what must not follow",
    ),
    (re.compile(r"\\[1-9]|\(\?P=|\\k"), "RE2 has no references back to a group: write out what is meant"),
    (
        re.compile(r"\(\?>|[*+?}]\+"),
        "RE2 has no atomic groups or possessive quantifiers and needs none, for it never goes back: leave them out",
    ),
    (re.compile(r"\\[ZG]"), "write `\\z` or `$` for the end of the text"),
    (re.compile(r"\{[0-9]{4,}|\{[0-9]*,[0-9]{4,}"), "a repetition is at most 1,000"),
    (re.compile(r"\(\?[#(]|\(\?[A-Za-z]*x"), "RE2 has no comments and no conditions inside a pattern"),
)
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


def near_function(name: str, kind: Type = "?") -> str:
    """The end of a message on an unknown function of a value of a type, or of none."""
    if name in _LEFT_OUT:
        return _LEFT_OUT[name]
    if name in NEAREST:
        return f"; the nearest that is supported: {NEAREST[name]}"
    if clock := near_clock(name):
        return clock
    names = (*METHODS, *CALLS, *MACROS)
    near = nearest(name, names)
    if near:
        return f"; did you mean `{near}`?"
    of_lists, sized = MACROS if kind.startswith("list") else (), ("size",) if kind == "string" or kind.startswith("list") else ()
    fitting = (*(n for n, method in METHODS.items() if method.types[0] == kind), *of_lists, *sized)
    return f"; {named(kind)} has: {', '.join(fitting)}" if fitting else f"; supported: {', '.join(names)}"


def near_pattern(text: str) -> str:
    """The end of a message on a pattern of another dialect, "" where nothing is known to help."""
    return next((f"; {words}" for found, words in _RE2 if found.search(text)), "")


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
