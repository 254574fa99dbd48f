"""The history of requests in the form replay needs: distinct shapes, weights, and the way back to rows and tasks.

A *shape* is a request projected on the published schema: no times, no ids. Rows with one shape and one recorded
decision form a *cell*; every count of a dry-run is a sum over cells. Rows stand in the order (task, time, step), so
that what is listed does not depend on the order of imports, and each step is held once.

A history that a database grouped (`Grouped`) has one row for all requests of a task and a day that share a cell, with
their number as its weight; the requests themselves stay in the database and are fetched for what is listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Column, Texts
from lang.cel.requests import writable
from model.evidence import RequestRow
from model.request import FIELD, FIELDS
from policy.elsewhere import Elsewhere
from policy.lookup import NO_TIME, Fetch, Lookup, Place
from policy.model import ANSWERS, Request

NAME_BYTES = 16
_PLAIN_HELD = 4096
_TASKS_AT_ONCE = 64


class Grouped(NamedTuple):
    """What takes the place of single requests: per row their number and the time of the last one; the names of shapes."""

    weight: NDArray[np.uint32] | NDArray[np.int64]
    until: NDArray[np.int64]
    names: NDArray[np.uint8]
    """`NAME_BYTES` each, in the order of their shapes; several may name one shape."""
    named: NDArray[np.uint32]
    """The shape of each name."""


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
    """All requests replay may look at. Made by `from_rows`, `load` or `grouping.GroupBuilder`; never changed in place."""

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
        grouped: Grouped | None = None,
    ) -> None:
        self.grouped = grouped
        self.fetch: Fetch = lambda pairs: ()
        """Where the requests of a grouped history are found; what the database no longer has is not found."""
        self.elsewhere: Elsewhere | None = None
        """Where the rows are, of a history whose shapes alone are here; its one task then stands for all of them."""
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

    def save(self, folder: Path, mode: int = 0o600) -> None:
        """Write the index below a folder, its files with this mode; readers of an older generation keep theirs."""
        from policy.history_files import save

        save(self, folder, mode)

    @classmethod
    def load(cls, folder: Path) -> History:
        """Open a saved index by memory map; raises `HistoryStale` where there is none, or one of another version or schema."""
        from policy.history_files import load

        return load(folder)

    @classmethod
    def restored(
        cls,
        columns: dict[str, Column],
        arrays: dict[str, NDArray[Any]],
        tasks: Texts,
        size: int,
        state: str,
        span: tuple[int | None, int | None],
        grouped: Grouped,
    ) -> History:
        """A history from the arrays of a saved one, its way back to rows and tasks included."""
        made = cls(
            columns, arrays["cell_shape"], arrays["cell_recorded"], arrays["row_cell"], arrays["row_at"],
            arrays["task_starts"], Texts.of([]), tasks, size, state, grouped,
        )  # fmt: skip
        made.__dict__["span"] = span
        made.__dict__["cell_weight"] = arrays["cell_weight"]
        made.__dict__["cell_rows"] = Ranges(arrays["cell_rows.starts"], arrays["cell_rows.items"])
        made.__dict__["cell_tasks"] = Ranges(arrays["cell_tasks.starts"], arrays["cell_tasks.items"])
        return made

    @cached_property
    def requests(self) -> int:
        return int(self.cell_weight.sum())

    def weigh(self, rows: range, hits: NDArray[np.bool_]) -> int:
        """Requests of those of some rows that are hit."""
        if self.grouped is None:
            return int(hits.sum())
        return int(self.grouped.weight[rows.start : rows.stop][hits].sum())

    def with_columns(self, columns: dict[str, Column]) -> History:
        """The same requests stating something else, shape by shape."""
        return History(
            columns, self.cell_shape, self.cell_recorded, self.row_cell, self.row_at, self.task_starts,
            self.steps, self.tasks, self.size, self.state, self.grouped,
        )  # fmt: skip

    def places(self, rows: NDArray[np.int64]) -> list[Place]:
        """The requests of rows that are given in order, in the order (task, time, step)."""
        tasks = self.task_of(rows).tolist()
        if self.grouped is not None:
            return self._lookup.places(rows, tasks)
        cells, times = self.row_cell[rows].tolist(), self.row_at[rows].tolist()
        steps = map(self.steps.value, rows.tolist())
        return [Place(*place) for place in zip(tasks, times, steps, cells, strict=True)]

    @cached_property
    def _lookup(self) -> Lookup:
        return Lookup(self)

    def column(self, name: str) -> Column | None:
        return self.columns.get(name)

    @cached_property
    def cell_weight(self) -> NDArray[np.int64]:
        """Requests per cell."""
        weight = None if self.grouped is None else self.grouped.weight
        return np.bincount(self.row_cell, weights=weight, minlength=len(self.cell_shape)).astype(np.int64)

    @cached_property
    def shape_weight(self) -> NDArray[np.int64]:
        """Requests per shape."""
        out = np.zeros(self.size, np.int64)
        np.add.at(out, self.cell_shape, self.cell_weight)
        return out

    @property
    def tasks_told(self) -> int:
        """How many tasks the requests belong to."""
        return len(self.tasks) if self.elsewhere is None else self.elsewhere.tasks

    @property
    def shapes_told(self) -> int:
        """How many shapes the requests have; of those elsewhere only the parts that a policy reads are told apart here."""
        return self.size if self.elsewhere is None else self.elsewhere.shapes

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
        np.cumsum(np.bincount(self.row_cell, minlength=len(self.cell_shape)), out=starts[1:])
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

    def task_of(self, rows: NDArray[np.uint32] | NDArray[np.int64]) -> NDArray[np.uint32]:
        """The task number of each row."""
        if len(rows) * 32 < len(self.row_cell):
            return (np.searchsorted(self.task_starts, rows, side="right") - 1).astype(np.uint32)
        return self._row_task[rows]

    @cached_property
    def _row_task(self) -> NDArray[np.uint32]:
        return np.repeat(np.arange(len(self.tasks), dtype=np.uint32), np.diff(self.task_starts))

    @cached_property
    def span(self) -> tuple[int | None, int | None]:
        """First and last time of any request, microseconds UTC."""
        known = self.row_at != NO_TIME
        if not known.any():
            return None, None
        last = self.row_at if self.grouped is None else self.grouped.until
        return int(self.row_at[known].min()), int(last[known].max())

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
        for begin in range(0, len(self.tasks), _TASKS_AT_ONCE):
            first, last = self.task_starts[[begin, min(begin + _TASKS_AT_ONCE, len(self.tasks))]].tolist()
            for task, at, step, cell in self.places(np.arange(first, last)):
                yield RequestRow(
                    step=step,
                    task=self.tasks.value(task),
                    at=None if at == NO_TIME else at,
                    recorded=ANSWERS[int(self.cell_recorded[cell])],
                    request={**self.plain_request(int(self.cell_shape[cell]))},
                )
