"""Records of databases that tell each value with its kind: MongoDB's Extended JSON (`{"$date": ...}`), DynamoDB's JSON (`{"S": ...}`).

Read as they stand, a status is no number and a time no time: the values are told plainly before any format sees the record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from importers.shared.fields import mapping

_DEPTH = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INTEGER = re.compile(r"-?\d{1,18}")
_IMAGES = ("Item", "NewImage")
"""Members of an export or a stream of DynamoDB that hold a row."""


def told_with_kinds(sample: Sequence[object]) -> bool:
    """Whether at least half of a sample's records have members that are told so."""
    return bool(sample) and 2 * sum(_with_kinds(record) for record in sample) >= len(sample)


def plain(record: object) -> object:
    """A record with its values told plainly; what is told so already stays as it is."""
    if not isinstance(record, dict):
        return record
    if _is_row(record):
        return _row(record)
    held = mapping(record.get("dynamodb")) or record
    if any(_is_row(held.get(name)) for name in _IMAGES):
        told = {name: _row(mapping(one)) if _is_row(one) else one for name, one in held.items()}
        return told if held is record else {**record, "dynamodb": told}
    return _extended(record, 0)


def _with_kinds(record: object) -> bool:
    if not isinstance(record, dict):
        return False
    rows = [record, *(mapping(one).get(name) for one in (record, record.get("dynamodb")) for name in _IMAGES)]
    return any(map(_is_row, rows)) or any(_kind(one) is not None for one in record.values())


# MongoDB


def _kind(value: object) -> str | None:
    if isinstance(value, dict) and len(value) == 1:
        (name,) = value
        return name if name in _KINDS else None
    return None


def _extended(value: object, depth: int) -> object:
    if depth > _DEPTH:
        return value
    if isinstance(value, list):
        return [_extended(one, depth + 1) for one in value]
    if not isinstance(value, dict):
        return value
    if (kind := _kind(value)) is not None:
        return _KINDS[kind](value[kind])
    return {name: _extended(one, depth + 1) for name, one in value.items()}


def _number(told: object) -> object:
    """A number written as text, as both databases write them; what is none stays a text."""
    if not isinstance(told, str):
        return told
    if _INTEGER.fullmatch(told):
        return int(told)
    try:
        number = float(told)
    except ValueError:
        return told
    return number if abs(number) < 1e300 else told


def _date(told: object) -> object:
    """A time as text: relaxed it is one, canonical it is the milliseconds since the epoch."""
    at = _number(told.get("$numberLong")) if isinstance(told, dict) else told
    if type(at) is not int:
        return told
    try:
        return (_EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except OverflowError:
        return told


_KINDS: dict[str, Callable[[object], object]] = {
    "$date": _date,
    "$oid": lambda told: told,
    "$uuid": lambda told: told,
    "$numberInt": _number,
    "$numberLong": _number,
    "$numberDouble": _number,
    "$numberDecimal": _number,
}


# DynamoDB


def _is_row(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(_attribute(one) is not None for one in value.values())


def _attribute(value: object) -> str | None:
    if isinstance(value, dict) and len(value) == 1:
        (name,) = value
        return name if name in _ATTRIBUTES and isinstance(value[name], _ATTRIBUTES[name]) else None
    return None


def _row(row: dict[str, object], depth: int = 0) -> dict[str, object]:
    return {name: _told(one, depth) for name, one in row.items()}


def _told(value: object, depth: int) -> object:
    kind = _attribute(value)
    if kind is None or depth > _DEPTH:
        return value
    inner = mapping(value)[kind]
    match kind:
        case "N":
            return _number(inner)
        case "NULL":
            return None
        case "M":
            return _row(mapping(inner), depth + 1)
        case "L" | "NS":
            return list(_elements(inner, kind, depth + 1))
    return inner


def _elements(inner: object, kind: str, depth: int) -> Iterator[object]:
    for one in inner if isinstance(inner, list) else ():
        yield _number(one) if kind == "NS" else _told(one, depth)


_ATTRIBUTES: dict[str, type] = {
    "S": str, "N": str, "B": str, "BOOL": bool, "NULL": bool, "M": dict, "L": list, "SS": list, "NS": list, "BS": list,
}  # fmt: skip
