"""The untyped tree of a condition, apart from the parser, which takes 40 ms to load."""

from __future__ import annotations

import msgspec


class Node(msgspec.Struct, frozen=True):
    """One node as written: `op` is an operator, a literal's type or a form; `text` its name; `args` what it applies to."""

    op: str
    start: int
    end: int
    args: tuple[Node, ...] = ()
    text: str = ""
    value: str | int | bool | None = None
    depth: int = 1
