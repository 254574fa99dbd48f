"""The way back from rows that a database counted to the requests themselves: asked for by task and shape, remembered a while."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from policy.model import ANSWERS, CODE, UNKNOWN

if TYPE_CHECKING:
    from policy.history import History

NO_TIME = np.iinfo(np.int64).max
_HELD = 10_000
"""Pairs of a task and a shape whose requests are remembered."""

Pair: TypeAlias = "tuple[str, bytes]"
"""A task and the name of a shape."""

Found: TypeAlias = "tuple[str, str, int | None, str, bytes]"
"""A request of the database without its content: step, task, time, what was recorded, the name of its shape."""

Fetch: TypeAlias = "Callable[[Sequence[Pair]], Iterable[Found]]"
"""Finds the requests of each of these pairs."""


class Place(NamedTuple):
    """One request: the number of its task, its time (`NO_TIME` where none is known), its step, its cell."""

    task: int
    at: int
    step: str
    cell: int


class Lookup:
    """Finds the requests behind rows of one grouped history. Several threads may ask."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._held: dict[Pair, list[Found]] = {}

    def places(self, rows: NDArray[np.int64], tasks: list[int]) -> list[Place]:
        """The requests of rows, whose tasks are given too, in the order (task, time, step)."""
        history = self._history
        cells = history.row_cell[rows]
        wanted: dict[Pair, int] = {}
        of: dict[tuple[int, str, bytes], int] = {}
        shapes, answers = history.cell_shape[cells], history.cell_recorded[cells].tolist()
        names = self._names(shapes)
        for task, cell, answer, named in zip(tasks, cells.tolist(), answers, names, strict=True):
            for name in named:
                of[task, ANSWERS[answer], name] = cell
                wanted[history.tasks.value(task), name] = task
        found: list[Place] = []
        for pair, held in self._found(list(wanted)).items():
            task = wanted[pair]
            for step, _, at, recorded, name in held:
                cell = of.get((task, ANSWERS[CODE.get(recorded, UNKNOWN)], name), -1)
                if cell >= 0:
                    found.append(Place(task, NO_TIME if at is None else at, step, cell))
        return sorted(found)

    def _found(self, pairs: list[Pair]) -> dict[Pair, list[Found]]:
        held = self._held
        known = {pair: held[pair] for pair in pairs if pair in held}
        new: dict[Pair, list[Found]] = {pair: [] for pair in pairs if pair not in known}
        if new:
            for one in self._history.fetch(list(new)):
                new[one[1], one[4]].append(one)
            self._held = {**(known if len(held) + len(new) > _HELD else held), **new}
        return known | new

    def _names(self, shapes: NDArray[np.uint32]) -> list[list[bytes]]:
        """The names of each shape."""
        grouped = self._history.grouped
        assert grouped is not None
        begin = np.searchsorted(grouped.named, shapes).tolist()
        end = np.searchsorted(grouped.named, shapes, side="right").tolist()
        return [[grouped.names[n].tobytes() for n in range(*of)] for of in zip(begin, end, strict=True)]
