"""A policy's condition taken apart: `&&`, `||`, `!` and `if` over parts that are asked of Cedar one by one.

The trees are those of Cedar's JSON policy format.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from model.request import FIELDS
from policy.cedar.schema import PARENTS, is_group, place

Json: TypeAlias = "Mapping[str, Any]"
_IDENTITY = {"principal": ("principal.id",), "action": ("action.verb",), "resource": ("resource.class", "resource.name")}


class Part(msgspec.Struct, frozen=True):
    """A part of a condition: its Cedar JSON, the attributes it reads, and those it `needs` (what is only asked for by `has` it does not).

    `names` are attributes that make up an entity's identity or parents: Cedar would take what is missing for a name. `grows`
    says that more facts can only make it true (`resource in Owner::"x"`), never false.
    """

    body: str
    reads: tuple[str, ...]
    needs: tuple[str, ...]
    names: tuple[str, ...]
    grows: bool = False


class Both(msgspec.Struct, frozen=True):
    """All (`every`) or any of the inner conditions."""

    every: bool
    inner: tuple[Condition, ...]


class Not(msgspec.Struct, frozen=True):
    """The opposite of a condition."""

    inner: Condition


Condition: TypeAlias = "bool | Part | Both | Not"


def condition_of(policy: Json) -> Condition:
    """The whole condition of a policy: its scope and every `when` and `unless`."""
    parts: list[Condition] = []
    for var in ("action", "principal", "resource"):
        scope = policy[var]
        if scope["op"] != "All":
            parts.append(_condition(_scope(var, scope)))
    for one in policy["conditions"]:
        body = _condition(one["body"])
        parts.append(Not(body) if one["kind"] == "unless" else body)
    return Both(True, tuple(parts))


def parts_of(condition: Condition) -> Iterator[Part]:
    """Every part of a condition, in order."""
    if isinstance(condition, Part):
        yield condition
    elif isinstance(condition, Not):
        yield from parts_of(condition.inner)
    elif isinstance(condition, Both):
        for one in condition.inner:
            yield from parts_of(one)


def _scope(var: str, scope: Json) -> dict[str, Any]:
    """A constraint of the scope as the expression it stands for."""
    me = {"Var": var}

    def entity(uid: Json) -> dict[str, Any]:
        return {"Value": {"__entity": dict(uid)}}

    if scope["op"] == "is":
        out: dict[str, Any] = {"left": me, "entity_type": scope["entity_type"]}
        if "in" in scope:
            out["in"] = entity(scope["in"]["entity"])
        return {"is": out}
    right = entity(scope["entity"]) if "entity" in scope else {"Set": [entity(one) for one in scope["entities"]]}
    return {scope["op"]: {"left": me, "right": right}}


def _condition(tree: Json) -> Condition:
    ((op, arg),) = tree.items()
    if op == "Value" and isinstance(arg, bool):
        return arg
    if op == "!":
        return Not(_condition(arg["arg"]))
    if op in ("&&", "||"):
        return Both(op == "&&", tuple(_condition(one) for one in _chain(tree, op)))
    if op == "if-then-else":
        test = _condition(arg["if"])
        chosen = Both(True, (test, _condition(arg["then"])))
        return Both(False, (chosen, Both(True, (Not(test), _condition(arg["else"])))))
    return _part(tree)


def _chain(tree: Json, op: str) -> list[Json]:
    """The links of `a && b && c`, which Cedar holds as `(a && b) && c`."""
    out: list[Json] = []
    while op in tree:
        out.append(tree[op]["right"])
        tree = tree[op]["left"]
    return [tree, *out[::-1]]


def _part(tree: Json) -> Part:
    found = _Reads()
    found.of(tree)
    ((op, arg),) = tree.items()
    grows = op == "in" and set(arg["left"]) == {"Var"}
    body = json.dumps(tree, sort_keys=True)
    return Part(body, _sorted(found.reads), _sorted(found.needs), _sorted(found.names), grows)


def _sorted(names: set[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


class _Reads:
    """What an expression reads; an entity or a record that is used whole reads all there is of it."""

    def __init__(self) -> None:
        self.reads: set[str] = set()
        self.needs: set[str] = set()
        self.names: set[str] = set()

    def of(self, tree: object) -> None:
        if isinstance(tree, list):
            for one in tree:
                self.of(one)
        elif isinstance(tree, Mapping):
            for op, arg in tree.items():
                self._one(op, arg, tree)

    def _one(self, op: str, arg: Any, tree: Json) -> None:
        path = _path(tree) if op in (".", "has") else None
        field = place(path) if path is not None else None
        if field is not None:
            self.reads.add(field.name)
            if op == ".":
                self.needs.add(field.name)
        elif op == "Var":
            self._identity(_whole(arg), named=arg != "context")
        elif op == "is" and set(arg["left"]) == {"Var"}:
            # There is one type of principal and one of action; a resource's hangs on its class alone.
            if arg["left"]["Var"] == "resource":
                self._identity(("resource.class",))
            if "in" in arg:
                self._within(arg["left"], arg["in"])
        elif op == "in":
            self._within(arg["left"], arg["right"])
        elif op == "has" and path is not None and is_group(path):
            pass
        elif op != "Value":
            self.of(arg)

    def _within(self, left: object, right: object) -> None:
        """Whether an entity lies in another is told by what the other's type stands for, where its type is written."""
        kinds = set(_types(right))
        parents = kinds & set(PARENTS) if kinds else set(PARENTS)
        self._identity(tuple(PARENTS[kind] for kind in sorted(parents)))
        if not kinds or kinds - parents:
            self.of(left)
        self.of(right)

    def _identity(self, names: tuple[str, ...], named: bool = True) -> None:
        self.reads.update(names)
        if named:
            self.needs.update(names)
            self.names.update(names)


