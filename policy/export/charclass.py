"""The characters of a pattern that is one class of characters and nothing else: `[;&|]`. Other formats have no patterns."""

from __future__ import annotations

import re

_CLASS = re.compile(r"\[(?!\^)((?:\\.|[^\\\]])+)\]", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"}
_MOST = 128


def characters(pattern: str) -> str | None:
    """Every character of the class, None where the pattern is anything else."""
    whole = _CLASS.fullmatch(pattern)
    if whole is None:
        return None
    parts: list[str] = []
    text, at = whole[1], 0
    while at < len(text):
        step = _one(text, at)
        if step is None:
            return None
        char, at = step
        if text[at : at + 1] == "-" and at + 1 < len(text):
            end = _one(text, at + 1)
            if end is None or ord(end[0]) - ord(char) not in range(_MOST):
                return None
            parts += map(chr, range(ord(char), ord(end[0]) + 1))
            at = end[1]
        else:
            parts.append(char)
    return "".join(dict.fromkeys(parts)) if len(parts) <= _MOST else None


def _one(text: str, at: int) -> tuple[str, int] | None:
    """The character at a place of a class, and the place after it."""
    if text[at] == "[":
        return None if text[at + 1 : at + 2] == ":" else ("[", at + 1)
    if text[at] != "\\":
        return text[at], at + 1
    told = text[at + 1]
    if told == "x":
        code = re.compile(r"[0-9A-Fa-f]{2}").match(text, at + 2)
        return (chr(int(code[0], 16)), at + 4) if code is not None else None
    if told in _ESCAPED:
        return _ESCAPED[told], at + 2
    return None if told.isalnum() else (told, at + 2)
