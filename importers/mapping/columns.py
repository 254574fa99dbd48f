"""A vendor's table as the records it was made from: which of its columns holds which member.

The console of a vendor exports the records that its API gives as a table with headings of its own. A mapping names them, so
that one set of event rules reads both.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from importers.shared.fields import Json, dig
from importers.shared.headings import in_zone, without_zone

_APART = re.compile(r"[\s_-]+")
_LONGEST = 200
_REMEMBERED = 8192
"""Up to so many characters of names together, where a record's columns lie is remembered for the next of the same names."""


class Column(NamedTuple):
    """A member of the record, by its path, and the headings of which the first that is there holds it, or what computes it."""

    path: tuple[str, ...]
    headings: tuple[str, ...] = ()
    value: Callable[[Json], object] | None = None


def heading(name: str) -> str:
    """A column's name as it is compared: without regard to case, blanks, `_` and `-`, or to a zone of its times told behind it."""
    return _APART.sub("", without_zone(name)).lower()


@lru_cache(maxsize=512)
def _sources(names: tuple[str, ...], columns: tuple[Column, ...]) -> tuple[tuple[Column, tuple[str, ...]], ...]:
    """Of these columns those that a record with these members may need, each with the members that may hold it."""
    told: dict[str, str] = {}
    for name in names:
        if len(name) <= _LONGEST:
            told.setdefault(heading(name), name)
    found = ((one, tuple(told[said] for said in one.headings if said in told)) for one in columns)
    return tuple((one, held) for one, held in found if one.value or (held and held != one.path))


def reachable(record: Json, columns: tuple[Column, ...]) -> frozenset[str]:
    """The members that a record may have once its columns are read, those it has itself left out."""
    if sum(map(len, record)) > _REMEMBERED:
        return frozenset(one.path[0] for one in columns)
    return _reachable(tuple(record), columns)


@lru_cache(maxsize=512)
def _reachable(names: tuple[str, ...], columns: tuple[Column, ...]) -> frozenset[str]:
    return frozenset(one.path[0] for one, _ in _sources(names, columns))


def with_columns(record: Json, columns: tuple[Column, ...]) -> Json:
    """The record with the members that its columns hold; what it has itself stays as it is."""
    whose = record
    # What is remembered of hostile records stays small.
    sources = _sources if sum(map(len, record)) <= _REMEMBERED else _sources.__wrapped__
    for (path, _, value), names in sources(tuple(record), columns):
        if (record.get(path[0]) if len(path) == 1 else dig(record, *path)) is not None:
            continue
        found = value(record) if value else next((in_zone(one, cell) for one in names if (cell := record[one]) is not None), None)
        if found in (None, "", [], {}):
            continue
        if len(path) > 1 or record is whose:
            record = put(record, path, found)
        else:
            record[path[0]] = found
    return record


def put(record: Json, path: tuple[str, ...] | list[str], value: object) -> Json:
    """A copy of the record with a value at a path of names."""
    if len(path) == 1:
        return {**record, path[0]: value}
    inner = record.get(path[0])
    return {**record, path[0]: put(inner if isinstance(inner, dict) else {}, path[1:], value)}
