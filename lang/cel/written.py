"""Requests as people and programs write them, read into the published schema; what is wrong is said by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

import msgspec

from lang.cel.problems import did_you_mean
from lang.cel.requests import project, well_typed
from lang.cel.typed import Value
from model.request import FIELD, Field

Fields = Mapping[str, Field]
_TYPE_WORDS = {
    "string": "a text",
    "int": "a whole number",
    "bool": "true or false",
    "list<string>": "a list of texts",
    "timestamp": "a day such as 2026-03-01",
}


class RequestProblem(msgspec.Struct, frozen=True):
    """One thing wrong with a request: the attribute as written, and why."""

    name: str
    message: str


class RequestError(ValueError):
    """A request that is not in our schema; `problems` lists all that is wrong with it."""

    def __init__(self, problems: tuple[RequestProblem, ...]) -> None:
        super().__init__("; ".join(p.message for p in problems))
        self.problems = problems


def read_request(value: object, fields: Fields = FIELD) -> dict[str, Value]:
    """A request, nested (`{"resource": {"class": ...}}`) or dotted (`{"resource.class": ...}`), checked against the schema.

    `fields` are the attributes it may state. null means not stated. Raises RequestError with every unknown name, wrong type and value outside a closed list.
    """
    if not isinstance(value, Mapping):
        raise RequestError((RequestProblem("", f"a request is a mapping of attributes, not {_kind(value)}"),))
    flat: dict[str, object] = {}
    problems: list[RequestProblem] = []
    for name, item in _flattened(value, groups_of(fields)):
        if name in flat:
            problems.append(RequestProblem(name, f"`{name}` is stated twice"))
        elif problem := problem_of(name, item, fields):
            problems.append(RequestProblem(name, problem))
        else:
            flat[name] = item
    if problems:
        raise RequestError(tuple(problems))
    return project(flat, fields)


def groups_of(fields: Fields) -> frozenset[str]:
    """The first parts of dotted names, however long: `action`, `action.arguments`, `resource`."""
    return _groups(tuple(fields))


@lru_cache(maxsize=64)
def _groups(names: tuple[str, ...]) -> frozenset[str]:
    parts = [name.split(".") for name in names]
    return frozenset(".".join(part[:n]) for part in parts for n in range(1, len(part)))


def problem_of(name: str, value: object, fields: Fields = FIELD) -> str:
    """What is wrong with one attribute of a request, "" if nothing is."""
    field = fields.get(name)
    if field is None:
        if name in groups_of(fields):
            return f"`{name}` is a group of attributes, not a value"
        return f"unknown attribute `{_short(name)}`{did_you_mean(name, fields)}"
    if value is None:
        return ""
    if field.type == "int" and isinstance(value, int) and not isinstance(value, bool) and well_typed(field, value) is None:
        return f"`{name}` is a whole number of 64 bits, which this one exceeds"
    if well_typed(field, value) is None:
        return f"`{name}` is {_TYPE_WORDS[field.type]}, not {_kind(value)}"
    values = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    for item in values:
        if field.values and item not in field.values:
            return f"`{name}` is never `{_short(str(item))}`{did_you_mean(str(item), field.values) or '; see the request schema'}"
    return ""


def _flattened(value: Mapping[object, object], groups: frozenset[str], above: str = "") -> Iterator[tuple[str, object]]:
    for key, item in value.items():
        name = f"{above}{key}"
        if name in groups and isinstance(item, Mapping):
            yield from _flattened(item, groups, f"{name}.")
        else:
            yield name, item


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number" if isinstance(value, int) else "a fraction"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list with other things than texts" if isinstance(value, list | tuple) and value else "a list"


def _short(text: str) -> str:
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[:60])
    return shown + ("…" if len(text) > 60 else "")
