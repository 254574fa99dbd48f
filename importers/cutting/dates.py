"""Dates of a table whose own numbers do not tell which of them is the month: the table's other dates do.

A portal writes its exports as the reader's language does, days before months in most, and half of a month's dates read either way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from importers.cutting.framing import Shape
from importers.cutting.tables import nested

_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?=,? \d{1,2}:\d\d)")
_MONTHS = 12


def dated(rows: Sequence[object]) -> Shape:
    """How a table that begins with these rows is read: as its records, dates in the order that all of its telling ones have; where
    these are of two orders, or none tells, each cell is left to itself.
    """
    cells = (cell for row in rows if isinstance(row, Mapping) for cell in row.values() if isinstance(cell, str))
    dates = [(int(found[1]), int(found[2])) for cell in cells if (found := _DATE.match(cell.strip())) is not None]
    days_first = any(first > _MONTHS >= second for first, second in dates)
    months_first = any(second > _MONTHS >= first for first, second in dates)
    if days_first == months_first:
        return nested

    def shape(row: dict[str, object]) -> dict[str, object]:
        return nested({name: _told(cell, days_first) if isinstance(cell, str) else cell for name, cell in row.items()})

    return shape


def _told(cell: str, days_first: bool) -> str:
    """A date with dots, before which the day stands everywhere."""
    found = _DATE.match(cell.lstrip())
    if found is None or max(int(found[1]), int(found[2])) > _MONTHS:
        return cell
    day, month = (found[1], found[2]) if days_first else (found[2], found[1])
    return f"{day}.{month}.{found[3]}{cell.lstrip()[found.end() :]}"
