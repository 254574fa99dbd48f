"""Which operators go with which types, and what they yield."""

from __future__ import annotations

from lang.cel.typed import Call, Tree, Type, type_of

ORDERED = ("<", "<=", ">", ">=")
_ARITHMETIC: dict[tuple[str, Type, Type], tuple[str, Type]] = {
    **{(op, "int", "int"): (op, "int") for op in "+-*/%"},
    ("+", "string", "string"): ("concat", "string"),
    ("+", "duration", "duration"): ("span+", "duration"),
    ("-", "duration", "duration"): ("span-", "duration"),
    ("+", "timestamp", "duration"): ("time+", "timestamp"),
    ("+", "duration", "timestamp"): ("time+", "timestamp"),
    ("-", "timestamp", "duration"): ("time-", "timestamp"),
    ("-", "timestamp", "timestamp"): ("span-", "duration"),
}
NEEDS = {
    "+": "numbers, texts, durations, or a timestamp and a duration",
    "-": "numbers, durations or timestamps",
}


def arithmetic(op: str, left: Tree, right: Tree) -> Call | None:
    """The typed operation, None where it does not go with these types."""
    found = _ARITHMETIC.get((op, type_of(left), type_of(right)))
    return Call(found[0], (left, right), found[1]) if found is not None else None


def common(one: Type, other: Type) -> Type | None:
    """The type both are of, None where there is none."""
    if one == other or other == "?":
        return one
    if one == "?":
        return other
    if one == "list<?>" and other.startswith("list"):
        return other
    if other == "list<?>" and one.startswith("list"):
        return one
    return None
