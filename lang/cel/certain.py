"""Conditions whose answer is known beforehand: they match no request, or every one.

Parts that read one attribute are tried on its possible values: all of a closed list, or, where it is only compared with
what is written out, those values and one of each kind between them. What cannot be told that way is taken to be
possible either way, so that what is said here is certain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from lang.cel.functions import INT_MAX, INT_MIN
from lang.cel.scalar import evaluate
from lang.cel.spans import SECOND
from lang.cel.typed import And, Attr, Call, Cond, Const, Has, Not, Or, Quantified, Tree, Value, children, reads, type_of
from model.request import Field

_COMPARED = frozenset(("==", "!=", "<", "<=", ">", ">=", "in"))
_MOST = 64
"""Values tried of one attribute."""


class Possible(NamedTuple):
    """Whether any request can make a condition true, and whether any can make it false; unknown is neither."""

    true: bool
    false: bool
    unknown: bool


_ANY = Possible(True, True, True)


def possible(tree: Tree, fields: Mapping[str, Field]) -> Possible:
    """What a condition may answer."""
    names = reads(tree)
    if len(names) <= 1:
        found = _tried(tree, next(iter(names), ""), fields)
        if found is not None:
            return found
    match tree:
        case Not(of):
            inner = possible(of, fields)
            return Possible(inner.false, inner.true, inner.unknown)
        case And(parts):
            return _joined(_grouped(parts, And), fields)
        case Or(parts):
            inner = _joined(tuple(Not(part) for part in _grouped(parts, Or)), fields)
            return Possible(inner.false, inner.true, inner.unknown)
        case Cond(test, yes, no):
            told, one, other = possible(test, fields), possible(yes, fields), possible(no, fields)
            chosen = [answers for may, answers in ((told.true, one), (told.false, other)) if may]
            return Possible(
                any(c.true for c in chosen), any(c.false for c in chosen), told.unknown or any(c.unknown for c in chosen)
            )
    return _ANY


def _joined(parts: tuple[Tree, ...], fields: Mapping[str, Field]) -> Possible:
    """Parts that all must hold."""
    found = [possible(part, fields) for part in parts]
    if any(not answers.true and not answers.unknown for answers in found):
        return Possible(False, True, False)  # one part is always false, which no unknown changes
    if any(not answers.true for answers in found):
        return Possible(False, True, any(answers.unknown for answers in found))
    return Possible(True, any(answers.false for answers in found), any(answers.unknown for answers in found))


def _grouped(parts: tuple[Tree, ...], kind: type[And] | type[Or]) -> tuple[Tree, ...]:
    """The parts with those that read the same single attribute put together: they can contradict each other."""
    by_name: dict[str, list[Tree]] = {}
    others: list[Tree] = []
    for part in parts:
        for inner in part.of if isinstance(part, kind) else (part,):
            names = reads(inner)
            (by_name.setdefault(next(iter(names)), []) if len(names) == 1 else others).append(inner)
    if len(by_name) == 1 and not others:
        return parts  # together they are the whole, which could not be tried
    return (*(kind(tuple(of)) if len(of) > 1 else of[0] for of in by_name.values()), *others)


def _tried(tree: Tree, name: str, fields: Mapping[str, Field]) -> Possible | None:
    """The answers over every value of the one attribute a condition reads; None where they cannot all be tried."""
    if not name:
        answers = {evaluate(tree, {}).value}
    else:
        field = fields.get(name)
        values = _values(tree, field) if field is not None else None
        if values is None:
            pinned = _pinned(tree, name)
            return (
                Possible(any(evaluate(tree, {name: value}).value for value in pinned), True, True) if pinned is not None else None
            )
        answers = {evaluate(tree, {}).value, *(evaluate(tree, {name: value}).value for value in values)}
    return Possible(True in answers, False in answers, None in answers)


def _values(tree: Tree, field: Field) -> list[Value] | None:
    """Values that stand for all an attribute can have, as far as this condition can tell them apart."""
    if field.type == "bool":
        return [True, False]
    if field.type == "string" and field.values:
        return list(field.values)
    atoms = list(_atoms(tree))
    if field.type not in ("string", "int", "timestamp") or any(not _plain(atom, field.name) for atom in atoms):
        return None
    written = list(islice(dict.fromkeys(value for atom in atoms for value in _constants(atom)), _MOST + 1))
    if len(written) > _MOST:
        return None
    if field.type == "string":
        texts = sorted(str(value) for value in written)
        # One text before all, one right after each: no text lies between a text and the same with NUL behind it.
        return ["", *texts, *(f"{text}\x00" for text in texts), *(text[:-1] for text in texts if text)]
    numbers = [int(value) for value in written if isinstance(value, int)]
    near = {n + d for n in (*numbers, 0) for d in (-1, 0, 1)}
    return [n for n in sorted(near) if INT_MIN <= n <= INT_MAX]


def _pinned(tree: Tree, name: str) -> tuple[Value, ...] | None:
    """The only values with which a conjunction can hold, because one of its parts demands one of them."""
    for part in tree.of if isinstance(tree, And) else ():
        match part:
            case Call("==", (Attr(n), Const(_, value)) | (Const(_, value), Attr(n))) if n == name:
                return (value,)
            case Call("in", (Attr(n), Const(_, value))) if n == name and isinstance(value, tuple) and len(value) <= _MOST:
                return value
    return None


def _atoms(tree: Tree) -> Iterator[Tree]:
    if isinstance(tree, Not | And | Or | Cond) and type_of(tree) == "bool":
        for part in children(tree):
            yield from _atoms(part)
    else:
        yield tree


def _plain(atom: Tree, name: str) -> bool:
    """Whether an atom compares the attribute itself with constants, or asks whether it is stated."""
    if isinstance(atom, Quantified):
        return False
    if not isinstance(atom, Call):
        return isinstance(atom, Has | Const)
    return atom.fn in _COMPARED and all(isinstance(arg, Const) or _is(arg, name) for arg in atom.args)


def _is(tree: Tree, name: str) -> bool:
    """Whether a tree is the attribute, or the duration computed from it, which grows with it."""
    match tree:
        case Attr(n) | Call("seconds", (Attr(n),)):
            return n == name
    return False


def _constants(atom: Tree) -> Iterator[str | int]:
    for arg in children(atom):
        if isinstance(arg, Const):
            for value in arg.value if isinstance(arg.value, tuple) else (arg.value,):
                if isinstance(value, str | int):
                    yield value // SECOND if arg.type == "duration" and isinstance(value, int) else value
