"""Pairs of a call and another's record that have no identifier in common and yet say the same: they tell how far apart two clocks stand.

Only what stands alone on both sides for minutes around makes a pair: the same command or arguments word for word, else the
same verb on the same target. The times compared are those logged; no skew is known yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chains.match import FOLDER, LOOSE, match_names, values_of
from chains.reach import is_call
from model.evidence import Stub
from model.words import EventKind, KeyRole, Phase, Vantage, Verb

WORDS = "words|"
WORDS_REACH = 300_000_000
"""Microseconds from a record within which a call is looked for that says the same, and another that does would make it ambiguous."""


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


def apart(stub: Stub, carriers: Callable[[str], Iterable[Stub]]) -> int | None:
    """Its time less that of the only call that says the same, where no other record of its point does; None else."""
    for value in word_values(stub):
        held = {one.id: one for name in match_names((value,), stub.at or 0, WORDS_REACH) for one in carriers(name)}
        near = [one for one in held.values() if one.at is not None and abs(one.at - (stub.at or 0)) <= WORDS_REACH]
        calls = [one for one in near if is_call(one)]
        alike = (one for one in near if one.point == stub.point and one.phase is stub.phase and one.record != stub.record)
        if len(calls) == 1 and not any(alike):
            return (stub.at or 0) - (calls[0].at or 0)
    return None


def _telling(value: str) -> tuple[bool, str]:
    return not value.startswith(WORDS), value
