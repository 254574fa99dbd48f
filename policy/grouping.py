"""From requests that a database has counted per task, shape and answer to a history: the requests themselves never come."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Texts
from policy.history import NAME_BYTES, Grouped, History
from policy.interning import assembled, ranked
from policy.lookup import NO_TIME
from policy.model import CODE, UNKNOWN
from policy.shaping import Shapes

Name = TypeVar("Name", str, bytes)

Cell: TypeAlias = "tuple[str, bytes, str, int, int | None, int | None]"
"""Task, name of the shape, what was recorded, how many requests, the time of the first and of the last."""


Contents: TypeAlias = "Callable[[Sequence[bytes]], Iterable[tuple[bytes, dict[str, Any]]]]"
"""Name and content of the shapes of these names."""


class Numbering(dict[Name, int]):
    """Numbers names in the order in which they are first asked for."""

    def __missing__(self, name: Name) -> int:
        number = self[name] = len(self)
        return number


class Named:
    """Shapes that rows name before anybody knows what they are."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self.numbers: Numbering[bytes] = Numbering()
        """A number for each name, to be looked up in `shape` once every name has been told."""
        self.shape = array("I")

    def tell(self, contents: Contents) -> None:
        """Learn what the names stand for. What nobody can tell states nothing, so that it cannot be judged."""
        untold = dict.fromkeys(list(self.numbers)[len(self.shape) :])
        self.shape.extend(array("I", [0]) * len(untold))
        for name, request in contents(list(untold)):
            if name in untold:
                self.shape[self.numbers[name]] = self._shapes.number(request)
                del untold[name]
        for name in untold:
            self.shape[self.numbers[name]] = self._shapes.number({})


class GroupBuilder:
    """Collects counted requests and makes a History of them."""

    def __init__(self) -> None:
        self._shapes = Shapes()
        self._named = Named(self._shapes)
        self._tasks: Numbering[str] = Numbering()
        self._name = array("I")
        self._task = array("I")
        self._recorded = bytearray()
        self._weight = array("I")
        self._first = array("q")
        self._last = array("q")

    def add(self, cells: Sequence[Cell]) -> None:
        """Takes cells in; `name` must tell what their shapes are."""
        if not cells:
            return
        tasks, names, answers, counts, firsts, lasts = zip(*cells, strict=True)
        self._name.extend(map(self._named.numbers.__getitem__, names))
        self._task.extend(map(self._tasks.__getitem__, tasks))
        self._recorded.extend(CODE.get(answer, UNKNOWN) for answer in answers)
        self._weight.extend(counts)
        self._first.extend(NO_TIME if at is None else at for at in firsts)
        self._last.extend(NO_TIME if at is None else at for at in lasts)

    def name(self, contents: Contents) -> None:
        """Tell what the names of the shapes stand for."""
        self._named.tell(contents)

    def build(self, state: str = "") -> History:
        """The history of all cells taken in, in the order of task and first time."""
        task, names = ranked(self._tasks, self._task)
        columns, size = self._shapes.columns()
        named = _numbers(self._named.shape, np.uint32)
        first = _numbers(self._first, np.int64)
        order = np.lexsort((first, task))
        by_shape = np.argsort(named, kind="stable")
        names_of_shapes = np.frombuffer(b"".join(self._named.numbers), np.uint8).reshape(-1, NAME_BYTES)
        grouped = Grouped(
            _numbers(self._weight, np.uint32)[order],
            _numbers(self._last, np.int64)[order],
            names_of_shapes[by_shape],
            named[by_shape],
        )
        shape = named[_numbers(self._name, np.uint32)][order]
        recorded = np.frombuffer(bytes(self._recorded), np.uint8)[order]
        none = Texts(b"", np.zeros(1, np.int64))
        return assembled(columns, shape, task[order], first[order], recorded, none, names, size, state, grouped)


def _numbers(values: array[int], kind: Any) -> NDArray[Any]:
    return np.frombuffer(values, kind) if values else np.zeros(0, kind)
