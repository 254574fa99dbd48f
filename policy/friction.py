"""Friction: how many more times a day a developer would be asked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Texts
from policy.change import NEWLY_ASKED, Change
from policy.dryrun import Friction
from policy.history import History
from policy.lookup import NO_TIME

_DAY = 86_400_000_000
_BLOCK = 1 << 20
_TABLE = 1 << 26
_PERSON = "human"


class DeveloperDays:
    """Who a developer is in a history, and on how many days each was active; computed once per history.

    A developer is whom the agent works for (`principal.on_behalf_of`), else a principal that is a person. A day is one
    of UTC on which at least one request of theirs has its time.
    """

    def __init__(self, history: History) -> None:
        if history.elsewhere is not None:
            self.of_shape = history.elsewhere.developer_known.astype(np.int64)
            self.developers, self.days = history.elsewhere.developers
            return
        self.of_shape, size = _developers(history)
        self.developers, self.days = _count(history, self.of_shape, size)

    def friction(self, change: Change) -> Friction:
        """Asks added and removed, and their difference per developer and day."""
        history = change.history
        added, removed = change.cells(NEWLY_ASKED), change.asks_removed()
        known = self.of_shape[history.cell_shape] > 0
        plus, minus = change.weight(added[known[added]]), change.weight(removed[known[removed]])
        nobody = change.weight(added[~known[added]]) + change.weight(removed[~known[removed]])
        rate = round((plus - minus) / self.days, 4) if self.days else None
        return Friction(plus, minus, self.developers, self.days, rate, nobody)


def _developers(history: History) -> tuple[NDArray[np.int64], int]:
    """The number of each shape's developer, 0 where it names none, and how many numbers there are."""
    numbers: dict[str, int] = {}

    def numbered(name: str) -> NDArray[np.int64]:
        column = history.column(name)
        if column is None:
            return np.zeros(history.size, np.int64)
        assert isinstance(column.values, Texts)
        known = [numbers.setdefault(value, len(numbers) + 1) for value in column.values.values()]
        return np.array([0, *known], np.int64)[column.codes]

    behalf = numbered("principal.on_behalf_of")
    own = numbered("principal.id")
    kind = history.column("principal.kind")
    person = np.zeros(history.size, np.bool_)
    if kind is not None:
        assert isinstance(kind.values, Texts)
        person = np.array([False, *(value == _PERSON for value in kind.values.values())])[kind.codes]
    return np.where(behalf > 0, behalf, np.where(person, own, 0)), len(numbers) + 1


def _count(history: History, of_shape: NDArray[np.int64], size: int) -> tuple[int, int]:
    """How many developers are active, and on how many days, added up over them."""
    first, last = history.span
    if first is None or last is None:
        return 0, 0
    begin, days = first // _DAY, last // _DAY - first // _DAY + 1
    of_cell = of_shape[history.cell_shape]
    if size * days > _TABLE:
        return _count_sparse(history, of_cell, begin, days)
    seen = np.zeros(size * days, np.bool_)
    for rows in range(0, len(history.row_cell), _BLOCK):
        seen[_pairs(history, of_cell, rows, begin, days)] = True
    table = seen.reshape(size, days)
    return int(table.any(axis=1).sum()), int(table.sum())


def _count_sparse(history: History, of_cell: NDArray[np.int64], begin: int, days: int) -> tuple[int, int]:
    parts = [np.unique(_pairs(history, of_cell, rows, begin, days)) for rows in range(0, len(history.row_cell), _BLOCK)]
    pairs = np.unique(np.concatenate(parts))
    return len(np.unique(pairs // days)), len(pairs)


def _pairs(history: History, of_cell: NDArray[np.int64], rows: int, begin: int, days: int) -> NDArray[np.int64]:
    """`developer * days + day` of each row of a block that has both."""
    at = history.row_at[rows : rows + _BLOCK]
    who = of_cell[history.row_cell[rows : rows + _BLOCK]]
    known = (at != NO_TIME) & (who > 0)
    pairs: NDArray[np.int64] = who[known] * days + (at[known] // _DAY - begin)
    return pairs
