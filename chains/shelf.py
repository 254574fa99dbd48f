"""What is too much to hold in memory, put away in a file of its own: a task of very many steps needs a few bytes for each.

A shelf is a sequence like a list. What is taken from it is made anew each time, so changing it changes nothing on the shelf.
"""

from __future__ import annotations

import os
import tempfile
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from struct import Struct
from typing import Any, Generic, Protocol, TypeVar, overload

import msgspec

FEW = 20_000
"""Events up to which a task is built in memory, which is faster."""

_PIECE = 1 << 18
"""Bytes written and read at a time."""

_ARRAY = Struct(">BI")
"""The head of an array in msgpack."""

_MANY = 1_000
"""So many of a shelf's items may be held besides."""


class _Named(Protocol):
    id: str


T = TypeVar("T")
N = TypeVar("N", bound=_Named)


class Shelf(Sequence[T], Generic[T]):
    """Items of one msgspec type, each packed; the file has no name and goes with the shelf."""

    def __init__(self, kind: type[T], items: Iterable[T] = ()) -> None:
        self.kind = kind
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._decode_all = msgspec.msgpack.Decoder(list[kind]).decode  # type: ignore[valid-type]
        self._encode = msgspec.msgpack.Encoder().encode
        self._starts = array("Q", [0])
        self._odd: dict[int, T] = {}
        self._fresh = bytearray()
        self._written = 0
        self._file = tempfile.TemporaryFile(prefix="remit-")  # noqa: SIM115  closed with the shelf
        for item in items:
            self.append(item)

    def append(self, item: T) -> None:
        """Put one more at the end."""
        try:
            self._fresh += self._encode(item)
        except (UnicodeEncodeError, OverflowError):
            # What cannot be packed (half a character, an endless number) is as rare as it is hostile.
            self._odd[len(self)] = item
        self._starts.append(self._written + len(self._fresh))
        if len(self._fresh) >= _PIECE:
            self._file.write(self._fresh)
            self._file.flush()
            self._written += len(self._fresh)
            self._fresh = bytearray()

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> list[T]: ...
    def __getitem__(self, place: int | slice) -> T | list[T]:
        if isinstance(place, slice):
            return [self[n] for n in range(*place.indices(len(self)))]
        if place < 0:
            place += len(self)
        if not 0 <= place < len(self):
            raise IndexError(place)
        if place in self._odd:
            return self._odd[place]
        return self._decode(self._bytes(self._starts[place], self._starts[place + 1]))

    def _bytes(self, start: int, stop: int) -> bytes | memoryview:
        if start >= self._written:
            return memoryview(self._fresh)[start - self._written : stop - self._written].tobytes()
        return os.pread(self._file.fileno(), stop - start, start)

    def __iter__(self) -> Iterator[T]:
        first = 0
        while first < len(self):
            stop = self._piece(first)
            # Packed one behind the other they are an array but for its head: one call of the decoder for all.
            packed = _ARRAY.pack(0xDD, stop - first) + self._bytes(self._starts[first], self._starts[stop])
            if any(place in self._odd for place in range(first, stop)) if self._odd else False:
                yield from (self[place] for place in range(first, stop))
            else:
                yield from self._decode_all(packed)
            first = stop

    def _piece(self, first: int) -> int:
        """Where a piece ends that begins here: bytes lie in the file, or are fresh and will."""
        end = min(self._starts[first] + _PIECE, self._written if self._starts[first] < self._written else 2**63)
        return max(first + 1, bisect_right(self._starts, end, first + 1) - 1)


class ById(Mapping[str, N], Generic[N]):
    """Items of a long sequence by their ids, in its order: sixteen bytes for each."""

    def __init__(self, items: Sequence[N], ids: Iterable[str] | None = None) -> None:
        self.items_in_order = items
        hashes = array("q", map(hash, ids if ids is not None else (item.id for item in items)))
        self._places = array("Q", sorted(range(len(hashes)), key=hashes.__getitem__))
        self._hashes = array("q", (hashes[place] for place in self._places))

    def place(self, id: object) -> int:
        """Where the item of this id stands, -1 where there is none."""
        wanted = hash(id)
        at = bisect_left(self._hashes, wanted)
        while at < len(self._hashes) and self._hashes[at] == wanted:
            if self.items_in_order[self._places[at]].id == id:
                return self._places[at]
            at += 1
        return -1

    def __getitem__(self, id: str) -> N:
        place = self.place(id)
        if place < 0:
            raise KeyError(id)
        return self.items_in_order[place]

    def get(self, id: str, default: N | None = None) -> N | None:  # type: ignore[override]
        place = self.place(id)
        return default if place < 0 else self.items_in_order[place]

    def __contains__(self, id: object) -> bool:
        return self.place(id) >= 0

    def __iter__(self) -> Iterator[str]:
        return (item.id for item in self.items_in_order)

    def values(self) -> Sequence[N]:  # type: ignore[override]
        return self.items_in_order

    def items(self) -> Again[tuple[str, N]]:  # type: ignore[override]
        return Again(lambda: ((item.id, item) for item in self.items_in_order))

    def __len__(self) -> int:
        return len(self.items_in_order)


class Places(Mapping[str, int]):
    """Where each item stands, by its id."""

    def __init__(self, items: ById[Any]) -> None:
        self._items = items

    def __getitem__(self, id: str) -> int:
        place = self._items.place(id)
        if place < 0:
            raise KeyError(id)
        return place

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


class Again(Collection[T], Generic[T]):
    """What can be gone through again and again without being held."""

    def __init__(self, make: Callable[[], Iterator[T]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[T]:
        return self._make()

    def __bool__(self) -> bool:
        return next((True for _ in self), False)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, item: object) -> bool:
        return any(one == item for one in self)


def where(items: Collection[T], test: Callable[[T], bool]) -> Collection[T]:
    """Those that pass a test: a list of them, unless they are gone through because they are too many."""
    if isinstance(items, list):
        return [item for item in items if test(item)]
    passing = Again(lambda: (item for item in items if test(item)))
    few = list(islice(passing, _MANY + 1))
    if len(few) <= _MANY:
        return few
    return items if all(test(item) for item in items) else passing


def both(one: Collection[T], other: Collection[T]) -> Collection[T]:
    """These and then those."""
    if isinstance(one, list) and isinstance(other, list):
        return one + other
    return Again(lambda: chain(one, other))


def alike(items: Collection[object], kind: type[T]) -> list[T] | Shelf[T]:
    """An empty list, or an empty shelf where what it is made from stands on one."""
    return Shelf(kind) if isinstance(items, Shelf) else []


def by_id(items: Sequence[N]) -> Mapping[str, N]:
    """These by their ids."""
    return ById(items) if isinstance(items, Shelf) else {item.id: item for item in items}
