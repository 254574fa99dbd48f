"""Which events are one step: by call key, by record, and for what has neither by what was going on at the time."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import overload

import msgspec
from msgspec.structs import replace

from chains.match import match_values, reaches_out
from chains.order import Ordered, is_agent_call
from chains.shelf import Shelf
from lang.shell_syntax import read_script
from model.chain import Candidate, Link
from model.event import Event
from model.words import EventKind, KeyRole, LinkKind, Phase, TargetClass, Vantage, Verb

MICRO = 1_000_000
DURING = 0.50
"""The record's time lies between the call and its result."""
NEAR = 0.30
"""Full for no distance from that interval, nothing at the window's end."""
SAME_TARGET = 0.40
PART = 0.35
"""The verdict is on one command of those the call runs: deciders judge a compound command piece by piece."""
SAME_VERB = 0.25
OPEN = 0.15
"""The call runs something whose operations are not all known: it may have caused the record."""
BUSY = -0.20
"""The call has a record of this point, kind and verb already."""
THRESHOLD = 0.60
MARGIN = 0.05
SLACK = 2 * MICRO
"""By so much a record may precede its call or follow its result and still count as within."""
LONGEST = 3600 * MICRO
"""A call whose result is not seen is held to run no longer than until the next call, and never longer than this."""
LOOK_BACK = 8
"""So many calls that began before a record are looked at; more than this are hardly ever under way at once."""

_AT_HAND = 20_000
"""Calls whose particulars are held at once."""

_ASIDE = frozenset({Phase.POSTURE, Phase.STARTED, Phase.ENDED})
_CORE = (EventKind.ACTION, EventKind.DECISION, EventKind.EFFECT)


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
            made = _group([self._events[place] for place in places], places)
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


def group(ordered: Ordered, links: Iterable[Link], window_seconds: int) -> Grouped:
    """Put a task's events into steps. `links` are those by which attribution brought events into the task."""
    union = _Union(ordered.events)
    union.by_call_key()
    union.by_record()
    union.by_pair()
    position = ordered.position
    for link in links:
        if link.kind is LinkKind.INFERRED and link.source in position and link.target in position:
            union.join_those(position[link.source], position[link.target])
    grouped = Grouped(ordered.events)
    for members in union.groups():
        grouped.add(members)
    places = array("Q", bytes(8 * len(grouped.numbers)))
    steps = [number for number in grouped.numbers if _is_step(grouped, number, places)]
    grouped.keep(_settle(steps, grouped, ordered, window_seconds * MICRO), places)
    return grouped


def _is_step(grouped: Grouped, number: int, places: array[int]) -> bool:
    """Whether a group is one of something done or decided; where it stands is written down."""
    one = grouped.own(number)
    places[number] = one.place
    return any(e.kind in _CORE for e in one.events)


