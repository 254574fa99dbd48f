"""Maps: a group of attributes is a map from the last part of their names to their values.

`resource["owner"]` is `resource.owner`, `"owner" in resource` is `has(resource.owner)`, and macros over a map run over
the keys of the schema that the request states. Keys are known beforehand, so that a map costs a request no more shapes
than its attributes do, and each of them has a type and a column of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from lang.cel.nodes import Node
from model.request import Field


class Maps:
    """The groups of a schema, and names written with dots or keys."""

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.groups = _groups(tuple(fields))

    def nested(self, group: str) -> str:
        """A map inside a map, "" where there is none."""
        return next((inner for key in self.groups[group] if (inner := f"{group}.{key}") in self.groups), "")


@lru_cache(maxsize=64)
def _groups(names: tuple[str, ...]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        parts = name.split(".")
        for n in range(1, len(parts)):
            held = groups.setdefault(".".join(parts[:n]), [])
            if parts[n] not in held:
                held.append(parts[n])
    return groups


def path_of(node: Node, keys: Mapping[str, str]) -> str | None:
    """`a.b.c` where a node is names, dots and written-out keys alone; `keys` are variables that stand for a key."""
    parts: list[str] = []
    while node.op in ("select", "index"):
        part = node.text if node.op == "select" else key_of(node.args[1], keys)
        if not part or "." in part:
            return None
        parts.append(part)
        node = node.args[0]
    if node.op != "name":
        return None
    parts.append(node.text)
    return ".".join(reversed(parts))


def key_of(node: Node, keys: Mapping[str, str]) -> str | None:
    """The key a node writes out."""
    if node.op == "string" and isinstance(node.value, str):
        return node.value
    return keys.get(node.text) if node.op == "name" else None
