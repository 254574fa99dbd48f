"""Distinct values of two histories as those of one: what is known keeps its code, what is new gets the next, what nobody has goes.

Everything is looked for in numpy passes over the whole dictionary: none of a million known values becomes a Python object.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Booleans, Column, Lists, Numbers, Texts, Values, smallest_codes

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_ENDS = 8
_BLOCK = 1 << 16
_MIX = np.uint64(0x9E3779B97F4A7C15)


def widened(known: Values, new: Values) -> tuple[Values, Ints]:
    """The known values and behind them the new ones among the others; for each of the others its place there."""
    match known, new:
        case Texts(), Texts():
            return _texts(known, new)
        case Numbers(), Numbers():
            place = _placed(known.numbers.astype(np.uint64), new.numbers.astype(np.uint64), known.value, new.value)
            fresh = place >= len(known)
            return Numbers(np.concatenate([known.numbers, new.numbers[fresh]])) if fresh.any() else known, place
        case Lists(), Lists():
            return _lists(known, new)
        case Booleans(), Booleans():
            return known, np.arange(2)
    raise TypeError("an attribute has one type")


def narrowed(column: Column, shapes: Bools | None) -> Column | None:
    """A column of those of its rows that are chosen, all where `shapes` is None, less values none has; None where nothing is left."""
    codes = column.codes if shapes is None else column.codes[shapes]
    used = np.zeros(len(column.values) + 1, np.bool_)
    used[codes] = True
    if not used[1:].any():
        return None
    if isinstance(column.values, Booleans) or used[1:].all():
        return Column(np.ascontiguousarray(codes), column.values)
    number = np.cumsum(used, dtype=np.int64) - int(used[0])
    number[0] = 0
    kept = _kept(column.values, used[1:])
    return Column(smallest_codes(number[codes], len(kept)), kept)


def rows_like(known: Sequence[NDArray[np.unsignedinteger]], wanted: Ints) -> dict[bytes, int]:
    """Which rows of columns of codes equal one of the wanted rows (as many columns wide): by the bytes of its codes its number."""
    if not len(wanted) or not known:
        return {}
    keys = np.zeros(len(known[0]), np.uint64)
    asked = np.zeros(len(wanted), np.uint64)
    for n, codes in enumerate(known):
        keys = _mixed(keys, codes)
        asked = _mixed(asked, wanted[:, n])
    near = np.flatnonzero(np.isin(keys, asked))
    rows = np.column_stack([codes[near].astype(np.int64) for codes in known])
    return {row.tobytes(): int(shape) for row, shape in zip(rows, near.tolist(), strict=True)}


def texts_where(texts: Texts, keep: Bools) -> Texts:
    """Some of the texts."""
    lengths = texts.lengths
    starts = np.zeros(int(keep.sum()) + 1, np.int64)
    np.cumsum(lengths[keep], out=starts[1:])
    return Texts(texts.view[np.repeat(keep, lengths)].tobytes(), starts)


def _kept(values: Values, keep: Bools) -> Values:
    match values:
        case Texts():
            return texts_where(values, keep)
        case Numbers():
            return Numbers(values.numbers[keep])
        case Lists():
            items = values.items[np.repeat(keep, values.lengths)]
            starts = np.zeros(int(keep.sum()) + 1, np.int64)
            np.cumsum(values.lengths[keep], out=starts[1:])
            used = np.zeros(len(values.elements), np.bool_)
            used[items] = True
            number = (np.cumsum(used, dtype=np.int64) - 1).astype(np.uint32)
            return Lists(texts_where(values.elements, used), number[items], starts)
    return values


def _texts(known: Texts, new: Texts) -> tuple[Texts, Ints]:
    place = _placed(_text_keys(known), _text_keys(new), known.raw, new.raw)
    fresh = place >= len(known)
    if not fresh.any():
        return known, place
    more = texts_where(new, fresh)
    starts = np.concatenate([known.starts, more.starts[1:] + known.starts[-1]])
    return Texts(bytes(known.data[:]) + bytes(more.data[:]), starts), place


def _lists(known: Lists, new: Lists) -> tuple[Lists, Ints]:
    elements, number = _texts(known.elements, new.elements)
    items = number[new.items] if len(new.items) else np.zeros(0, np.int64)

    def of_known(n: int) -> bytes:
        return known.items[int(known.starts[n]) : int(known.starts[n + 1])].astype(np.int64).tobytes()

    def of_new(n: int) -> bytes:
        return items[int(new.starts[n]) : int(new.starts[n + 1])].tobytes()

    place = _placed(_list_keys(known.items, known.starts), _list_keys(items, new.starts), of_known, of_new)
    fresh = place >= len(known)
    if not fresh.any():
        return known, place
    lengths = new.lengths
    starts = np.concatenate([known.starts, known.starts[-1] + np.cumsum(lengths[fresh])])
    more = items[np.repeat(fresh, lengths)].astype(np.uint32)
    return Lists(elements, np.concatenate([known.items, more]), starts), place


def _placed(known: NDArray[np.uint64], asked: NDArray[np.uint64], of_known: object, of_asked: object) -> Ints:
    """Places of asked values among known ones, by keys that equal values share; new ones follow behind, in their order."""
    assert callable(of_known)
    assert callable(of_asked)
    near = np.flatnonzero(np.isin(known, asked)).tolist()
    found = {of_known(n): n for n in near}
    place = np.empty(len(asked), np.int64)
    last = len(known)
    for n in range(len(asked)):
        at = found.get(of_asked(n))
        if at is None:
            at, last = last, last + 1
        place[n] = at
    return place


def _mixed(keys: NDArray[np.uint64], more: NDArray[np.generic]) -> NDArray[np.uint64]:
    mixed: NDArray[np.uint64] = (keys ^ more.astype(np.uint64)) * _MIX
    return mixed


def _text_keys(texts: Texts) -> NDArray[np.uint64]:
    """A number for each text, of its length, its first bytes and its last."""
    out = np.zeros(len(texts), np.uint64)
    steps = np.arange(_ENDS)
    for begin in range(0, len(texts), _BLOCK):
        low, high = texts.starts[:-1][begin : begin + _BLOCK], texts.starts[1:][begin : begin + _BLOCK]
        keys = (high - low).astype(np.uint64)
        some = high > low
        for places in (
            np.minimum(low[some, None] + steps, high[some, None] - 1),
            np.maximum(high[some, None] - 1 - steps, low[some, None]),
        ):
            keys[some] = _mixed(keys[some], np.ascontiguousarray(texts.view[places]).view(np.uint64)[:, 0])
        out[begin : begin + _BLOCK] = keys
    return out


def _list_keys(items: NDArray[np.generic], starts: Ints) -> NDArray[np.uint64]:
    """A number for each list, of its length, the sum of its items, and its first and last."""
    sums = np.zeros(len(items) + 1, np.int64)
    np.cumsum(items, out=sums[1:])
    keys = _mixed((starts[1:] - starts[:-1]).astype(np.uint64), sums[starts[1:]] - sums[starts[:-1]])
    some = starts[1:] > starts[:-1]
    keys[some] = _mixed(_mixed(keys[some], items[starts[:-1][some]]), items[starts[1:][some] - 1])
    return keys
