"""Requests to shapes: equal values become one code, equal requests one number."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np

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
        return len(self._shapes)

    def number(self, request: dict[str, Any]) -> int:
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

    def columns(self) -> tuple[dict[str, Column], int]:
        """The columns of all shapes, and how many there are. Nothing can be added afterwards."""
        size = len(self._shapes)
        self._shapes.clear()
        matrix = np.frombuffer(self._codes, np.uint32) if self._codes else np.zeros(0, np.uint32)
        matrix = matrix.reshape(-1, len(REPLAYED))
        out: dict[str, Column] = {}
        for i, field in enumerate(REPLAYED):
            known = self._values[i]
            codes = matrix[:, i]
            if not len(codes) or not codes.any():
                continue
            values = _dictionary(field.type, known)
            out[field.name] = Column(smallest_codes(codes, len(values)), values)
            self._values[i] = {}
        return out, size


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
