"""What can be said of values of which some parts are not known: whether they are equal, what lies under a name in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from policy.rego.values import NONE, UNDEFINED, Members, Names, Object, Open, certain, key, names_in


def below(path: str, name: Any, names: Names) -> Open:
    """What lies under a name in something unknown; what has a place is called by it."""
    if path and isinstance(name, str):
        below = f"{path}.{name}"
        return Open(frozenset((below,)), below)
    return Open(names)


def replaced(value: Any, path: tuple[str, ...], new: Any) -> Any:
    """A document with something else at a path, for `with`."""
    if not path:
        return new
    out = value.copied() if isinstance(value, Object) else Object()
    inner = out.find(path[0])
    out.put(path[0], replaced(UNDEFINED if isinstance(inner, Open) else inner, path[1:], new))
    return out


def partly(name: str, args: list[Any], names: Names) -> Any:
    """The few functions that can answer from what is known of an argument; else an open value."""
    if name == "object.get" and len(args) == 3 and isinstance(args[0], Object) and certain(args[1]):
        value: Any = args[0]
        for step in args[1] if isinstance(args[1], list) else [args[1]]:
            if not isinstance(value, Object):
                return Open(names) if isinstance(value, Open) else args[2]
            found = value.find(step)
            if found is UNDEFINED:
                return below(value.path, step, value.more) if value.more else args[2]
            value = found
        return value
    if name == "internal.member_2" and certain(args[0]) and isinstance(args[1], Members) and args[0] in args[1]:
        return True
    return Open(names)


def same(one: Any, other: Any) -> bool | Names:
    """Whether two values are equal; else what that hangs on."""
    if isinstance(one, Open) or isinstance(other, Open):
        return names_in(one) | names_in(other)
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return False
        return _all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, Object) and isinstance(other, Object):
        if not (one.more or other.more):
            if one.entries.keys() != other.entries.keys():
                return False
            return _all(same(value, other.entries[k][1]) for k, (_, value) in one.entries.items())
        return names_in(one) | names_in(other)
    if isinstance(one, Members) and isinstance(other, Members) and (one.more or other.more):
        return names_in(one) | names_in(other)
    return bool(key(one) == key(other))


def _all(parts: Iterable[bool | Names]) -> bool | Names:
    names: Names = NONE
    for part in parts:
        if part is False:
            return False
        if part is not True:
            names |= part
    return names or True
