"""What becomes of every request between two policies' answers: counts by request, task and principal, and the rows behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Bools
from policy.decisions import Decisions
from policy.dryrun import Figures, Summary
from policy.history import History
from policy.lookup import Place
from policy.model import ALLOW, ASK, DENY, UNKNOWN

UNCHANGED, NEWLY_ALLOWED, NEWLY_DENIED, NEWLY_ASKED, CANNOT_JUDGE = range(5)
FLIPS = (NEWLY_ALLOWED, NEWLY_DENIED, NEWLY_ASKED)
NAMES = ("unchanged", "newly_allowed", "newly_denied", "newly_asked", "cannot_judge")
_CHANGED = (*FLIPS, CANNOT_JUDGE)
_TASKS = 4_000
_BIT = np.left_shift(1, np.arange(5)).astype(np.uint8)


def transition(before: int, after: int, recorded: bool) -> int:
    """What becomes of a request, from the codes of its answers.

    A recorded `unknown` means that no decision was seen: the call went ahead as far as anybody knows, so that an allow
    changes nothing. An unknown answer of a baseline policy cannot be compared with anything.
    """
    if after == UNKNOWN or (before == UNKNOWN and not recorded):
        return CANNOT_JUDGE
    if after == before or (before == UNKNOWN and after == ALLOW):
        return UNCHANGED
    return {ALLOW: NEWLY_ALLOWED, ASK: NEWLY_ASKED, DENY: NEWLY_DENIED}[after]


_TABLES = {
    recorded: np.array([transition(b, a, recorded) for b in range(4) for a in range(4)], np.uint8) for recorded in (True, False)
}


class Change:
    """Every cell's answer before and after, and the kind of its change; `before` is None for the recorded decisions."""

    def __init__(self, history: History, before: Decisions | None, after: Decisions) -> None:
        self.history = history
        self.before = before
        self.after = after
        shape = history.cell_shape
        self.to = after.effect[shape]
        self.of = history.cell_recorded if before is None else before.effect[shape]
        self.kind = _TABLES[before is None][self.of * 4 + self.to]
        self.counts = np.bincount(self.kind, weights=history.cell_weight, minlength=5).astype(np.int64)

    def summary(self) -> Summary:
        return Summary(**{name: int(self.counts[kind]) for kind, name in enumerate(NAMES)})

    @property
    def flips(self) -> int:
        return int(self.counts[list(FLIPS)].sum())

    def figures(self, name: str) -> Figures:
        """The counts alone, as a column beside another baseline's."""
        return Figures(name, self.summary(), self.by_tasks(), self.principals(), self.flips)

    def by_tasks(self) -> Summary:
        """Tasks by what becomes of their requests."""
        if self.history.elsewhere is not None:
            return _summed(self.history.elsewhere.distinct("task", self.kind))
        return distinct(self.tasks(), len(self.history.tasks))

    def cells(self, kind: int) -> NDArray[np.int64]:
        return np.flatnonzero(self.kind == kind)

    def tasks(self) -> dict[int, Bools]:
        """Per kind of change, which tasks have at least one such request."""
        history = self.history
        changed = history.requests - int(self.counts[UNCHANGED])
        if changed * 8 > history.requests:
            # Most rows have a part in it: one pass over all of them, each task's rows lying side by side.
            bits = self._bits_of_tasks()
            return {kind: (bits & _BIT[kind]) != 0 for kind in _CHANGED}
        out: dict[int, Bools] = {}
        for kind in _CHANGED:
            out[kind] = np.zeros(len(history.tasks), np.bool_)
            cells = self.cells(kind)
            if len(cells):
                out[kind][history.cell_tasks.of(cells)] = True
        return out

    def _bits_of_tasks(self) -> NDArray[np.uint8]:
        """The kinds of each task as bits, a part of the tasks at a time: what lies in the processor's cache is read thrice as fast."""
        history = self.history
        of_cell, starts = _BIT[self.kind], history.task_starts
        out = np.empty(len(history.tasks), np.uint8)
        for begin in range(0, len(out), _TASKS):
            end = min(begin + _TASKS, len(out))
            first, last = int(starts[begin]), int(starts[end])
            rows = of_cell.take(history.row_cell[first:last])
            out[begin:end] = np.bitwise_or.reduceat(rows, starts[begin:end] - first)
        return out

    def principals(self) -> Summary:
        """Principals by what becomes of their requests; requests that state none are left out."""
        if self.history.elsewhere is not None:
            return _summed(self.history.elsewhere.distinct("principal", self.kind))
        codes = self.history.cell_principal
        size = int(codes.max(initial=0)) + 1
        hits = np.bincount(codes * 5 + self.kind, minlength=size * 5).reshape(-1, 5)[1:] > 0
        return distinct({kind: hits[:, kind] for kind in _CHANGED}, len(hits[hits.any(axis=1)]))

    def rows_of(self, task: int) -> range:
        """The rows of a task, by its number."""
        starts = self.history.task_starts
        return range(int(starts[task]), int(starts[task + 1]))

    def rows_by_kind(self, task: int, kind: int) -> list[int]:
        """The rows of a task that are of this kind, in order."""
        rows = self.rows_of(task)
        found = self.kind[self.history.row_cell[rows.start : rows.stop]] == kind
        return [rows.start + int(n) for n in np.flatnonzero(found)]

    def flip_places(self, limit: int | None) -> list[Place]:
        """The first flips: newly allowed, newly denied, newly asked, each in the order (task, time, step)."""
        found: list[Place] = []
        left = self.flips if limit is None else max(0, limit)
        for kind in FLIPS:
            cells = self.cells(kind)
            if left and len(cells):
                places = self.history.places(self._whole(self._first_rows(cells, kind, left), kind, left))[:left]
                found += places
                left -= len(places)
        return found

    def _whole(self, rows: NDArray[np.int64], kind: int, limit: int) -> NDArray[np.int64]:
        """As many of the rows as hold so many requests, and the rest of their last task's: rows of many requests overlap."""
        grouped = self.history.grouped
        if grouped is None:
            return rows
        enough = int(np.searchsorted(np.cumsum(grouped.weight[rows]), limit)) + 1
        rows = rows[:enough]
        last = int(self.history.task_of(rows[-1:])[0])
        more = np.array(self.rows_by_kind(last, kind), np.int64)
        return np.concatenate([rows, more[more > rows[-1]]])

    def _first_rows(self, cells: NDArray[np.int64], kind: int, limit: int) -> NDArray[np.int64]:
        """The first rows of the given cells. Many rows: walk from the first on; few: gather, then sort."""
        history = self.history
        total, size = int(self.counts[kind]), len(history.row_cell)
        if total * 32 > history.requests and total > limit:
            out: list[NDArray[np.int64]] = []
            have, block = 0, max(1 << 14, 4 * limit)
            for begin in range(0, size, block):
                rows = np.flatnonzero(self.kind[history.row_cell[begin : begin + block]] == kind) + begin
                out.append(rows[: limit - have])
                have += len(out[-1])
                if have >= limit:
                    break
            return np.concatenate(out)
        gathered = history.cell_rows.of(cells).astype(np.int64)
        if len(gathered) > limit:
            gathered = np.partition(gathered, limit - 1)[:limit]
        return np.sort(gathered)

    def weight(self, cells: Iterable[int] | NDArray[np.int64]) -> int:
        """Requests of these cells."""
        return int(self.history.cell_weight[np.asarray(cells, np.int64)].sum())

    def asks_removed(self) -> NDArray[np.int64]:
        """Cells that were asked and are now answered without a person."""
        return np.flatnonzero((self.of == ASK) & ((self.to == ALLOW) | (self.to == DENY)))


def distinct(hits: dict[int, Bools], total: int) -> Summary:
    """Counts of tasks or principals by kind; `unchanged` are those with no other."""
    changed = np.logical_or.reduce(list(hits.values()))
    counts = {NAMES[kind]: int(mask.sum()) for kind, mask in hits.items()}
    return Summary(unchanged=total - int(changed.sum()), **counts)


def _summed(found: Mapping[frozenset[int], int]) -> Summary:
    """The same from counts of those with exactly these kinds."""
    counts = {NAMES[kind]: sum(n for kinds, n in found.items() if kind in kinds) for kind in _CHANGED}
    return Summary(unchanged=sum(n for kinds, n in found.items() if not kinds.intersection(_CHANGED)), **counts)
