"""Which events are one step: by call key, by record, and for what has neither by what was going on at the time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from chains.match import match_values, reaches_out
from chains.order import Ordered, is_agent_call
from model.chain import Candidate, Link
from model.event import Event
from model.words import EventKind, KeyRole, LinkKind, Phase, TargetClass, Vantage, Verb

MICRO = 1_000_000
DURING = 0.50
"""The record's time lies between the call and its result."""
NEAR = 0.30
"""Full for no distance from that interval, nothing at the window's end."""
SAME_TARGET = 0.40
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

_ASIDE = frozenset({Phase.POSTURE, Phase.STARTED, Phase.ENDED})
_CORE = (EventKind.ACTION, EventKind.DECISION, EventKind.EFFECT)


class Group(msgspec.Struct):
    """The events of one step to be; `anchor` is what its id is made of."""

    events: list[Event]
    anchor: str = ""
    call: Event | None = None
    links: list[Link] = msgspec.field(default_factory=list)


class Grouped(msgspec.Struct):
    """Groups in order, and the events that are no part of any step."""

    groups: list[Group]
    rest: list[Event]


def group(ordered: Ordered, links: Iterable[Link], window_seconds: int) -> Grouped:
    """Put a task's events into steps. `links` are those by which attribution brought events into the task."""
    events = [e for e in ordered.events if e.kind is not EventKind.INTENT and e.phase not in _ASIDE]
    union = _Union(events)
    union.by_call_key()
    union.by_record()
    union.by_pair()
    by_id = {event.id: event for event in events}
    for link in links:
        if link.source in by_id and link.target in by_id and link.kind is LinkKind.INFERRED:
            union.join(by_id[link.source], by_id[link.target])
    groups, rest = [], [e for e in ordered.events if e.kind is EventKind.INTENT or e.phase in _ASIDE]
    for members in union.groups():
        if any(e.kind in _CORE for e in members):
            groups.append(_group(members))
        else:
            rest += members
    groups = _settle(groups, ordered, window_seconds * MICRO)
    groups.sort(key=lambda g: ordered.position[(g.call or g.events[0]).id])
    return Grouped(groups, sorted(rest, key=lambda e: ordered.position[e.id]))


