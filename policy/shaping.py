"""Requests to shapes: equal values become one code, equal requests one number."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Booleans, Codes, Column, Numbers, Texts, Values, lists_of, smallest_codes
from lang.cel.requests import well_typed
from lang.cel.typed import Value
from model.request import REPLAYED

# Types whose values need no second look but for characters beyond ASCII.
_QUICK = tuple({"string": str, "bool": bool}.get(field.type) for field in REPLAYED)
_PLACE = {field.name: i for i, field in enumerate(REPLAYED)}
_TYPES = {field.name: field.type for field in REPLAYED}


class Shapes:
    """Numbers distinct requests, and makes the columns of their attributes."""

    def __init__(self) -> None:
        self._values: list[dict[Value, int]] = [{False: 1, True: 2} if f.type == "bool" else {} for f in REPLAYED]
        self._shapes: dict[bytes, int] = {}
        self._codes = array("I")

    def __len__(self) -> int:
        return len(self._codes) // len(REPLAYED)

    def number(self, request: dict[str, Any]) -> int:
        """The number of a request's shape."""
        packed = self._coded(request)
        key = packed.tobytes()
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes[key] = len(self._shapes)
            self._codes.extend(packed)
        return shape

    def add(self, request: dict[str, Any]) -> None:
        """Take a request in of which nobody knows yet whether it is like another; `settle` says so of all of them."""
        self._codes.extend(self._coded(request))

    def settle(self) -> NDArray[np.uint32]:
        """Make equal requests one shape; the shape's number of each request that was added, in their order."""
        matrix = self._matrix()
        number, kept = distinct_rows(matrix)
        if len(kept) < len(matrix):
            self._codes = array("I", matrix[kept].tobytes())
        return number

    def _coded(self, request: dict[str, Any]) -> array[int]:
        """The codes of a request's values; unknown names and values of a wrong type are as if they were missing."""
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
        return array("I", codes)

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

    def columns(self) -> tuple[dict[str, Column], int]:
        """The columns of all shapes, and how many there are. Nothing can be added afterwards."""
        self._shapes.clear()
        matrix = self._matrix()
        out: dict[str, Column] = {}
        for i, field in enumerate(REPLAYED):
            known = self._values[i]
            codes = matrix[:, i]
            if not len(codes) or not codes.any():
                continue
            values = _dictionary(field.type, known)
            out[field.name] = Column(smallest_codes(codes, len(values)), values)
            self._values[i] = {}
        return out, len(matrix)

    def _matrix(self) -> NDArray[np.uint32]:
        codes = np.frombuffer(self._codes, np.uint32) if self._codes else np.zeros(0, np.uint32)
        return codes.reshape(-1, len(REPLAYED))


def row_hashes(matrix: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """A number for each row that equal rows share."""
    hashes = np.zeros(len(matrix), np.uint64)
    with np.errstate(over="ignore"):
        for column in matrix.T:
            hashes = (hashes ^ (hashes >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9) + column
    return hashes


def distinct_rows(matrix: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The number of each row among the distinct ones, in the order in which these first stand there, and the first of each.

    Told by a hash of each row and a look at the rows themselves where two are alike: a dictionary of rows takes as much again as they do.
    """
    hashes = row_hashes(matrix)
    order = np.argsort(hashes, kind="stable")
    alike = hashes[order][1:] == hashes[order][:-1]
    if not alike.any():
        whole = np.arange(len(matrix), dtype=np.int64)
        return whole.astype(np.uint32), whole
    if (matrix[order[1:][alike]] == matrix[order[:-1][alike]]).all():
        begins = np.concatenate([[True], ~alike])
        first, group = order[begins], np.empty(len(matrix), np.int64)
        group[order] = np.cumsum(begins) - 1
    else:
        _, first, group = np.unique(matrix, axis=0, return_index=True, return_inverse=True)
    ranked = np.argsort(first)
    place = np.empty(len(first), np.uint32)
    place[ranked] = np.arange(len(first))
    return place[group.ravel()], first[ranked]


def _dictionary(kind: str, known: dict[Value, int]) -> Values:
    if kind == "bool":
        return Booleans()
    if kind in ("int", "timestamp"):
        return Numbers(np.fromiter((v for v in known if isinstance(v, int)), np.int64, len(known)))
    if kind == "string":
        return Texts.of([v.encode() for v in known if isinstance(v, str)])
    return lists_of([v for v in known if isinstance(v, tuple)])


def compacted(name: str, codes: Codes, column: Column) -> Column:
    """The column of some of its rows, less the values none of them has."""
    used = np.zeros(len(column.values) + 1, np.bool_)
    used[codes] = True
    if used[1:].all() or isinstance(column.values, Booleans):
        return Column(codes, column.values)
    number = np.cumsum(used, dtype=np.int64) - int(used[0])
    kept = {column.values.value(n): n for n in np.flatnonzero(used[1:]).tolist()}
    return Column(smallest_codes(np.where(codes == 0, 0, number[codes]), len(kept)), _dictionary(_TYPES[name], kept))
