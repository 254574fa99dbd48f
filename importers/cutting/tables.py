"""Records of a format that were exported as a table: each row as the record it was made from."""

from __future__ import annotations

import re
from collections.abc import Mapping

from importers.shared.fields import decode
from model.event import BadRecord

_NUMBER = re.compile(r"(?:0|[1-9]\d{0,14})")
"""Short enough to be a number; longer runs of digits are identifiers."""
_TRUTHS = {"true": True, "false": False}
_DEPTH = 8


def nested(row: Mapping[str, object]) -> dict[str, object]:
    """A row as its record: no empty cells, `a.b` as a member of `a`, JSON in a cell read, numbers and truth values as such.

    A name that contradicts another (`a` beside `a.b`) stays as it is written.
    """
    found: dict[str, object] = {}
    for name, cell in row.items():
        if isinstance(cell, str) and not (cell := cell.strip()):
            continue
        value = _value(cell) if isinstance(cell, str) else cell
        path = name.split(".")
        if not all(path) or len(path) > _DEPTH or not put(found, path, value):
            found[name] = value
    return found


def put(found: dict[str, object], path: list[str], value: object) -> bool:
    """Set a value at a path of names, making the objects on its way; False where something else stands there."""
    for step in path[:-1]:
        inner = found.setdefault(step, {})
        if not isinstance(inner, dict):
            return False
        found = inner
    if isinstance(found.get(path[-1]), dict):
        return False
    found[path[-1]] = value
    return True


def _value(cell: str) -> object:
    if _NUMBER.fullmatch(cell):
        return int(cell)
    if cell[:1] in "{[":
        try:
            return decode(cell.encode("utf-8", "replace"))
        except BadRecord:
            return cell
    return _TRUTHS.get(cell.lower(), cell)
