"""From requests that a database has counted per task, shape and answer to a history: the requests themselves never come."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Column, Texts
from policy.history import NAME_BYTES, Grouped, History
from policy.interning import assembled, ranked
from policy.lookup import NO_TIME
from policy.model import CODE, UNKNOWN
from policy.shaping import Shapes

Cell: TypeAlias = "tuple[str, bytes, str, int, int | None, int | None]"
"""Task, name of the shape, what was recorded, how many requests, the time of the first and of the last."""


_AT_ONCE = 1_000
"""Contents of shapes held at a time."""


class Names(Collection[bytes]):
    """The distinct names among those of rows, in order. A dictionary of them would take ten times the memory."""

    def __init__(self, raw: bytes | bytearray) -> None:
        halves = _halves(raw)
        order = np.lexsort((halves[:, 1], halves[:, 0]))
        ordered = halves[order]
        begins = np.ones(len(ordered), np.bool_)
        begins[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
        self._halves = ordered[begins]
        self._high = np.ascontiguousarray(self._halves[:, 0])
        self.of_row = np.empty(len(ordered), np.uint32)
        """The place of each row's name."""
        self.of_row[order] = np.cumsum(begins, dtype=np.int64) - 1

    def __len__(self) -> int:
        return len(self._halves)

    def __iter__(self) -> Iterator[bytes]:
        return (name.tobytes() for name in self.raw)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, bytes) and len(name) == NAME_BYTES and self.places([name])[0] >= 0

    @property
    def raw(self) -> NDArray[np.uint8]:
        """`NAME_BYTES` of each."""
        return self._halves.astype(">u8").view(np.uint8).reshape(-1, NAME_BYTES)

    def places(self, names: Sequence[bytes]) -> NDArray[np.int64]:
        """The place of each of these names, -1 for one that is none of them."""
        wanted = _halves(b"".join(names))
        at = np.searchsorted(self._high, wanted[:, 0])
        found = np.full(len(names), -1, np.int64)
        open_ = np.flatnonzero(at < len(self))
        # Names whose first halves are equal lie side by side.
        while len(open_):
            here = self._halves[at[open_]]
            hit = (here == wanted[open_]).all(axis=1)
            found[open_[hit]] = at[open_[hit]]
            open_ = open_[~hit & (here[:, 0] == wanted[open_, 0])]
            at[open_] += 1
            open_ = open_[at[open_] < len(self)]
        return found


def _halves(names: bytes | bytearray) -> NDArray[np.uint64]:
    return np.frombuffer(names, ">u8").astype(np.uint64).reshape(-1, 2)


Contents: TypeAlias = "Callable[[Names], Iterable[tuple[bytes, dict[str, Any]]]]"
"""Name and content of the shapes of these names, and of others perhaps."""


class Numbering(dict[str, int]):
    """Numbers tasks in the order in which they are first asked for."""

    def __missing__(self, name: str) -> int:
        number = self[name] = len(self)
        return number


class GroupBuilder:
    """Collects counted requests and makes a History of them."""

    def __init__(self) -> None:
        self._tasks = Numbering()
        self._names = bytearray()
        self._task = array("I")
        self._recorded = bytearray()
        self._weight = array("I")
        self._first = array("q")
        self._last = array("q")

    def add(self, cells: Sequence[Cell]) -> None:
        """Takes cells in."""
        if not cells:
            return
        tasks, names, answers, counts, firsts, lasts = zip(*cells, strict=True)
        self._names += b"".join(names)
        self._task.extend(map(self._tasks.__getitem__, tasks))
        self._recorded.extend(CODE.get(answer, UNKNOWN) for answer in answers)
        self._weight.extend(counts)
        self._first.extend(NO_TIME if at is None else at for at in firsts)
        self._last.extend(NO_TIME if at is None else at for at in lasts)

    def build(self, contents: Contents, state: str = "") -> History:
        """The history of all cells taken in, in the order of task and first time; `contents` tells what their shapes are."""
        names = Names(self._names)
        self._names = bytearray()
        columns, size, named = _told(names, contents)
        task, tasks = ranked(self._tasks, self._task)
        first = _numbers(self._first, np.int64)
        order = np.lexsort((first, task))
        by_shape = np.argsort(named, kind="stable")
        grouped = Grouped(
            _numbers(self._weight, np.uint32)[order],
            _numbers(self._last, np.int64)[order],
            names.raw[by_shape],
            named[by_shape],
        )
        shape = named[names.of_row[order]]
        recorded = np.frombuffer(bytes(self._recorded), np.uint8)[order]
        none = Texts(b"", np.zeros(1, np.int64))
        return assembled(columns, shape, task[order], first[order], recorded, none, tasks, size, state, grouped)


def _told(names: Names, contents: Contents) -> tuple[dict[str, Column], int, NDArray[np.uint32]]:
    """The columns of the shapes that these names stand for, their number, and the shape of each name.

    What nobody can tell states nothing, so that it cannot be judged.
    """
    shapes = Shapes()
    shapes.add({})
    row = np.zeros(len(names), np.int64)
    told = iter(contents(names))
    while some := list(islice(told, _AT_ONCE)):
        for place, (_, request) in zip(names.places([name for name, _ in some]).tolist(), some, strict=True):
            if place >= 0:
                row[place] = len(shapes)
                shapes.add(request)
    named = shapes.settle()[row]
    return *shapes.columns(), named


def _numbers(values: array[int], kind: Any) -> NDArray[Any]:
    return np.frombuffer(values, kind) if values else np.zeros(0, kind)