class _Union:
    """Disjoint sets of events by their places. Two calls of one log never fall into one set; the same call told twice does."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self._up = array("q", range(len(events)))
        self._joins = bytearray(len(events))
        self._caller = array("q", [-1]) * len(events)
        """Of each set that holds a call, by its root, that call's place; `_callers` where it holds several logs' word of it."""
        self._callers: dict[int, dict[str, int]] = {}
        self._records = array("q")
        for place, event in enumerate(events):
            self._joins[place] = event.kind is not EventKind.INTENT and event.phase not in _ASIDE
            self._records.append(hash(event.record or event.id))
            if self._joins[place] and is_agent_call(event):
                self._caller[place] = place

    def _root(self, place: int) -> int:
        up = self._up
        while up[place] != place:
            up[place] = up[up[place]]
            place = up[place]
        return place

    def join_those(self, one: int, other: int) -> None:
        """The same for any two events of the task."""
        if self._joins[one] and self._joins[other]:
            self.join(one, other)

    def join(self, one: int, other: int) -> None:
        a, b = self._root(one), self._root(other)
        if a == b:
            return
        if self._caller[a] >= 0 and self._caller[b] >= 0:
            mine, theirs = self._calls(a), self._calls(b)
            if not self._same_call(mine, theirs):
                return
            self._callers[a] = mine | theirs
        elif self._caller[b] >= 0:
            self._caller[a] = self._caller[b]
            if b in self._callers:
                self._callers[a] = self._callers[b]
        self._up[b] = a

    def _calls(self, root: int) -> dict[str, int]:
        """The calls of a set, by the log that tells of each."""
        return self._callers.get(root) or {self.events[self._caller[root]].format: self._caller[root]}

    def _same_call(self, mine: dict[str, int], theirs: dict[str, int]) -> bool:
        """Whether calls carry one call id and are told by different logs, or in the same words by two files of one kind."""
        if not self._ids(mine) & self._ids(theirs):
            return False
        return all(_same_words(self.events[mine[log]], self.events[theirs[log]]) for log in mine.keys() & theirs.keys())

    def _ids(self, calls: dict[str, int]) -> set[str]:
        events = (self.events[place] for place in calls.values())
        return {key.name for e in events for key in e.keys if key.role is KeyRole.CALL and key.kind == "call"}

    def by_call_key(self) -> None:
        """The agent's own call ids first; other request ids then, so that one shared by two calls joins neither."""
        for own in (True, False):
            holders: dict[str, int | array[int]] = {}
            for place, event in enumerate(self.events):
                if not self._joins[place]:
                    continue
                for key in event.keys:
                    if key.role is KeyRole.CALL and (key.kind == "call") == own:
                        held = holders.setdefault(key.name, place)
                        if isinstance(held, array):
                            held.append(place)
                        elif held != place:
                            holders[key.name] = array("Q", (held, place))
            for members in holders.values():
                if isinstance(members, int):
                    continue
                if own or len({root for place in members if self._caller[root := self._root(place)] >= 0}) <= 1:
                    for place in members[1:]:
                        self.join(members[0], place)

    def by_record(self) -> None:
        """Events of one record are one step unless the record speaks of several requests, by their number or their ids."""
        for places in sorted(self._of_one_record()):
            members = [self.events[place] for place in places]
            called = {k.name for e in members for k in e.keys if k.role is KeyRole.CALL and k.kind == "call"}
            named = [ids for e in members if (ids := {k.name for k in e.keys if k.role is KeyRole.CALL})]
            if (
                len(called) <= 1
                and not any(ids.isdisjoint(named[0]) for ids in named)
                and all(
                    sum(e.kind is kind and e.phase is phase for e in members) <= 1
                    for kind, phase in (
                        (EventKind.ACTION, Phase.CALL),
                        (EventKind.ACTION, Phase.RESULT),
                        (EventKind.DECISION, Phase.VERDICT),
                        (EventKind.EFFECT, Phase.OBSERVED),
                    )
                )
            ):
                for place in places[1:]:
                    self.join(places[0], place)

    def _of_one_record(self) -> Iterator[list[int]]:
        """The places of events that stand in one record, where they are several."""
        hashes = self._records
        ordered = sorted((place for place in range(len(hashes)) if self._joins[place]), key=hashes.__getitem__)
        for _, run in groupby(ordered, key=hashes.__getitem__):
            places = list(run)
            if len(places) > 1:
                records: dict[str, list[int]] = {}
                for place in places:
                    event = self.events[place]
                    records.setdefault(event.record or event.id, []).append(place)
                yield from (same for same in records.values() if len(same) > 1)

    def by_pair(self) -> None:
        """A point's answer that names the request it answers, where neither has an id of its own."""
        asked: dict[tuple[str, str], int] = {}
        answers = array("Q")
        for place, event in enumerate(self.events):
            if self._joins[place] and event.vantage is not Vantage.AGENT:
                if event.ref:
                    asked.setdefault((event.point, event.ref), place)
                if event.after:
                    answers.append(place)
        for place in answers:
            event = self.events[place]
            question = asked.get((event.point, event.after))
            if question is not None and self.events[question].record != event.record:
                self.join(question, place)

    def groups(self) -> Iterator[array[int]]:
        """The sets in the order of their first events."""
        first: dict[int, int] = {}
        roots = array("Q")
        places = array("Q")
        for place in range(len(self.events)):
            if self._joins[place]:
                roots.append(first.setdefault(self._root(place), place))
                places.append(place)
        ordered = sorted(range(len(places)), key=roots.__getitem__)
        for _, run in groupby(ordered, key=roots.__getitem__):
            yield array("Q", (places[n] for n in run))


def _same_words(one: Event, other: Event) -> bool:
    """Whether two calls of one id are one, told twice: logs exist that use an id again, but not in the same moment for the same thing."""
    return one.at is not None and (
        (one.at, one.verb, one.tool, one.target, one.operations)
        == (other.at, other.verb, other.tool, other.target, other.operations)
    )


