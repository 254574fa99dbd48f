"""A history from shapes that another engine counted: one row per cell, all rows of one nameless task, the rest asked for there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Texts, encode
from lang.cel.typed import Value
from model.request import REPLAYED
from policy.elsewhere import Elsewhere
from policy.history import NAME_BYTES, Grouped, History
from policy.lookup import NO_TIME

_TYPES = {field.name: field.type for field in REPLAYED}


def counted_history(
    stated: Mapping[str, Sequence[Value | None]],
    shape: NDArray[np.int64],
    recorded: NDArray[np.uint8],
    weight: NDArray[np.int64],
    first: Sequence[int | None],
    last: Sequence[int | None],
    elsewhere: Elsewhere,
) -> History:
    """`stated` are the attributes per shape, all else is per cell: its shape, answer, number of requests, first and last time."""
    cells, size = len(shape), int(shape.max(initial=-1)) + 1
    columns = {name: encode(_TYPES[name], values) for name, values in stated.items() if any(v is not None for v in values)}
    grouped = Grouped(weight, _times(last), np.zeros((0, NAME_BYTES), np.uint8), np.zeros(0, np.uint32))
    history = History(
        columns=columns,
        cell_shape=shape.astype(np.uint32),
        cell_recorded=recorded,
        row_cell=np.arange(cells, dtype=np.uint32),
        row_at=_times(first),
        task_starts=np.array([0, cells] if cells else [0], np.int64),
        steps=Texts.of([]),
        tasks=Texts.of([b""] if cells else []),
        size=size,
        grouped=grouped,
    )
    history.elsewhere = elsewhere
    return history


def _times(values: Sequence[int | None]) -> NDArray[Any]:
    return np.array([NO_TIME if value is None else value for value in values], np.int64)