def _types(tree: object) -> Iterator[str]:
    """The types of the entities written in an expression."""
    if isinstance(tree, list):
        for one in tree:
            yield from _types(one)
    elif isinstance(tree, Mapping):
        for op, arg in tree.items():
            if op == "__entity":
                yield arg["type"]
            else:
                yield from _types(arg)


def entity_types(policy: Json) -> set[str]:
    """Every entity type a policy names, in scope or conditions."""
    found = set()
    for var in ("principal", "action", "resource"):
        scope = policy[var]
        found |= set(_scope_types(scope))
    for one in policy["conditions"]:
        found |= set(_types(one["body"])) | set(_is_types(one["body"]))
    return found


def _scope_types(scope: Json) -> Iterator[str]:
    if "entity_type" in scope:
        yield scope["entity_type"]
    for one in (scope.get("entity"), *scope.get("entities", ()), (scope.get("in") or {}).get("entity")):
        if one:
            yield one["type"]


def _is_types(tree: object) -> Iterator[str]:
    if isinstance(tree, list):
        for one in tree:
            yield from _is_types(one)
    elif isinstance(tree, Mapping):
        for op, arg in tree.items():
            if op == "is" and isinstance(arg, Mapping) and "entity_type" in arg:
                yield arg["entity_type"]
            yield from _is_types(arg)


def _path(tree: Json) -> tuple[str, ...] | None:
    """`context.agent.name` and `context has agent` as their names, None for anything else."""
    out: list[str] = []
    while True:
        ((op, arg),) = tree.items()
        if op == "Var":
            return (arg, *out[::-1])
        if op not in (".", "has") or not isinstance(arg.get("attr"), str):
            return None
        out.append(arg["attr"])
        tree = arg["left"]


def _whole(var: str) -> tuple[str, ...]:
    """The attributes behind a variable that is used as it stands."""
    if var == "context":
        return tuple(f.name for f in FIELDS if f.name.partition(".")[0] not in ("principal", "resource"))
    return _IDENTITY.get(var, ())