def _group(events: list[Event], places: list[int]) -> Group:
    calls = [e for e in events if is_agent_call(e)]
    # Of a call told by several logs the word that says most of it speaks: some leave out what the tool was given.
    call = max(calls, key=lambda e: (bool(e.operations), bool(e.target.name), -events.index(e)), default=None)
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


# -- groups that hold no call: what the calls of the time may have caused


class _Running(msgspec.Struct):
    """What a call of the agent's can have done."""

    number: int
    call: Event
    values: frozenset[str]
    verbs: frozenset[Verb]
    open: bool
    seen: set[tuple[str, EventKind, Verb]]


class _Calls:
    """The calls of a task by the time they began, and how long each was under way."""

    def __init__(self, numbers: Iterable[int], grouped: Grouped, ordered: Ordered, sought: Container[str]) -> None:
        self._grouped = grouped
        self._ordered = ordered
        self._made: dict[int, _Running] = {}
        found: list[tuple[int, int, int, int]] = []
        carrying: dict[str, list[int]] = {}
        for number in numbers:
            one = grouped.own(number)
            call = _opener(one)
            start = ordered.moment(call) if call is not None else None
            if call is None or start is None:
                continue
            ends = [at for e in one.events if e.phase is Phase.RESULT and (at := ordered.moment(e)) is not None]
            running = self._running(number)
            for value in running.values:
                if value in sought:
                    carrying.setdefault(value, []).append(number)
            found.append((start, one.places[0], max(ends, default=-1), number))
        found.sort()
        self.starts = [start for start, _, _, _ in found]
        self.ends = [end for _, _, end, _ in found]
        self._numbers = array("Q", (number for _, _, _, number in found))
        rank = {number: n for n, number in enumerate(self._numbers)} if carrying else {}
        self.by_value = {value: sorted(rank[number] for number in held) for value, held in carrying.items()}
        for n, start in enumerate(self.starts):
            if self.ends[n] < start:
                until = start + LONGEST
                self.ends[n] = min(until, self.starts[n + 1]) if n + 1 < len(self.starts) else until

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, n: int) -> _Running:
        return self._running(self._numbers[n])

    def _running(self, number: int) -> _Running:
        made = self._made.get(number)
        if made is not None:
            return made
        one = self._grouped.own(number)
        call = _opener(one)
        assert call is not None
        verbs = frozenset(op.verb for op in call.operations if reaches_out(op)) | {call.verb}
        unknown = call.verb in (Verb.EXEC, Verb.MCP_CALL, Verb.UNKNOWN) and (
            not call.operations or any(not op.certain or op.verb in (Verb.UNKNOWN, Verb.EXEC) for op in call.operations)
        )
        values = frozenset(v for e in one.events if e.phase is not Phase.RESULT for v in _values(e))
        seen = {(e.point, e.kind, e.verb) for e in self._grouped.numbered(number).events if e.id != call.id}
        if len(self._made) >= _AT_HAND:
            self._made.clear()
        made = self._made[number] = _Running(number, call, values, verbs, unknown, seen)
        return made


def _settle(numbers: list[int], grouped: Grouped, ordered: Ordered, window: int) -> list[int]:
    """Join each group without a call to the one call that explains it; those that none explains stay steps of their own."""
    loose = [number for number in numbers if _opener(grouped.own(number)) is None]
    if not loose:
        return numbers
    sought = {value for number in loose for e in grouped.own(number).events for value in _values(e)}
    calls = _Calls(numbers, grouped, ordered, sought)
    times = {number: _moment(grouped.own(number), ordered) for number in loose}
    loose.sort(key=lambda number: (times[number] or 0, min(e.id for e in grouped.own(number).events)))
    gone = {number for number in loose if _explain(grouped, number, times[number], calls, window)}
    return [number for number in numbers if number not in gone]


def _opener(group: Group) -> Event | None:
    """The agent's call, or where its own log is missing the verdict a decider gave on that call."""
    if group.call is not None:
        return group.call
    asked = (
        e for e in group.events if e.phase is Phase.VERDICT and any(k.role is KeyRole.CALL and k.kind == "call" for k in e.keys)
    )
    return next(asked, None)


def _values(event: Event) -> tuple[str, ...]:
    """What a record and a call can have in common: targets, and for verdicts on a command the command itself."""
    command = event.attrs.get("command")
    values = match_values(event)
    if event.verb is Verb.EXEC and isinstance(command, str) and command:
        values += (f"exec|{command}",)
    elif event.target.name:
        values += (f"{event.verb.value}|{event.target.cls.value}:{event.target.name}",)
    return values


