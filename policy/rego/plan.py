"""The plan rego-cpp compiles a policy to, read into functions of blocks of statements; and what can be told of it unrun."""

from __future__ import annotations

import json
from collections.abc import Iterator, Set
from typing import Any, NamedTuple

Path = tuple[str, ...]
_WRITES = ("target", "result", "key", "value")
_OWN = "g0.data."


class Local(NamedTuple):
    """A local variable of a function, by number; 0 is the input, 1 is data."""

    number: int


class Statement(NamedTuple):
    """One statement; `args` are its operands, `blocks` those inside it; `row` counts from 1, `col` from 0, both 0 if unknown."""

    kind: str
    args: dict[str, Any]
    blocks: tuple[tuple[Statement, ...], ...]
    row: int
    col: int


class Function(NamedTuple):
    """A rule or a function of the policy; `lines` are the first line of each of its blocks."""

    name: str
    params: tuple[int, ...]
    result: int
    blocks: tuple[tuple[Statement, ...], ...]
    lines: tuple[int, ...]


_PATTERNS = {
    "regex.match": 0, "re_match": 0, "regex.split": 0, "regex.find_n": 0, "regex.find_all_string_submatch_n": 0, "regex.replace": 1,
}  # fmt: skip
"""Functions that take a regular expression, and which of their arguments it is."""


class Spot(NamedTuple):
    """Something at a place of the text: its name, row from 1 and column from 0."""

    name: str
    row: int
    col: int


