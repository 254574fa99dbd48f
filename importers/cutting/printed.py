"""Records as a collector prints them on its terminal: Fluent Bit's `stdout` output, `[0] tag: [[1772600767.123456789, {}], {"log"=>"..."}]`.

Texts are printed as they are, quotes and line ends too. One ends where a quote is followed by the next member or by the end of the record; a
record whose line holds its beginning only gives what stands on that line.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

Shape = Callable[[dict[str, object]], dict[str, object]]

_LINES = 50
_SHARE = 4
"""One line of so many is to be a record's first: each may have a second line, and the collector tells of itself as well."""
_RECORD = re.compile(r"\[\d{1,9}\] \S{1,500}: \[(?:\[\d{1,12}\.\d{1,9}, \{.{0,2000}?\}\]|\d{1,12}\.\d{1,9}), (?=\{)")
_BEFORE = 200
"""Characters before a record at the most, which name the container whose terminal it was."""
_NAME = re.compile(r'"([^"]{0,300})"=>')
_MEMBER_END = re.compile(r'"(?=[}\]]{0,20}(?:, "[^"]{1,300}"=>|\}\]\s*$))')
_ELEMENT_END = re.compile(r'"(?=, |\])')
_WORD = re.compile(r"[^,}\]\s]{1,100}")
_WORDS: dict[str, object] = {"true": True, "false": False, "nil": None}
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?")
_DEPTH = 20


class _Odd(ValueError):
    """What is printed in no way that is known."""


def printed(head: bytes) -> Shape | None:
    """What makes JSON of the lines of a source that begins so, where a collector printed them; else None."""
    if b"=>" not in head:
        return None
    lines = [line for line in head.split(b"\n")[:_LINES] if line.strip()]
    known = sum(_begin(line.decode("utf-8", "replace")) >= 0 for line in lines)
    return of_printed if known and _SHARE * known >= len(lines) else None


def of_printed(record: dict[str, object]) -> dict[str, object]:
    """A printed record's line as the JSON text of the record; empty for any other line."""
    line = record.get("line")
    begin = _begin(line) if isinstance(line, str) else -1
    if not isinstance(line, str) or begin < 0:
        return {}
    try:
        told, _ = _object(line, begin, 0)
    except _Odd:
        return {}
    return {"line": msgspec.json.encode(told).decode()} if told else {}


def _begin(line: str) -> int:
    found = _RECORD.search(line, 0, _BEFORE + 3_000)
    return found.end() if found is not None and found.start() <= _BEFORE else -1


def _object(line: str, at: int, depth: int) -> tuple[dict[str, object], int]:
    told: dict[str, object] = {}
    at += 1
    while at < len(line) and line[at] != "}":
        name = _NAME.match(line, at)
        if name is None:
            raise _Odd
        value, at = _value(line, name.end(), depth, _MEMBER_END)
        # A text that pretends to be further members does not take the place of those that were there.
        told.setdefault(name[1], value)
        at = _behind(line, at)
    return told, at + 1


def _list(line: str, at: int, depth: int) -> tuple[list[object], int]:
    told: list[object] = []
    at += 1
    while at < len(line) and line[at] != "]":
        value, at = _value(line, at, depth, _ELEMENT_END)
        told.append(value)
        at = _behind(line, at)
    return told, at + 1


def _behind(line: str, at: int) -> int:
    if line.startswith(", ", at):
        return at + 2
    if at < len(line) and line[at] not in "}]":
        raise _Odd
    return at


def _value(line: str, at: int, depth: int, end: re.Pattern[str]) -> tuple[object, int]:
    if depth > _DEPTH:
        raise _Odd
    first = line[at : at + 1]
    if first == "{":
        return _object(line, at, depth + 1)
    if first == "[":
        return _list(line, at, depth + 1)
    if first == '"':
        closing = end.search(line, at + 1)
        stop, behind = (len(line), len(line)) if closing is None else closing.span()
        return _text(line[at + 1 : stop]), behind
    word = _WORD.match(line, at)
    if word is None:
        raise _Odd
    return _plain(word[0]), word.end()


def _text(said: str) -> str:
    """A text as it was; of bytes, which are no text to the collector, its quotes are printed behind a backslash, and nothing else is."""
    return said.replace('\\"', '"') if said.startswith(('{\\"', '[{\\"')) else said


def _plain(word: str) -> object:
    if word in _WORDS:
        return _WORDS[word]
    if _NUMBER.fullmatch(word) is None:
        return word
    return float(word) if "." in word else int(word)
