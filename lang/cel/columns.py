"""Dictionary-encoded columns: each distinct value once, and per row the code of its value.

Code 0 is *missing*; code i + 1 is value i. Texts lie end to end in one UTF-8 buffer that may be a memory-mapped
file, so that a predicate over a million distinct command lines is a few numpy passes over bytes.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lang.cel.typed import Value

Bools: TypeAlias = "NDArray[np.bool_]"
Codes: TypeAlias = "NDArray[np.unsignedinteger[Any]]"
Ints: TypeAlias = "NDArray[np.int64]"
Buffer: TypeAlias = "bytes | mmap.mmap"

_FEW = 32


class Texts:
    """Texts, one after the other in `data`; text i is `data[starts[i]:starts[i + 1]]`, UTF-8."""

    def __init__(self, data: Buffer, starts: Ints) -> None:
        self.data = data
        self.starts = starts

    @classmethod
    def of(cls, values: Sequence[bytes]) -> Texts:
        """Texts from encoded values, in their order."""
        starts = np.zeros(len(values) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, values), np.int64, len(values)), out=starts[1:])
        return cls(b"".join(values), starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def raw(self, i: int) -> bytes:
        return self.data[int(self.starts[i]) : int(self.starts[i + 1])]

    def value(self, i: int) -> str:
        return self.raw(i).decode("utf-8", "replace")

    def values(self) -> Iterator[str]:
        return (raw.decode("utf-8", "replace") for raw in self.raws(range(len(self))))

    def raws(self, which: Sequence[int] | Ints) -> Iterator[bytes]:
        index = np.asarray(which, np.int64)
        data = self.data
        for start, end in zip(self.starts[index].tolist(), self.starts[index + 1].tolist(), strict=True):
            yield data[start:end]

    @cached_property
    def view(self) -> NDArray[np.uint8]:
        return np.frombuffer(self.data, np.uint8) if len(self) and self.starts[-1] else np.zeros(0, np.uint8)

    @cached_property
    def lengths(self) -> Ints:
        """Bytes of each text."""
        return np.diff(self.starts)

    @cached_property
    def sizes(self) -> Ints:
        """Characters of each text: its bytes less UTF-8 continuation bytes."""
        begins = np.zeros(len(self.view) + 1, np.int64)
        np.cumsum((self.view & 0xC0) != 0x80, out=begins[1:])
        return np.diff(begins[self.starts])

    @cached_property
    def lowered(self) -> Texts:
        return Texts(bytes(self.data[:]).lower(), self.starts)

    @cached_property
    def uppered(self) -> Texts:
        return Texts(bytes(self.data[:]).upper(), self.starts)

    @cached_property
    def lines(self) -> tuple[bytes, Ints, Ints]:
        """The texts joined by line ends, where each begins, and which texts hold line ends themselves."""
        joined = np.insert(self.view, self.starts[1:-1], 10).tobytes()
        return joined, self.starts[:-1] + np.arange(len(self)), np.flatnonzero(self.containing(b"\n"))

    @cached_property
    def _frequency(self) -> Ints:
        return np.bincount(self.view, minlength=256)

    def equal(self, text: bytes) -> Bools:
        return self._narrowed(np.flatnonzero(self.lengths == len(text)), self.starts[:-1], text)

    def starting(self, text: bytes) -> Bools:
        return self._narrowed(np.flatnonzero(self.lengths >= len(text)), self.starts[:-1], text)

    def ending(self, text: bytes) -> Bools:
        return self._narrowed(np.flatnonzero(self.lengths >= len(text)), self.starts[1:] - len(text), text)

    def containing(self, text: bytes) -> Bools:
        """Which texts hold `text`: every place of its rarest byte is looked at, then its other bytes around it."""
        if not text:
            return np.ones(len(self), np.bool_)
        out = np.zeros(len(self), np.bool_)
        size, view = len(text), self.view
        if len(view) < size:
            return out
        order = sorted(range(size), key=lambda i: int(self._frequency[text[i]]))
        rare = order[0]
        places = np.flatnonzero(view[rare : len(view) - size + 1 + rare] == text[rare])
        for i in order[1:]:
            if len(places) <= _FEW:
                places = places[self._carry(places, text)]
                break
            places = places[view[places + i] == text[i]]
        owner = np.searchsorted(self.starts, places, side="right") - 1
        out[owner[places + size <= self.starts[owner + 1]]] = True
        return out

    def _narrowed(self, rows: Ints, begins: Ints, text: bytes) -> Bools:
        """Which of `rows` carry `text` at their place in `begins`."""
        for i, byte in enumerate(text):
            if len(rows) <= _FEW:
                rows = rows[self._carry(begins[rows], text)]
                break
            rows = rows[self.view[begins[rows] + i] == byte]
        out = np.zeros(len(self), np.bool_)
        out[rows] = True
        return out

    def _carry(self, places: Ints, text: bytes) -> Bools:
        """Which of a few places in the buffer carry `text`."""
        size, data = len(text), self.data
        return np.fromiter((data[p : p + size] == text for p in places.tolist()), np.bool_, len(places))


class Domain(Protocol):
    """The distinct values of one column, or the elements of its lists."""

    def __len__(self) -> int: ...

    def value(self, i: int) -> Value: ...


class Numbers:
    """Distinct whole numbers."""

    def __init__(self, numbers: Ints) -> None:
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def value(self, i: int) -> Value:
        return int(self.numbers[i])


class Booleans:
    """false and true, in this order."""

    def __len__(self) -> int:
        return 2

    def value(self, i: int) -> Value:
        return i == 1


class Lists:
    """Distinct lists of texts; list i holds `elements[items[starts[i]:starts[i + 1]]]`."""

    def __init__(self, elements: Texts, items: NDArray[np.uint32], starts: Ints) -> None:
        self.elements = elements
        self.items = items
        self.starts = starts

    def __len__(self) -> int:
        return len(self.starts) - 1

    def value(self, i: int) -> Value:
        items = self.items[int(self.starts[i]) : int(self.starts[i + 1])]
        return tuple(self.elements.value(int(item)) for item in items)

    @cached_property
    def lengths(self) -> Ints:
        return np.diff(self.starts)

    def any_of(self, hits: Bools) -> Bools:
        """Which lists hold at least one element that is hit."""
        before = np.zeros(len(self.items) + 1, np.int64)
        np.cumsum(hits[self.items], out=before[1:])
        return before[self.starts[1:]] > before[self.starts[:-1]]


Values: TypeAlias = Texts | Numbers | Booleans | Lists


class Column:
    """One attribute over all rows: `codes` per row (0 missing, i + 1 for value i) and the distinct `values`."""

    def __init__(self, codes: Codes, values: Values) -> None:
        self.codes = codes
        self.values = values

    def value(self, row: int) -> Value | None:
        code = int(self.codes[row])
        return self.values.value(code - 1) if code else None


class Table(Protocol):
    """Rows to evaluate conditions over: distinct request shapes, as a rule."""

    @property
    def size(self) -> int: ...

    def column(self, name: str) -> Column | None:
        """The column of an attribute, None where no row states it."""
        ...


def smallest_codes(codes: NDArray[Any], values: int) -> Codes:
    """The same codes in the narrowest unsigned type that holds `values` + 1 of them."""
    kind = np.uint8 if values < 0xFF else np.uint16 if values < 0xFFFF else np.uint32
    return np.ascontiguousarray(codes, kind)


def encode(kind: str, values: Sequence[Value | None]) -> Column:
    """A column from one well-typed value per row, None where it is missing; values are coded in order of appearance."""
    place: dict[Value, int] = {}
    if kind == "bool":
        place = {False: 0, True: 1}
    codes = np.fromiter((0 if v is None else place.setdefault(v, len(place)) + 1 for v in values), np.int64, len(values))
    distinct: Values
    if kind == "bool":
        distinct = Booleans()
    elif kind in ("int", "timestamp"):
        distinct = Numbers(np.array(list(place), np.int64))
    elif kind == "string":
        distinct = Texts.of([str(v).encode() for v in place])
    else:
        distinct = lists_of([v for v in place if isinstance(v, tuple)])
    return Column(smallest_codes(codes, len(distinct)), distinct)


def lists_of(lists: Sequence[tuple[Any, ...]]) -> Lists:
    """Distinct lists of texts over one dictionary of elements."""
    elements: dict[str, int] = {}
    items = [elements.setdefault(item, len(elements)) for one in lists for item in one]
    starts = np.zeros(len(lists) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, lists), np.int64, len(lists)), out=starts[1:])
    return Lists(Texts.of([e.encode() for e in elements]), np.array(items, np.uint32), starts)


class Rows:
    """A table made from projected requests, one row each."""

    def __init__(self, requests: Sequence[Mapping[str, Value]], types: Mapping[str, str]) -> None:
        self.size = len(requests)
        self._columns = {
            name: encode(kind, [r.get(name) for r in requests])
            for name, kind in types.items()
            if any(name in r for r in requests)
        }

    def column(self, name: str) -> Column | None:
        return self._columns.get(name)
