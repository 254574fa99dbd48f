"""Where records of an unknown kind keep others: found by looking, since nobody can list every column and member.

A member that holds a JSON object as text in at least half of the records is such a place, and so is a list of objects
somewhere inside. The formats decide whether they know what lies there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from importers.cutting.packed import json_in
from importers.cutting.wrapping import EACH, Path, Way

_DEPTH = 6
_MEMBERS = 100
_ELEMENTS = 5
_PLACES = 64
"""Members of an object, elements of a list, and places of one record that are looked at."""
_TEXTS, _OBJECTS = 8, 6
"""Ways that are worth asking every format about, the commonest first."""
_TELLING = 3
"""Members that an object must have to say anything of its kind."""


def ways_elsewhere(sample: Sequence[object]) -> list[Way]:
    """Ways to what may be records inside these, those to texts first."""
    found: Counter[tuple[Path, bool]] = Counter()
    for record in sample:
        found.update(set(islice(_places(record, ()), _PLACES)))
    usual = [(path, objects) for (path, objects), times in found.items() if 2 * times >= len(sample)]
    usual.sort(key=lambda one: (-found[one], len(one[0])))
    texts = [Way(path) for path, objects in usual if not objects]
    lists = [Way(path, objects=True) for path, objects in usual if objects]
    return texts[:_TEXTS] + lists[:_OBJECTS]


def _places(value: object, path: Path) -> Iterator[tuple[Path, bool]]:
    """The paths to texts that are JSON objects, and to objects within lists (True)."""
    if isinstance(value, str):
        if json_in(value) is not None:
            yield path, False
    elif len(path) >= _DEPTH:
        return
    elif isinstance(value, dict):
        if EACH in path and len(value) >= _TELLING:
            yield path, True
        for name, one in islice(value.items(), _MEMBERS):
            if name != EACH:
                yield from _places(one, (*path, name))
    elif isinstance(value, list) and path:
        for one in value[:_ELEMENTS]:
            if isinstance(one, list):
                for place, cell in enumerate(one[:_MEMBERS]):
                    if isinstance(cell, str):
                        yield from _places(cell, (*path, EACH, place))
            else:
                yield from _places(one, (*path, EACH))
