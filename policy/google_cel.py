"""Google's CEL (the C++ engine, by `cel-expr-python`) as a second opinion on one condition; an optional extra.

Attributes are handed over as typed variables, groups of them as maps with what is stated and nothing else. Names with
dots are written as one word for that (`resource.name` as `resource__name`), for its Python binding takes no durations or
timestamps inside maps and its checker no sums of untyped values; nothing else of a condition is touched. What is missing
is an unknown or an error there, which `&&`, `||` and macros absorb alike.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from lang.cel import CelError, parse
from lang.cel.functions import FUNCTIONS
from lang.cel.maps import Maps, path_of
from lang.cel.nodes import Node
from lang.cel.requests import writable
from lang.cel.spans import moment_of, parse_day
from lang.cel.typed import Value
from model.request import DERIVED, FIELD

NAME = "Google CEL (C++)"
HOW_TO_GET = "Google's CEL is not installed; get it with: pip install 'remit[referee]'"


class NoReferee(RuntimeError):
    """The other engine is not there; the text says how to get it."""


class Refused(ValueError):
    """The other engine does not compile a condition; the text has its words."""


class NotCompared(ValueError):
    """A request its binding cannot take as it is: texts are cut at a NUL character."""


def available() -> bool:
    """Whether the extra is installed."""
    return importlib.util.find_spec("cel_expr_python") is not None


class Program:
    """One condition compiled by Google's CEL; raises NoReferee and Refused."""

    def __init__(self, condition: str) -> None:
        self._env = _environment()
        if "\x00" in condition or "\\x00" in condition or "u0000" in condition.lower() or "\\000" in condition:
            raise NotCompared("the condition holds a NUL character")
        try:
            written = _with_variables(condition)
            self._run = self._env.compile(written)
        except (RuntimeError, ValueError, TypeError) as error:
            raise Refused(str(error).strip().partition("\n")[0]) from None
        self._variables = frozenset(_WORD.findall(written))

    def answer(self, request: Mapping[str, Value]) -> bool | None:
        """True, false or None (unknown or an error) for a projected request; raises NotCompared."""
        value = self._run.eval(data=_data(request, self._variables)).value()
        return value if isinstance(value, bool) else None


_MAPS = Maps(FIELD)
_GROUPS = {group: [key for key in keys if f"{group}.{key}" in FIELD] for group, keys in _MAPS.groups.items()}
_TYPES = {**{name: field.type for name, field in FIELD.items()}, **{name: d.type for name, d in DERIVED.items()}}
_UNIFORM = {g: FIELD[f"{g}.{keys[0]}"].type for g, keys in _GROUPS.items() if len({FIELD[f"{g}.{k}"].type for k in keys}) == 1}
_WORD = re.compile(r"[A-Za-z_]\w*")
_FIRST_DAY = parse_day("0001-01-01")


@cache
def _environment() -> Any:
    if not available():
        raise NoReferee(HOW_TO_GET)
    cel = importlib.import_module("cel_expr_python.cel")
    extension = importlib.import_module("cel_expr_python.ext.ext_strings").ExtStrings()
    kinds = {
        "string": cel.Type.STRING, "int": cel.Type.INT, "bool": cel.Type.BOOL, "duration": cel.Type.DURATION,
        "timestamp": cel.Type.TIMESTAMP, "list<string>": cel.Type.List(cel.Type.STRING),
    }  # fmt: skip
    maps = {
        _variable(group): cel.Type.Map(cel.Type.STRING, kinds[_UNIFORM[group]] if group in _UNIFORM else cel.Type.DYN)
        for group in _GROUPS
    }
    return cel.NewEnv(
        variables={**maps, **{_variable(name): kinds[kind] for name, kind in _TYPES.items()}}, extensions=[extension]
    )


def _variable(name: str) -> str:
    return name.replace(".", "__")


def _with_variables(condition: str) -> str:
    """The condition with names of attributes and nested maps as one word."""
    try:
        tree = parse(condition)
    except CelError as error:
        raise Refused(str(error)) from None
    out = condition
    for start, end, text in sorted(_changes(tree, asked=False), reverse=True):
        out = out[:start] + text + out[end:]
    return out


def _changes(node: Node, asked: bool) -> Iterator[tuple[int, int, str]]:
    path = path_of(node, {})
    if path in _TYPES:
        group, _, key = (DERIVED[path].of if path in DERIVED else path).rpartition(".")
        if asked:
            yield node.start, node.end, f"{_variable(group)}.{key}"
        elif node.op == "index" and group in _UNIFORM:
            yield node.start, node.end, f"{_variable(group)}[{json.dumps(key)}]"
        else:
            yield node.start, node.end, _variable(path)
    elif path in _GROUPS:
        yield node.start, node.end, _variable(path)
    else:
        asks = node.op == "call" and node.text == "has"
        if asks and len(node.args) == 1 and (held := path_of(node.args[0], {})) in _GROUPS and "." in str(held):
            yield node.start, node.end, f"(size({_variable(str(held))}) > 0)"
            return
        for arg in node.args:
            yield from _changes(arg, asks)


def _data(request: Mapping[str, Value], wanted: frozenset[str]) -> dict[str, Any]:
    """What a request states, under those of our variables that a condition speaks of."""
    data: dict[str, Any] = {_variable(group): {} for group in _GROUPS if _variable(group) in wanted}
    for name, value in request.items():
        if (isinstance(value, str) and "\x00" in value) or (isinstance(value, tuple) and any("\x00" in str(v) for v in value)):
            raise NotCompared(f"`{name}` holds a NUL character")
        kind = FIELD[name].type
        if kind == "timestamp" and value == _FIRST_DAY:
            raise NotCompared(f"`{name}` is the first day there is, which the binding takes for none")
        group, _, key = name.rpartition(".")
        plain: Any = list(value) if isinstance(value, tuple) else writable(FIELD[name], value)
        if (held := data.get(_variable(group))) is not None:
            held[key] = plain
        if (variable := _variable(name)) in wanted:
            data[variable] = moment_of(int(value)) if kind == "timestamp" and isinstance(value, int) else plain
    for derived in DERIVED.values():
        seconds = request.get(derived.of)
        if isinstance(seconds, int) and _variable(derived.name) in wanted:
            data[_variable(derived.name)] = timedelta(microseconds=FUNCTIONS["seconds"](seconds))
    return data
