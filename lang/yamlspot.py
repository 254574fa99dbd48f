"""Where a cursor stands in YAML that is still being written, and so need not parse: keys around it, and what is begun.

Block style is read by indentation, line by line; flow style (`{a: b, c: [`) by its brackets. What cannot be told gives no spot.
"""

from __future__ import annotations

import re

import msgspec

from lang.yamltree import lines_of

ITEM = "-"
"""Stands in a path for being inside an entry of a list."""

_LEAD = re.compile(r"(?: *- +)* *(?:-$)?")
_KEY = re.compile(r"""("[^"]*"|'[^']*'|[^\s\-?:,\[\]{}#&*!|>'"%@`][^:#,\[\]{}]*?) *:(?: +|$)""")
_BLOCK = re.compile(r"[|>][-+0-9]{0,2}[ \t]*(?:#.*)?$")


class Spot(msgspec.Struct, frozen=True):
    """`path` are the keys around the cursor, ITEM for each list; the last is the one whose value is being written, or,
    where `is_key`, a key is. `text` is what stands there up to the cursor, `style` how: "" plain, ' or ", | or > for a
    block, and `flow` whether inside brackets. `known` are the keys the same mapping has before.
    """

    path: tuple[str, ...]
    is_key: bool
    text: str
    style: str = ""
    flow: bool = False
    known: frozenset[str] = frozenset()


class _Level(msgspec.Struct):
    """A key or a list entry that is open, and the column it begins at; `value` is what stands after a key on its line."""

    column: int
    name: str
    value: str = ""
    line: int = 0
    known: frozenset[str] = frozenset()


def spot(text: str, line: int, column: int) -> Spot | None:
    """The place before the character at (line, column), both from 0; None where nothing can be told."""
    lines = lines_of(text)[: line + 1]
    if line >= len(lines):
        return None
    lines[line] = lines[line][:column]
    levels: list[_Level] = []
    for number, raw in enumerate(lines):
        stripped = raw.lstrip(" ")
        indent = len(raw) - len(stripped)
        last = number == line
        held = _holding(levels, indent, not stripped)
        if held is not None:
            if last:
                return _continued(levels, held, lines)
            continue
        if not last and (not stripped or stripped[0] == "#"):
            continue
        found = _line(levels, raw, number)
        if last:
            return found
    return None


def _holding(levels: list[_Level], indent: int, blank: bool) -> _Level | None:
    """The key whose value goes on over a line of this indentation."""
    if not levels or not levels[-1].value:
        return None
    top = levels[-1]
    return top if indent > top.column or (blank and _BLOCK.match(top.value) is not None) else None


def _continued(levels: list[_Level], held: _Level, lines: list[str]) -> Spot | None:
    path = tuple(level.name for level in levels)
    more = "\n".join(lines[held.line + 1 :])
    if _BLOCK.match(held.value):
        return Spot(path, False, more, held.value[0])
    return _value(path, f"{held.value}\n{more}")


def _line(levels: list[_Level], raw: str, number: int) -> Spot | None:
    """Reads one line into the levels; what stands at its end, should it be the last."""
    lead = _LEAD.match(raw)
    assert lead is not None
    dashes = [at for at in range(lead.end()) if raw[at] == "-"]
    known = frozenset[str]()
    at = lead.end()
    for place in (*dashes, at):
        while levels and (levels[-1].column > place or (levels[-1].column == place and _ends(levels[-1], place in dashes))):
            gone = levels.pop()
            if gone.column == place and gone.name != ITEM:
                known = gone.known | {gone.name}
        if place in dashes and place != at:
            levels.append(_Level(place, ITEM))
            known = frozenset()
    path = tuple(level.name for level in levels)
    rest = raw[at:]
    key = _KEY.match(rest)
    if key is not None:
        name, value = key.group(1).strip("'\""), rest[key.end() :]
        levels.append(_Level(at, name, value, number, known))
        return _value((*path, name), value) if value or rest[-1:] != ":" else None
    if rest[:1] in ("{", "["):
        levels.append(_Level(at, "", rest, number))
        return _value(path, rest)
    return Spot(path, True, rest, known=known)


def _ends(level: _Level, dash: bool) -> bool:
    """Whether what begins at the column of a level ends it: a list may stand right below its key."""
    return not dash or level.name == ITEM or bool(level.value)


def _value(path: tuple[str, ...], text: str) -> Spot | None:
    path = tuple(name for name in path if name)
    if text[:1] in ("{", "["):
        return _flow(path, text)
    if text[:1] in ("'", '"'):
        return _quoted(path, text, flow=False)
    if text[:1] in ("|", ">", "&", "*", "!") and _BLOCK.match(text.partition("\n")[0]):
        return None
    return Spot(path, False, text)


def _quoted(
    path: tuple[str, ...], text: str, flow: bool, is_key: bool = False, known: frozenset[str] = frozenset()
) -> Spot | None:
    """Inside quotes: the text without its escapes; None where it is closed already."""
    quote, out, i = text[0], [], 1
    while i < len(text):
        if quote == "'" and text.startswith("''", i):
            out.append("'")
            i += 2
        elif quote == '"' and text[i] == "\\":
            out.append(text[i + 1 : i + 2])
            i += 2
        elif text[i] == quote:
            return None
        else:
            out.append(text[i])
            i += 1
    return Spot(path, is_key, "".join(out), quote, flow, known)


def _flow(path: tuple[str, ...], text: str) -> Spot | None:
    """Walks the brackets; each open one is [sign, key, known keys]."""
    open_: list[tuple[str, str, frozenset[str]]] = []
    begin = i = 0
    while i < len(text):
        char = text[i]
        if char in "{[":
            open_.append((char, "", frozenset()))
            begin = i + 1
        elif char in "}]":
            if not open_:
                return None
            open_.pop()
            begin = i + 1
        elif char == ",":
            if open_ and open_[-1][1]:
                open_[-1] = ("{", "", open_[-1][2] | {open_[-1][1]})
            begin = i + 1
        elif char in "'\"" and not text[begin:i].strip():
            end = _end_of_quote(text, i)
            if end is None:
                return _quoted(*_around(path, open_, text[i:]))
            i = end
            continue
        elif char == ":" and open_ and open_[-1][0] == "{" and not open_[-1][1] and text[i + 1 : i + 2] in (" ", ""):
            open_[-1] = ("{", text[begin:i].strip().strip("'\""), open_[-1][2])
            begin = i + 1
        i += 1
    if not open_:
        return None
    around, rest, _, is_key, known = _around(path, open_, text[begin:].lstrip(" \n"))
    return Spot(around, is_key, rest, flow=True, known=known)


def _around(
    path: tuple[str, ...], open_: list[tuple[str, str, frozenset[str]]], text: str
) -> tuple[tuple[str, ...], str, bool, bool, frozenset[str]]:
    inside = tuple(ITEM if sign == "[" else key for sign, key, _ in open_ if sign == "[" or key)
    sign, key, known = open_[-1] if open_ else ("", "", frozenset())
    return (*path, *inside), text, True, sign == "{" and not key, known


def _end_of_quote(text: str, i: int) -> int | None:
    """Index after the text in quotes that begins at `i`; None where it is not closed."""
    quote = text[i]
    i += 1
    while i < len(text):
        if quote == '"' and text[i] == "\\":
            i += 2
        elif text[i] == quote and not (quote == "'" and text.startswith("''", i)):
            return i + 1
        else:
            i += 2 if text[i] == quote else 1
    return None