def _moment(group: Group, ordered: Ordered) -> int | None:
    times = [at for e in group.events if e.kind in _CORE and (at := ordered.moment(e)) is not None]
    return min(times) if times else None


def _explain(grouped: Grouped, number: int, at: int | None, calls: _Calls, window: int) -> bool:
    """Find the call and put the group's events into its step; False where no call stands out."""
    loose = grouped.own(number)
    lead = _lead(loose)
    if at is None or lead is None:
        return False
    values = {value for e in loose.events for value in _values(e)}
    near = bisect_right(calls.starts, at + SLACK)
    places = set(range(max(0, near - LOOK_BACK), near))
    if lead.kind is EventKind.DECISION:
        places.update(range(near, min(len(calls), near + 2)))
    for value in values:
        mine = calls.by_value.get(value, ())
        middle = bisect_left(mine, near)
        places.update(mine[max(0, middle - 2) : middle + 2])
    scored = []
    for n in sorted(places):
        factors = _factors(loose, lead, at, values, calls[n], (calls.starts[n], calls.ends[n]), window)
        if factors:
            scored.append((round(sum(factors.values()), 4), -n, factors))
    scored.sort(key=lambda s: (-s[0], -s[1]))
    if not scored or scored[0][0] < THRESHOLD or (len(scored) > 1 and scored[0][0] - scored[1][0] < MARGIN):
        return False
    score, place, factors = scored[0]
    chosen = calls[-place]
    call = chosen.call
    rivals = tuple(Candidate("", calls[-n].call.id, points, why) for points, n, why in scored[1:4])
    shared = [f"exec|{lead.attrs['command']}"] if "part" in factors else sorted(values & chosen.values)
    key = f"match:{shared[0]}" if shared else f"time:{call.id}"
    link = Link(call.id, lead.id, LinkKind.INFERRED, key, min(score, 1.0), rivals, factors)
    others = {e.record: e for e in reversed(loose.events) if e.record != lead.record}
    more, links = grouped.joined.setdefault(chosen.number, ([], []))
    more += loose.places
    links += [link, *(replace(link, target=e.id) for _, e in sorted(others.items()))]
    chosen.seen.update((e.point, e.kind, e.verb) for e in loose.events)
    return True


def _lead(loose: Group) -> Event | None:
    """The event that speaks for a group: what was decided or done, before what was merely used."""
    rank = {EventKind.EFFECT: 0, EventKind.DECISION: 1, EventKind.ACTION: 2}
    core = [e for e in loose.events if e.kind in rank and e.at is not None]
    return min(core, key=lambda e: (rank[e.kind], e.at or 0, e.id)) if core else None


def _factors(
    loose: Group, lead: Event, at: int, values: set[str], one: _Running, span: tuple[int, int], window: int
) -> dict[str, float] | None:
    factors: dict[str, float] = {}
    start, end = span
    if start - SLACK <= at <= end + SLACK:
        factors["during"] = DURING
    else:
        distance = at - end if at > end else start - at
        if (at < start and lead.kind is not EventKind.DECISION) or distance > window:
            return None
        factors["near"] = round(NEAR * (1 - distance / window), 4)
    if values & one.values:
        factors["target"] = SAME_TARGET
    elif lead.kind is EventKind.DECISION and _is_part(lead, one.call):
        factors["part"] = PART
    elif lead.verb in one.verbs and lead.verb not in (Verb.UNKNOWN, Verb.EXEC):
        factors["verb"] = SAME_VERB
    elif one.open and not _local(lead):
        factors["open"] = OPEN
    else:
        return None
    # Each piece of a compound command has a verdict of its own.
    if (lead.point, lead.kind, lead.verb) in one.seen and "part" not in factors:
        factors["busy"] = BUSY
    return factors


def _is_part(piece: Event, whole: Event) -> bool:
    """Whether one event's command is one of the several that another's runs."""
    part, command = piece.attrs.get("command"), whole.attrs.get("command")
    if not (piece.verb is whole.verb is Verb.EXEC and isinstance(part, str) and isinstance(command, str)):
        return False
    return bool(part) and part != command and part in command and part in _parts(command)


@lru_cache(maxsize=256)
def _parts(command: str) -> frozenset[str]:
    return frozenset(one.text for one in read_script(command).commands)


def _local(event: Event) -> bool:
    """Whether an event is of the agent's own machine: such ones are no consequence of some other, unknown command."""
    return event.vantage is Vantage.AGENT or event.target.cls in (TargetClass.FILESYSTEM, TargetClass.AGENT)