class Plan:
    """All functions of a policy by name (`g0.data.package.rule`) and the engine's built-in functions it calls."""

    def __init__(self, document: dict[str, Any]) -> None:
        static = document["static"]
        self._strings = [_text(one["value"]) for one in static.get("strings") or ()]
        self.builtins = frozenset(one["name"] for one in static.get("builtin_funcs") or ())
        funcs = (document.get("funcs") or {}).get("funcs") or ()
        self.functions = {one["name"]: self._function(one) for one in funcs}

    def _function(self, one: dict[str, Any]) -> Function:
        blocks = tuple(self._block(block) for block in one["blocks"])
        lines = tuple(next((s.row for s in statements(block) if s.row), 0) for block in blocks)
        return Function(one["name"], tuple(one["params"]), one["return"], blocks, lines)

    def _block(self, block: dict[str, Any]) -> tuple[Statement, ...]:
        return tuple(self._statement(one["type"], one["stmt"]) for one in block["stmts"] or ())

    def _statement(self, kind: str, body: dict[str, Any]) -> Statement:
        args: dict[str, Any] = {}
        inner = body.get("blocks") or ([body["block"]] if "block" in body else ())
        for name, value in body.items():
            if name == "path" and kind == "WithStmt":
                args[name] = tuple(self._strings[n] for n in value)
            elif name in ("args", "path"):
                args[name] = tuple(self._operand(one) for one in value)
            elif name not in ("file", "row", "col", "block", "blocks"):
                args[name] = self._operand(value)
        if kind == "MakeNumberRefStmt":
            args["number"] = number(self._strings[args["index"]])
        return Statement(kind, args, tuple(self._block(b) for b in inner), body.get("row", -1) + 1, body.get("col", 0))

    def _operand(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        match value["type"]:
            case "local":
                return Local(value["value"])
            case "string_index":
                return self._strings[value["value"]]
        return value["value"]

    def calls(self) -> Iterator[tuple[str, Spot]]:
        """Every call, as (caller, called)."""
        for function in self.functions.values():
            for block in function.blocks:
                for one in statements(block):
                    if one.kind == "CallStmt":
                        yield function.name, Spot(one.args["func"], one.row, one.col)

    def patterns(self) -> Iterator[Spot]:
        """Every regular expression that is written out, at the call it is for."""
        for function in self.functions.values():
            for block in function.blocks:
                for one in statements(block):
                    at = _PATTERNS.get(one.args["func"]) if one.kind == "CallStmt" else None
                    if at is not None and at < len(one.args["args"]) and type(text := one.args["args"][at]) is str:
                        yield Spot(text, one.row, one.col)

    def strange_calls(self) -> list[Spot]:
        """Calls of functions that are neither the policy's nor the engine's."""
        return [spot for _, spot in self.calls() if spot.name not in self.functions and spot.name not in self.builtins]

    def circle(self) -> Spot | None:
        """A call by which a function comes back to itself, if there is one."""
        edges: dict[str, list[Spot]] = {}
        for caller, called in self.calls():
            edges.setdefault(caller, []).append(called)
        done: set[str] = set()
        for start in self.functions:
            way: list[tuple[str, Iterator[Spot]]] = [(start, iter(edges.get(start, ())))]
            on = {start}
            while way and start not in done:
                name, left = way[-1]
                spot = next(left, None)
                if spot is None:
                    done.add(name)
                    on.discard(name)
                    way.pop()
                elif spot.name in on:
                    return spot
                elif spot.name in self.functions and spot.name not in done:
                    way.append((spot.name, iter(edges.get(spot.name, ()))))
                    on.add(spot.name)
        return None

    def unbound(self) -> Iterator[Spot]:
        """Statements that read a variable nothing gives a value to."""
        for function in self.functions.values():
            every = [one for block in function.blocks for one in statements(block)]
            written = set(function.params)
            for one in every:
                for name, value in one.args.items():
                    if isinstance(value, int) and not isinstance(value, bool) and name in _WRITES and _writes(one.kind, name):
                        written.add(value)
            for one in every:
                for value in (*one.args.values(), *one.args.get("args", ())):
                    if isinstance(value, Local) and value.number not in written:
                        yield Spot(function.name, one.row, one.col)

    def reads(self) -> dict[Path, Spot]:
        """Paths of the input the policy reads, each with the first place; one that ends in `*` is used with all that lies below."""
        out: dict[Path, Spot] = {}
        for function in self.functions.values():
            found = _Reads(self.functions.keys(), out)
            for block in function.blocks:
                for one in statements(block):
                    found.take(one)
            found.end()
        return out


class _Reads:
    """The paths of the input one function reads: which local stands for which path."""

    def __init__(self, own: Set[str], out: dict[Path, Spot]) -> None:
        self._own = own
        self._out = out
        self._paths: dict[int, tuple[Path, Spot]] = {0: ((), Spot("", 0, 0))}
        self._passed = {0}

    def take(self, one: Statement) -> None:
        args = one.args
        if one.kind == "DotStmt" and isinstance(args["source"], Local) and args["source"].number in self._paths:
            path, _ = self._paths[args["source"].number]
            if isinstance(args["key"], str):
                self._passed.add(args["source"].number)
                self._paths[args["target"]] = ((*path, args["key"]), Spot("", one.row, one.col))
                return
        used = [value for value in args.values() if isinstance(value, Local)]
        passed = args.get("args", ())
        used += [value for value in (passed[2:] if args.get("func") in self._own else passed) if isinstance(value, Local)]
        used += [value for value in args.get("path", ()) if isinstance(value, Local)]
        used += [Local(value) for name, value in args.items() if name in ("source", "a", "b") and type(value) is int]
        for local in used:
            if local.number in self._paths:
                path, _ = self._paths[local.number]
                self._out.setdefault((*path, "*"), Spot("", one.row, one.col))

    def end(self) -> None:
        for local, (path, spot) in self._paths.items():
            if local not in self._passed:
                self._out.setdefault(path, spot)


def statements(block: tuple[Statement, ...]) -> Iterator[Statement]:
    """The statements of a block and of all blocks inside them, in order."""
    for one in block:
        yield one
        for inner in one.blocks:
            yield from statements(inner)


def _writes(kind: str, name: str) -> bool:
    """Whether an operand of this name is written: keys and values are, by a scan alone."""
    return name in ("target", "result") or kind == "ScanStmt"


def _text(written: str) -> str:
    """A string of the plan: some stand there in their quotes, all with their escapes."""
    quoted = written if len(written) > 1 and written[0] == written[-1] == '"' else f'"{written}"'
    try:
        return str(json.loads(quoted, strict=False))
    except ValueError:
        return written


def number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def rule_name(function: str) -> str:
    """`deny` for `g0.data.policy.deny`."""
    return function.removeprefix(_OWN).rpartition(".")[2]
