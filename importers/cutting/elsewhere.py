"""Where records of an unknown kind keep others: found by looking, since nobody can list every column and member.

A member that holds a JSON object or a line of words as text in at least half of the records is such a place, and so is an
object somewhere inside. The formats decide whether they know what lies there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Literal

from importers.cutting.packed import json_in, line_in
from importers.cutting.prefixes import PREFIXES
from importers.cutting.wrapping import EACH, Path, Way

Kind = Literal["text", "line", "object"]

_DEPTH = 8
_MEMBERS = 100
_ELEMENTS = 5
_PLACES = 64
"""Members of an object, elements of a list, and places of one record that are looked at."""
_TEXTS, _OBJECTS, _LINES = 8, 8, 4
"""Ways that are worth asking every format about, the commonest first."""
_TELLING = 3
"""Members that an object in a list must have to say anything of its kind; a member of the record itself one less."""
_BETWEEN = re.compile(r"[ \t|]")
_SHORTEST, _LONGEST = 20, 64 << 10
"""Characters of a line that may be one of a log."""


def ways_elsewhere(sample: Sequence[object]) -> list[Way]:
    """Ways to what may be records inside these: those to objects in texts first, then to objects, then to lines of text."""
    found: Counter[tuple[Path, Kind]] = Counter()
    for record in sample:
        found.update(set(islice(_places(record, ()), _PLACES)))
    alone = len(sample) == 1 and isinstance(sample[0], dict) and sum(isinstance(one, dict) for one in sample[0].values()) > 1
    usual = [place for place, times in found.items() if 2 * times >= len(sample) and not (alone and _is_member(*place))]
    usual.sort(key=lambda one: (-found[one], len(one[0]), str(one)))

    def of(kind: Kind, most: int) -> list[Path]:
        return [path for path, told in usual if told == kind][:most]

    lines = of("line", _LINES)
    return [
        *(Way(path) for path in of("text", _TEXTS)),
        *(Way(path, objects=True) for path in of("object", _OBJECTS)),
        *(Way(path, container, prefix) for prefix in (None, *PREFIXES) for path in lines for container in ("keyvalue", "lines")),
    ]


def _is_member(path: Path, kind: Kind) -> bool:
    """Whether an object is a member of the record, as its neighbours are: one record alone does not tell which of them it carries."""
    return kind == "object" and EACH not in path


def _places(value: object, path: Path) -> Iterator[tuple[Path, Kind]]:
    """The paths to texts that are JSON objects or lines of words, and to objects."""
    if isinstance(value, str):
        if (kind := _kind(value)) is not None and path:
            yield path, kind
    elif len(path) >= _DEPTH:
        return
    elif isinstance(value, dict):
        if path and len(value) >= _TELLING - (EACH not in path):
            yield path, "object"
        for name, one in islice(value.items(), _MEMBERS):
            if name != EACH:
                yield from _places(one, (*path, name))
    elif isinstance(value, list) and path:
        for place, one in enumerate(value[:_ELEMENTS]):
            if isinstance(one, list):
                yield from _cells(one, path, place)
            else:
                yield from _places(one, (*path, EACH))
                if EACH in path and isinstance(one, dict) and len(one) == 1:
                    # A row whose cells are objects of their own.
                    yield from _places(one, (*path, place))


def _cells(cells: list[object], path: Path, column: int) -> Iterator[tuple[Path, Kind]]:
    """The places of what lies in a list of lists, which are a table's rows, or its columns where all of one is alike."""
    kinds = [_kind(cell) if isinstance(cell, str) else None for cell in cells[:_MEMBERS]]
    if len(kinds) > 1 and kinds[0] is not None and len(set(kinds)) == 1:
        yield (*path, column, EACH), kinds[0]
        return
    for place, kind in enumerate(kinds):
        if kind is not None:
            yield (*path, EACH, place), kind
        elif isinstance(cell := cells[place], dict) and len(cell) >= _TELLING:
            yield (*path, EACH, place), "object"


def _kind(text: str) -> Kind | None:
    if json_in(text) is not None:
        return "text"
    return "line" if _SHORTEST <= len(text) <= _LONGEST and _BETWEEN.search(line_in(text).strip()) else None
