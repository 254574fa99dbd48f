"""The typed tree of a condition: what the checker yields and both evaluators read.

Nodes are plain values without places in the text, so that equal conditions are equal keys of every cache.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Type = Literal[
    "string", "int", "bool", "duration", "timestamp", "list<string>", "list<int>", "list<bool>", "list<?>", "?"
]  # fmt: skip
# Durations and timestamps are whole microseconds.
Value: TypeAlias = "str | int | bool | tuple[str, ...] | tuple[int, ...] | tuple[bool, ...]"


class Const(msgspec.Struct, frozen=True):
    """A value written out; `type` keeps 1 and true apart, which Python does not."""

    type: Type
    value: Value


class Attr(msgspec.Struct, frozen=True):
    """An attribute of the request by its dotted name."""

    name: str
    type: Type


class Var(msgspec.Struct, frozen=True):
    """The element a macro runs over; `name` is unique within its condition."""

    name: str
    type: Type


class Has(msgspec.Struct, frozen=True):
    """Whether the request states an attribute: true or false, never unknown."""

    name: str


class Not(msgspec.Struct, frozen=True):
    of: Tree


class And(msgspec.Struct, frozen=True):
    of: tuple[Tree, ...]


class Or(msgspec.Struct, frozen=True):
    of: tuple[Tree, ...]


class Cond(msgspec.Struct, frozen=True):
    """`test ? yes : no` of any type."""

    test: Tree
    yes: Tree
    no: Tree
    type: Type


class Call(msgspec.Struct, frozen=True):
    """A strict operation: unknown as soon as one argument is. `fn` is a key of `functions.FUNCTIONS`."""

    fn: str
    args: tuple[Tree, ...]
    type: Type


class Quantified(msgspec.Struct, frozen=True):
    """`over.exists(var, body)` or, with `every`, `over.all(var, body)`."""

    every: bool
    over: Tree
    var: Var
    body: Tree


Tree: TypeAlias = Const | Attr | Var | Has | Not | And | Or | Cond | Call | Quantified


def type_of(tree: Tree) -> Type:
    """The type of what a tree yields."""
    if isinstance(tree, Const | Attr | Var | Cond | Call):
        return tree.type
    return "bool"


def children(tree: Tree) -> tuple[Tree, ...]:
    """The parts a tree is made of."""
    match tree:
        case Not(of):
            return (of,)
        case And(parts) | Or(parts):
            return parts
        case Cond(test, yes, no):
            return (test, yes, no)
        case Call(_, args):
            return args
        case Quantified(_, over, _, body):
            return (over, body)
        case _:
            return ()


def reads(tree: Tree) -> frozenset[str]:
    """The names of the attributes a tree reads, those under `has` included."""
    names: set[str] = set()
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, Attr | Has):
            names.add(node.name)
        todo.extend(children(node))
    return frozenset(names)
