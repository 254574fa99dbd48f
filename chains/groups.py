"""The events of one step to be: groups by their places in the task, made when asked for where they are too many to hold."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import overload

import msgspec

from chains.order import is_agent_call
from chains.shelf import Shelf
from model.chain import Link
from model.event import Event
from model.words import EventKind, KeyRole

CORE = (EventKind.ACTION, EventKind.DECISION, EventKind.EFFECT)
"""What a step can be: something done or decided."""


class Group(msgspec.Struct):
    """The events of one step to be, by their places in the task; `anchor` is what its id is made of."""

    events: list[Event]
    places: list[int]
    anchor: str = ""
    call: Event | None = None
    links: list[Link] = msgspec.field(default_factory=list)

    @property
    def place(self) -> int:
        """Where it stands: at its call, else at its first event."""
        return self.places[0] if self.call is None else self.places[self.events.index(self.call)]


class Grouped(Sequence[Group]):
    """Groups in order, each made when it is asked for where the task's events are too many to be held."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events
        self._ends = array("Q")
        self._places = array("Q")
        self._order: Sequence[int] = ()
        self._held: dict[int, Group] | None = None if isinstance(events, Shelf) else {}
        self.joined: dict[int, tuple[list[int], list[Link]]] = {}
        """By group the events and links that an inference brought into it."""

    def add(self, places: Iterable[int]) -> None:
        """One more group, numbered in the order they are added."""
        self._places.extend(places)
        self._ends.append(len(self._places))

    def keep(self, numbers: Iterable[int], places: Sequence[int]) -> None:
        """These groups are steps, in the order of these places of theirs."""
        self._order = array("Q", sorted(numbers, key=places.__getitem__))

    def own(self, number: int) -> Group:
        """A group without what was joined to it."""
        made = self._held.get(number) if self._held is not None else None
        if made is None:
            places = list(self._places[self._ends[number - 1] if number else 0 : self._ends[number]])
            made = made_of([self._events[place] for place in places], places)
            if self._held is not None:
                self._held[number] = made
        return made

    def numbered(self, number: int) -> Group:
        """A group with what was joined to it."""
        one = self.own(number)
        if number not in self.joined:
            return one
        more, links = self.joined[number]
        events = [*one.events, *(self._events[place] for place in more)]
        return Group(events, [*one.places, *more], one.anchor, one.call, list(links))

    @property
    def numbers(self) -> range:
        return range(len(self._ends))

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, place: int) -> Group: ...
    @overload
    def __getitem__(self, place: slice) -> list[Group]: ...
    def __getitem__(self, place: int | slice) -> Group | list[Group]:
        if isinstance(place, slice):
            return [self.numbered(number) for number in self._order[place]]
        return self.numbered(self._order[place])


def made_of(events: list[Event], places: list[int]) -> Group:
    """The group of these events, its call and its anchor found."""
    calls = [e for e in events if is_agent_call(e)]
    # Of a call told by several logs the word that says most of it speaks: some leave out what the tool was given, some when.
    call = max(calls, key=lambda e: (bool(e.operations), bool(e.target.name), e.at is not None, -events.index(e)), default=None)
    return Group(events, places, _anchor(events, call), call)


def _anchor(events: Sequence[Event], call: Event | None) -> str:
    """The agent's own call id, else any call id, else the id of the event least likely to be joined by an earlier one."""
    carrying = (call,) if call is not None else events
    names = {(k.kind != "call", k.name) for e in carrying for k in e.keys if k.role is KeyRole.CALL}
    if names:
        return min(names)[1]
    if call is not None:
        return call.id
    rank = {EventKind.ACTION: 0, EventKind.EFFECT: 1, EventKind.DECISION: 2}
    return min((rank.get(e.kind, 3), e.at is None, e.at or 0, e.id) for e in events)[3]
