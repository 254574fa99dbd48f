"""From rows to a history: equal requests become one shape, equal values one code, equal steps one row."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Booleans, Column, Numbers, Texts, Values, lists_of, smallest_codes
from lang.cel.requests import well_typed
from lang.cel.typed import Value
from model.evidence import RequestRow
from model.request import REPLAYED
from policy.history import NO_TIME, History
from policy.model import CODE, UNKNOWN

# Bytes of request keys remembered before the memory is emptied; the common shapes are back at once.
_REMEMBERED = 64 << 20
# Types whose values need no second look but for characters beyond ASCII.
_QUICK = tuple({"string": str, "bool": bool}.get(field.type) for field in REPLAYED)
_PLACE = {field.name: i for i, field in enumerate(REPLAYED)}


class Builder:
    """Collects rows and makes a History of them."""

    def __init__(self) -> None:
        self._values: list[dict[Value, int]] = [{False: 1, True: 2} if f.type == "bool" else {} for f in REPLAYED]
        self._shapes: dict[bytes, int] = {}
        self._codes = array("I")
        self._seen: dict[bytes, int] = {}
        self._seen_bytes = 0
        self._tasks: dict[str, int] = {}
        self._row_shape = array("I")
        self._row_task = array("I")
        self._row_recorded = bytearray()
        self._row_at = array("q")
        self._steps = bytearray()
        self._step_ends = array("q")

    @classmethod
    def continuing(cls, history: History, drop: frozenset[str]) -> Builder:
        """A builder that already holds a history's rows but those of the tasks to drop."""
        builder = cls()
        codes = np.zeros((history.size, len(REPLAYED)), np.uint32)
        for i, field in enumerate(REPLAYED):
            column = history.column(field.name)
            if column is not None:
                codes[:, i] = column.codes
                if not isinstance(column.values, Booleans):
                    builder._values[i] = {column.values.value(n): n + 1 for n in range(len(column.values))}
        builder._codes.frombytes(codes.tobytes())
        width = 4 * len(REPLAYED)
        packed = codes.tobytes()
        builder._shapes = {packed[n * width : (n + 1) * width]: n for n in range(history.size)}
        builder._keep_rows(history, drop)
        return builder

    def _keep_rows(self, history: History, drop: frozenset[str]) -> None:
        names = list(history.tasks.values())
        keep_task = np.fromiter((name not in drop for name in names), np.bool_, len(names))
        task = history.task_of(np.arange(history.requests, dtype=np.uint32))
        rows = np.flatnonzero(keep_task[task]) if len(names) else np.zeros(0, np.int64)
        number = np.cumsum(keep_task, dtype=np.int64) - 1
        self._tasks = {name: n for n, name in enumerate(name for name in names if name not in drop)}
        cells = history.row_cell[rows]
        self._row_shape.frombytes(history.cell_shape[cells].astype(np.uint32).tobytes())
        self._row_task.frombytes(number[task[rows]].astype(np.uint32).tobytes())
        self._row_recorded += history.cell_recorded[cells].astype(np.uint8).tobytes()
        self._row_at.frombytes(history.row_at[rows].astype(np.int64).tobytes())
        steps = _taken(history.steps, rows)
        self._steps += bytes(steps.data[:])
        self._step_ends.frombytes(steps.starts[1:].astype(np.int64).tobytes())

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
                shape = self._shape(request)
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

    def _shape(self, request: dict[str, Any]) -> int:
        """The number of a request's shape; unknown names and values of a wrong type are as if they were missing."""
        codes = [0] * len(REPLAYED)
        values = self._values
        for name, raw in request.items():
            place = _PLACE.get(name)
            if place is not None and raw is not None:
                kind = type(raw)
                if kind is _QUICK[place] and (kind is bool or raw.isascii()):
                    known = values[place]
                    code = known.get(raw)
                    if code is None:
                        code = known[raw] = len(known) + 1
                    codes[place] = code
                else:
                    codes[place] = self._code(place, raw)
        packed = array("I", codes)
        key = packed.tobytes()
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes[key] = len(self._shapes)
            self._codes.extend(packed)
        return shape

    def _code(self, place: int, raw: object) -> int:
        """The code of a value, 0 where it is not of its attribute's type."""
        known = self._values[place]
        if type(raw) is list:
            try:
                code = known.get(tuple(raw))
            except TypeError:  # it holds something that is no text
                return 0
            if code is not None:
                return code
        value = well_typed(REPLAYED[place], raw)
        if value is None:
            return 0
        return known.setdefault(value, len(known) + 1)

    def build(self, state: str = "") -> History:
        """The history of all rows taken in."""
        self._seen.clear()
        self._shapes.clear()
        shape = np.frombuffer(self._row_shape, np.uint32) if self._row_shape else np.zeros(0, np.uint32)
        recorded = np.frombuffer(self._row_recorded, np.uint8) if self._row_recorded else np.zeros(0, np.uint8)
        at = np.frombuffer(self._row_at, np.int64) if self._row_at else np.zeros(0, np.int64)
        task, names = self._ranked_tasks()
        starts = np.zeros(len(at) + 1, np.int64)
        if len(at):
            starts[1:] = np.frombuffer(self._step_ends, np.int64)
        steps = Texts(bytes(self._steps), starts)
        self._steps = bytearray()
        matrix = np.frombuffer(self._codes, np.uint32) if self._codes else np.zeros(0, np.uint32)
        matrix = matrix.reshape(-1, len(REPLAYED))
        columns = self._columns(matrix)
        order = _ordered(task, at, steps)
        order = _once(order, steps, task, at, recorded, shape, columns)
        shape, task, at, recorded, steps = shape[order], task[order], at[order], recorded[order], _taken(steps, order)
        return _assembled(columns, shape, task, at, recorded, steps, names, len(matrix), state)

    def _ranked_tasks(self) -> tuple[NDArray[np.uint32], list[bytes]]:
        """Task numbers of the rows by the order of the tasks' names, and the names."""
        encoded = [(name.encode("utf-8", "replace"), number) for name, number in self._tasks.items()]
        names = sorted({name for name, _ in encoded})
        place = {name: i for i, name in enumerate(names)}
        rank = np.zeros(len(encoded), np.uint32)
        for name, number in encoded:
            rank[number] = place[name]
        task = np.frombuffer(self._row_task, np.uint32) if self._row_task else np.zeros(0, np.uint32)
        return rank[task], names

    def _columns(self, matrix: NDArray[np.uint32]) -> dict[str, Column]:
        out: dict[str, Column] = {}
        for i, field in enumerate(REPLAYED):
            known = self._values[i]
            codes = matrix[:, i]
            if not len(codes) or not codes.any():
                continue
            values = _dictionary(field.type, known)
            out[field.name] = Column(smallest_codes(codes, len(values)), values)
            self._values[i] = {}
        return out


def _dictionary(kind: str, known: dict[Value, int]) -> Values:
    if kind == "bool":
        return Booleans()
    if kind in ("int", "timestamp"):
        return Numbers(np.fromiter((v for v in known if isinstance(v, int)), np.int64, len(known)))
    if kind == "string":
        return Texts.of([v.encode() for v in known if isinstance(v, str)])
    return lists_of([v for v in known if isinstance(v, tuple)])


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


def _assembled(
    columns: dict[str, Column],
    shape: NDArray[np.uint32],
    task: NDArray[np.uint32],
    at: NDArray[np.int64],
    recorded: NDArray[np.uint8],
    steps: Texts,
    names: list[bytes],
    shapes: int,
    state: str,
) -> History:
    """Drops shapes and tasks no row has, and numbers the cells."""
    used = np.zeros(shapes, np.bool_)
    used[shape] = True
    if not used.all():
        shape = (np.cumsum(used, dtype=np.int64) - 1).astype(np.uint32)[shape]
        columns = {
            name: Column(kept, column.values)
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
    )
