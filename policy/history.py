"""The history of requests in the form replay needs: distinct shapes, weights, and the way back to rows and tasks.

A *shape* is a request projected on the published schema: no times, no ids. Rows with one shape and one recorded
decision form a *cell*; every count of a dry-run is a sum over cells. Rows stand in the order (task, time, step), so
that what is listed does not depend on the order of imports, and each step is held once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Column, Texts
from lang.cel.requests import writable
from model.evidence import RequestRow
from model.request import FIELD, FIELDS
from policy.model import ANSWERS, Request

NO_TIME = np.iinfo(np.int64).max
_PLAIN_HELD = 4096


class Ranges:
    """Lists of row or task numbers, one per key, end to end: list k is `items[starts[k]:starts[k + 1]]`."""

    def __init__(self, starts: NDArray[np.int64], items: NDArray[np.uint32]) -> None:
        self.starts = starts
        self.items = items

    def sizes(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.starts[keys + 1] - self.starts[keys]

    def of(self, keys: NDArray[np.int64]) -> NDArray[np.uint32]:
        """All items of the given keys, key after key."""
        sizes = self.sizes(keys)
        total = int(sizes.sum())
        if total > len(self.items) // 4:
            wanted = np.zeros(len(self.starts) - 1, np.bool_)
            wanted[keys] = True
            return self.items[np.repeat(wanted, np.diff(self.starts))]
        ends = np.cumsum(sizes)
        return self.items[np.repeat(self.starts[keys] - (ends - sizes), sizes) + np.arange(total)]


class History:
    """All requests replay may look at. Made by `from_rows`, `load` or `updated`; never changed in place."""

    def __init__(
        self,
        columns: dict[str, Column],
        cell_shape: NDArray[np.uint32],
        cell_recorded: NDArray[np.uint8],
        row_cell: NDArray[np.uint32],
        row_at: NDArray[np.int64],
        task_starts: NDArray[np.int64],
        steps: Texts,
        tasks: Texts,
        size: int,
        state: str = "",
    ) -> None:
        self.columns = columns
        self.size = size
        self.cell_shape = cell_shape
        self.cell_recorded = cell_recorded
        self.row_cell = row_cell
        self.row_at = row_at
        self.task_starts = task_starts
        self.steps = steps
        self.tasks = tasks
        self.state = state
        self._plain: dict[int, dict[str, str | int | bool | list[str]]] = {}

    @classmethod
    def from_rows(cls, rows: Iterable[RequestRow], state: str = "") -> History:
        """Read rows in any order; a step that comes twice counts once. `state` names the store's state they stand for."""
        from policy.interning import Builder

        builder = Builder()
        builder.add(rows)
        return builder.build(state)

    def updated(self, rows: Iterable[RequestRow], drop_tasks: Iterable[str] = (), state: str = "") -> History:
        """The history with every row of `drop_tasks` gone and `rows` added: what an import that rebuilt those tasks needs."""
        from policy.interning import Builder

        builder = Builder.continuing(self, frozenset(drop_tasks))
        builder.add(rows)
        return builder.build(state)

    def save(self, folder: Path) -> None:
        """Write the index below a folder; readers of an older generation keep theirs."""
        from policy.history_files import save

        save(self, folder)

    @classmethod
    def load(cls, folder: Path) -> History:
        """Open a saved index by memory map; raises `HistoryStale` where there is none, or one of another version or schema."""
        from policy.history_files import load

        return load(folder)

    @classmethod
    def restored(
        cls, columns: dict[str, Column], arrays: dict[str, NDArray[Any]], steps: Texts, tasks: Texts, size: int, state: str
    ) -> History:
        """A history from the arrays of a saved one, its way back to rows and tasks included."""
        made = cls(
            columns, arrays["cell_shape"], arrays["cell_recorded"], arrays["row_cell"], arrays["row_at"],
            arrays["task_starts"], steps, tasks, size, state,
        )  # fmt: skip
        made.__dict__["cell_rows"] = Ranges(arrays["cell_rows.starts"], arrays["cell_rows.items"])
        made.__dict__["cell_tasks"] = Ranges(arrays["cell_tasks.starts"], arrays["cell_tasks.items"])
        return made

    @property
    def requests(self) -> int:
        return len(self.row_cell)

    def column(self, name: str) -> Column | None:
        return self.columns.get(name)

    @cached_property
    def cell_weight(self) -> NDArray[np.int64]:
        """Requests per cell."""
        rows = self.__dict__.get("cell_rows")
        if isinstance(rows, Ranges):
            return np.diff(rows.starts)
        return np.bincount(self.row_cell, minlength=len(self.cell_shape)).astype(np.int64)

    @cached_property
    def shape_weight(self) -> NDArray[np.int64]:
        """Requests per shape."""
        out = np.zeros(self.size, np.int64)
        np.add.at(out, self.cell_shape, self.cell_weight)
        return out

    @property
    def all_distinct(self) -> bool:
        """Whether no two requests share a shape."""
        return self.size == self.requests

    @cached_property
    def cell_principal(self) -> NDArray[np.int64]:
        """The code of each cell's principal, 0 where it is not stated."""
        column = self.columns.get("principal.id")
        if column is None:
            return np.zeros(len(self.cell_shape), np.int64)
        return column.codes[self.cell_shape].astype(np.int64)

    @cached_property
    def cell_rows(self) -> Ranges:
        """Rows of each cell, in order."""
        starts = np.zeros(len(self.cell_shape) + 1, np.int64)
        np.cumsum(self.cell_weight, out=starts[1:])
        return Ranges(starts, np.argsort(self.row_cell, kind="stable").astype(np.uint32))

    @cached_property
    def cell_tasks(self) -> Ranges:
        """Distinct tasks of each cell."""
        rows = self.cell_rows
        task = self.task_of(rows.items)
        new = np.ones(len(task), np.bool_)
        new[1:] = task[1:] != task[:-1]
        new[rows.starts[:-1][rows.starts[:-1] < len(task)]] = True
        before = np.zeros(len(task) + 1, np.int64)
        np.cumsum(new, out=before[1:])
        return Ranges(before[rows.starts], task[new])

    def task_of(self, rows: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """The task number of each row."""
        return self._row_task[rows]

    @cached_property
    def _row_task(self) -> NDArray[np.uint32]:
        return np.repeat(np.arange(len(self.tasks), dtype=np.uint32), np.diff(self.task_starts))

    @cached_property
    def span(self) -> tuple[int | None, int | None]:
        """First and last time of any request, microseconds UTC."""
        known = self.row_at[self.row_at != NO_TIME]
        return (int(known.min()), int(known.max())) if len(known) else (None, None)

    def request(self, shape: int) -> Request:
        """What a shape states, in the order of the schema."""
        out: Request = {}
        for field in FIELDS:
            column = self.columns.get(field.name)
            value = column.value(shape) if column is not None else None
            if value is not None:
                out[field.name] = value
        return out

    def plain_request(self, shape: int) -> dict[str, str | int | bool | list[str]]:
        """What a shape states, as JSON has it; the same object each time: copy it to change it."""
        found = self._plain.get(shape)
        if found is None:
            if len(self._plain) >= _PLAIN_HELD:
                self._plain.clear()
            found = self._plain[shape] = {name: writable(FIELD[name], value) for name, value in self.request(shape).items()}
        return found

    def rows(self) -> Iterator[RequestRow]:
        """Every request again, in order: the way back to request-by-request evaluation."""
        task_of = self._row_task
        for row in range(self.requests):
            cell = int(self.row_cell[row])
            at = int(self.row_at[row])
            yield RequestRow(
                step=self.steps.value(row),
                task=self.tasks.value(int(task_of[row])),
                at=None if at == NO_TIME else at,
                recorded=ANSWERS[int(self.cell_recorded[cell])],
                request={**self.plain_request(int(self.cell_shape[cell]))},
            )
