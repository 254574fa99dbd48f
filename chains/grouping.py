"""Which events are one step: by call key, by record, and for what has neither by what was going on at the time."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from chains.explaining import MICRO, settle
from chains.groups import CORE, Grouped
from chains.order import Ordered, is_agent_call
from chains.twice import told_twice
from lang.late import late
from model.chain import Link
from model.event import Event
from model.words import WINDOW, EventKind, KeyRole, LinkKind, Phase, Tri, Vantage, Verb

_ONCE = frozenset({Verb.PR_OPEN, Verb.PR_MERGE, Verb.TICKET_OPEN})
_NUMBER = late(r"(?:^|/|#|!)(\d{1,9})(?:/merge)?$")
_ASIDE = frozenset({Phase.POSTURE, Phase.STARTED, Phase.ENDED})


def group(ordered: Ordered, links: Iterable[Link], window_seconds: int) -> Grouped:
    """Put a task's events into steps. `links` are those by which attribution brought events into the task."""
    union = _Union(ordered.events)
    union.by_call_key()
    union.by_record()
    union.by_pair()
    union.by_opening(window_seconds * MICRO)
    position = ordered.position
    for link in links:
        if link.kind is LinkKind.INFERRED and link.source in position and link.target in position:
            union.join_those(position[link.source], position[link.target])
    grouped = Grouped(ordered.events)
    for members in union.groups():
        grouped.add(members)
    places = array("Q", bytes(8 * len(grouped.numbers)))
    steps = [number for number in grouped.numbers if _is_step(grouped, number, places)]
    window = window_seconds * MICRO
    steps, apart = told_twice(steps, grouped, ordered, window)
    grouped.keep([*settle(steps, grouped, ordered, window), *apart], places)
    return grouped


def _is_step(grouped: Grouped, number: int, places: array[int]) -> bool:
    """Whether a group is one of something done or decided; where it stands is written down."""
    one = grouped.own(number)
    places[number] = one.place
    return any(e.kind in CORE for e in one.events)


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
        self._opened, self._printed = array("Q"), array("Q")
        """Where targets tell of what happens once, and where an agent's answers name something."""
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
        return self._callers.get(root) or {_log(self.events[self._caller[root]]): self._caller[root]}

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
            if self._joins[place] and any(key.role is KeyRole.REFERENCE for key in event.keys):
                self._note_opening(place, event)
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

    def _note_opening(self, place: int, event: Event) -> None:
        if event.kind is EventKind.EFFECT and event.verb in _ONCE and event.vantage is Vantage.TARGET:
            self._opened.append(place)
        elif event.phase is Phase.RESULT and event.vantage is Vantage.AGENT and not _failed(event):
            self._printed.append(place)

    def by_opening(self, window: int) -> None:
        """What is opened or merged is so once: its target's record belongs to the one call for that whose answer names it, clocks apart or not."""
        if not self._opened:
            return
        # The first answer of the one call that names it, -1 where several calls do: no two calls come together any more.
        named: dict[tuple[Verb, str], int] = {}
        for place in self._printed:
            caller = self._caller[self._root(place)]
            for verb, number in _made_once(self.events[caller]) if caller >= 0 else ():
                for key in self.events[place].keys:
                    if key.role is KeyRole.REFERENCE and (not number or key.kind != "pr" or key.value.endswith(f"#{number}")):
                        first = named.setdefault((verb, key.name), place)
                        if first >= 0 and self._root(first) != self._root(place):
                            named[verb, key.name] = -1
        for place in self._opened:
            seen = self.events[place]
            told = {
                one
                for key in seen.keys
                if key.role is KeyRole.REFERENCE and (one := named.get((seen.verb, key.name))) is not None
            }
            if -1 not in told and len({self._root(one) for one in told}) == 1:
                answer = self.events[one := min(told)]
                if seen.at is not None and answer.at is not None and abs(seen.at - answer.at) <= window:
                    self.join(one, place)

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


def _made_once(call: Event) -> set[tuple[Verb, str]]:
    """What a call opens or merges, each with the number it says: one command may merge one pull request and open another."""
    stated = [(call.verb, call.target.detail), *((op.verb, op.target.detail) for op in call.operations)]
    return {(verb, _number_of(detail) if verb is Verb.PR_MERGE else "") for verb, detail in stated if verb in _ONCE}


def _number_of(stated: str) -> str:
    found = _NUMBER.search(stated)
    return found.group(1) if found else ""


def _failed(event: Event) -> bool:
    return event.outcome is not None and event.outcome.tool is Tri.NO


def _log(event: Event) -> str:
    """The log that tells of an event; what an agent's window showed is another one than its record, though of the same format."""
    kind, named, _ = event.ref.partition(":")
    return f"{event.format} {kind}" if named and kind == WINDOW else event.format


def _same_words(one: Event, other: Event) -> bool:
    """Whether two calls of one id are one, told twice: logs exist that use an id again, but not in the same moment for the same thing."""
    return one.at is not None and (
        (one.at, one.verb, one.tool, one.target, one.operations)
        == (other.at, other.verb, other.tool, other.target, other.operations)
    )
