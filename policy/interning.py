"""From rows to a history: equal requests become one shape, equal steps one row."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Column, Texts
from model.evidence import RequestRow
from policy.history import Grouped, History
from policy.lookup import NO_TIME
from policy.model import CODE, UNKNOWN
from policy.shaping import Shapes, compacted

# Bytes of request keys remembered before the memory is emptied; the common shapes are back at once.
_REMEMBERED = 64 << 20


class Builder:
    """Collects rows and makes a History of them."""

    def __init__(self) -> None:
        self._shapes = Shapes()
        self._seen: dict[bytes, int] = {}
        self._seen_bytes = 0
        self._tasks: dict[str, int] = {}
        self._row_shape = array("I")
        self._row_task = array("I")
        self._row_recorded = bytearray()
        self._row_at = array("q")
        self._steps = bytearray()
        self._step_ends = array("q")

    def add(self, rows: Iterable[RequestRow]) -> None:
        """Takes rows in; well over 200,000 a second where shapes repeat."""
        seen, tasks, codes = self._seen, self._tasks, CODE
        shapes, row_tasks, recorded = self._row_shape.append, self._row_task.append, self._row_recorded.append
        times, ends, steps = self._row_at.append, self._step_ends.append, self._steps
        encode = msgspec.msgpack.Encoder().encode
        for row in rows:
            request = row.request
            try:
                key = encode(request)
                shape = seen.get(key)
            except (TypeError, ValueError, OverflowError):
                key, shape = b"", None
            if shape is None:
                shape = self._shapes.number(request)
                self._remember(key, shape)
            shapes(shape)
            task = tasks.get(row.task)
            if task is None:
                task = tasks[row.task] = len(tasks)
            row_tasks(task)
            recorded(codes.get(row.recorded, UNKNOWN))
            times(NO_TIME if row.at is None else row.at)
            steps += row.step.encode("utf-8", "replace")
            ends(len(steps))

    def _remember(self, key: bytes, shape: int) -> None:
        if not key:
            return
        self._seen_bytes += len(key) + 100
        if self._seen_bytes > _REMEMBERED:
            self._seen.clear()
            self._seen_bytes = len(key)
        self._seen[key] = shape

    def build(self, state: str = "") -> History:
        """The history of all rows taken in."""
        self._seen.clear()
        shape = np.frombuffer(self._row_shape, np.uint32) if self._row_shape else np.zeros(0, np.uint32)
        recorded = np.frombuffer(self._row_recorded, np.uint8) if self._row_recorded else np.zeros(0, np.uint8)
        at = np.frombuffer(self._row_at, np.int64) if self._row_at else np.zeros(0, np.int64)
        task, names = ranked(self._tasks, self._row_task)
        starts = np.zeros(len(at) + 1, np.int64)
        if len(at):
            starts[1:] = np.frombuffer(self._step_ends, np.int64)
        steps = Texts(bytes(self._steps), starts)
        self._steps = bytearray()
        columns, size = self._shapes.columns()
        order = _ordered(task, at, steps)
        order = _once(order, steps, task, at, recorded, shape, columns)
        shape, task, at, recorded, steps = shape[order], task[order], at[order], recorded[order], _taken(steps, order)
        return assembled(columns, shape, task, at, recorded, steps, names, size, state)


def ranked(tasks: dict[str, int], rows: array[int]) -> tuple[NDArray[np.uint32], list[bytes]]:
    """Task numbers of the rows by the order of the tasks' names, and the names."""
    encoded = [(name.encode("utf-8", "replace"), number) for name, number in tasks.items()]
    names = sorted({name for name, _ in encoded})
    place = {name: i for i, name in enumerate(names)}
    rank = np.zeros(len(encoded), np.uint32)
    for name, number in encoded:
        rank[number] = place[name]
    task = np.frombuffer(rows, np.uint32) if rows else np.zeros(0, np.uint32)
    return rank[task], names


def _taken(texts: Texts, order: NDArray[np.int64]) -> Texts:
    """The texts of the given numbers, in the given order."""
    if len(order) == len(texts) and bool((order == np.arange(len(order))).all()):
        return texts
    width = int(texts.starts[1]) if len(texts) else 0
    if width and bool((texts.lengths == width).all()):
        taken = texts.view.reshape(-1, width)[order]
        return Texts(taken.tobytes(), np.arange(len(order) + 1, dtype=np.int64) * width)
    return Texts.of(list(texts.raws(order)))


def _ordered(task: NDArray[np.uint32], at: NDArray[np.int64], steps: Texts) -> NDArray[np.int64]:
    """Row numbers in the order (task, time, step)."""
    order: NDArray[np.int64] = np.lexsort((at, task)).astype(np.int64)
    same = (task[order][1:] == task[order][:-1]) & (at[order][1:] == at[order][:-1])
    if same.any():
        edges = np.flatnonzero(np.diff(np.concatenate(([0], same.astype(np.int8), [0]))))
        for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            run = order[begin : end + 1]
            order[begin : end + 1] = sorted(run.tolist(), key=steps.raw)
    return order


