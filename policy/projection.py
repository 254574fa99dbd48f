"""The distinct combinations of a few attributes over a history: what is asked of an engine that answers one request at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lang.cel.vector import Tri
from policy.history import History
from policy.model import Request

Bits: TypeAlias = "NDArray[np.uint8]"


class Projection:
    """The distinct requests of a history cut down to some attributes, and per shape the number of its own."""

    def __init__(self, history: History, names: Sequence[str]) -> None:
        columns = [(name, column) for name in names if (column := history.column(name)) is not None]
        first, self.inverse = _distinct([column.codes for _, column in columns], history.size)
        self.requests: list[Request] = []
        for row in first.tolist():
            values = ((name, column.value(row)) for name, column in columns)
            self.requests.append({name: value for name, value in values if value is not None})

    def spread(self, answers: NDArray[np.bool_]) -> Bits:
        """An answer per distinct request as packed bits per shape."""
        return np.packbits(answers[self.inverse])


def _distinct(codes: list[NDArray[Any]], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A shape of each distinct tuple of codes, and per shape which tuple it carries."""
    key, width = np.zeros(size, np.int64), 1
    for more in codes:
        step = int(more.max(initial=0)) + 1
        if width * step >= 1 << 62:
            _, key = np.unique(key, return_inverse=True)
            width = int(key.max(initial=0)) + 1
        key = key * step + more
        width *= step
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return first, inverse


class Threefold:
    """Kleene's logic on packed bitmaps of one history."""

    def __init__(self, size: int) -> None:
        self.none: Bits = np.zeros((size + 7) // 8, np.uint8)
        self.full: Bits = np.packbits(np.ones(size, np.bool_))

    def constant(self, value: bool) -> Tri:
        return Tri(self.full if value else self.none, self.none, {})

    def negated(self, of: Tri) -> Tri:
        return Tri(self.full & ~(of.true | of.unknown), of.unknown, of.missing)

    def joined(self, parts: Sequence[Tri], every: bool) -> Tri:
        """All or any of the parts; what is missing is named where the whole is unknown."""
        true = possible = self.full if every else self.none
        for part in parts:
            if every:
                true, possible = true & part.true, possible & (part.true | part.unknown)
            else:
                true, possible = true | part.true, possible | part.unknown
        unknown = possible & ~true
        missing: dict[str, Bits] = {}
        for part in parts:
            for name, bits in part.missing.items():
                mine = bits & unknown
                if mine.any():
                    missing[name] = missing[name] | mine if name in missing else mine
        return Tri(true, unknown, missing)
