"""Groups of events that hold no call of the agent's: which of the calls of the time may have caused them, scored."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from chains.branches import branch_seen, branches_asked
from chains.groups import CORE, Group, Grouped
from chains.match import match_values, other_path, reaches_out
from chains.objects import other_object
from chains.order import Ordered
from chains.printed import printed_values
from lang.shell_syntax import read_script
from model.chain import Candidate, Link
from model.event import Event
from model.words import Clock, EventKind, KeyRole, LinkKind, Phase, TargetClass, Tri, Vantage, Verb

MICRO = 1_000_000
DURING = 0.50
"""The record's time lies between the call and its result."""
NEAR = 0.30
"""Full for no distance from that interval, nothing at the window's end."""
SAME_TARGET = 0.40
TOOL_BEHIND = 0.33
"""A tool's name that ends in that of the called one."""
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


class _Running(msgspec.Struct):
    """What a call of the agent's can have done."""

    number: int
    call: Event
    values: frozenset[str]
    verbs: frozenset[Verb]
    open: bool
    failed: bool
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
        values = frozenset(v for e in one.events for v in (_values(e) if e.phase is not Phase.RESULT else printed_values(e)))
        seen = {(e.point, e.kind, e.verb) for e in self._grouped.numbered(number).events if e.id != call.id}
        if len(self._made) >= _AT_HAND:
            self._made.clear()
        failed = any(e.phase is Phase.RESULT and e.outcome is not None and e.outcome.tool is Tri.NO for e in one.events)
        made = self._made[number] = _Running(number, call, values, verbs, unknown, failed, seen)
        return made


def settle(numbers: list[int], grouped: Grouped, ordered: Ordered, window: int) -> list[int]:
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
    elif event.target.name and not (event.verb is Verb.MCP_CALL and event.target.detail):
        values += (f"{event.verb.value}|{event.target.cls.value}:{event.target.name}",)
    return values


def _moment(group: Group, ordered: Ordered) -> int | None:
    times = [at for e in group.events if e.kind in CORE and (at := ordered.moment(e)) is not None]
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
    # Of what only came after its time the next call that names it and went well is the one, and none that was over by then.
    behind = lead.clock is Clock.ORDER_ONLY
    if start - SLACK <= at <= end + SLACK:
        factors["during"] = DURING
    else:
        distance = at - end if at > end else start - at
        late = at < start and lead.kind is not EventKind.DECISION
        if late is not behind or distance > window or (behind and (one.failed or not values & one.values)):
            return None
        factors["near"] = round(NEAR * (1 - distance / window), 4)
    same = _same_tool(lead, one.call)
    if same == 0:
        return None
    if other_object(values, one.values) or _other_branch(lead, one.call):
        return None
    elsewhere = other_path(lead.target, (one.call.target, *(op.target for op in one.call.operations)))
    if same is not None and 0 < same < SAME_TARGET:
        factors["target"] = same
    elif same or (values & one.values and not elsewhere):
        factors["target"] = SAME_TARGET
    elif lead.kind is EventKind.DECISION and _is_part(lead, one.call):
        factors["part"] = PART
    elif lead.verb in one.verbs and lead.verb not in (Verb.UNKNOWN, Verb.EXEC):
        factors["verb"] = SAME_VERB
    elif one.open and not _local(lead) and not _told_apart(loose.events, one.call):
        factors["open"] = OPEN
    else:
        return None
    # Each piece of a compound command has a verdict of its own.
    if (lead.point, lead.kind, lead.verb) in one.seen and "part" not in factors:
        factors["busy"] = BUSY
    return factors


def _same_tool(lead: Event, call: Event) -> float | None:
    """How surely what was seen of an MCP call is of the tool that was called, 0 for another tool; None where that is not told, as of a
    tool that hands calls on.

    A gateway that stands before several servers puts the server's name before the tool's; `create_issue` may still be no server's `issue`.
    """
    if lead.verb is not Verb.MCP_CALL or call.verb not in (Verb.MCP_CALL, Verb.UNKNOWN):
        return None
    seen, called = lead.target.detail, call.target.detail or call.tool
    if not seen or not called:
        return None
    long, short = sorted((seen.casefold(), called.casefold()), key=len, reverse=True)
    if long == short:
        return SAME_TARGET
    if long.endswith(tuple(f"{mark}{short}" for mark in "_-./:")):
        return TOOL_BEHIND
    return 0.0 if call.verb is Verb.MCP_CALL else None


def _other_branch(lead: Event, call: Event) -> bool:
    """Whether a target saw one branch pushed and the call names others alone."""
    seen, asked = branch_seen(lead), branches_asked(call.operations)
    return bool(seen and asked) and not seen & asked


def _is_part(piece: Event, whole: Event) -> bool:
    """Whether one event's command is one of the several that another's runs."""
    part, command = piece.attrs.get("command"), whole.attrs.get("command")
    if not (piece.verb is whole.verb is Verb.EXEC and isinstance(part, str) and isinstance(command, str)):
        return False
    return bool(part) and part != command and part in command and part in _parts(command)


@lru_cache(maxsize=256)
def _parts(command: str) -> frozenset[str]:
    return frozenset(one.text for one in read_script(command).commands)


def _told_apart(events: Iterable[Event], asked: Event) -> bool:
    """Whether one log tells of both, each with a verdict or a name of its own, and only its verdict stands for the call."""
    own = any(e.kind is EventKind.DECISION or any(key.role is KeyRole.CALL for key in e.keys) for e in events)
    return asked.phase is Phase.VERDICT and own and any(e.point == asked.point for e in events)


def _local(event: Event) -> bool:
    """Whether an event is of the agent's own machine: such ones are no consequence of some other, unknown command."""
    return event.vantage is Vantage.AGENT or event.target.cls in (TargetClass.FILESYSTEM, TargetClass.AGENT)
