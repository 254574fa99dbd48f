"""Calls of which an agent's two logs tell, and one of them by no id: put into the step of the call they are.

What hooks of some agents are told names no call, and what a run prints may number its calls anew. Beside the session's own
record such a call would be a second act, one that nobody decided on.
"""

from __future__ import annotations

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

Words = tuple[object, ...]


def told_twice(numbers: list[int], grouped: Grouped, ordered: Ordered, window: int) -> list[int]:
    """Join each call without an id to the call in the same words begun last before it in the same session; what is left are steps of their own.

    `window` is in microseconds. Each call takes one of a log. A log without times tells of its calls in order: the first not taken is meant.
    """
    nameless = [(number, call) for number in numbers if (call := _nameless(grouped.own(number))) is not None]
    if not nameless:
        return numbers
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
    taken: set[tuple[int, str, str]] = set()
    for number, call in sorted(nameless, key=lambda one: _turn(one[1], ordered)):
        at = ordered.moment(call)
        silent = _words(call)[-2:] == ("", "")
        told = named.get(_by_tool(call) if silent else _words(call), [])
        free = [one for one in told if (one.number, call.format, call.point) not in taken]
        left = [one for one in free if _one_file(one.call, call)]
        if at is not None:
            begun = [one for one in reversed(left) if one.at is not None and at - window <= one.at <= at]
            if silent:
                begun = [one for one in begun if at <= one.ended]
            near = begun or [one for one in left if one.at is not None and at < one.at <= at + SLACK and not silent]
            left = near or [one for one in left if one.at is None]
        # Where the tool alone is told, it must be the only one of the moment.
        if left and not (silent and len(left) > 1):
            taken.add((left[0].number, call.format, call.point))
            gone.add(number)
            distance = None if at is None or left[0].at is None else abs(at - left[0].at) / max(window, 1)
            _join(grouped, number, call, left, distance)
    return [number for number in numbers if number not in gone]


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


def _join(grouped: Grouped, number: int, lead: Event, found: list[_Told], distance: float | None) -> None:
    """Into the first of the calls found; the others are its rivals."""
    loose, told = grouped.own(number), found[0].call
    factors = {"words": WORDS} if distance is None else {"words": WORDS, "near": round(NEAR * (1 - distance), 4)}
    rivals = tuple(Candidate("", one.call.id, WORDS, {"words": WORDS}) for one in found[1:4])
    more, links = grouped.joined.setdefault(found[0].number, ([], []))
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
