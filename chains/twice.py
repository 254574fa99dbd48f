"""Calls of which an agent's two logs tell, and one of them by no id: put into the step of the call they are.

What hooks of some agents are told names no call, and what a run prints may number its calls anew. Beside the session's own
record such a call would be a second act, one that nobody decided on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from chains.groups import Group, Grouped
from chains.order import Ordered
from model.chain import Candidate, Link
from model.event import Event
from model.words import KeyRole, LinkKind, Phase, Vantage, Verb

WORDS = 0.60
"""The same session, tool and words."""
NEAR = 0.30
"""Full for no distance in time, nothing at the window's end."""
_EVER = 2**63
SLACK = 5_000_000
"""Microseconds by which a hook may be told of a call before the agent writes it down."""

LATE = 30_000_000
"""Microseconds after a call's end within which a hook may still answer; a verdict later than that is on another call."""

LOOK = 50
"""So many calls in the same words are looked at on either side of the moment."""

Words = tuple[object, ...]


def told_twice(numbers: list[int], grouped: Grouped, ordered: Ordered, window: int) -> tuple[list[int], list[int]]:
    """Join each call without an id to the call in the same words begun last before it in the same session; what is left, and of it what was
    decided when all calls in its words were over, on one that no log tells of.

    `window` is in microseconds. Each call takes one of a log. A log without times tells of its calls in order: the first not taken is meant.
    """
    nameless = [(number, call) for number in numbers if (call := _nameless(grouped.own(number))) is not None]
    if not nameless:
        return numbers, []
    wanted = {one for _, call in nameless for one in (_words(call), _by_tool(call))}
    named: dict[Words, list[_Told]] = {}
    for number in numbers:
        call = grouped.own(number).call
        if call is not None and _named(call):
            for words in {_words(call), _by_tool(call)} & wanted:
                named.setdefault(words, []).append(
                    _Told(number, call, ordered.moment(call), _ended(grouped.own(number), ordered))
                )
    for told in named.values():
        told.sort(key=lambda one: _turn(one.call, ordered))
    gone: set[int] = set()
    apart: set[int] = set()
    pools: dict[tuple[Words, str, str], list[_Told]] = {}
    for number, call in sorted(nameless, key=lambda one: _turn(one[1], ordered)):
        at = ordered.moment(call)
        words = _words(call)
        silent = words[-2:] == ("", "")
        words = _by_tool(call) if silent else words
        if words not in named:
            continue
        # What one log took stays free for another.
        pool = pools.setdefault((words, call.format, call.point), named[words][:])
        over = at - LATE if at is not None and call.phase is Phase.VERDICT else None
        found = _found(pool, call, at, window, silent, over)
        if not found and over is not None and not silent and _found(pool, call, at, window, silent, None):
            apart.add(number)
        # Where the tool alone is told, it must be the only one of the moment.
        if found and not (silent and len(found) > 1):
            meant, *rivals = (pool[place] for place in found)
            del pool[found[0]]
            gone.add(number)
            distance = None if at is None or meant.at is None else abs(at - meant.at) / max(window, 1)
            _join(grouped, number, call, meant.number, [meant.call, *(one.call for one in rivals)], distance)
    left = gone | apart
    return [number for number in numbers if number not in left], sorted(apart)


def _found(pool: list[_Told], call: Event, at: int | None, window: int, silent: bool, over: int | None) -> list[int]:
    """The places of the calls that can be meant, the likeliest first, few enough to be looked at in any task; none that was `over` by then."""
    untimed = (place for place in range(min(len(pool), LOOK)) if at is None or pool[place].at is None)
    if at is None:
        return _few(pool, untimed, call)
    middle = bisect_right(pool, at, key=lambda one: one.at or 0)
    before = range(middle - 1, max(-1, middle - 1 - LOOK), -1)
    begun = (
        place
        for place in before
        if (began := pool[place].at) is not None
        and at - window <= began
        and not (silent and at > pool[place].ended)
        and not (over is not None and over > pool[place].ended)
    )
    after = (
        place
        for place in range(middle, min(len(pool), middle + LOOK))
        if not silent and (began := pool[place].at) is not None and began <= at + SLACK
    )
    return _few(pool, begun, call) or _few(pool, after, call) or _few(pool, untimed, call)


