"""Whose a connection's opening is: what is said before the first call on it (`initialize`, `tools/list`) is about nobody's call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from chains.memory import in_time
from chains.reach import Place, Reach
from model.chain import Link
from model.evidence import Stub
from model.words import LinkKind, Phase, Verb

CONNECTION = "connection"
"""The class of names under which a unit on a connection finds what else was said on it."""

SURE = 0.90
"""Score from which one inferred call alone says whose a connection is; else there must be two calls."""


class Unit(msgspec.Struct):
    """The events of one record that have no place of their own; they are placed together."""

    id: str
    stubs: list[Stub]
    names: dict[str, list[str]]
    """Key names to look under, by class."""

    @property
    def issues(self) -> bool:
        return any(stub.phase in (Phase.ISSUED, Phase.RENEWED) for stub in self.stubs)


def opened(units: Sequence[Unit], placed: Mapping[str, Place], reach: Reach, unit_id: Callable[[Stub], str]) -> dict[str, Place]:
    """Places of units that belong to no call, on connections of which all calls that are known belong to one task and its sub-agents.

    A call that nothing told whose it is stays where it is: another agent may use the connection too.
    """
    found: dict[str, Place] = {}
    users: dict[str, tuple[str, Stub] | None] = {}
    for unit in units:
        names = unit.names.get(CONNECTION, ())
        if unit.id in placed or len(names) != 1 or any(stub.verb is Verb.MCP_CALL for stub in unit.stubs):
            continue
        if names[0] not in users:
            users[names[0]] = _user(list(_known(names[0], placed, reach, unit_id)), reach)
        if (user := users[names[0]]) is not None:
            task, other = user
            found[unit.id] = task, (Link(other.id, unit.stubs[0].id, LinkKind.DERIVED, names[0]),)
    return found


def _known(name: str, placed: Mapping[str, Place], reach: Reach, unit_id: Callable[[Stub], str]) -> Iterator[tuple[Stub, Place]]:
    """The events of a connection whose place is known, in order of time."""
    carriers = reach.carriers(name)
    reach.fetch(f"record:{stub.record}" for stub in carriers if stub.record)
    for stub in sorted(carriers, key=in_time):
        place = reach.direct(stub) or placed.get(unit_id(stub))
        if place is not None and place[0]:
            yield stub, place


def _user(known: Sequence[tuple[Stub, Place]], reach: Reach) -> tuple[str, Stub] | None:
    """The one task that made the calls, and its first event on the connection; None where that is not certain enough."""
    tasks = {place[0] for _, place in known}
    above = {task for task in tasks if not reach.ancestors(task) & tasks}
    if len(above) != 1:
        return None
    guesses = {link.source: link.confidence for _, place in known for link in place[1] if link.kind is LinkKind.INFERRED}
    if len(guesses) < 2 and max(guesses.values(), default=0.0) < SURE and not any(reach.direct(stub) for stub, _ in known):
        return None
    (task,) = above
    first = next((stub for stub, place in known if place[0] == task), None)
    return None if first is None else (task, first)
