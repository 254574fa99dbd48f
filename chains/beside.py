"""Other records that tell of the same as one that is to be placed: one call shows one act, and one act is somebody's."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator

from chains.branches import branches_of, other_branch
from chains.facts import OrgFacts
from chains.reach import Reach
from chains.seen import BEHIND
from model.evidence import CONNECTIONS, Stub
from model.words import EventKind, KeyRole

SAME_ACT = 2_000_000
"""Microseconds within which two records of one target that name the same actor tell of one act, as a webhook and an audit log do."""
IN_ORDER = 5_000_000
"""Microseconds that are no order at all."""
OVER = 10_000_000
"""Microseconds after a call's end by which a clock may hide that the call made it: a larger difference is known as skew."""
_LAST = "\U0010ffff"
"""Sorts behind every id."""

Told = list[tuple[int, str, str, str]]
"""When others tell of the same, their ids, who acted by their word and over which connection, in order of time."""


class Beside:
    """Looks for them in one index, by the clock of the agents; what was found for a record is kept."""

    def __init__(
        self,
        reach: Reach,
        facts: OrgFacts,
        moment: Callable[[Stub], int | None],
        names: Callable[[Stub], list[str]],
        values: Callable[[Stub], frozenset[str]],
        ends: Callable[[Stub], list[int]],
    ) -> None:
        self.reach, self.facts = reach, facts
        self._moment, self._names, self._values, self._ends = moment, names, values, ends
        self._seen = ""
        self._found: dict[str, dict[str, Told]] = {}

    def taken(self, seen: Stub, call: Stub, value: str, distance: int, own: bool) -> bool:
        """Whether another record of the same point is nearer to the call and of its task, or of no known one.

        Where who acted is known for the agent's `own` person, what others did takes nothing.
        """
        moment = self._moment(call)
        if moment is None:
            return False
        near, back = abs(distance), min(IN_ORDER, abs(distance))
        low, high = {EventKind.CREDENTIAL: (near, near), **dict.fromkeys(BEHIND, (back, near))}.get(seen.kind, (near, back))
        mine = self.facts.identity(seen.principal) if own else ""
        return any(
            (abs(at - moment), id) < (near, seen.id) and not (own and who and who != mine)
            for at, id, who, _ in self._between(seen, call, value, moment - low, moment + high)
        )

    def by_another(self, seen: Stub, call: Stub, value: str, own: bool) -> bool:
        """Whether somebody else did the same while the call was under way, or the same was done over another connection: which of the two was
        the agent is not said. That who acted is known for the agent's `own` person tells no connections apart.

        What was seen within the call's time is told from what was seen beside it, and from nothing else.
        """
        start, at = self._moment(call), self._moment(seen)
        mine = self.facts.identity(seen.principal) if seen.principal and not own else ""
        line = _connection(seen)
        if start is None or at is None or not (mine or line):
            return False
        end = max(self._ends(call), default=start)
        slack = 0 if start <= at <= end else IN_ORDER
        near = self._between(seen, call, value, start - slack, end + slack)
        return any((mine and who and who != mine) or (line and over and over != line) for _, _, who, over in near)

    def _between(self, seen: Stub, call: Stub, value: str, low: int, high: int) -> Iterator[tuple[int, str, str, str]]:
        others, own = self._others(seen, value), self.reach.direct(call)
        for found in others.values() if own is None else (others.get("", ()), others.get(own[0], ())):
            yield from found[bisect_left(found, (low, "", "", "")) : bisect_right(found, (high, _LAST, _LAST, _LAST))]

    def _others(self, seen: Stub, value: str) -> dict[str, Told]:
        """Other records of the same point that tell of the same, by the task they are of, "" for none that is known."""
        if self._seen != seen.id:
            self._seen, self._found = seen.id, {}
        if value not in self._found:
            found: dict[str, set[tuple[int, str, str, str]]] = {}
            branches, line = branches_of(seen), _connection(seen)
            for other in (one for name in self._names(seen) for one in self.reach.carriers(name)):
                if (
                    other.point == seen.point
                    and other.kind is seen.kind
                    and other.record != seen.record
                    and (at := self._moment(other)) is not None
                    and value in self._values(other)
                    and not other_branch(branches, other)
                    and not self._same_act(seen, other)
                ):
                    place = self.reach.direct(other)
                    who = self.facts.identity(other.principal) if other.principal else ""
                    found.setdefault("" if place is None else place[0], set()).add(
                        (at, other.id, who, _connection(other) if line else "")
                    )
            self._found[value] = {task: sorted(told) for task, told in found.items()}
        return self._found[value]

    def _same_act(self, seen: Stub, other: Stub) -> bool:
        if not seen.principal or not other.principal or seen.at is None or other.at is None or abs(seen.at - other.at) > SAME_ACT:
            return False
        if (line := _connection(seen)) and (theirs := _connection(other)) and line != theirs:
            return False
        return self.facts.identity(seen.principal) == self.facts.identity(other.principal)


def _connection(stub: Stub) -> str:
    return next((key.name for key in stub.keys if key.role is KeyRole.SCOPE and key.kind in CONNECTIONS), "")
