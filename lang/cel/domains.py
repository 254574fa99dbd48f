"""Conditions over the distinct values of one attribute: answered once per value, cached per predicate."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Booleans, Bools, Lists, Numbers, Texts, Values
from lang.cel.regex import matching
from lang.cel.scalar import Unknown, closure
from lang.cel.spans import MAX_SECONDS, SECOND
from lang.cel.typed import And, Attr, Call, Const, Has, Not, Or, Quantified, Tree, Var, reads

Answers: TypeAlias = "tuple[Bools, Bools]"
Subject: TypeAlias = "Attr | Var"

CACHE_BYTES = 64 << 20
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}

_COMPARE: dict[str, Callable[[NDArray[np.int64], int], Bools]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


class Domains:
    """Answers (true, unknown) per distinct value of a column, for trees that read nothing but that column's attribute."""

    def __init__(self) -> None:
        self._cache: OrderedDict[tuple[int, Tree], tuple[Values, Answers]] = OrderedDict()
        self._held = 0

    def test(self, tree: Tree, subject: Subject, values: Values) -> Answers:
        """Answers for each of `values` put in the place of `subject`: an attribute, or the variable of a macro."""
        key = (id(values), tree)
        found = self._cache.get(key)
        if found is not None:
            self._cache.move_to_end(key)
            return found[1]
        answers = self._test(tree, subject, values)
        self._cache[key] = (values, answers)  # holding the values keeps their id from being given again
        self._held += 2 * len(values) + 200
        while self._held > CACHE_BYTES and len(self._cache) > 1:
            _, (old, _) = self._cache.popitem(last=False)
            self._held -= 2 * len(old) + 200
        return answers

    def _test(self, tree: Tree, subject: Subject, values: Values) -> Answers:
        match tree:
            case Has() | Const():
                answer = isinstance(tree, Has) or tree.value is True
                return np.full(len(values), answer, np.bool_), np.zeros(len(values), np.bool_)
            case Not(of):
                true, unknown = self.test(of, subject, values)
                return ~(true | unknown), unknown
            case And(parts) | Or(parts):
                every = isinstance(tree, And)
                decided = np.ones(len(values), np.bool_) if every else np.zeros(len(values), np.bool_)
                possible = decided.copy()
                for part in parts:
                    true, unknown = self.test(part, subject, values)
                    if every:
                        decided &= true
                        possible &= true | unknown
                    else:
                        decided |= true
                        possible |= true | unknown
                return decided, possible & ~decided
            case Quantified(every, over, var, body) if _is(over, subject) and isinstance(values, Lists) and not _attributes(body):
                return self._elements(every, body, var, values)
        quick = _quick(tree, subject, values)
        if quick is not None:
            return quick, np.zeros(len(values), np.bool_)
        return _one_by_one(tree, subject, values)

    def _elements(self, every: bool, body: Tree, var: Var, values: Lists) -> Answers:
        true, unknown = self.test(body, var, values.elements)
        decides = values.any_of(~(true | unknown) if every else true)
        open_ = values.any_of(unknown) & ~decides
        return (~decides & ~open_, open_) if every else (decides, open_)


def _is(tree: Tree, subject: Subject) -> bool:
    return isinstance(tree, type(subject)) and tree.name == subject.name


def _attributes(tree: Tree) -> bool:
    return bool(reads(tree))


def _one_by_one(tree: Tree, subject: Subject, values: Values) -> Answers:
    """The scalar evaluator on each distinct value: for what has no quick way."""
    run = closure(tree)
    true, unknown = np.zeros(len(values), np.bool_), np.zeros(len(values), np.bool_)
    for i in range(len(values)):
        answer = run({subject.name: values.value(i)})
        if isinstance(answer, Unknown):
            unknown[i] = True
        elif answer is True:
            true[i] = True
    return true, unknown


def _quick(tree: Tree, subject: Subject, values: Values) -> Bools | None:
    """Predicates that numpy answers whole; None for all others."""
    if _is(tree, subject) and isinstance(values, Booleans):
        return np.array([False, True])
    if not isinstance(tree, Call) or len(tree.args) != 2:
        return None
    left, right = tree.args
    op = tree.fn
    if isinstance(left, Const) and op in _FLIPPED:
        left, right, op = right, left, _FLIPPED[op]
    if op == "in" and isinstance(left, Const) and isinstance(values, Lists) and _is(right, subject):
        return values.any_of(values.elements.equal(_bytes(left)))
    if not isinstance(right, Const):
        return None
    numbers = _numbers(left, subject, values)
    if numbers is not None:
        return _number_test(op, numbers, right)
    texts = _texts(left, subject, values)
    return _text_test(op, texts, right) if texts is not None else None


def _texts(tree: Tree, subject: Subject, values: Values) -> Texts | None:
    if isinstance(values, Texts):
        if _is(tree, subject):
            return values
        if isinstance(tree, Call) and tree.fn in ("lowerAscii", "upperAscii"):
            inner = _texts(tree.args[0], subject, values)
            if inner is not None:
                return inner.lowered if tree.fn == "lowerAscii" else inner.uppered
    return None


def _numbers(tree: Tree, subject: Subject, values: Values) -> NDArray[np.int64] | None:
    if isinstance(values, Numbers):
        if isinstance(tree, Call) and tree.fn == "seconds" and _is(tree.args[0], subject):
            return np.clip(values.numbers, -MAX_SECONDS, MAX_SECONDS) * SECOND
        return values.numbers if _is(tree, subject) else None
    if isinstance(tree, Call) and tree.fn == "size":
        if isinstance(values, Lists) and _is(tree.args[0], subject):
            return values.lengths
        texts = _texts(tree.args[0], subject, values)
        return texts.sizes if texts is not None else None
    return None


def _number_test(op: str, numbers: NDArray[np.int64], constant: Const) -> Bools | None:
    value = constant.value
    if op == "in" and isinstance(value, tuple):
        return np.isin(numbers, np.array([v for v in value if isinstance(v, int)], np.int64))
    if not isinstance(value, int):
        return None
    compare = _COMPARE.get(op)
    return compare(numbers, value) if compare is not None else None


def _text_test(op: str, texts: Texts, constant: Const) -> Bools | None:
    if op == "in" and isinstance(constant.value, tuple):
        out = np.zeros(len(texts), np.bool_)
        for value in dict.fromkeys(constant.value):
            out |= texts.equal(str(value).encode("utf-8", "replace"))
        return out
    if not isinstance(constant.value, str):
        return None
    data = _bytes(constant)
    match op:
        case "==":
            return texts.equal(data)
        case "!=":
            return ~texts.equal(data)
        case "startsWith":
            return texts.starting(data)
        case "endsWith":
            return texts.ending(data)
        case "contains":
            return texts.containing(data)
        case "matches":
            return matching(texts, constant.value)
    return None


def _bytes(constant: Const) -> bytes:
    return str(constant.value).encode("utf-8", "replace")
