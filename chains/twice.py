"""Calls of which an agent's two logs tell, and one of them by no id: put into the step of the call they are.

What hooks of some agents are told names no call. Beside the session's own record such a call would be a second act, one
that nobody decided on.
"""

from __future__ import annotations

from chains.groups import Group, Grouped
from chains.order import Ordered
from model.chain import Candidate, Link
from model.event import Event
from model.words import KeyRole, LinkKind, Verb

WORDS = 0.60
"""The same session, tool and words."""
NEAR = 0.30
"""Full for no distance in time, nothing at the window's end."""
SLACK = 5_000_000
"""Microseconds by which a hook may be told of a call before the agent writes it down."""

Words = tuple[object, ...]


def told_twice(numbers: list[int], grouped: Grouped, ordered: Ordered, window: int) -> list[int]:
    """Join each call without an id to the call in the same words begun last before it in the same session; what is left are steps of their own.

    `window` is in microseconds. Each call takes one. A record without times tells of its calls in order: the first not taken is meant.
    """
    nameless = [(number, call) for number in numbers if (call := grouped.own(number).call) is not None and not _named(call)]
    if not nameless:
        return numbers
    wanted = {_words(call) for _, call in nameless}
    named: dict[Words, list[tuple[int | None, int, Event]]] = {}
    for number in numbers:
        call = grouped.own(number).call
        if call is not None and _named(call) and (words := _words(call)) in wanted:
            named.setdefault(words, []).append((ordered.moment(call), number, call))
    gone: set[int] = set()
    taken: set[int] = set()
    for number, call in sorted(nameless, key=lambda one: (ordered.moment(one[1]) or 0, one[1].id)):
        at = ordered.moment(call)
        left = [one for one in named.get(_words(call), ()) if one[1] not in taken]
        near = [] if at is None else [one for one in left if one[0] is not None and at - window <= one[0] <= at + SLACK]
        near.sort(key=lambda one: (one[0] or 0, one[2].id), reverse=True)
        near = near or [one for one in left if one[0] is None]
        if near:
            began, other, told = near[0]
            taken.add(other)
            gone.add(number)
            distance = None if at is None or began is None else abs(at - began) / max(window, 1)
            _join(grouped, number, other, told, [one for _, _, one in near[1:4]], distance)
    return [number for number in numbers if number not in gone]


def _join(grouped: Grouped, number: int, other: int, told: Event, rivals: list[Event], distance: float | None) -> None:
    loose: Group = grouped.own(number)
    assert loose.call is not None
    factors = {"words": WORDS} if distance is None else {"words": WORDS, "near": round(NEAR * (1 - distance), 4)}
    others = tuple(Candidate("", one.id, WORDS, {"words": WORDS}) for one in rivals)
    more, links = grouped.joined.setdefault(other, ([], []))
    more += loose.places
    links.append(
        Link(told.id, loose.call.id, LinkKind.INFERRED, f"time:{told.id}", round(sum(factors.values()), 4), others, factors)
    )


def _named(call: Event) -> bool:
    return any(key.role is KeyRole.CALL and key.kind == "call" for key in call.keys)


def _words(call: Event) -> Words:
    """What two logs of one agent say alike of a call: whose session, what is done, and to what; servers and tools they may name otherwise."""
    scope = call.first_key(KeyRole.SCOPE)
    given = next((told for name in ("command", "path", "url") if (told := call.attrs.get(name))), None)
    on = str(given) if given else "" if call.verb is Verb.MCP_CALL else call.target.name
    what, part = (on, call.target.detail) if on or call.target.detail else (call.tool, "")
    return call.agent, scope.name if scope else call.id, call.verb, what, part
