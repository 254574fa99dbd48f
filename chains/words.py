"""Pairs of a call and another's record that have no identifier in common and yet say the same: they tell how far apart two clocks stand.

What makes a pair says the same command or arguments word for word, else the same verb on the same target, and stands alone on both
sides for minutes around, by itself or as one short group of as many calls as records: agents that work side by side do the same at
nearly the same time. The times compared are those logged; no skew is known yet.
"""

from __future__ import annotations

from chains.match import FOLDER, LOOSE, match_names, values_of
from chains.reach import Reach, is_call
from model.evidence import Stub
from model.words import EventKind, KeyRole, Phase, Vantage, Verb

WORDS = "words|"
WORDS_REACH = 300_000_000
"""Microseconds from a record within which a call is looked for that says the same, and another that does would make it ambiguous."""

GROUP = 8
"""Of more calls that say the same within minutes the order tells too little."""
EVEN = 5_000_000
"""Microseconds by which the pairs of one group may lie differently far apart."""


def word_values(stub: Stub) -> list[str]:
    """What a record of another's log says that a call may say too, the most telling first; nothing where identifiers place it."""
    seen = stub.kind in (EventKind.DECISION, EventKind.EFFECT) and stub.phase in (Phase.VERDICT, Phase.OBSERVED)
    if not seen or stub.vantage is Vantage.AGENT or stub.at is None or any(k.role is KeyRole.SCOPE for k in stub.keys):
        return []
    values = (value for value in values_of(stub.keys) if not value.partition("|")[2].startswith(FOLDER))
    return sorted((v for v in values if v.startswith(WORDS) or Verb(v.partition("|")[0]) not in LOOSE), key=_telling)


def word_names(stub: Stub) -> list[str]:
    """The keys under which calls and other records lie that say the same about that time."""
    return match_names(word_values(stub), stub.at or 0, WORDS_REACH)


def apart(stub: Stub, reach: Reach) -> int | None:
    """Its time less that of the call that says the same, where that call and this record can be told; None else.

    Either both are alone in what they say, or as many calls say it as records do, in one short group that stands alone: then each
    record is of the call that has its place in their order, if all of them lie equally far apart.
    """
    at = stub.at or 0
    for value in word_values(stub):
        names = match_names((value,), at, WORDS_REACH)
        if any(reach.hot(name) for name in names) or not any(is_call(one) for name in names for one in reach.callers(name)):
            continue
        held = {one.id: one for name in names for one in reach.carriers(name)}
        near = [one for one in held.values() if one.at is not None and abs(one.at - at) <= WORDS_REACH]
        calls = sorted(one.at or 0 for one in near if is_call(one))
        alike = [one for one in near if one.point == stub.point and one.phase is stub.phase and one.record != stub.record]
        if len(calls) == 1 and not alike:
            return at - calls[0]
        told = sorted([at, *(one.at or 0 for one in alike)])
        if len({one.record for one in alike}) == len(alike) and _in_step(at, calls, told):
            return at - calls[told.index(at)]
    return None


def _in_step(at: int, calls: list[int], told: list[int]) -> bool:
    """Whether calls and records are as many, form one group around `at`, and lie equally far apart, each call from its record."""
    if not 1 < len(calls) == len(told) <= GROUP or any(abs(one - at) > WORDS_REACH // 2 for one in (*calls, *told)):
        return False
    between = [seen - asked for asked, seen in zip(calls, told, strict=True)]
    return max(between) - min(between) <= EVEN


def _telling(value: str) -> tuple[bool, str]:
    return not value.startswith(WORDS), value
