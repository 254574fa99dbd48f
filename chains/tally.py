"""What a task's steps add up to: governed actions by owner, week, tool and verb; bursts; versions; decision distance."""

from __future__ import annotations

from array import array
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
    groups: dict[tuple[str, str, str, str], _Sum] = {}
    for step in steps:
        if is_action(step):
            place = (step.owner or home, week_of(step.at), step.verb.value, step.tool)
            groups.setdefault(place, _Sum()).take(step)
    return tuple(groups[place].tally(place) for place in sorted(groups))


class _Sum:
    """What the actions of one group add up to, taken one after the other."""

    def __init__(self) -> None:
        self._counts = [0] * 10
        self._times = array("q")
        self._waited = 0.0

    def take(self, step: Step) -> None:
        far = step.distance
        timed = far is not None and far.seconds is not None and abs(far.seconds) <= LONGEST_WAIT
        if timed and far is not None:
            self._waited += abs(far.seconds or 0.0)
        if step.at is not None:
            self._times.append(step.at)
        told = (
            True,
            any(answers(step)),
            step.outcome.permitted is Effect.ALLOW,
            step.outcome.permitted is Effect.DENY,
            bool(step.credentials),
            step.request.get("credential.task_bound") is True,
            step.outcome.effect is Tri.YES,
            timed,
            far is not None and far.same_host is True,
            far is not None and far.same_host is False,
        )
        self._counts = [count + holds for count, holds in zip(self._counts, told, strict=True)]

    def tally(self, place: tuple[str, str, str, str]) -> Tally:
        burst = burst_of(self._times)
        actions, decided, allowed, refused, held, bound, confirmed, timed, near, far = self._counts
        return Tally(
            *place,
            actions=actions,
            decided=decided,
            allowed=allowed,
            refused=refused,
            held=held,
            bound=bound,
            confirmed=confirmed,
            burst=burst.actions if burst else 0,
            timed=timed,
            waited=round(self._waited * 1_000_000),
            near=near,
            far=far,
            first=min(self._times, default=None),
            last=max(self._times, default=None),
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
