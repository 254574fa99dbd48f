"""A grouped history brought up to date: the rows of some tasks taken out, those of a small history put in their places.

What stays is moved in whole pieces, numbers are translated by tables, and what was sorted is inserted into rather than sorted
again: the cost is that of copying the arrays, and of the few tasks that changed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Column, Texts, smallest_codes
from policy.history import Grouped, History, Ranges
from policy.widening import narrowed, rows_like, widened

_GONE = 0xFFFFFFFF
"""The number of what has none any more."""

Numbers = NDArray[np.uint32]
Ints = NDArray[np.int64]


class _Piece(NamedTuple):
    """A run of the old history, or of the new one: [begin, end) there."""

    new: bool
    begin: int
    end: int


class _Order:
    """Two sequences as one, piece by piece, and the number each thing has there."""

    def __init__(self, pieces: Sequence[_Piece], old: int, new: int) -> None:
        self.pieces = pieces
        self.old = np.full(old, _GONE, np.uint32)
        self.new = np.full(new, _GONE, np.uint32)
        at = 0
        for piece in pieces:
            numbers = self.new if piece.new else self.old
            numbers[piece.begin : piece.end] = np.arange(at, at + piece.end - piece.begin, dtype=np.uint32)
            at += piece.end - piece.begin
        self.size = at

    def within(self, old: Ints, new: Ints) -> _Order:
        """The order of what stands end to end in these things: thing n holds [starts[n], starts[n + 1])."""
        inner = [_Piece(p.new, int((new if p.new else old)[p.begin]), int((new if p.new else old)[p.end])) for p in self.pieces]
        return _Order(inner, int(old[-1]), int(new[-1]))

    def taken(self, old: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
        """The values of both in this order."""
        out = np.empty(self.size, old.dtype)
        at = 0
        for piece in self.pieces:
            out[at : at + piece.end - piece.begin] = (new if piece.new else old)[piece.begin : piece.end]
            at += piece.end - piece.begin
        return out


def merged(old: History, gone: Collection[str], new: History, state: str) -> History:
    """`old` without the tasks that are gone, with those of `new`, which are among them. Both are grouped."""
    assert old.grouped is not None
    assert new.grouped is not None
    tasks = _tasks(old.tasks, gone, new.tasks)
    rows = tasks.within(old.task_starts, new.task_starts)
    if not len(old.row_cell) or not rows.size:
        new.state = state
        return new
    columns, shape_of_new, size = _columns(old, new)
    dropped = np.flatnonzero(rows.old == _GONE) if len(gone) else np.zeros(0, np.int64)
    cell_of_dropped = old.row_cell[dropped]
    alive = np.diff(old.cell_rows.starts) > np.bincount(cell_of_dropped, minlength=len(old.cell_shape))
    used = np.zeros(size, np.bool_)
    used[old.cell_shape[alive]] = True
    used[shape_of_new[new.cell_shape]] = True
    shape = (np.cumsum(used, dtype=np.int64) - 1).astype(np.int64)
    old_keys = shape[old.cell_shape[alive]] * 4 + old.cell_recorded[alive]
    new_keys = shape[shape_of_new[new.cell_shape]] * 4 + new.cell_recorded
    keys = np.union1d(old_keys, new_keys)
    old_cell = np.full(len(alive), _GONE, np.uint32)
    old_cell[alive] = np.searchsorted(keys, old_keys)
    new_cell = np.searchsorted(keys, new_keys).astype(np.uint32)
    row_cell = np.empty(rows.size, np.uint32)
    for source, cells, numbers in ((old.row_cell, old_cell, rows.old), (new.row_cell, new_cell, rows.new)):
        kept = numbers != _GONE
        row_cell[numbers[kept]] = cells[source[kept]]
    names, starts = _texts(old.tasks, new.tasks, tasks)
    counts = tasks.taken(np.diff(old.task_starts), np.diff(new.task_starts))
    all_used = bool(used.all())
    narrow = {name: narrowed(column, used) if not all_used else column for name, column in columns.items()}
    history = History(
        columns={name: column for name, column in narrow.items() if column is not None},
        cell_shape=(keys // 4).astype(np.uint32),
        cell_recorded=(keys % 4).astype(np.uint8),
        row_cell=row_cell,
        row_at=rows.taken(old.row_at, new.row_at),
        task_starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        steps=Texts(b"", np.zeros(1, np.int64)),
        tasks=Texts(names, starts),
        size=int(used.sum()),
        state=state,
        grouped=Grouped(
            rows.taken(old.grouped.weight, new.grouped.weight),
            rows.taken(old.grouped.until, new.grouped.until),
            *_names(old.grouped, new.grouped, shape_of_new, used, shape),
        ),
    )
    weight = np.zeros(len(keys), np.int64)
    lost = np.bincount(cell_of_dropped, old.grouped.weight[dropped], len(alive)).astype(np.int64)
    weight[old_cell[alive]] = (old.cell_weight - lost)[alive]
    weight[new_cell] += new.cell_weight
    history.__dict__["cell_weight"] = weight
    history.__dict__["cell_rows"] = _ranges(old.cell_rows, old_cell, rows.old, new.cell_rows, new_cell, rows.new, len(keys))
    history.__dict__["cell_tasks"] = _ranges(old.cell_tasks, old_cell, tasks.old, new.cell_tasks, new_cell, tasks.new, len(keys))
    return history


def _tasks(old: Texts, gone: Collection[str], new: Texts) -> _Order:
    """Tasks in the order of their names: what stays of the old ones, the new ones between them."""
    marks: list[tuple[int, bool, int]] = []
    for name in gone:
        raw = name.encode("utf-8", "replace")
        place = bisect_left(range(len(old)), raw, key=old.raw)
        if place < len(old) and old.raw(place) == raw:
            marks.append((place, True, 0))
    for n, raw in enumerate(new.raws(range(len(new)))):
        marks.append((bisect_left(range(len(old)), raw, key=old.raw), False, n))
    pieces: list[_Piece] = []
    begin = 0
    for place, cut, n in sorted(marks):
        if begin < place:
            pieces.append(_Piece(False, begin, place))
        begin = place + cut
        if not cut:
            pieces.append(_Piece(True, n, n + 1))
    if begin < len(old):
        pieces.append(_Piece(False, begin, len(old)))
    return _Order(pieces, len(old), len(new))


def _texts(old: Texts, new: Texts, order: _Order) -> tuple[bytes, Ints]:
    data = order.within(old.starts, new.starts).taken(old.view, new.view).tobytes()
    starts = np.zeros(order.size + 1, np.int64)
    np.cumsum(order.taken(old.lengths, new.lengths), out=starts[1:])
    return data, starts


def _columns(old: History, new: History) -> tuple[dict[str, Column], Ints, int]:
    """The shapes of both: their columns, the number there of each new shape, and how many there are."""
    codes_of_new: dict[str, Ints] = {}
    values = {name: column.values for name, column in old.columns.items()}
    for name, column in new.columns.items():
        if name not in values:
            values[name], codes_of_new[name] = column.values, column.codes.astype(np.int64)
            continue
        values[name], place = widened(values[name], column.values)
        codes_of_new[name] = np.concatenate([[0], place + 1])[column.codes]
    nothing = np.zeros(new.size, np.int64)
    unknown = np.zeros(new.size, np.bool_)
    for name, codes in codes_of_new.items():
        unknown |= codes > (len(old.columns[name].values) if name in old.columns else 0)
    wanted = np.column_stack([codes_of_new.get(name, nothing) for name in old.columns] or [nothing])
    # Requests that say nothing have no column; they are one shape all the same.
    known: list[NDArray[np.unsignedinteger]] = [column.codes for column in old.columns.values()] or [np.zeros(old.size, np.uint8)]
    like = rows_like(known, wanted[~unknown])
    place = np.empty(new.size, np.int64)
    size = old.size
    for n in range(new.size):
        at = None if unknown[n] else like.get(wanted[n].tobytes())
        if at is None:
            at, size = size, size + 1
        place[n] = at
    added = place >= old.size
    if not added.any():
        return dict(old.columns), place, size
    columns = {}
    for name, domain in values.items():
        before = old.columns[name].codes if name in old.columns else np.zeros(old.size, np.uint8)
        after = codes_of_new.get(name, nothing)[added]
        columns[name] = Column(smallest_codes(np.concatenate([before, after.astype(np.uint32)]), len(domain)), domain)
    return columns, place, size


def _names(
    old: Grouped, new: Grouped, shape_of_new: Ints, used: NDArray[np.bool_], shape: Ints
) -> tuple[NDArray[np.uint8], Numbers]:
    """The names of the shapes that are used and their shapes, in the order of these."""
    beginning = np.ascontiguousarray(old.names).view(np.uint64).reshape(-1, 2)[:, 0]
    near = old.names[np.isin(beginning, np.ascontiguousarray(new.names).view(np.uint64).reshape(-1, 2)[:, 0])]
    known = {name.tobytes() for name in near}
    added = np.array([name.tobytes() not in known for name in new.names], np.bool_)
    named = np.concatenate([old.named.astype(np.int64), shape_of_new[new.named[added]]])
    kept = used[named]
    order = np.argsort(named[kept], kind="stable")
    return np.concatenate([old.names, new.names[added]])[kept][order], shape[named[kept][order]].astype(np.uint32)


def _ranges(
    old: Ranges, old_key: Numbers, old_number: Numbers, new: Ranges, new_key: Numbers, new_number: Numbers, keys: int
) -> Ranges:
    """Lists under their new keys with their new numbers, what is gone left out and what is new put in, in order."""
    items = old_number[old.items]
    kept = items != _GONE
    sizes = np.zeros(keys, np.int64)
    alive = old_key != _GONE
    sizes[old_key[alive]] = np.add.reduceat(kept.view(np.uint8), old.starts[:-1], dtype=np.int64)[alive]
    items = items[kept]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    key = np.repeat(new_key, np.diff(new.starts))
    number = new_number[new.items]
    order = np.lexsort((number, key))
    key, number = key[order], number[order]
    place = starts[key]
    edges = np.flatnonzero(np.diff(key, prepend=-1, append=-1)) if len(key) else np.zeros(0, np.int64)
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        low, high = int(starts[key[begin]]), int(starts[int(key[begin]) + 1])
        if low < high:
            place[begin:end] += np.searchsorted(items[low:high], number[begin:end])
    np.add.at(sizes, key, 1)
    return Ranges(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), np.insert(items, place, number))
