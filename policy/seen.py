"""Which values an attribute has in a history, the most frequent first: what completion offers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Column, Lists, Texts
from lang.cel.spans import day_of
from model.request import FIELD
from policy.history import History

_NUMBERS = 200
"""Distinct numbers that are looked through."""


class Seen:
    """The values of a history by attribute; how often each occurs is counted when first asked for."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._counted: dict[str, NDArray[np.int64]] = {}

    def __call__(self, name: str, typed: str = "", most: int = 20) -> list[tuple[str, int]]:
        """(value, requests) of those that begin with `typed`, then of those that hold it anywhere; at most `most`."""
        column = self._history.column(name)
        if column is None or most < 1:
            return []
        values = column.values.elements if isinstance(column.values, Lists) else column.values
        if not isinstance(values, Texts):
            return [one for one in self._plain(name, column) if one[0].startswith(typed)][:most]
        counts = self._counts(name, column)
        begin = values.starting(typed.encode())
        hold = values.containing(typed.encode()) & ~begin if typed else np.zeros(len(values), np.bool_)
        found: list[tuple[str, int]] = []
        for mask in (begin, hold):
            rows = np.flatnonzero(mask & (counts > 0))
            room = most - len(found)
            if len(rows) > room:
                rows = rows[np.argpartition(-counts[rows], room - 1)[:room]] if room else rows[:0]
            some = [(values.value(row), int(counts[row])) for row in rows.tolist()]
            found.extend(sorted(some, key=lambda one: (-one[1], one[0])))
        return found

    def _plain(self, name: str, column: Column) -> list[tuple[str, int]]:
        """Numbers, days and booleans as they are written."""
        counts = self._counts(name, column)
        rows = np.argsort(-counts, kind="stable")[:_NUMBERS].tolist()
        found = [(column.values.value(row), int(counts[row])) for row in rows if counts[row]]
        days = FIELD[name].type == "timestamp"
        return [(day_of(value) if days and isinstance(value, int) else str(value).lower(), n) for value, n in found]

    def _counts(self, name: str, column: Column) -> NDArray[np.int64]:
        """Requests per value, or per element of lists."""
        found = self._counted.get(name)
        if found is None:
            found = np.zeros(len(column.values) + 1, np.int64)
            np.add.at(found, column.codes, self._history.shape_weight)
            found = found[1:]
            if isinstance(column.values, Lists):
                lists, elements = column.values, np.zeros(len(column.values.elements), np.int64)
                np.add.at(elements, lists.items, np.repeat(found, lists.lengths))
                found = elements
            self._counted[name] = found
        return found