def _few(pool: list[_Told], places: Iterable[int], call: Event) -> list[int]:
    return list(islice((place for place in places if _one_file(pool[place].call, call)), 4))


class _Told(NamedTuple):
    """A call that names itself, when it began and when it was over."""

    number: int
    call: Event
    at: int | None
    ended: int


def _ended(group: Group, ordered: Ordered) -> int:
    """Until when a call can have been under way: its answer, and a little more for who tells of it afterwards."""
    answers = [at for e in group.events if e.phase is Phase.RESULT and (at := ordered.moment(e)) is not None]
    return max(answers) + SLACK if answers else _EVER


def _turn(call: Event, ordered: Ordered) -> tuple[int, int, str]:
    """When a call's turn comes: by its time, in a log without times by its place there."""
    return ordered.moment(call) or 0, call.order, call.id


def _join(grouped: Grouped, number: int, lead: Event, other: int, found: list[Event], distance: float | None) -> None:
    """Into the step of the first of the calls found; the others are its rivals."""
    loose, told = grouped.own(number), found[0]
    factors = {"words": WORDS} if distance is None else {"words": WORDS, "near": round(NEAR * (1 - distance), 4)}
    rivals = tuple(Candidate("", one.id, WORDS, {"words": WORDS}) for one in found[1:])
    more, links = grouped.joined.setdefault(other, ([], []))
    more += loose.places
    score = round(sum(factors.values()), 4)
    links.append(Link(told.id, lead.id, LinkKind.INFERRED, f"time:{told.id}", score, rivals, factors))


def _nameless(group: Group) -> Event | None:
    """What tells of a call without naming it: the agent's word for it, or what was decided on it and what it gave."""
    if group.call is not None:
        return None if _named(group.call) else group.call
    if any(_named(event) for event in group.events):
        return None
    told = [
        e
        for e in group.events
        if e.agent
        and e.verb is not Verb.UNKNOWN
        and (e.phase is Phase.VERDICT or (e.phase is Phase.RESULT and e.vantage is Vantage.AGENT))
    ]
    return max(told, key=lambda e: (_given(e) != "", e.phase is Phase.VERDICT), default=None)


def _named(call: Event) -> bool:
    return any(key.role is KeyRole.CALL and key.kind == "call" for key in call.keys)


def _words(call: Event) -> Words:
    """What two logs of one agent say alike of a call: whose session, what is done, and to what; servers and tools they may name otherwise."""
    given = _given(call)
    on = given or ("" if call.verb is Verb.MCP_CALL else call.target.name)
    if given and given == call.attrs.get("path"):
        on = _parts(on)[-1]
    return *_whose(call), on, call.target.detail


def _by_tool(call: Event) -> Words:
    return *_whose(call), "tool", call.tool


def _whose(call: Event) -> Words:
    scope = call.first_key(KeyRole.SCOPE)
    return call.agent, scope.name if scope else call.id, call.verb


def _given(event: Event) -> str:
    return next((str(told) for name in ("command", "path", "url") if (told := event.attrs.get(name))), "")


def _one_file(one: Event, other: Event) -> bool:
    """Whether two paths can be of one file: from the root, or from a folder below it."""
    paths = [str(event.attrs.get("path") or "") for event in (one, other)]
    if not all(paths):
        return True
    mine, theirs = map(_parts, paths)
    short = min(len(mine), len(theirs))
    return mine[-short:] == theirs[-short:]


def _parts(path: str) -> list[str]:
    return [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")] or [""]