def _once(
    order: NDArray[np.int64],
    steps: Texts,
    task: NDArray[np.uint32],
    at: NDArray[np.int64],
    recorded: NDArray[np.uint8],
    shape: NDArray[np.uint32],
    columns: dict[str, Column],
) -> NDArray[np.int64]:
    """The order without second rows of a step: a recorded decision beats none, the stricter beats the milder."""
    digests = _digests(steps)
    by_digest = np.argsort(digests, kind="stable")
    twins = digests[by_digest][1:] == digests[by_digest][:-1]
    if not twins.any():
        return order

    def request(row: int) -> str:
        return repr([(name, column.value(int(shape[row]))) for name, column in sorted(columns.items())])

    def rank(row: int) -> tuple[bool, int, int, int]:
        effect = int(recorded[row])
        return (effect == UNKNOWN, -effect, int(at[row]), int(task[row]))

    gone: list[int] = []
    edges = np.flatnonzero(np.diff(np.concatenate(([0], twins.astype(np.int8), [0]))))
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        groups: dict[bytes, list[int]] = {}
        for row in by_digest[begin : end + 1].tolist():
            groups.setdefault(steps.raw(row), []).append(row)
        for rows in groups.values():
            rows.sort(key=rank)
            equals = [row for row in rows if rank(row) == rank(rows[0])] if len(rows) > 1 else rows
            if len({int(shape[row]) for row in equals}) > 1:
                equals.sort(key=request)
            gone.extend(row for row in rows if row != equals[0])
    dropped = np.zeros(len(order), np.bool_)
    dropped[gone] = True
    return order[~dropped[order]]


def _digests(steps: Texts) -> NDArray[np.uint64]:
    """A number per step that equal steps share: a polynomial over its bytes, modulo 2**64; clashes are looked at again."""
    out = np.zeros(len(steps), np.uint64)
    rows = np.flatnonzero(steps.lengths > 0)
    with np.errstate(over="ignore"):
        powers = np.ones(int(steps.lengths.max(initial=0)) + 1, np.uint64)
        powers[1:] = np.uint64(0x9E3779B97F4A7C15)
        powers = np.cumprod(powers, dtype=np.uint64)
        block = 1 << 18
        for begin in range(0, len(rows), block):
            part = rows[begin : begin + block]
            low, high = int(steps.starts[part[0]]), int(steps.starts[part[-1] + 1])
            starts = steps.starts[part] - low
            place = np.arange(high - low) - np.repeat(starts, steps.lengths[part])
            terms = (steps.view[low:high].astype(np.uint64) + np.uint64(1)) * powers[place]
            out[part] = np.add.reduceat(terms, starts)
    return out


def assembled(
    columns: dict[str, Column],
    shape: NDArray[np.uint32],
    task: NDArray[np.uint32],
    at: NDArray[np.int64],
    recorded: NDArray[np.uint8],
    steps: Texts,
    names: list[bytes],
    shapes: int,
    state: str,
    grouped: Grouped | None = None,
) -> History:
    """Drops shapes and tasks no row has, and numbers the cells."""
    used = np.zeros(shapes, np.bool_)
    used[shape] = True
    if not used.all():
        number = (np.cumsum(used, dtype=np.int64) - 1).astype(np.uint32)
        shape = number[shape]
        if grouped is not None:
            kept_named = used[grouped.named]
            grouped = grouped._replace(names=grouped.names[kept_named], named=number[grouped.named[kept_named]])
        columns = {
            name: compacted(name, kept, column)
            for name, column in columns.items()
            if (kept := np.ascontiguousarray(column.codes[used])).any()
        }
        shapes = int(used.sum())
    counts = np.bincount(task, minlength=len(names))
    held = counts > 0
    kept_names = [name for name, keep in zip(names, held.tolist(), strict=True) if keep]
    task_starts = np.zeros(len(kept_names) + 1, np.int64)
    np.cumsum(counts[held], out=task_starts[1:])
    key = shape.astype(np.int64) * 4 + recorded
    present = np.zeros(shapes * 4, np.bool_)
    present[key] = True
    cells = np.flatnonzero(present)
    number = (np.cumsum(present, dtype=np.int64) - 1).astype(np.uint32)
    return History(
        columns=columns,
        cell_shape=(cells // 4).astype(np.uint32),
        cell_recorded=(cells % 4).astype(np.uint8),
        row_cell=number[key],
        row_at=np.ascontiguousarray(at),
        task_starts=task_starts,
        steps=steps,
        tasks=Texts.of(kept_names),
        size=shapes,
        state=state,
        grouped=grouped,
    )
