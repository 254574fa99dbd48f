"""Whether the clock of whoever saw a use may be all that makes it seem late."""

from __future__ import annotations

from collections.abc import Sequence

from chains.context import Context
from chains.match import match_values
from chains.objects import other_object
from chains.reach import is_call
from chains.seen import named
from model.chain import TaskChain, Use
from model.words import Vantage

NEAR = 30_000_000
"""Microseconds about a call within which a record of it shows a clock to be right: a smaller difference is latency."""
FAR = 900_000_000
"""Microseconds by which clocks nobody held against each other are taken to differ at most."""


def only_by_its_clock(task: TaskChain, around: Context, late: Sequence[Use], end: int) -> frozenset[str]:
    """The uses among `late` ones that may have been before `end`, by their events: the task called for just that before, and nothing shows the
    clock of their point to be right.

    That is shown by its skew, or by a record of that point that stands about the time of its call.
    """
    doubtful = {u.point for u in late} - around.skews.keys()
    doubtful -= _shown_right(task, doubtful) if doubtful else set()
    uses = {u.record: u for u in late if u.point in doubtful and u.at is not None and u.at - end <= FAR}
    if not uses:
        return frozenset()
    told: dict[str, set[str]] = {}
    for one in task.events.values():
        if one.record in uses and one.vantage is not Vantage.AGENT:
            told.setdefault(one.record, set()).update(match_values(one))
    before = (e for e in task.events.values() if told and is_call(e) and e.at is not None and e.at <= end)
    calls = [frozenset(match_values(e)) for e in before]
    return frozenset(uses[record].event for record, values in told.items() if any(_asked(values, call) for call in calls))


def _asked(seen: set[str], call: frozenset[str]) -> bool:
    return any(named(value) for value in seen & call) and not other_object(seen, call)


def _shown_right(task: TaskChain, points: set[str]) -> set[str]:
    """Points of which a record stands in a step with the agent's call, about the time of it."""
    found: set[str] = set()
    for step in task.steps:
        own = [i.at for i in step.actions if i.vantage is Vantage.AGENT and i.at is not None]
        if own and found != points:
            low, high = min(own) - NEAR, max(own) + NEAR
            told = (*step.decisions, *step.effects)
            found.update(i.point for i in told if i.point in points and i.at is not None and low <= i.at <= high)
    return found
