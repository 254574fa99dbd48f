"""Starlark read with Python's own parser and narrowed to what Starlark's reader takes: the tree, or the place of the fault."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Sequence
from typing import NamedTuple

_NODES: tuple[type[ast.AST], ...] = (
    ast.Module, ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.If, ast.For, ast.FunctionDef, ast.Return, ast.Pass,
    ast.Break, ast.Continue, ast.Lambda, ast.arguments, ast.arg, ast.IfExp, ast.BoolOp, ast.boolop, ast.UnaryOp, ast.unaryop,
    ast.BinOp, ast.operator, ast.Compare, ast.cmpop, ast.Call, ast.keyword, ast.Starred, ast.Attribute, ast.Subscript,
    ast.Slice, ast.Name, ast.expr_context, ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.ListComp, ast.DictComp,
    ast.comprehension, ast.JoinedStr, ast.FormattedValue,
)  # fmt: skip
_NEVER: tuple[type[ast.AST], ...] = (ast.Is, ast.IsNot, ast.Pow, ast.MatMult)


_LONGEST = 250_000


class Place(NamedTuple):
    """Where something stands, counted from 1; `end` is the first column after it on its line."""

    line: int
    column: int
    end: int


class Refused(Exception):
    """The program would not load the file."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.message, self.place = message, place


class Unmodelled(Exception):
    """The program might load the file; this model does not know."""


def place_of(node: ast.AST, lines: Sequence[str]) -> Place:
    """The place of a node, its columns in characters."""
    line = getattr(node, "lineno", 1)
    text = lines[line - 1].encode() if line <= len(lines) else b""
    start, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", 0) or 0
    column = len(text[:start].decode("utf-8", "replace")) + 1
    last = (
        len(text[:end].decode("utf-8", "replace")) + 1 if getattr(node, "end_lineno", line) == line else len(lines[line - 1]) + 1
    )
    return Place(line, column, max(last, column + 1))


