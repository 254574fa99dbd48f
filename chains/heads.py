"""The head of a task: what it is called, who works in it for whom, on what, from when to when."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from chains.attribution import task_id
from chains.context import Family
from chains.facts import OrgFacts
from chains.memory import scope_strength
from chains.modes import Mode
from chains.shelf import both, where
from chains.steps import clip
from lang.names import repository_name
from model.chain import Item, Step, Task
from model.event import Event, Operation
from model.words import EventKind, KeyRole, Phase, TargetClass, Vantage, Verb

VANTAGES = (Vantage.AGENT, Vantage.ENFORCER, Vantage.TARGET, Vantage.WITNESS)
MAX_TITLE = 120
_STATED = frozenset({"agent_version", "project", "environment", "ticket", "origin", "cwd"})
_HOME = re.compile(r"^(?:/Users/|/home/|[A-Za-z]:\\+Users\\+)")
_RUNNER = re.compile(r"^(?:/home/runner/work/|/github/workspace|/builds/|/home/vsts/|/__w/|[A-Za-z]:\\+a\\+)")
_WRITES = frozenset({Verb.REPO_READ, Verb.REPO_WRITE, Verb.REPO_MERGE, Verb.PR_OPEN, Verb.PR_MERGE, Verb.CI_MODIFY})


def scope_of(task: str, events: Iterable[Event]) -> str:
    """The scope key that names the task: the one whose digest its id is, else the strongest seen."""
    names = {key.name for event in events for key in event.keys if key.role is KeyRole.SCOPE}
    return next((name for name in sorted(names) if task_id(name) == task), min(names, key=scope_strength, default=""))


def owns(event: Event) -> bool:
    """Whether an event names its scope itself; what was linked to a task later never extends it."""
    return any(key.role is KeyRole.SCOPE for key in event.keys)


def span(events: Collection[Event]) -> tuple[int | None, int | None]:
    """Rule 6: from the first to the last of the agent's own records, a stated end included.

    A task of which the agent's records are not at hand spans the records that name its scope, and failing these, all.
    """
    timed = where(events, lambda e: e.at is not None)
    own = where(timed, owns) or timed
    agent = where(own, lambda e: e.vantage is Vantage.AGENT)
    told = agent or where(own, lambda e: e.kind is not EventKind.INTENT) or own
    first, last = None, None
    for event in both(told, where(own, lambda e: e.phase is Phase.ENDED)):
        last = event.at if last is None else max(last, event.at or 0)
    for event in told:
        first = event.at if first is None else min(first, event.at or 0)
    return first, last


def head(task: str, events: Sequence[Event], family: Family, facts: OrgFacts) -> Task:
    """What can be said of a task before its steps: `events` are all of them in order."""
    own = where(events, owns) or events
    agent = where(own, lambda e: e.vantage is Vantage.AGENT)
    spoken = both(agent, where(own, lambda e: e.vantage is Vantage.ENFORCER))
    started, ended = span(events)
    scope = scope_of(task, events)
    repository = _repository(events, spoken)
    seen = {e.vantage for e in events}
    stated = _all_stated(spoken)
    return Task(
        id=task,
        scope=scope,
        title=_title(events, scope),
        agent=agent_of(events),
        agent_version=stated.get("agent_version", ""),
        principal=principal_of(events, facts),
        on_behalf_of=facts.identity(_behalf(own)),
        repository=repository,
        project=stated.get("project") or facts.resource(TargetClass.REPOSITORY, repository).project,
        environment=stated.get("environment", ""),
        ticket=stated.get("ticket") or _ticket(events, facts),
        origin=stated.get("origin") or _origin(spoken, stated.get("cwd", ""), scope),
        started=started,
        ended=ended,
        events=len(events),
        vantages=tuple(v.value for v in VANTAGES if v in seen),
        points=tuple(sorted({e.point for e in events})),
        parent=family.parent,
        parent_step=family.parent_step,
        depth=family.depth,
        children=tuple(sorted(family.children)),
    )


class About:
    """What the steps of a task tell of it together, taken one after the other."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.owners: set[str] = set()
        self.environments: set[str] = set()
        self.steps = 0

    def take(self, step: Step) -> None:
        self.steps += 1
        self.owners.add(step.owner)
        self.environments.add(step.environment)
        told: Iterable[Step | Operation | Item] = (step, *step.operations, *step.decisions, *step.effects)
        self.names.update(one.target.name for one in told if _is_repository(one.target.cls, one.verb))


def complete(task: Task, about: About, last: Mode, facts: OrgFacts) -> None:
    """What the steps add: the repositories and owners touched, the environment if there is but one, the mode at the end."""
    named = (repository_name(name) for name in {task.repository, *about.names} if "/" in name)
    task.repositories = tuple(sorted(name for name in set(named) if not _remote(name)))
    task.repository = task.repository or (task.repositories[0] if len(task.repositories) == 1 else "")
    owners = {facts.resource(TargetClass.REPOSITORY, name).owner for name in task.repositories}
    task.owners = tuple(sorted((owners | about.owners) - {""}))
    if not task.environment:
        environments = about.environments - {""}
        task.environment = environments.pop() if len(environments) == 1 else ""
    task.mode = last.effective
    task.steps = about.steps


