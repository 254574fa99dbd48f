"""Clock skew of a source, estimated from pairs of a call and the same as another point logged it.

The pairs are tied over keys, without a look at any clock. Where a point's log has no key in common with the agents', pairs
are taken that say the same words, arguments or target, and are alone in that on both sides for minutes around.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from chains.heads import owns
from chains.match import LOOSE, match_values, reaches_out
from chains.order import is_agent_call
from model.chain import Link, TaskChain
from model.event import Event
from model.figures import apart
from model.words import EventKind, KeyRole, LinkKind, Phase, Vantage, Verb

MICRO = 1_000_000
LEAST_PAIRS = 3
"""Fewer pairs than this estimate nothing."""
MANY = 8
"""Pairs that only say the same must be so many, for one of them may be of a call nobody logged; so must pairs that tell a small skew."""
LEAST = 30 * MICRO
"""A smaller difference is latency, not skew."""
AGREE = 30 * MICRO
"""More than half of the pairs lie this near to their median, or they tell of late work and not of a clock."""
CLOSE = 10 * MICRO
"""So small a difference is skew too where three of four of many pairs agree on it within `STEP`: no waiting is so even."""
STEP = 5 * MICRO
"""Skew is a multiple of this, so that one more pair does not move every inference."""


def exact_pairs(chain: TaskChain) -> list[tuple[str, int]]:
    """(point, its time less the agent's, in microseconds) for every record tied to a call by an exact call key."""
    found: list[tuple[str, int]] = []
    for step in chain.steps:
        calls = {item.id for item in step.actions if item.phase is Phase.CALL and item.vantage is Vantage.AGENT}
        seen = {item.id for item in (*step.decisions, *step.effects) if item.phase in (Phase.VERDICT, Phase.OBSERVED)}
        for link in step.links:
            if link.kind is LinkKind.EXACT and link.source in calls and link.target in seen:
                call, other = chain.events.get(link.source), chain.events.get(link.target)
                if call is not None and other is not None and _pair(call, other, link.key):
                    found.append((other.point, (other.at or 0) - (call.at or 0)))
    return found


def clock_pairs(chain: TaskChain, attributions: Iterable[Link]) -> dict[str, list[int]]:
    """By point, its time less the agent's in microseconds, sorted: over exact call keys, and over what can be meant only once.

    The latter is an effect or verdict that came into the task over keys alone, of a verb the agent called for once and
    the point logged once, on no other target. What inference joined is left out: it has looked at the clock. `attributions` are the
    links by which events came into the task.
    """
    found: dict[str, list[int]] = {}
    exact: set[str] = set()
    for point, difference in exact_pairs(chain):
        found.setdefault(point, []).append(difference)
        exact.add(point)
    for point, difference in _told_once(chain, attributions):
        if point not in exact:
            found.setdefault(point, []).append(difference)
    return {point: sorted(found[point]) for point in sorted(found)}


def _keyed(chain: TaskChain, attributions: Iterable[Link], records: set[str]) -> set[str]:
    """Those of these records that name the task's scope, or hang by one derived link on an event that does."""
    keyed = {event.record for event in chain.events.values() if event.record in records and owns(event)} if records else set()
    for link in attributions if records else ():
        if link.kind is LinkKind.DERIVED:
            source, target = chain.events.get(link.source), chain.events.get(link.target)
            if source is not None and target is not None:
                keyed |= {other.record for one, other in ((source, target), (target, source)) if owns(one)}
    return keyed


def _told_once(chain: TaskChain, attributions: Iterable[Link]) -> Iterator[tuple[str, int]]:
    """Pairs of a verb the agent called for once and a point saw once; a call may leave open on what (`origin`)."""
    calls: dict[Verb, Event | None] = {}
    for event in chain.events.values():
        if is_agent_call(event):
            for verb in {op.verb for op in event.operations if reaches_out(op)} | {event.verb}:
                calls[verb] = None if verb in calls else event
    once = {verb for verb, call in calls.items() if call is not None and verb not in LOOSE}
    seen: dict[tuple[Verb, str, Phase], list[Event]] = {}
    for event in chain.events.values() if once else ():
        if event.verb in once and event.vantage is not Vantage.AGENT and event.phase in (Phase.VERDICT, Phase.OBSERVED):
            seen.setdefault((event.verb, event.point, event.phase), []).append(event)
    keyed = _keyed(chain, attributions, {event.record for events in seen.values() for event in events})
    paired: set[tuple[str, str]] = set()
    for (verb, point, _), told in sorted(seen.items()):
        events = [event for event in told if event.record in keyed]
        call = calls[verb]
        if call is None or len(events) != 1 or (point, call.id) in paired:
            continue
        other = events[0]
        ours, theirs = ({v for v in match_values(e) if v.startswith(f"{verb.value}|")} for e in (call, other))
        if call.at is not None and other.at is not None and (not ours or not theirs or ours & theirs):
            paired.add((point, call.id))
            yield point, other.at - call.at


def _pair(call: Event, other: Event, key: str) -> bool:
    seen = other.kind in (EventKind.DECISION, EventKind.EFFECT) and other.phase in (Phase.VERDICT, Phase.OBSERVED)
    shared = any(k.role is KeyRole.CALL and k.name == key for k in other.keys)
    return is_agent_call(call) and seen and shared and other.point != call.point and call.at is not None and other.at is not None


class Compared(NamedTuple):
    """A point's clock held against the agents': over how many pairs, and the skew; None where these cannot tell.

    `words` where no identifier ties these pairs: they are a call and a record that say the same, and only they do.
    """

    pairs: int
    skew: int | None
    words: bool = False


def compare(
    pairs: Iterable[tuple[str, int]] | Mapping[str, Mapping[int, int]], words: Iterable[tuple[str, int]] = ()
) -> dict[str, Compared]:
    """Every clock of which a pair is known: its skew in microseconds, ahead if positive, 0 where it is right.

    Depends on the set of pairs alone, which may be counted already, by point and difference: the median of the differences,
    in whole steps of five seconds. Too few pairs, or pairs that disagree, tell nothing. The pairs of `words` speak only of
    points of which the others tell nothing.
    """
    by_point = pairs if isinstance(pairs, Mapping) else _by_point(pairs)
    found = {point: _held(counts, LEAST_PAIRS) for point, counts in by_point.items()}
    for point, counts in _by_point(words).items():
        known = found.get(point)
        if known is None or known.skew is None:
            told = _held(counts, MANY)._replace(words=True)
            if known is None or told.skew is not None:
                found[point] = told
    return dict(sorted(found.items()))


def estimate(
    pairs: Iterable[tuple[str, int]] | Mapping[str, Mapping[int, int]], words: Iterable[tuple[str, int]] = ()
) -> dict[str, int]:
    """Skew by point in microseconds, its clock ahead if positive; points whose clock is right or unknown are not named."""
    return {point: one.skew for point, one in compare(pairs, words).items() if one.skew}


def _by_point(pairs: Iterable[tuple[str, int]]) -> dict[str, Counter[int]]:
    found: dict[str, Counter[int]] = {}
    for point, difference in pairs:
        found.setdefault(point, Counter())[apart(difference)] += 1
    return found


def _held(counts: Mapping[int, int], least: int) -> Compared:
    count, middle = sum(counts.values()), _middle(counts)
    if count < least or _near(counts, middle, AGREE) * 2 <= count:
        return Compared(count, None)
    even = count >= MANY and abs(middle) >= CLOSE and _near(counts, middle, STEP) * 4 >= count * 3
    return Compared(count, round(middle / STEP) * STEP if even or abs(middle) >= LEAST else 0)


def _middle(counts: Mapping[int, int]) -> int:
    """The median; of two in the middle the lower."""
    left = (sum(counts.values()) + 1) // 2
    for difference in sorted(counts):
        left -= counts[difference]
        if left <= 0:
            return difference
    return 0


def _near(counts: Mapping[int, int], middle: int, reach: int) -> int:
    return sum(count for difference, count in counts.items() if abs(difference - middle) <= reach)