def parse(text: str) -> tuple[ast.Module, list[str]]:
    """The tree of a file and its lines; raises Refused at the place Starlark does not read on from."""
    text = text.replace("\r\n", "\n")
    lines = text.split("\n")
    if text.startswith("\ufeff"):
        raise Refused("the file begins with a byte order mark", Place(1, 1, 2))
    if len(text) > _LONGEST:
        raise Unmodelled(f"it is longer than {_LONGEST} characters")
    if "\r" in text or "\f" in text:
        raise Unmodelled("a carriage return or form feed stands alone in it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        _tokens(text)
    except SyntaxError as error:
        if "unicode error" in error.msg and "\\N" in text:
            raise Unmodelled("a text with `\\N`") from None
        line, column = max(error.lineno or 1, 1), max(error.offset or 1, 1)
        raise Refused(f"not Starlark: {error.msg}", Place(line, column, column + 1)) from None
    except (ValueError, tokenize.TokenError) as error:
        raise Refused(f"not Starlark: {error}", Place(1, 1, 2)) from None
    except (RecursionError, MemoryError):
        raise Unmodelled("the file is nested too deep") from None
    for node in ast.walk(tree):
        problem = _unfit(node)
        if problem:
            raise Refused(problem, place_of(node, lines))
    _outside(tree.body, lines, loop=False, function=False)
    return tree, lines


def _tokens(text: str) -> None:
    """What Python's reader lets pass and Starlark's does not; raises SyntaxError."""
    before, end = "", (0, 0)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind, (line, column), written = tokenize.tok_name[token.type], token.start, token.string
        problem = ""
        if "\t" in token.line[end[1] if end[0] == line else 0 : column] or (kind == "INDENT" and "\t" in written):
            problem = "tabs are not allowed"
        elif kind in ("STRING", "FSTRING_START") and before in ("STRING", "FSTRING_END"):
            problem = "two texts without an operator between them"
        elif kind == "NUMBER" and _odd(written):
            problem = f"`{written}` is no number"
        elif kind == "NAME" and not written.isascii():
            problem = f"`{written}` is no name"
        if kind in ("STRING", "FSTRING_START") and _prefix(written) not in ("", "r", "f", "fr"):
            problem = f"a text does not begin with `{_prefix(written)}`"
        if kind == "STRING" and _prefix(written) == "r" and "\\" + written[-1] in written:
            raise Unmodelled("a raw text with a quote in it")
        if problem:
            raise SyntaxError(problem, ("", line, column + 1, token.line))
        end = token.end
        before = kind if kind not in ("NL", "COMMENT") else before


def _prefix(written: str) -> str:
    return re.split("['\"]", written, maxsplit=1)[0]


def _odd(number: str) -> bool:
    return "_" in number or number[-1] in "jJ" or (len(number) > 1 and number.isdigit() and number[0] == "0")


def _unfit(node: ast.AST) -> str:
    """Why a node is no Starlark; "" where it is."""
    if isinstance(node, _NEVER) or not isinstance(node, _NODES):
        return f"`{type(node).__name__.lower()}` is not Starlark"
    if isinstance(node, ast.Constant) and (node.kind == "u" or not isinstance(node.value, str | int | float | bool | type(None))):
        return "not a value of Starlark"
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        return "comparisons cannot be chained"
    if isinstance(node, ast.Call):
        return _unfit_call(node)
    if isinstance(node, ast.arguments):
        names = [one.arg for one in (*node.posonlyargs, *node.args, *node.kwonlyargs, node.vararg, node.kwarg) if one is not None]
        return "a parameter stands twice" if len(names) > len(set(names)) else "no `/` here" if node.posonlyargs else ""
    if isinstance(node, ast.Assign) and len(node.targets) > 1:
        return "one assignment a statement"
    if isinstance(node, ast.For) and node.orelse:
        return "`for` has no `else`"
    if isinstance(node, ast.FunctionDef) and node.decorator_list:
        return "no decorators"
    if isinstance(node, ast.Dict) and None in node.keys:
        return "no `**` in a dict"
    if isinstance(node, ast.List | ast.Tuple) and any(isinstance(item, ast.Starred) for item in node.elts):
        return "no `*` in a list"
    if isinstance(node, ast.JoinedStr) and any(
        isinstance(part, ast.FormattedValue)
        and (not isinstance(part.value, ast.Name) or part.format_spec is not None or part.conversion == ord("a"))
        for part in node.values
    ):
        return "only names stand in an f-string"
    return ""


def _unfit_call(node: ast.Call) -> str:
    """`*` and `**` stand once each, after all that is given by position or by name."""
    every: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
    order = sorted(every, key=lambda one: (one.lineno, one.col_offset))
    kinds = [
        2
        if isinstance(one, ast.Starred)
        else 3
        if isinstance(one, ast.keyword) and one.arg is None
        else int(isinstance(one, ast.keyword))
        for one in order
    ]
    if kinds != sorted(kinds) or kinds.count(2) > 1 or kinds.count(3) > 1:
        return "`*` and `**` stand once each, at the end of a call"
    return ""


def _outside(body: Sequence[ast.stmt], lines: Sequence[str], *, loop: bool, function: bool) -> None:
    """`return` outside a function and `break` outside a loop are refused before anything runs."""
    for node in body:
        if (isinstance(node, ast.Return) and not function) or (isinstance(node, ast.Break | ast.Continue) and not loop):
            raise Refused(f"`{type(node).__name__.lower()}` stands outside what it belongs to", place_of(node, lines))
        if isinstance(node, ast.If):
            _outside(node.body, lines, loop=loop, function=function)
            _outside(node.orelse, lines, loop=loop, function=function)
        elif isinstance(node, ast.For):
            _outside(node.body, lines, loop=True, function=function)
        elif isinstance(node, ast.FunctionDef):
            _outside(node.body, lines, loop=False, function=True)
