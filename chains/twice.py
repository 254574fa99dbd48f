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
from model.words import KeyRole, LinkKind, Phase, Verb

WORDS = 0.60
"""The same session, tool and words."""
NEAR = 0.30
"""Full for no distance in time, nothing at the window's end."""
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
    wanted = {_words(call) for _, call in nameless}
    named: dict[Words, list[_Told]] = {}
    for number in numbers:
        call = grouped.own(number).call
        if call is not None and _named(call) and (words := _words(call)) in wanted:
            named.setdefault(words, []).append(_Told(number, call, ordered.moment(call)))
    for told in named.values():
        told.sort(key=lambda one: _turn(one.call, ordered))
    gone: set[int] = set()
    taken: set[tuple[int, str, str]] = set()
    for number, call in sorted(nameless, key=lambda one: _turn(one[1], ordered)):
        at = ordered.moment(call)
        free = [one for one in named.get(_words(call), ()) if (one.number, call.format, call.point) not in taken]
        left = [one for one in free if _one_file(one.call, call)]
        if at is not None:
            near = [one for one in left if one.at is not None and at - window <= one.at <= at + SLACK]
            near.sort(key=lambda one: (one.at or 0, one.call.id), reverse=True)
            left = near or [one for one in left if one.at is None]
        if left:
            taken.add((left[0].number, call.format, call.point))
            gone.add(number)
            distance = None if at is None or left[0].at is None else abs(at - left[0].at) / max(window, 1)
            _join(grouped, number, call, left, distance)
    return [number for number in numbers if number not in gone]


class _Told(NamedTuple):
    """A call that names itself, and when."""

    number: int
    call: Event
    at: int | None


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
    """What tells of a call without naming it: the agent's word for it, or what was decided on it."""
    if group.call is not None:
        return None if _named(group.call) else group.call
    asked = (e for e in group.events if e.phase is Phase.VERDICT and e.agent and e.verb is not Verb.UNKNOWN and not _named(e))
    return next(asked, None)


def _named(call: Event) -> bool:
    return any(key.role is KeyRole.CALL and key.kind == "call" for key in call.keys)


def _words(call: Event) -> Words:
    """What two logs of one agent say alike of a call: whose session, what is done, and to what; servers and tools they may name otherwise."""
    scope = call.first_key(KeyRole.SCOPE)
    given = next((told for name in ("command", "path", "url") if (told := call.attrs.get(name))), None)
    on = str(given) if given else "" if call.verb is Verb.MCP_CALL else call.target.name
    if given and given == call.attrs.get("path"):
        on = _parts(on)[-1]
    what, part = (on, call.target.detail) if on or call.target.detail else (call.tool, "")
    return call.agent, scope.name if scope else call.id, call.verb, what, part


def _one_file(one: Event, other: Event) -> bool:
    """Whether two paths can be of one file: from the root, or from a folder below it."""
    mine, theirs = (_parts(str(event.attrs.get("path") or "")) for event in (one, other))
    short = min(len(mine), len(theirs))
    return mine[-short:] == theirs[-short:]


def _parts(path: str) -> list[str]:
    return [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")] or [""]
