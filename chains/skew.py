"""Clock skew of a source, estimated from exact pairs: the agent's call and the same call as another point logged it."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median_low

from chains.order import is_agent_call
from model.chain import TaskChain
from model.event import Event
from model.words import EventKind, KeyRole, LinkKind, Phase

MICRO = 1_000_000
LEAST_PAIRS = 3
"""Fewer pairs than this estimate nothing."""
LEAST = 30 * MICRO
"""A smaller difference is latency, not skew."""
STEP = 5 * MICRO
"""Skew is a multiple of this, so that one more pair does not move every inference."""


def exact_pairs(chain: TaskChain) -> list[tuple[str, int]]:
    """(point, its time less the agent's, in microseconds) for every record tied to a call by an exact call key."""
    found: list[tuple[str, int]] = []
    for step in chain.steps:
        for link in step.links:
            call, other = chain.events.get(link.source), chain.events.get(link.target)
            if link.kind is LinkKind.EXACT and call is not None and other is not None and _pair(call, other, link.key):
                found.append((other.point, (other.at or 0) - (call.at or 0)))
    return found


def _pair(call: Event, other: Event, key: str) -> bool:
    seen = other.kind in (EventKind.DECISION, EventKind.EFFECT) and other.phase in (Phase.VERDICT, Phase.OBSERVED)
    shared = any(k.role is KeyRole.CALL and k.name == key for k in other.keys)
    return is_agent_call(call) and seen and shared and other.point != call.point and call.at is not None and other.at is not None


def estimate(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Skew by point in microseconds, its clock ahead if positive; points whose clock is right are not named.

    Depends on the set of pairs alone: the median of the differences, in whole steps of five seconds.
    """
    by_point: dict[str, list[int]] = {}
    for point, difference in pairs:
        by_point.setdefault(point, []).append(difference)
    found: dict[str, int] = {}
    for point in sorted(by_point):
        middle = median_low(by_point[point])
        if len(by_point[point]) >= LEAST_PAIRS and abs(middle) >= LEAST:
            found[point] = round(middle / STEP) * STEP
    return found