class _Union:
    """Disjoint sets of events. Two calls of one log never fall into one set; the same call told by two logs does."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self._by_id = {event.id: event for event in events}
        self._up = {event.id: event.id for event in events}
        self._call = {event.id: {event.format: event.id} for event in events if is_agent_call(event)}

    def _root(self, id: str) -> str:
        up = self._up
        while up[id] != id:
            up[id] = up[up[id]]
            id = up[id]
        return id

    def join(self, one: Event, other: Event) -> None:
        a, b = sorted((self._root(one.id), self._root(other.id)))
        mine, theirs = self._call.get(a, {}), self._call.get(b, {})
        if a == b or (mine and theirs and not self._same_call(mine, theirs)):
            return
        self._up[b] = a
        if mine or theirs:
            self._call[a] = mine | theirs

    def _same_call(self, mine: dict[str, str], theirs: dict[str, str]) -> bool:
        """Whether calls told by different logs carry one call id."""
        return mine.keys().isdisjoint(theirs) and bool(self._ids(mine) & self._ids(theirs))

    def _ids(self, calls: dict[str, str]) -> set[str]:
        return {
            key.name for id in calls.values() for key in self._by_id[id].keys if key.role is KeyRole.CALL and key.kind == "call"
        }

    def by_call_key(self) -> None:
        """The agent's own call ids first; other request ids then, so that one shared by two calls joins neither."""
        for own in (True, False):
            holder: dict[str, list[Event]] = {}
            for event in self.events:
                for key in event.keys:
                    if key.role is KeyRole.CALL and (key.kind == "call") == own:
                        holder.setdefault(key.name, []).append(event)
            for members in holder.values():
                if own or len({self._root(e.id) for e in members} & self._call.keys()) <= 1:
                    for event in members[1:]:
                        self.join(members[0], event)

    def by_record(self) -> None:
        """Events of one record are one step unless the record speaks of several requests."""
        records: dict[str, list[Event]] = {}
        for event in self.events:
            records.setdefault(event.record or event.id, []).append(event)
        for members in records.values():
            called = {k.name for e in members for k in e.keys if k.role is KeyRole.CALL and k.kind == "call"}
            if (
                len(members) > 1
                and len(called) <= 1
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
                for event in members[1:]:
                    self.join(members[0], event)

    def by_pair(self) -> None:
        """A point's answer that names the request it answers, where neither has an id of its own."""
        asked = {(e.point, e.ref): e for e in reversed(self.events) if e.ref and e.vantage is not Vantage.AGENT}
        for event in self.events:
            question = asked.get((event.point, event.after)) if event.after else None
            if question is not None and event.vantage is not Vantage.AGENT and question.record != event.record:
                self.join(question, event)

    def groups(self) -> list[list[Event]]:
        found: dict[str, list[Event]] = {}
        for event in self.events:
            found.setdefault(self._root(event.id), []).append(event)
        return list(found.values())


def _group(events: list[Event]) -> Group:
    calls = [e for e in events if is_agent_call(e)]
    # Of a call told by several logs the word that says most of it speaks: some leave out what the tool was given.
    call = max(calls, key=lambda e: (bool(e.operations), bool(e.target.name), -events.index(e)), default=None)
    return Group(events, _anchor(events, call), call)


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
    """A call of the agent's with the time it took and what it can have done."""

    group: Group
    call: Event
    start: int
    end: int
    values: frozenset[str]
    verbs: frozenset[Verb]
    open: bool
    seen: set[tuple[str, EventKind, Verb]] = msgspec.field(default_factory=set)


def _settle(groups: list[Group], ordered: Ordered, window: int) -> list[Group]:
    """Join each group without a call to the one call that explains it; those that none explains stay steps of their own."""
    loose = [g for g in groups if _opener(g) is None]
    if not loose:
        return groups
    running = _running(groups, ordered)
    starts = [one.start for one in running]
    by_value: dict[str, list[int]] = {}
    for n, one in enumerate(running):
        for value in one.values:
            by_value.setdefault(value, []).append(n)
    stay: list[Group] = []
    loose.sort(key=lambda g: (_moment(g, ordered) or 0, min(e.id for e in g.events)))
    for lone in loose:
        link = _explain(lone, _moment(lone, ordered), running, starts, by_value, window)
        if link is None:
            stay.append(lone)
    return [g for g in groups if _opener(g) is not None] + stay


def _opener(group: Group) -> Event | None:
    """The agent's call, or where its own log is missing the verdict a decider gave on that call."""
    if group.call is not None:
        return group.call
    asked = (
        e for e in group.events if e.phase is Phase.VERDICT and any(k.role is KeyRole.CALL and k.kind == "call" for k in e.keys)
    )
    return next(asked, None)


def _running(groups: Iterable[Group], ordered: Ordered) -> list[_Running]:
    found = []
    for one in groups:
        call = _opener(one)
        start = ordered.moment(call) if call is not None else None
        if call is None or start is None:
            continue
        ends = [at for e in one.events if e.phase is Phase.RESULT and (at := ordered.moment(e)) is not None]
        verbs = frozenset(op.verb for op in call.operations if reaches_out(op)) | {call.verb}
        unknown = call.verb in (Verb.EXEC, Verb.MCP_CALL, Verb.UNKNOWN) and (
            not call.operations or any(not op.certain or op.verb in (Verb.UNKNOWN, Verb.EXEC) for op in call.operations)
        )
        values = frozenset(v for e in one.events if e.phase is not Phase.RESULT for v in _values(e))
        made = _Running(one, call, start, max(ends, default=-1), values, verbs, unknown)
        made.seen.update((e.point, e.kind, e.verb) for e in one.events if e is not call)
        found.append(made)
    found.sort(key=lambda r: (r.start, ordered.position[r.group.events[0].id]))
    for one_running, following in zip(found, [*found[1:], None], strict=False):
        if one_running.end < one_running.start:
            until = one_running.start + LONGEST
            one_running.end = min(until, following.start) if following else until
    return found


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


def _explain(
    loose: Group, at: int | None, running: list[_Running], starts: list[int], by_value: dict[str, list[int]], window: int
) -> Link | None:
    """Find the call, put the group's events into its step and give the link; None where no call stands out."""
    lead = _lead(loose)
    if at is None or lead is None:
        return None
    values = {value for e in loose.events for value in _values(e)}
    near = bisect_right(starts, at + SLACK)
    places = set(range(max(0, near - LOOK_BACK), near))
    if lead.kind is EventKind.DECISION:
        places.update(range(near, min(len(running), near + 2)))
    for value in values:
        mine = by_value.get(value, ())
        middle = bisect_left(mine, near)
        places.update(mine[max(0, middle - 2) : middle + 2])
    scored = []
    for n in sorted(places):
        factors = _factors(loose, lead, at, values, running[n], window)
        if factors:
            scored.append((round(sum(factors.values()), 4), -n, factors))
    scored.sort(key=lambda s: (-s[0], -s[1]))
    if not scored or scored[0][0] < THRESHOLD or (len(scored) > 1 and scored[0][0] - scored[1][0] < MARGIN):
        return None
    score, place, factors = scored[0]
    chosen = running[-place]
    call = chosen.call
    rivals = tuple(Candidate("", running[-n].call.id, points, why) for points, n, why in scored[1:4])
    shared = sorted(values & chosen.values)
    key = f"match:{shared[0]}" if shared else f"time:{call.id}"
    link = Link(call.id, lead.id, LinkKind.INFERRED, key, min(score, 1.0), rivals, factors)
    others = {e.record: e for e in reversed(loose.events) if e.record != lead.record}
    chosen.group.links += [*loose.links, link, *(replace(link, target=e.id) for _, e in sorted(others.items()))]
    chosen.group.events += loose.events
    chosen.seen.update((e.point, e.kind, e.verb) for e in loose.events)
    return link


def _lead(loose: Group) -> Event | None:
    """The event that speaks for a group: what was decided or done, before what was merely used."""
    rank = {EventKind.EFFECT: 0, EventKind.DECISION: 1, EventKind.ACTION: 2}
    core = [e for e in loose.events if e.kind in rank and e.at is not None]
    return min(core, key=lambda e: (rank[e.kind], e.at or 0, e.id)) if core else None


def _factors(loose: Group, lead: Event, at: int, values: set[str], one: _Running, window: int) -> dict[str, float] | None:
    factors: dict[str, float] = {}
    if one.start - SLACK <= at <= one.end + SLACK:
        factors["during"] = DURING
    else:
        distance = at - one.end if at > one.end else one.start - at
        if (at < one.start and lead.kind is not EventKind.DECISION) or distance > window:
            return None
        factors["near"] = round(NEAR * (1 - distance / window), 4)
    if values & one.values:
        factors["target"] = SAME_TARGET
    elif lead.verb in one.verbs and lead.verb not in (Verb.UNKNOWN, Verb.EXEC):
        factors["verb"] = SAME_VERB
    elif one.open and not _local(lead):
        factors["open"] = OPEN
    else:
        return None
    if (lead.point, lead.kind, lead.verb) in one.seen:
        factors["busy"] = BUSY
    return factors


def _local(event: Event) -> bool:
    """Whether an event is of the agent's own machine: such ones are no consequence of some other, unknown command."""
    return event.vantage is Vantage.AGENT or event.target.cls in (TargetClass.FILESYSTEM, TargetClass.AGENT)