def _is_repository(cls: TargetClass, verb: Verb) -> bool:
    return cls is TargetClass.REPOSITORY or (cls is TargetClass.CI_CD and verb in _WRITES)


def _remote(name: str) -> bool:
    return name.split("/")[0] in ("origin", "upstream", "fork")


def _stated(events: Iterable[Event], name: str) -> str:
    return next((str(e.attrs[name]) for e in events if e.attrs.get(name)), "")


def _all_stated(events: Iterable[Event]) -> dict[str, str]:
    """The first word on each of what a task's records may state."""
    found: dict[str, str] = {}
    for event in events:
        for name in event.attrs:
            if name in _STATED and name not in found and (value := event.attrs[name]):
                found[name] = str(value)
    return found


def _title(events: Collection[Event], scope: str) -> str:
    if title := _stated(events, "title"):
        return clip(title, MAX_TITLE)
    for phases in ((Phase.PROMPT, Phase.QUEUED), (Phase.DELEGATED, Phase.MANDATE), (Phase.TICKET,)):
        for event in events:
            if event.kind is EventKind.INTENT and event.phase in phases and (text := clip(event.text, MAX_TITLE)):
                return text
    run = next((e.target for e in events if e.verb is Verb.CI_RUN and e.target.name), None)
    if run is not None and scope.startswith("ci.job:"):
        return clip(f"{run.detail or 'job'} of {run.name}", MAX_TITLE)
    who = next((e.agent for e in events if e.agent), "")
    where = next((str(e.attrs["repository"]) for e in events if e.attrs.get("repository")), "")
    return clip(f"{who} in {where}" if who and where else who or scope, MAX_TITLE)


def agent_of(events: Collection[Event]) -> str:
    """The agent at work in a task, as its own records name it, the earliest of them first.

    Where telemetry names but the service that sent it, what any other record calls the agent goes before.
    """
    own = where(events, owns) or events
    agent = where(own, lambda e: e.vantage is Vantage.AGENT)
    named = where(agent, lambda e: bool(e.agent)) or where(own, lambda e: bool(e.agent))
    named = where(named, lambda e: e.point != f"otel:{e.agent}") or named
    if named:
        return min(named, key=_moment).agent
    return min(agent, key=_moment).point if agent else ""


def _moment(event: Event) -> tuple[bool, int, str]:
    return event.at is None, event.at or 0, event.id


def principal_of(events: Collection[Event], facts: OrgFacts) -> str:
    """Who acts in the task: named by the agent, else by deciders, by issuers and users of credentials, by targets."""
    ranks: dict[int, Counter[str]] = {}
    for event in events:
        asked = event.kind is EventKind.INTENT and event.vantage is not Vantage.AGENT
        if event.principal is None or not event.principal.name or asked:
            continue
        if event.vantage is Vantage.AGENT:
            rank = 0
        elif event.kind is EventKind.DECISION and owns(event):
            rank = 1
        elif owns(event):
            rank = 2 if event.vantage is Vantage.ENFORCER else 3
        else:
            rank = 4
        ranks.setdefault(rank, Counter())[facts.identity(event.principal.name)] += 1
    if not ranks:
        return ""
    return min(ranks[min(ranks)].items(), key=lambda pair: (-pair[1], pair[0]))[0]


def _behalf(events: Collection[Event]) -> str:
    return next((e.principal.on_behalf_of for e in events if e.principal and e.principal.on_behalf_of), "")


def _repository(events: Collection[Event], spoken: Collection[Event]) -> str:
    for group in (spoken, events):
        stated = Counter(str(e.attrs["repository"]) for e in group if e.attrs.get("repository"))
        counted: Counter[str] = Counter()
        for address, count in stated.items():
            counted[repository_name(address)] += count
        del counted[""]
        if counted:
            return min(counted.items(), key=lambda pair: (-pair[1], pair[0]))[0]
    return ""


def _ticket(events: Collection[Event], facts: OrgFacts) -> str:
    for event in events:
        if event.kind is EventKind.INTENT or (owns(event) and event.vantage is not Vantage.TARGET):
            for key in event.keys:
                if key.role is KeyRole.REFERENCE and key.kind == "ticket":
                    return key.value
            if event.kind is EventKind.INTENT and (found := facts.ticket_in(event.text)):
                return found
    return ""


def _origin(spoken: Collection[Event], where: str, scope: str) -> str:
    """endpoint, ci, vendor or cloud: as a principal's log states it, else as the scope or the working directory proves."""
    stated = next((e.principal.origin for e in spoken if e.principal and e.principal.origin), "")
    if stated:
        return stated
    if scope.startswith("ci.job:"):
        return "ci"
    if _RUNNER.match(where):
        return "ci"
    return "endpoint" if _HOME.match(where) else ""
