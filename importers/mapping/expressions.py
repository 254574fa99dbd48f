"""JMESPath expressions as chains of Python functions, several times faster than the library's interpreter.

The library parses and stays the measure: a kind of node that is not translated here is left to its interpreter, and both
give the same values for the same record.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import Any

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError
from jmespath.parser import Parser
from jmespath.visitor import TreeInterpreter

Look = Callable[[Any], Any]
Node = Any

__all__ = ["JMESPathError", "compiled"]


class _Functions(functions.Functions):
    """What JMESPath cannot say by itself: members of an object by their names, two lists side by side, and a text in lower case."""

    @functions.signature({"types": ["object", "null"]})
    def _func_pairs(self, members: dict[str, object] | None) -> list[dict[str, object]]:
        return [{"name": name, "value": one} for name, one in (members or {}).items()]

    @functions.signature({"types": ["array", "null"]}, {"types": ["array", "null"]})
    def _func_zip(self, left: list[object] | None, right: list[object] | None) -> list[list[object]]:
        return [[a, b] for a, b in zip_longest(left or [], right or [])]

    @functions.signature({"types": ["string", "null"]})
    def _func_lower(self, text: str | None) -> str:
        return (text or "").lower()


_FUNCTIONS = _Functions()
_INTERPRETER = TreeInterpreter(jmespath.Options(custom_functions=_FUNCTIONS))


def compiled(source: str) -> Look:
    """The expression as a function of the record; raises JMESPathError where it is none.

    The function raises JMESPathError, or what Python raises, where a JMESPath function gets an argument of a wrong type.
    """
    return _translated(Parser().parse(source).parsed)


def _translated(node: Node) -> Look:
    kind = node["type"]
    if kind in _KINDS:
        return _KINDS[kind](node)
    return lambda value: _INTERPRETER.visit(node, value)


def _children(node: Node) -> list[Look]:
    return [_translated(child) for child in node["children"]]


def _field(node: Node) -> Look:
    name = node["value"]
    return lambda value: value.get(name) if isinstance(value, dict) else None


def _chain(node: Node) -> Look:
    steps = _children(node)
    if len(steps) == 2:
        first, second = steps
        return lambda value: second(first(value))

    def look(value: Any) -> Any:
        for step in steps:
            value = step(value)
        return value

    return look


def _index(node: Node) -> Look:
    at = node["value"]

    def look(value: Any) -> Any:
        if not isinstance(value, list):
            return None
        return value[at] if -len(value) <= at < len(value) else None

    return look


def _nothing(value: Any) -> bool:
    """What JMESPath takes for false: of numbers none, not even 0."""
    return value is None or value is False or value == "" or value == [] or value == {}


def _or(node: Node) -> Look:
    left, right = _children(node)

    def look(value: Any) -> Any:
        found = left(value)
        return right(value) if _nothing(found) else found

    return look


def _and(node: Node) -> Look:
    left, right = _children(node)

    def look(value: Any) -> Any:
        found = left(value)
        return found if _nothing(found) else right(value)

    return look


def _not(node: Node) -> Look:
    (inner,) = _children(node)
    return lambda value: _nothing(inner(value))


def _literal(node: Node) -> Look:
    plain = node["value"]
    return lambda value: plain


def _same(node: Node) -> Look:
    return lambda value: value


def _list(node: Node) -> Look:
    members = _children(node)
    return lambda value: None if value is None else [member(value) for member in members]


def _projection(node: Node) -> Look:
    base, each = _children(node)

    def look(value: Any) -> Any:
        found = base(value)
        if not isinstance(found, list):
            return None
        return [made for one in found if (made := each(one)) is not None]

    return look


def _filter(node: Node) -> Look:
    base, each, holds = _children(node)

    def look(value: Any) -> Any:
        found = base(value)
        if not isinstance(found, list):
            return None
        return [made for one in found if not _nothing(holds(one)) and (made := each(one)) is not None]

    return look


def _comparison(node: Node) -> Look:
    sides = [child for child in node["children"] if child["type"] == "literal" and isinstance(child["value"], str)]
    if node["value"] not in ("eq", "ne") or not sides:
        return lambda value: _INTERPRETER.visit(node, value)
    # Compared with a text, equality is Python's own; numbers and truths have rules that the library knows.
    left, right = _children(node)
    return (lambda value: left(value) == right(value)) if node["value"] == "eq" else lambda value: left(value) != right(value)


def _function(node: Node) -> Look:
    name, arguments = node["value"], node["children"]
    if any(child["type"] == "expref" for child in arguments):
        return lambda value: _INTERPRETER.visit(node, value)
    looks = [_translated(child) for child in arguments]
    return lambda value: _FUNCTIONS.call_function(name, [look(value) for look in looks])


_KINDS: dict[str, Callable[[Node], Look]] = {
    "field": _field,
    "subexpression": _chain,
    "index_expression": _chain,
    "pipe": _chain,
    "index": _index,
    "or_expression": _or,
    "and_expression": _and,
    "not_expression": _not,
    "literal": _literal,
    "current": _same,
    "identity": _same,
    "multi_select_list": _list,
    "projection": _projection,
    "filter_projection": _filter,
    "comparator": _comparison,
    "function_expression": _function,
}
