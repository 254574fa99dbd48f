"""One condition, one request: the plain reading of CEL's three-valued logic, against which the fast one is tested.

A tree is compiled once into nested closures. Each yields a value or an `Unknown` that says which attributes were
missing; `&&`, `||`, `exists` and `all` absorb an unknown in any order, everything else passes it on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import msgspec

from lang.cel.functions import FUNCTIONS
from lang.cel.typed import And, Attr, Call, Cond, Const, Has, Not, Or, Quantified, Tree, Value, Var


class Unknown:
    """A value that cannot be known, and the missing attributes it hangs on (none after an error such as x / 0)."""

    __slots__ = ("missing",)

    def __init__(self, missing: frozenset[str] = frozenset()) -> None:
        self.missing = missing

    def __or__(self, other: Unknown) -> Unknown:
        return self if other.missing <= self.missing else Unknown(self.missing | other.missing)


class Answer(msgspec.Struct, frozen=True):
    """True, false or None (cannot judge), and for None the names of the missing attributes that mattered."""

    value: bool | None
    missing: frozenset[str] = frozenset()


Request = Mapping[str, Value]
Closure = Callable[[Request], "Value | Unknown"]

_ERROR = Unknown()


def evaluate(tree: Tree, request: Request) -> Answer:
    """The answer of a condition for one request: a flat mapping of dotted names to well-typed values (`project`)."""
    return answer_of(closure(tree)(request))


def answer_of(result: Value | Unknown) -> Answer:
    """What a condition's closure yields, as an answer."""
    if isinstance(result, Unknown):
        return Answer(None, result.missing)
    return Answer(result is True)


@lru_cache(maxsize=4096)
def closure(tree: Tree) -> Closure:
    """The compiled form of a tree."""
    match tree:
        case Const(_, value):
            return lambda request: value
        case Attr(name):
            return _attribute(name)
        case Var(name):
            return lambda request: request[name]
        case Has(name):
            return lambda request: name in request
        case Not(of):
            return _not(closure(of))
        case And(parts):
            return _all_of(tuple(closure(p) for p in parts), stop=False)
        case Or(parts):
            return _all_of(tuple(closure(p) for p in parts), stop=True)
        case Cond(test, yes, no):
            return _cond(closure(test), closure(yes), closure(no))
        case Call(fn, args):
            return _strict(FUNCTIONS[fn], tuple(closure(a) for a in args))
        case Quantified(every, over, var, body):
            return _quantified(every, closure(over), var.name, closure(body))


def _attribute(name: str) -> Closure:
    missing = Unknown(frozenset((name,)))

    def run(request: Request) -> Value | Unknown:
        return request.get(name, missing)

    return run


def _not(of: Closure) -> Closure:
    def run(request: Request) -> Value | Unknown:
        value = of(request)
        return value if isinstance(value, Unknown) else not value

    return run


def _all_of(parts: tuple[Closure, ...], stop: bool) -> Closure:
    """`||` where `stop` is true, `&&` where it is false: the value `stop` decides whatever else is unknown."""

    def run(request: Request) -> Value | Unknown:
        unknown: Unknown | None = None
        for part in parts:
            value = part(request)
            if isinstance(value, Unknown):
                unknown = value if unknown is None else unknown | value
            elif value is stop:
                return stop
        return (not stop) if unknown is None else unknown

    return run


def _cond(test: Closure, yes: Closure, no: Closure) -> Closure:
    def run(request: Request) -> Value | Unknown:
        value = test(request)
        if isinstance(value, Unknown):
            return value
        return yes(request) if value else no(request)

    return run


def _strict(function: Callable[..., Value | None], args: tuple[Closure, ...]) -> Closure:
    def run(request: Request) -> Value | Unknown:
        values = []
        unknown: Unknown | None = None
        for arg in args:
            value = arg(request)
            if isinstance(value, Unknown):
                unknown = value if unknown is None else unknown | value
            else:
                values.append(value)
        if unknown is not None:
            return unknown
        result = function(*values)
        return _ERROR if result is None else result

    return run


def _quantified(every: bool, over: Closure, name: str, body: Closure) -> Closure:
    def run(request: Request) -> Value | Unknown:
        items = over(request)
        if isinstance(items, Unknown):
            return items
        assert isinstance(items, tuple)
        inner: dict[str, Value] = dict(request)
        unknown: Unknown | None = None
        for item in items:
            inner[name] = item
            value = body(inner)
            if isinstance(value, Unknown):
                unknown = value if unknown is None else unknown | value
            elif value is not every:
                return not every
        return every if unknown is None else unknown

    return run
