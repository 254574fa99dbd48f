"""Values of Rego while it runs over an input that is partly unknown.

Scalars are Python's own. An array is a list, a set and an object are classes of their own, since their members need not be
hashable and `true` is not 1. `Open` stands for a value that is there but not known; `Maybe` for one that may not be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

Names = frozenset[str]
NONE: Names = frozenset()


class Open:
    """A value nobody knows; `names` are what it hangs on, `path` the place in the input it stands for ("" for none)."""

    __slots__ = ("names", "path")

    def __init__(self, names: Names, path: str = "") -> None:
        self.names = names
        self.path = path


class Undefined:
    """No value."""


UNDEFINED = Undefined()


class Maybe:
    """`value`, or none; which of the two hangs on `names`."""

    __slots__ = ("names", "value")

    def __init__(self, value: Any, names: Names) -> None:
        self.value = value
        self.names = names


class Members(AbstractSet[Any]):
    """A set; it may have members beside those known where `more` names something. `born` is how uncertain its making was."""

    def __init__(self, born: int = 0) -> None:
        self.items: dict[Any, Any] = {}
        self.more: Names = NONE
        self.born = born

    def add(self, value: Any) -> None:
        self.items.setdefault(key(value), value)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items.values())

    def __contains__(self, value: object) -> bool:
        return key(value) in self.items


class Object(Mapping[Any, Any]):
    """An object; it may have keys beside those known where `more` names something. `path` is its place in the input."""

    def __init__(self, born: int = 0, path: str = "") -> None:
        self.entries: dict[Any, tuple[Any, Any]] = {}
        self.more: Names = NONE
        self.born = born
        self.path = path

    def put(self, name: Any, value: Any) -> None:
        self.entries[key(name)] = (name, value)

    def find(self, name: Any) -> Any:
        """The value under a key, UNDEFINED where there is none."""
        found = self.entries.get(key(name))
        return UNDEFINED if found is None else found[1]

    def copied(self) -> Object:
        out = Object(self.born, self.path)
        out.entries, out.more = dict(self.entries), self.more
        return out

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Any]:
        return (name for name, _ in self.entries.values())

    def __getitem__(self, name: Any) -> Any:
        return self.entries[key(name)][1]

    def items(self) -> Any:
        return self.entries.values()


def key(value: Any) -> Any:
    """Something hashable that is equal for equal values and for no others."""
    if isinstance(value, bool):
        return ("b", value)
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, int | float):
        return ("n", value)
    if isinstance(value, list):
        return ("a", *map(key, value))
    if isinstance(value, Members):
        return ("s", frozenset(value.items))
    if isinstance(value, Object):
        return ("o", frozenset((k, key(inner)) for k, (_, inner) in value.entries.items()))
    return ("?", id(value))


def names_in(value: Any) -> Names:
    """What the value hangs on, anywhere inside it; nothing where it is known through and through."""
    if isinstance(value, Open | Maybe):
        return value.names
    if isinstance(value, list):
        return NONE.union(*map(names_in, value))
    if isinstance(value, Members):
        return value.more
    if isinstance(value, Object):
        return value.more.union(*(names_in(inner) for _, inner in value.entries.values()))
    return NONE


def certain(value: Any) -> bool:
    return not names_in(value)


def joined(one: Any, other: Any, names: Names) -> Any:
    """Either of two, depending on `names`."""
    if one is other:
        return one
    maybe = isinstance(one, Undefined | Maybe) or isinstance(other, Undefined | Maybe)
    inner = [v.value if isinstance(v, Maybe) else v for v in (one, other) if v is not UNDEFINED]
    for each in (one, other):
        names |= names_in(each)
    value = inner[0] if len(inner) == 1 or _same(*inner) else Open(names)
    return Maybe(value, names) if maybe else value


def _same(one: Any, other: Any) -> bool:
    return one is other or (certain(one) and certain(other) and key(one) == key(other))


def known(document: Any) -> Any:
    """A document of JSON as a value."""
    if isinstance(document, dict):
        out = Object()
        for name, inner in document.items():
            out.put(name, known(inner))
        return out
    return [known(inner) for inner in document] if isinstance(document, list | tuple) else document


def plain(value: Any) -> Any:
    """A value as JSON carries it to whoever asked: sets are lists in order, and what is open is marked as `{"\\x01open": names}`."""
    if isinstance(value, Open):
        return {OPEN: sorted(value.names)}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, Members):
        members = [plain(inner) for inner in value.items.values()]
        return {SET: sorted(members, key=repr), OPEN: sorted(value.more)} if value.more else sorted(members, key=repr)
    if isinstance(value, Object):
        out = {name if isinstance(name, str) else repr(plain(name)): plain(inner) for name, inner in value.entries.values()}
        return {**out, OPEN: sorted(value.more)} if value.more else out
    return value


OPEN, SET = "\x01open", "\x01set"
"""Keys no document has: what a value hangs on; the members a set surely has."""
