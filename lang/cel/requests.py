"""Requests as conditions see them: flat dotted names, well-typed values, nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from lang.cel.functions import INT_MAX, INT_MIN
from lang.cel.spans import day_of, parse_day
from lang.cel.typed import Value
from model.request import FIELD, Field


def well_typed(field: Field, value: object) -> Value | None:
    """The value as its attribute's type, None where it is missing or of another type: a wrong value is unknown, not false.

    A float without a fraction is a whole number (JSON writers differ); half characters become U+FFFD.
    """
    match field.type:
        case "string":
            return _text(value) if isinstance(value, str) else None
        case "bool":
            return value if isinstance(value, bool) else None
        case "int":
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            good = isinstance(value, int) and not isinstance(value, bool) and INT_MIN <= value <= INT_MAX
            return value if good and isinstance(value, int) else None
        case "timestamp":
            return parse_day(value) if isinstance(value, str) else None
        case _:
            if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
                return tuple(_text(item) for item in value)
            return None


def writable(field: Field, value: Value) -> str | int | bool | list[str]:
    """A projected value as JSON and people write it: the way back from `well_typed`."""
    if isinstance(value, tuple):
        return [str(item) for item in value]
    if field.type == "timestamp":
        return day_of(int(value))
    return value


def project(request: Mapping[str, object], fields: Mapping[str, Field] = FIELD) -> dict[str, Value]:
    """What of a flat request conditions may read: known names with well-typed values."""
    out: dict[str, Value] = {}
    for name, value in request.items():
        field = fields.get(name)
        if field is not None and (typed := well_typed(field, value)) is not None:
            out[name] = typed
    return out


def _text(value: str) -> str:
    if value.isascii():
        return value
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
