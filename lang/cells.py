"""Text cut to so many terminal cells: of the names of places in it the middle goes first, for what they end in tells the most.

A path, an address or a resource's name is told by its last part, a sentence or a command by its beginning. So a line that is
too long first loses cells from the middles of the longest such names, and only then its own end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import category, combining, east_asian_width

ELLIPSIS = "…"

LEAST = 8
"""Cells a name is cut down to, so that all of a line fits."""
ENOUGH = 16
"""Cells a name keeps, or a third of them all if that is more, in a line that loses its own end all the same."""

_WORD = re.compile(rf"[^\s\"'`|;<>]{{{LEAST + 1},}}")
_WORDS = re.compile(r"( *)([^ ]+)")
_FILE = re.compile(r"[^.@=]+(?:\.[^.@=]+)?\.[A-Za-z]\w{0,5}")
"""The name of a file, not that of a host or a time."""
_COLONS = 3
"""So many make a name of a word: `arn:aws:s3:::bucket`, `urn:uuid:…`, a class path."""


def cell_width(text: str) -> int:
    """How many terminal cells a text takes that has been made harmless."""
    if text.isascii():
        return len(text)
    return sum(_cells(char) for char in text)


def seen(text: str, width: int) -> str:
    """What of a text can be seen in `width` cells at either end: a cell needs at most one letter and its marks."""
    most = 16 * max(width, 1) + 64
    return text if len(text) <= 2 * most else text[:most] + ELLIPSIS + text[-most:]


def cut(text: str, width: int) -> str:
    """A text in at most `width` cells, an ellipsis in place of its end where it is longer."""
    if cell_width(text) <= width:
        return text
    if width <= 0:
        return ""
    taken = 0
    for position, char in enumerate(text):
        taken += _cells(char)
        if taken > width - 1:
            return text[:position] + ELLIPSIS
    return text


def wrapped(text: str, width: int, lead: str = "", indent: str = "") -> list[str]:
    """A text as lines of at most `width` cells, the first after `lead`, the others after `indent`: broken at blanks, in a word
    only where it is longer than a line. A letter of two cells is never parted, so a line may keep its last cell."""
    lines: list[str] = []
    line, taken, bare = lead, cell_width(lead), True
    for blanks, word in _WORDS.findall(text):
        size = cell_width(word)
        gap = 0 if bare and lines else len(blanks)
        if not bare and taken + gap + size > width and size <= width - cell_width(indent):
            lines.append(line)
            line, taken, gap = indent, cell_width(indent), 0
        line += " " * gap
        taken += gap
        for char in word:
            if (cells := _cells(char)) and taken + cells > width:
                lines.append(line.rstrip(" "))
                line, taken = indent, cell_width(indent)
            line += char
            taken += cells
        bare = False
    return [*lines, line]


def cut_middle(text: str, width: int) -> str:
    """A text in at most `width` cells, a third of them its beginning and the others its end where it is longer."""
    if width <= 0 or cell_width(text) <= width:
        return cut(text, width)
    begin = cut(text, max(width // 3, 1))
    room, end = width - cell_width(begin), len(text)
    while end > 0 and (room := room - _cells(text[end - 1])) >= 0:
        end -= 1
    while end < len(text) and not _cells(text[end]):
        end += 1  # A mark would stand on the ellipsis, its letter being gone.
    return begin + text[end:]


def cut_names(text: str, width: int) -> str:
    """A text in at most `width` cells: the longest names of places in it lose their middles, then it loses its end."""
    over = cell_width(text) - width
    if over <= 0 or width <= 0:
        return cut(text, width)
    names = [found for found in _WORD.finditer(text) if _is_name(found.group())]
    room = _room([cell_width(one.group()) for one in names], over)
    parts: list[str] = []
    done, left = 0, width
    for one in names:
        between = text[done : one.start()]
        left -= cell_width(between)
        name = one.group()
        # Where the line loses its end all the same, the last name that is seen of it keeps its own, if there is room for it.
        if room or left > LEAST:
            name = cut_middle(name, room or min(left - 1, max(ENOUGH, width // 3)))
        left -= cell_width(name)
        parts += between, name
        done = one.end()
    return cut("".join([*parts, text[done:]]), width)


def _is_name(word: str) -> bool:
    return "/" in word or "\\" in word or word.count(":") >= _COLONS or bool(_FILE.fullmatch(word))


def _room(sizes: Sequence[int], over: int) -> int:
    """How many cells the longest may keep so that together they give up `over`; 0 where they cannot."""
    ordered, held = sorted(sizes, reverse=True), 0
    for count, size in enumerate(ordered, 1):
        held += size
        least = max(ordered[count] if count < len(ordered) else 0, LEAST)
        if held - count * least >= over:
            return (held - over) // count
    return 0


def _cells(char: str) -> int:
    if char < "\u0300":
        return 1
    if combining(char) or category(char) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1
