"""The honesty ledger: which answers rest on what the log states, which on values Remit stands in for, which cannot be given.

An answer rests on a stand-in value where it is another one, or none, once the values that no record states are taken
away. What a rule reads but does not need for its answer counts for nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Column, Texts
from model.request import ASSUMED, FIELDS, RECORDED, SEPARATOR, TOLD_BY
from policy.bitmaps import indices, weigh
from policy.decisions import Bits, Decisions
from policy.dryrun import Lacking, Ledger
from policy.history import History
from policy.model import UNKNOWN

TESTED = "(whether it is stated)"
"""Named in place of an attribute where only `has(...)` of one decides."""


def stated(history: History) -> History | None:
    """The same history without the values that no record states; None where every value is stated."""
    names = _names(history)
    if not any(names):
        return None
    codes = _codes(history)
    columns = dict(history.columns)
    for field in FIELDS:
        column = history.column(field.name)
        assumed = np.array([False, *(field.name in listed for listed in names)])
        if column is not None and assumed.any():
            columns[field.name] = Column(np.where(assumed[codes], 0, column.codes).astype(column.codes.dtype), column.values)
    return history.with_columns(columns)


def ledger(history: History, after: Decisions, without: Decisions | None) -> Ledger:
    """How every request of a history was replayed; `without` are the same policy's answers over `stated(history)`."""
    weight = history.shape_weight
    unknown = after.effect == UNKNOWN
    stand_in = np.zeros(history.size, np.bool_) if without is None else (without.effect != after.effect) & ~unknown
    missing = [_lacking(history, name, bits) for name, bits in after.missing.items()]
    stand_ins = _stand_ins(history, stand_in, without.missing) if without is not None else []
    exact = ~(unknown | stand_in)
    return Ledger(
        exact=int(weight[exact].sum()),
        stand_in=int(weight[stand_in].sum()),
        not_replayable=int(weight[unknown].sum()),
        recorded_by_inference=_inferred(history),
        missing=_ordered(missing),
        stand_ins=_ordered(stand_ins),
        log_next=_ordered(_summed(missing + [one for one in stand_ins if one.attribute != TESTED])),
    )


def _stand_ins(history: History, where: NDArray[np.bool_], missing: Mapping[str, Bits]) -> list[Lacking]:
    packed = np.packbits(where)
    left = packed
    found = []
    for name, bits in missing.items():
        mine = bits & packed
        left = left & ~bits
        if mine.any():
            found.append(_lacking(history, name, mine))
    return [*found, _lacking(history, TESTED, left)] if left.any() else found


def _lacking(history: History, name: str, bits: Bits) -> Lacking:
    """How many requests hang on an attribute, and how many of them each point tells of without stating it."""
    told: Counter[str] = Counter()
    column = history.column(TOLD_BY)
    if column is not None:
        assert isinstance(column.values, Texts)
        shapes = indices(bits)
        counts = np.bincount(column.codes[shapes], weights=history.shape_weight[shapes], minlength=len(column.values) + 1)
        for code in np.flatnonzero(counts[1:]).tolist():
            for point in column.values.value(code).split(SEPARATOR):
                told[point] += int(counts[code + 1])
    return Lacking(name, weigh(bits, history), dict(sorted(told.items(), key=lambda pair: (-pair[1], pair[0]))))


def _summed(lacking: list[Lacking]) -> list[Lacking]:
    """One entry per attribute: what is missing and what was stood in for are apart in requests, so that they add up."""
    found: dict[str, Lacking] = {}
    for one in lacking:
        held = found.setdefault(one.attribute, Lacking(one.attribute, 0, {}))
        held.requests += one.requests
        held.told_by = dict(Counter(held.told_by) + Counter(one.told_by))
    return list(found.values())


def _ordered(lacking: list[Lacking]) -> list[Lacking]:
    return sorted(lacking, key=lambda one: (-one.requests, one.attribute))


def _names(history: History) -> list[frozenset[str]]:
    """For each distinct value of the column of assumed attributes, the names in it."""
    column = history.column(ASSUMED)
    if column is None:
        return []
    assert isinstance(column.values, Texts)
    return [frozenset(text.split(SEPARATOR)) for text in column.values.values()]


def _codes(history: History) -> NDArray[np.int64]:
    column = history.column(ASSUMED)
    return np.zeros(history.size, np.int64) if column is None else column.codes.astype(np.int64)


def _inferred(history: History) -> int:
    """Requests whose recorded answer was joined to them by inference."""
    names = _names(history)
    held = np.array([False, *(RECORDED in listed for listed in names)])
    if not held.any():
        return 0
    known = history.cell_recorded != UNKNOWN
    return int(history.cell_weight[held[_codes(history)[history.cell_shape]] & known].sum())
