"""What a task's steps add up to: governed actions by owner, week, tool and verb; bursts; versions; decision distance."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from chains.detections.reading import answers
from chains.facts import OrgFacts
from model.chain import Item, Link, Step, Task
from model.event import Event
from model.figures import Burst, Distance, Tally, Version
from model.words import Effect, Phase, TargetClass, Tri, Vantage, Verb

BURST_WITHIN = 60_000_000
"""Microseconds within which actions count as one burst."""

NO_ACTION = frozenset({Verb.UNKNOWN, Verb.AGENT_MESSAGE, Verb.GUARDRAIL_CHANGE})
"""Steps that no enforcement point could be asked about."""

LONGEST_WAIT = 366 * 86_400
"""Seconds beyond which a distance is a broken clock and no wait: it stands in its step and counts in no sum."""

SOFTWARE, POLICY = "software", "policy"
_EPOCH = datetime.fromtimestamp(0, UTC)
_MAX_VERSION = 100


def is_action(step: Step) -> bool:
    """Whether a step is one of the population whose governed share is told: something the agent set out to do."""
    return step.agent_claimed and step.verb not in NO_ACTION


def week_of(at: int | None) -> str:
    """The ISO 8601 week of a moment in UTC, e.g. `2026-W12`; "" for an unknown or impossible one."""
    try:
        year, week, _ = (_EPOCH + timedelta(microseconds=at or 0)).isocalendar()
    except OverflowError:
        return ""
    return "" if at is None else f"{year:04}-W{week:02}"


def burst_of(times: Iterable[int]) -> Burst | None:
    """The most moments that lie within `BURST_WITHIN` of the first of them; of several the earliest."""
    best: Burst | None = None
    recent: deque[int] = deque()
    for at in sorted(times):
        recent.append(at)
        while at - recent[0] > BURST_WITHIN:
            recent.popleft()
        if best is None or len(recent) > best.actions:
            best = Burst(len(recent), recent[0])
    return best


def tallies_of(task: Task, steps: Iterable[Step], facts: OrgFacts) -> tuple[Tally, ...]:
    """The task's actions counted by owner, week, verb and tool, sorted.

    What an action reaches says whose it is; what reaches nothing that has an owner is its repository's.
    """
    home = facts.resource(TargetClass.REPOSITORY, task.repository).owner
    groups: dict[tuple[str, str, str, str], list[Step]] = {}
    for step in steps:
        if is_action(step):
            place = (step.owner or home, week_of(step.at), step.verb.value, step.tool)
            groups.setdefault(place, []).append(step)
    return tuple(_tally(place, groups[place]) for place in sorted(groups))


def _tally(place: tuple[str, str, str, str], steps: Sequence[Step]) -> Tally:
    times = [step.at for step in steps if step.at is not None]
    burst = burst_of(times)
    far = [step.distance for step in steps if step.distance is not None]
    timed = [one.seconds for one in far if one.seconds is not None and abs(one.seconds) <= LONGEST_WAIT]
    return Tally(
        *place,
        actions=len(steps),
        decided=sum(any(answers(step)) for step in steps),
        allowed=sum(step.outcome.permitted is Effect.ALLOW for step in steps),
        refused=sum(step.outcome.permitted is Effect.DENY for step in steps),
        held=sum(bool(step.credentials) for step in steps),
        bound=sum(step.request.get("credential.task_bound") is True for step in steps),
        confirmed=sum(step.outcome.effect is Tri.YES for step in steps),
        burst=burst.actions if burst else 0,
        timed=len(timed),
        waited=round(sum(map(abs, timed)) * 1_000_000),
        near=sum(one.same_host is True for one in far),
        far=sum(one.same_host is False for one in far),
        first=min(times, default=None),
        last=max(times, default=None),
    )


def versions_of(events: Iterable[Event]) -> tuple[Version, ...]:
    """The versions each point ran while the task went on: of an agent's program, of the policy a decider named."""
    found: dict[tuple[str, str, str], list[int | None]] = {}
    for event in events:
        own = event.attrs.get("agent_version") if event.vantage is Vantage.AGENT else None
        policy = (event.decision.policy if event.decision else "") or event.attrs.get("policy_revision")
        for kind, version in ((SOFTWARE, own), (POLICY, policy)):
            if version:
                found.setdefault((event.point, kind, str(version)[:_MAX_VERSION]), []).append(event.at)
    return tuple(sorted((_version(place, times) for place, times in found.items()), key=lambda v: (v.point, v.kind, v.version)))


def _version(place: tuple[str, str, str], times: Sequence[int | None]) -> Version:
    known = [at for at in times if at is not None]
    return Version(*place, len(times), min(known, default=None), max(known, default=None))


def distance_of(step: Step, events: Mapping[str, Event], skews: Mapping[str, int], host: str = "") -> Distance | None:
    """How far from the action its decision was taken: the verdict of an enforcer that was given last before the result.

    An agent logs its call before it asks, so that a verdict may well come after the call. None where no enforcer decided,
    or the agent's own call is not on record. `host` is where the agent runs, as its other records say, for a call that
    does not.
    """
    call = next((item for item in step.actions if item.phase is Phase.CALL and item.vantage is Vantage.AGENT), None)
    verdicts = [item for item in answers(step) if item.vantage is Vantage.ENFORCER]
    if call is None or not verdicts:
        return None
    start = _moment(call, skews)
    ends = [at for item in step.actions if item.phase is Phase.RESULT and (at := _moment(item, skews)) is not None]
    until = min(ends, default=start)
    before = [item for item in verdicts if until is not None and (at := _moment(item, skews)) is not None and at <= until]
    given = max(before or verdicts, key=lambda item: (_moment(item, skews) or 0, item.id))
    at = _moment(given, skews)
    seconds = None if at is None or start is None else round((start - at) / 1_000_000, 6)
    here, there = _host(call, events) or host, _host(given, events)
    same = here.casefold() == there.casefold() if here and there else None
    return Distance(given.point, seconds, _hops(call, given, step), same)


def host_of_agent(events: Iterable[Event]) -> str:
    """The one host the agent's own records name; "" where they name none or several."""
    named = {str(e.attrs["host"]) for e in events if e.vantage is Vantage.AGENT and e.attrs.get("host")}
    return named.pop() if len(named) == 1 else ""


def _moment(item: Item, skews: Mapping[str, int]) -> int | None:
    return None if item.at is None else item.at - skews.get(item.point, 0)


def _host(item: Item, events: Mapping[str, Event]) -> str:
    event = events.get(item.id)
    return str(event.attrs.get("host") or "") if event is not None else ""


def _hops(call: Item, verdict: Item, step: Step) -> int | None:
    """The fewest links between two records of a step."""
    records = {item.id: item.record or item.id for item in step.items()}
    near: dict[str, set[str]] = {}
    for link in step.links:
        one, other = _ends(link, records)
        near.setdefault(one, set()).add(other)
        near.setdefault(other, set()).add(one)
    goal, seen = records[verdict.id], {records[call.id]}
    edge, hops = set(seen), 0
    while edge:
        if goal in edge:
            return hops
        edge = {there for here in edge for there in near.get(here, ())} - seen
        seen |= edge
        hops += 1
    return None


def _ends(link: Link, records: Mapping[str, str]) -> tuple[str, str]:
    return records.get(link.source, link.source), records.get(link.target, link.target)
