"""OTLP's AnyValue: a value of any kind, told with the name of its kind (opentelemetry-proto, `common.proto`)."""

from __future__ import annotations

MAX_DEPTH = 12

_VALUES = {
    "stringValue": 0, "string_value": 0, "boolValue": 0, "bool_value": 0, "doubleValue": 0, "double_value": 0, "intValue": 1,
    "int_value": 1, "arrayValue": 2, "array_value": 2, "kvlistValue": 3, "kvlist_value": 3, "bytesValue": 0, "bytes_value": 0,
}  # fmt: skip


def value_of(value: object, depth: int = 0) -> object:
    """The plain value of an OTLP AnyValue; what is none stays as it is."""
    if not isinstance(value, dict) or depth > MAX_DEPTH or len(value) != 1:
        return value
    ((name, inner),) = value.items()
    sort = _VALUES.get(name)
    if sort is None:
        return value
    if sort == 1:
        return (
            int(inner)
            if isinstance(inner, str) and len(inner) < 20 and inner.lstrip("-").isdecimal() and inner.isascii()
            else inner
        )
    if sort == 2:
        return [value_of(one, depth + 1) for one in _list(inner)]
    if sort == 3:
        return {
            one["key"]: value_of(one.get("value"), depth + 1)
            for one in _list(inner)
            if isinstance(one, dict) and isinstance(one.get("key"), str)
        }
    return inner


def _list(inner: object) -> list[object]:
    """The values of an array or key-value list, with or without the object around them."""
    found = inner.get("values") if isinstance(inner, dict) else inner
    return found if isinstance(found, list) else []
