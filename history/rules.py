"""Conditions as expressions an engine judges row by row: from the same typed tree, three-valued, or refused by name.

A condition becomes a boolean that is null where it cannot be judged: AND, OR and NOT of SQL are Kleene's. What an
engine's function does otherwise than ours (white space, case beyond ASCII, regular expressions, overflow) is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import ibis

from history.columns import Bound, folded
from history.dialects import characters, position
from history.patterns import searched
from history.problems import Lacking
from lang.cel.functions import MAX_RESULT
from lang.cel.spans import MAX_SECONDS, SECOND, day_of
from lang.cel.typed import And, Attr, Call, Cond, Const, Has, Not, Or, Quantified, Tree, Type, Var, type_of

TESTED = ("duckdb", "clickhouse", "pyspark")
"""Engines that each function here is tested on; of others only what is the same in any SQL is used."""
_ANYWHERE = frozenset({"==", "!=", "in", "list", "count", "seconds"})
_ORDER = frozenset({"<", "<=", ">", ">="})
_TEXTS = frozenset(
    {"startsWith", "endsWith", "contains", "matches", "lowerAscii", "upperAscii", "replace", "concat", "size", "indexOf"}
)
_UPPER, _LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
_DAY = 86_400 * SECOND

Scope = Mapping[str, Any]


class Value(NamedTuple):
    """An expression that is null where its value is unknown, and per missing attribute whether it is unknown for want of it."""

    of: Any
    missing: dict[str, Any]


class Rules:
    """Writes conditions over the rows of one table, for one engine."""

    def __init__(self, bound: Bound, dialect: str) -> None:
        self._bound = bound
        self._rows = bound.rows
        self._dialect = dialect

    def outcome(self, tree: Tree) -> tuple[Any, tuple[str, ...]]:
        """A condition's answer as text, and the attributes that may be missing; raises Lacking.

        The first character is 1 (true), 0 (false) or 2 (unknown); one more for each attribute tells whether its absence
        is why.
        """
        found = self._boolean(tree, {})
        names = tuple(sorted(found.missing))
        text = ibis.ifelse(found.of.isnull(), "2", ibis.ifelse(found.of, "1", "0"))
        for name in names:
            text = text + ibis.ifelse(found.missing[name], "1", "0")
        return text, names

    # booleans

    def _boolean(self, tree: Tree, scope: Scope) -> Value:
        match tree:
            case Const(_, value):
                return Value(ibis.literal(bool(value)), {})
            case Has(name):
                return Value(self._stated(name), {})
            case Not(of):
                found = self._boolean(of, scope)
                # Not by NOT: ibis writes `NOT (x) IS NULL` for its being null, which engines read as NOT (x IS NULL).
                return Value(found.of != ibis.literal(True), found.missing)
            case And(parts):
                return _logic([self._boolean(part, scope) for part in parts], lambda a, b: a & b)
            case Or(parts):
                return _logic([self._boolean(part, scope) for part in parts], lambda a, b: a | b)
            case Quantified():
                return self._quantified(tree, scope)
            case Call("in", (item, items)):
                return self._in(item, items, scope)
            case Call(fn, (left, right)) if fn in _ORDER or fn in ("==", "!="):
                return self._compared(fn, left, right, scope)
        return self._value(tree, scope)

    def _quantified(self, tree: Quantified, scope: Scope) -> Value:
        items, stated, missing = self._list(tree.over)

        def body(item: Any) -> Value:
            return self._boolean(tree.body, {**scope, tree.var.name: item})

        def some(test: Callable[[Value], Any]) -> Any:
            return ibis.coalesce(
                items.filter(lambda item: ibis.coalesce(test(body(item)), ibis.literal(False))).length() > 0, False
            )

        decides = some((lambda found: ~found.of) if tree.every else (lambda found: found.of))
        unknown = some(lambda found: found.of.isnull())
        answer = ibis.ifelse(
            decides, ibis.literal(not tree.every), ibis.ifelse(unknown, ibis.null("boolean"), ibis.literal(tree.every))
        )
        whole = ibis.ifelse(stated, answer, ibis.null("boolean"))
        for name in body(ibis.literal("")).missing:
            lacks = stated & ~decides & some(lambda found, name=name: found.missing[name])  # type: ignore[misc]
            missing[name] = missing[name] | lacks if name in missing else lacks
        return Value(whole, missing)

    def _in(self, item: Tree, items: Tree, scope: Scope) -> Value:
        self._allowed("in")
        found = self._value(item, scope)
        if isinstance(items, Const):
            assert isinstance(items.value, tuple)
            if items.value and type_of(item) == "string":
                # One IN: of a thousand comparisons the writing alone takes a quarter of a minute.
                return Value(_unless(found.of.isnull(), found.of.isin([str(one) for one in items.value])), found.missing)
            same = self._compare("==", type_of(item))
            hit = folded([same(found.of, ibis.literal(one)) for one in items.value] or [ibis.literal(False)], _either)
            return Value(_unless(found.of.isnull(), hit), found.missing)
        if isinstance(items, Call) and items.fn == "list":
            parts = [self._value(part, scope) for part in items.args]
            none = folded([one.of.isnull() for one in (found, *parts)], _either)
            hit = folded([found.of == part.of for part in parts], _either)
            return Value(_unless(none, hit), _together(found, *parts))
        held, stated, missing = self._list(items)
        return Value(_unless(found.of.isnull() | ~stated, held.contains(found.of)), _together(found, Value(None, missing)))

    def _compared(self, fn: str, left: Tree, right: Tree, scope: Scope) -> Value:
        kind = type_of(left)
        if kind.startswith("list") or type_of(right).startswith("list"):
            raise Lacking(fn, "between lists")
        if kind == "timestamp":
            return self._days(fn, left, right)
        self._allowed(fn, kind)
        one, other = self._value(left, scope), self._value(right, scope)
        return Value(self._compare(fn, kind)(one.of, other.of), _together(one, other))

    def _compare(self, fn: str, kind: Type) -> Callable[[Any, Any], Any]:
        """A comparison. ClickHouse makes IN of several `==`, and gives the numbers in it one type, which may be that of floats."""
        if self._dialect == "clickhouse" and kind in ("int", "duration") and fn in ("==", "!="):
            return (lambda a, b: (a <= b) & (a >= b)) if fn == "==" else (lambda a, b: (a < b) | (a > b))
        return _COMPARE[fn]

    def _days(self, fn: str, left: Tree, right: Tree) -> Value:
        """Days are texts `2026-03-01`, whose order is that of the days; a written time is put on the days around it."""
        if isinstance(left, Const) and isinstance(right, Attr):
            return self._days(_TURNED[fn], right, left)
        if not isinstance(left, Attr) or not isinstance(right, Attr | Const):
            raise Lacking(fn, "between computed times")
        self._allowed(fn, "string")
        one = self._value(left, {})
        if isinstance(right, Attr):
            other = self._value(right, {})
            return Value(_COMPARE[fn](one.of, other.of), _together(one, other))
        micros = int(right.value) if isinstance(right.value, int) else 0
        day, whole = day_of(micros - micros % _DAY), micros % _DAY == 0
        if not whole and fn in ("==", "!="):
            return Value(_unless(one.of.isnull(), ibis.literal(fn == "!=")), one.missing)
        # A day is before a time within another day if it is that day or before.
        test = fn if whole else {"<": "<=", ">=": ">"}.get(fn, fn)
        return Value(_COMPARE[test](one.of, ibis.literal(day)), one.missing)

    # values

    def _value(self, tree: Tree, scope: Scope) -> Value:
        match tree:
            case Const(kind, value):
                if kind == "timestamp" or kind.startswith("list"):
                    raise Lacking(f"a {kind} that is written out")
                return Value(ibis.literal(value, type=_TYPES[kind]), {})
            case Var(name):
                return Value(scope[name], {})
            case Attr(name, kind):
                return self._attribute(name, kind)
            case Cond(test, yes, no, kind):
                return self._chosen(test, yes, no, kind, scope)
            case Call(fn, args) if fn not in _COMPARE and fn != "in":
                return self._call(fn, args, scope)
        return self._boolean(tree, scope)

    def _attribute(self, name: str, kind: Type) -> Value:
        held = self._bound.names.get(name)
        if held is None:
            return Value(ibis.null(_TYPES.get(kind, "string")), {name: ibis.literal(True)})
        if name in self._bound.texts:
            raise Lacking(name, "kept as text; map a date")
        value = self._rows[held]
        return Value(value, {name: value.isnull()})

    def _stated(self, name: str) -> Any:
        if name in self._bound.lists:
            return self._rows[self._bound.lists[name][1]]
        if name in self._bound.texts or name in self._bound.json:
            raise Lacking(name, "kept as text")
        held = self._bound.names.get(name)
        return ibis.literal(False) if held is None else ibis.ifelse(self._rows[held].isnull(), False, True)

    def _list(self, tree: Tree) -> tuple[Any, Any, dict[str, Any]]:
        """A list, whether it is stated, and for want of what it is not."""
        if isinstance(tree, Const) and isinstance(tree.value, tuple) and all(isinstance(item, str) for item in tree.value):
            return ibis.literal(list(tree.value), type="array<string>"), ibis.literal(True), {}
        if not isinstance(tree, Attr):
            raise Lacking("a list that is computed")
        if tree.name not in self._bound.names:
            missing = ibis.literal(False)
            return ibis.literal([], type="array<string>"), missing, {tree.name: ibis.literal(True)}
        if tree.name not in self._bound.lists:
            raise Lacking(tree.name, "kept as JSON text")
        held, stated = self._bound.lists[tree.name]
        return self._rows[held], self._rows[stated], {tree.name: ~self._rows[stated]}

    def _chosen(self, test: Tree, yes: Tree, no: Tree, kind: Type, scope: Scope) -> Value:
        if kind.startswith("list") or kind == "timestamp":
            raise Lacking("?:", f"between values of type {kind}")
        asked, one, other = self._boolean(test, scope), self._value(yes, scope), self._value(no, scope)
        value = ibis.cases((asked.of, one.of), (~asked.of, other.of), else_=ibis.null(_TYPES[kind]))
        missing = dict(asked.missing)
        for branch, taken in ((one, asked.of), (other, ~asked.of)):
            for name, lacks in branch.missing.items():
                here = ibis.coalesce(taken, ibis.literal(False)) & lacks
                missing[name] = missing[name] | here if name in missing else here
        return Value(value, missing)

    def _call(self, fn: str, args: tuple[Tree, ...], scope: Scope) -> Value:
        self._allowed(fn)
        if fn == "list":
            raise Lacking("a list that is computed")
        if fn == "size" and type_of(args[0]).startswith("list"):
            items, stated, missing = self._list(args[0])
            return Value(ibis.ifelse(stated, items.length().cast("int64"), ibis.null("int64")), missing)
        if fn == "matches":
            if not isinstance(args[1], Const):
                raise Lacking(fn, "with a pattern that is computed")
            text = self._value(args[0], scope)
            pattern = searched(str(args[1].value), self._dialect)
            return Value(text.of.re_search(pattern), text.missing)
        values = [self._value(arg, scope) for arg in args]
        if fn in _COUNTED:
            return Value(_COUNTED[fn](*[value.of for value in values], self._dialect), _together(*values))
        made = self._replaced(args, values) if fn == "replace" else _CALLS[fn](*[value.of for value in values])
        return Value(made, _together(*values))

    def _replaced(self, args: tuple[Tree, ...], values: list[Value]) -> Any:
        if not isinstance(args[1], Const) or not args[1].value:
            raise Lacking("replace", "of a text that is computed or empty")
        made = values[0].of.replace(values[1].of, values[2].of)
        return _unless(characters(made, self._dialect) > MAX_RESULT, made, "string")

    def _allowed(self, fn: str, kind: Type = "int") -> None:
        if fn in _ANYWHERE or (fn in _ORDER and kind != "string"):
            return
        if self._dialect not in TESTED or (fn not in _TEXTS and fn not in _ORDER):
            raise Lacking(fn)


_TYPES: dict[str, str] = {"string": "string", "int": "int64", "bool": "boolean", "duration": "int64", "timestamp": "string"}
_TURNED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _either(a: Any, b: Any) -> Any:
    return a | b


def _unless(unknown: Any, value: Any, kind: str = "boolean") -> Any:
    return ibis.ifelse(unknown, ibis.null(kind), value)


def _concat(a: Any, b: Any, dialect: str) -> Any:
    return _unless(characters(a, dialect) + characters(b, dialect) > MAX_RESULT, a + b, "string")


def _seconds(value: Any) -> Any:
    low, high = ibis.literal(-MAX_SECONDS, type="int64"), ibis.literal(MAX_SECONDS, type="int64")
    held = ibis.ifelse(value > high, high, ibis.ifelse(value < low, low, value))
    return _unless(value.isnull(), held * ibis.literal(SECOND, type="int64"), "int64")


def _count(*stated: Any) -> Any:
    one, none = ibis.literal(1, type="int64"), ibis.literal(0, type="int64")
    return folded([ibis.ifelse(each, one, none) for each in stated], lambda a, b: a + b)


_COUNTED: dict[str, Callable[..., Any]] = {"size": characters, "indexOf": position, "concat": _concat}
_CALLS: dict[str, Callable[..., Any]] = {
    "startsWith": lambda s, t: s.startswith(t),
    "endsWith": lambda s, t: s.endswith(t),
    "contains": lambda s, t: s.contains(t),
    "lowerAscii": lambda s: s.translate(_UPPER, _LOWER),
    "upperAscii": lambda s: s.translate(_LOWER, _UPPER),
    "seconds": _seconds,
    "count": _count,
}


def _logic(parts: list[Value], join: Callable[[Any, Any], Any]) -> Value:
    whole = folded([part.of for part in parts], join)
    return Value(whole, {name: whole.isnull() & lacks for name, lacks in _together(*parts).items()})


def _together(*parts: Value) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in parts:
        for name, lacks in part.missing.items():
            found[name] = found[name] | lacks if name in found else lacks
    return found
