"""Foreign text on its way into a report: harmless first, escaped by the format afterwards."""

from __future__ import annotations

import re
from functools import lru_cache
from math import isfinite
from typing import Any

import msgspec

from lang.safe import safe_cell, safe_line, safe_text
from lang.times import iso

EXCERPT = 400
_EXACT = 2**53
_SMALLEST = 1e-4
"""Smaller numbers are written with an exponent by some and without by others."""
_BEYOND = re.compile("[\U00010000-\U0010ffff]")
_LAST = 253402300799_999_999
PLAIN = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz/._~([{<#*:")
"""What a cell may begin with and be no formula whatever follows."""
_ESCAPED = re.compile(rb"""\\(?:[^"\\])""")
_LONG = re.compile(rb":-?\d{16}")
_SPECIAL = re.compile(r"([\\`*_\[\]#|~$])")
_LINKED = re.compile(r"(?<=[a-z]):(?=//)|(?<=www)\.|@", re.I)
_BLOCK = re.compile(r"^(?=[-+=])|(?<=^\d)(?=[.)](?:\s|$))|(?<=^\d\d)(?=[.)](?:\s|$))")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ANGLES = re.compile(r"[&<>]")


def neutral(value: object) -> Any:
    """A tree of plain values in which every string, keys too, is fit to be shown and every number fits canonical JSON.

    Objects and lists are changed where they are. For the result sorted compact JSON is canonical (`reports.canonical`): whole
    numbers are written as such, numbers whose forms differ as text, and no key holds a character beyond the first plane.
    """
    held = [value]
    _mend(held)
    return held[0]


def told(struct: object) -> Any:
    """A struct as `neutral` plain values; one whose texts are harmless as they stand, which one search tells, is not walked.

    For shapes without floats: a number of more digits than canonical JSON holds is found like a text.
    """
    value = msgspec.to_builtins(struct)
    try:
        said = msgspec.json.encode(struct)
    except UnicodeEncodeError:  # A lone surrogate.
        return neutral(value)
    plain = said.isascii() and b"\x7f" not in said and not (b"\\" in said and _ESCAPED.search(said)) and not _LONG.search(said)
    return value if plain else neutral(value)


def _mend(held: list[Any] | dict[Any, Any]) -> None:
    for place, value in list(enumerate(held)) if isinstance(held, list) else held.items():
        kind = type(value)
        if kind is str:
            if not (value.isascii() and value.isprintable()):
                held[place] = safe_text(value)
        elif kind is list:
            _mend(value)
        elif kind is dict:
            _mend(value)
            _mend_keys(value)
        elif kind is tuple:
            inner = list(value)
            _mend(inner)
            held[place] = inner
        elif kind is int:
            if abs(value) >= _EXACT:
                held[place] = str(value)
        elif kind is float:
            held[place] = _number(value)


def _mend_keys(held: dict[Any, Any]) -> None:
    try:
        names = "".join(held)
    except TypeError:
        pass
    else:
        if names.isascii() and names.isprintable():
            return
    mended = {_key(key): value for key, value in held.items()}
    held.clear()
    held.update(mended)


def _key(key: object) -> str:
    return _BEYOND.sub(lambda m: f"\\U{ord(m.group()):08x}", safe_text(str(key)))


def _number(value: float) -> int | float | str:
    if not isfinite(value) or (value and not _SMALLEST <= abs(value) < _EXACT):
        return str(value)
    return int(value) if value.is_integer() else value


def excerpt(text: str, limit: int = EXCERPT) -> str:
    """The beginning of a long text, with a word on how much was left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit} more characters)"


def when(micros: int | None) -> str | None:
    """ISO 8601 in UTC; a moment outside the calendar is said to be so."""
    if micros is not None and not 0 <= micros <= _LAST:
        return "outside the calendar"
    return iso(micros)


def cell(value: str) -> str:
    """One CSV cell: a line, and no formula."""
    if not value or (value[0] in PLAIN and value.isascii() and value.isprintable()):
        return value
    return safe_cell(value)


@lru_cache(maxsize=4096)
def markdown(value: str) -> str:
    """Text as Markdown that shows it and nothing else, on one line: no markup, no link made of an address, no list."""
    plain = _ANGLES.sub(lambda m: _ENTITIES[m.group()], safe_line(value.replace("\n", " ")).strip())
    return _LINKED.sub(lambda m: f"&#{ord(m.group())};", _BLOCK.sub(r"\\", _SPECIAL.sub(r"\\\1", plain)))
