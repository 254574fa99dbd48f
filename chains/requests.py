"""The request of a step: the one normalised question a policy answers. A name that is absent is unknown, never false."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from chains.facts import OrgFacts
from chains.held import Held
from chains.match import operation_targets
from chains.steps import Draft, resource_facts
from lang.cel.spans import FIRST, LAST, SECOND, day_of
from model.chain import Task
from model.event import Attr, Event
from model.request import ENDLESS
from model.words import EventKind, Phase, TargetClass, Vantage, Verb

_FORCED = frozenset({"forced", "force", "bypass", "no-verify"})
_KINDS = frozenset({"human", "workload", "agent", "service"})
_ORIGINS = frozenset({"endpoint", "ci", "vendor", "cloud", "cluster"})
_DAY = 86_400 * SECOND
_CALLED = frozenset({EventKind.ACTION, EventKind.DECISION})
"""Who states what a call was given: the agent that makes it and whoever decides on it."""
_HISTORY = frozenset({Verb.REPO_WRITE, Verb.REPO_MERGE})


def request_of(one: Draft, task: Task, held: Held, facts: OrgFacts, environment: str, tickets_known: bool) -> dict[str, Attr]:
    """Values under the names of `model.request.FIELDS`, in their order.

    `environment` is what the task's records state of it: what one step reached does not place the others. `tickets_known` says that the task's intents were read and would show a ticket if there was one.
    """
    step, events = one.step, one.events
    own = [e for e in events if e.vantage is Vantage.AGENT or e.kind is EventKind.DECISION]
    stated = _stated(own)
    given = _stated([e for e in events if e.kind in _CALLED])
    who = _principal(events, task, facts)
    known = resource_facts(facts, step.target, events)
    used = held.used(events)
    environment = step.environment or environment
    bound: bool | None = None
    if used is not None and used.issued_event:
        bound = used.issued_task == step.task and (used.expires is not None or (used.ttl_seconds or 0) > 0)
    elif used is not None and used.ttl_seconds == -1:
        bound = False
    values: dict[str, Attr] = {
        "principal.id": who,
        "principal.kind": _kind(who, events, facts),
        "principal.origin": _one_of(stated.get("origin", "") or _principal_origin(own) or task.origin, _ORIGINS),
        "principal.on_behalf_of": _behalf(events, facts) or task.on_behalf_of,
        "agent.name": next((e.agent for e in own if e.agent), "") or task.agent,
        "agent.version": stated.get("agent_version", "") or task.agent_version,
        "agent.mode": one.mode.mode or stated.get("mode", ""),
        "agent.sandbox": one.mode.sandbox or stated.get("sandbox", ""),
        "agent.depth": task.depth,
        "action.verb": "" if step.verb is Verb.UNKNOWN else step.verb.value,
        "action.tool": step.tool,
        "action.command": _command(one) if step.verb is Verb.EXEC else "",
        "action.verbs": _verbs(one),
        "action.targets": _targets(one),
        "action.forced": _forced(one),
        "action.arguments.path": given.get("path", ""),
        "action.arguments.url": given.get("url", ""),
        "action.arguments.server": given.get("mcp_server", ""),
        "action.arguments.agent_type": given.get("agent_type", ""),
        "resource.class": "" if step.target.cls is TargetClass.UNKNOWN else step.target.cls.value,
        "resource.name": step.target.name,
        "resource.detail": step.target.detail,
        "resource.owner": known.owner,
        "resource.environment": known.environment,
        "resource.classification": known.classification,
        "context.project": known.project or task.project,
        "context.repository": stated.get("repository", "") or task.repository,
        "context.environment": environment,
        "context.branch": _stated([e for e in own if e.vantage is Vantage.AGENT]).get("branch", ""),
        "context.ticket": stated.get("ticket", "") or task.ticket,
        "context.has_ticket": True if task.ticket or stated.get("ticket", "") else (False if tickets_known else None),
        "context.in_change_window": facts.in_change_window(environment, step.at),
        "context.day": _day(step.at),
        "context.cwd": stated.get("cwd", ""),
        "credential.kind": used.kind if used else "",
        "credential.issuer": used.issuer if used else "",
        "credential.ttl_seconds": _life_time(used.ttl_seconds) if used else None,
        "credential.task_bound": bound,
    }
    return {name: value for name, value in values.items() if value not in ("", None, [])}


def _day(at: int | None) -> str:
    """The day of a time, UTC: as much of it as requests may share."""
    return _written(at // _DAY) if at is not None and FIRST <= at <= LAST else ""


@lru_cache(maxsize=4096)
def _written(day: int) -> str:
    return day_of(day * _DAY)


def _life_time(stated: int | None) -> int | None:
    """The life time as a rule can test it: no end is longer than every limit, so that no limit lets it pass."""
    return ENDLESS if stated == -1 else stated if stated is not None and stated >= 0 else None


def _principal(events: Iterable[Event], task: Task, facts: OrgFacts) -> str:
    """Who acts: as the agent or a decider names them, else as the whole task does, else as a target saw them."""
    rank = {EventKind.ACTION: 0, EventKind.DECISION: 1}
    named = [(rank.get(e.kind, 2), n, e.principal.name) for n, e in enumerate(events) if e.principal and e.principal.name]
    named.sort()
    if named and named[0][0] < 2:
        return facts.identity(named[0][2])
    return task.principal or (facts.identity(named[0][2]) if named else "")


def _kind(who: str, events: Iterable[Event], facts: OrgFacts) -> str:
    stated = next((e.principal.kind for e in events if e.principal and facts.identity(e.principal.name) == who), "")
    return _one_of(facts.kind(who) or stated, _KINDS)


def _behalf(events: Iterable[Event], facts: OrgFacts) -> str:
    return facts.identity(next((e.principal.on_behalf_of for e in events if e.principal and e.principal.on_behalf_of), ""))


def _principal_origin(events: Iterable[Event]) -> str:
    return next((e.principal.origin for e in events if e.principal and e.principal.origin), "")


def _one_of(value: str, allowed: frozenset[str]) -> str:
    return value if value in allowed else ""


def _stated(events: Iterable[Event]) -> dict[str, str]:
    """What these events state, the first to state a thing being believed."""
    found: dict[str, str] = {}
    for event in events:
        for name, value in event.attrs.items():
            if value and name not in found:
                found[name] = str(value)
    return found


def _command(one: Draft) -> str:
    return next((str(e.attrs["command"]) for e in (one.lead, *one.events) if e.attrs.get("command")), "")


def _verbs(one: Draft) -> list[str]:
    """The verbs of the step and of everything inside it; `unknown` is among them where something could not be read."""
    verbs = {one.step.verb, *(op.verb for op in one.step.operations)}
    if any(not op.certain for op in one.step.operations) or (one.step.verb is Verb.EXEC and not one.step.operations):
        verbs.add(Verb.UNKNOWN)
    asked = {e.verb for e in one.events if e.kind is EventKind.DECISION and e.phase is Phase.VERDICT}
    verbs |= asked - {Verb.UNKNOWN}
    if verbs == {Verb.UNKNOWN}:
        return []
    return sorted(verb.value for verb in verbs)


def _targets(one: Draft) -> list[str]:
    own = one.step.target
    named = (f"{own.cls.value}:{own.name}",) if own.name else ()
    return list(dict.fromkeys((*named, *operation_targets(one.step.operations))))


def _forced(one: Draft) -> bool | None:
    """True where a record or the command says so; false only where a push was read whole and does not."""
    operations = one.step.operations
    if any(_FORCED.intersection(op.flags) for op in operations) or any(e.attrs.get("forced") is True for e in one.events):
        return True
    if any(e.attrs.get("forced") is False for e in one.events):
        return False
    if operations and all(op.certain for op in operations) and any(op.verb in _HISTORY for op in operations):
        return False
    return None
