"""CEL, the part of it that policies need: typed, three-valued, and the same for one request and for a million shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

import msgspec

from lang.cel.certain import possible
from lang.cel.checker import Checker
from lang.cel.nodes import Node
from lang.cel.problems import CelError, Problem
from lang.cel.requests import project
from lang.cel.scalar import Answer, evaluate
from lang.cel.typed import Const, Tree, reads
from model.request import FIELD, Field

__all__ = ["Answer", "CelError", "Compiled", "Problem", "Tree", "compile_condition", "evaluate", "parse", "project", "reads"]


class Compiled(msgspec.Struct, frozen=True):
    """A condition as text, its typed tree (None where it is wrong) and everything to say about it."""

    text: str
    tree: Tree | None
    problems: tuple[Problem, ...] = ()


def parse(text: str) -> Node:
    """The tree of a condition; raises CelError with the first syntax error, its place, and what would be right there."""
    from lang.cel import syntax

    return syntax.parse(text)


def compile_condition(text: str, fields: Mapping[str, Field] | None = None) -> Compiled:
    """Parse and type-check a condition against the request schema; never raises: `problems` has every error and warning."""
    return _compile_default(text) if fields is None else _compile(text, fields)


@lru_cache(maxsize=8192)
def _compile_default(text: str) -> Compiled:
    return _compile(text, FIELD)


def _compile(text: str, fields: Mapping[str, Field]) -> Compiled:
    try:
        node = parse(text)
    except CelError as error:
        return Compiled(text, None, error.problems)
    checker = Checker(fields)
    tree = checker.condition(node)
    problems = tuple(sorted(set(checker.problems), key=lambda p: (p.start, p.end, p.code)))
    if any(p.severity == "error" for p in problems):
        return Compiled(text, None, problems)
    return Compiled(text, tree, problems or tuple(_certain(text, tree, fields)))


def _certain(text: str, tree: Tree, fields: Mapping[str, Field]) -> Iterator[Problem]:
    """A warning where nothing can make a condition true, or nothing can make it anything else; `true` is meant so."""
    answers = possible(tree, fields)
    end = len(text.rstrip())
    if not answers.true:
        yield Problem(0, end, "cel-never", "this condition can never be true", "warning")
    elif not (answers.false or answers.unknown) and tree != Const("bool", True):
        yield Problem(0, end, "cel-always", "this condition is always true; if that is meant, write `true`", "warning")
