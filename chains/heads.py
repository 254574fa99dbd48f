"""The head of a task: what it is called, who works in it for whom, on what, from when to when."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from chains.attribution import task_id
from chains.context import Family
from chains.facts import OrgFacts
from chains.memory import scope_strength
from chains.modes import Mode
from chains.steps import Draft, clip
from lang.names import repository_name
from model.chain import Task
from model.event import Event
from model.words import EventKind, KeyRole, Phase, TargetClass, Vantage, Verb

VANTAGES = (Vantage.AGENT, Vantage.ENFORCER, Vantage.TARGET, Vantage.WITNESS)
MAX_TITLE = 120
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


def span(events: Iterable[Event]) -> tuple[int | None, int | None]:
    """Rule 6: from the first to the last of the agent's own records, a stated end included.

    A task of which the agent's records are not at hand spans the records that name its scope, and failing these, all.
    """
    events = [e for e in events if e.at is not None]
    own = [e for e in events if owns(e)] or events
    agent = [e for e in own if e.vantage is Vantage.AGENT]
    ends = [e.at for e in own if e.phase is Phase.ENDED and e.at is not None]
    times = [e.at for e in agent or own if e.at is not None]
    if not agent:
        times = [e.at for e in own if e.kind is not EventKind.INTENT and e.at is not None] or times
    return min(times, default=None), max([*times, *ends], default=None)


def head(task: str, events: Sequence[Event], family: Family, facts: OrgFacts) -> Task:
    """What can be said of a task before its steps: `events` are all of them in order."""
    own = [e for e in events if owns(e)] or list(events)
    agent = [e for e in own if e.vantage is Vantage.AGENT]
    spoken = agent + [e for e in own if e.vantage is Vantage.ENFORCER]
    started, ended = span(events)
    scope = scope_of(task, events)
    repository = _repository(events, spoken)
    return Task(
        id=task,
        scope=scope,
        title=_title(events, scope),
        agent=agent_of(events),
        agent_version=_stated(spoken, "agent_version"),
        principal=principal_of(events, facts),
        on_behalf_of=facts.identity(_behalf(own)),
        repository=repository,
        project=_stated(spoken, "project") or facts.resource(TargetClass.REPOSITORY, repository).project,
        environment=_stated(spoken, "environment"),
        ticket=_ticket(events, spoken, facts),
        origin=_origin(spoken, scope),
        started=started,
        ended=ended,
        events=len(events),
        vantages=tuple(v.value for v in VANTAGES if any(e.vantage is v for e in events)),
        points=tuple(sorted({e.point for e in events})),
        parent=family.parent,
        parent_step=family.parent_step,
        depth=family.depth,
        children=tuple(sorted(family.children)),
    )


def complete(task: Task, drafts: Sequence[Draft], last: Mode, facts: OrgFacts) -> None:
    """What the steps add: the repositories and owners touched, the environment if there is but one, the mode at the end."""
    named = {task.repository, *(one.step.target.name for one in drafts if _is_repository(one.step.target.cls, one.step.verb))}
    for one in drafts:
        for operation in one.step.operations:
            if _is_repository(operation.target.cls, operation.verb):
                named.add(operation.target.name)
        for item in (*one.step.decisions, *one.step.effects):
            if _is_repository(item.target.cls, item.verb):
                named.add(item.target.name)
    task.repositories = tuple(sorted(n for n in {repository_name(name) for name in named if "/" in name} if not _remote(n)))
    task.repository = task.repository or (task.repositories[0] if len(task.repositories) == 1 else "")
    owners = {facts.resource(TargetClass.REPOSITORY, name).owner for name in task.repositories}
    task.owners = tuple(sorted((owners | {one.step.owner for one in drafts}) - {""}))
    if not task.environment:
        environments = {one.step.environment for one in drafts} - {""}
        task.environment = environments.pop() if len(environments) == 1 else ""
    task.mode = last.effective
    task.steps = len(drafts)


def _is_repository(cls: TargetClass, verb: Verb) -> bool:
    return cls is TargetClass.REPOSITORY or (cls is TargetClass.CI_CD and verb in _WRITES)


def _remote(name: str) -> bool:
    return name.split("/")[0] in ("origin", "upstream", "fork")


def _stated(events: Iterable[Event], name: str) -> str:
    return next((str(e.attrs[name]) for e in events if e.attrs.get(name)), "")


def _title(events: Sequence[Event], scope: str) -> str:
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


def agent_of(events: Sequence[Event]) -> str:
    """The agent at work in a task, as its own records name it, the earliest of them first.

    Where telemetry names but the service that sent it, what any other record calls the agent goes before.
    """
    own = [e for e in events if owns(e)] or events
    agent = [e for e in own if e.vantage is Vantage.AGENT]
    named = [e for e in agent if e.agent] or [e for e in own if e.agent]
    named = [e for e in named if e.point != f"otel:{e.agent}"] or named
    if named:
        return min(named, key=_moment).agent
    return min(agent, key=_moment).point if agent else ""


def _moment(event: Event) -> tuple[bool, int, str]:
    return event.at is None, event.at or 0, event.id


def principal_of(events: Sequence[Event], facts: OrgFacts) -> str:
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


def _behalf(events: Sequence[Event]) -> str:
    return next((e.principal.on_behalf_of for e in events if e.principal and e.principal.on_behalf_of), "")


def _repository(events: Sequence[Event], spoken: Sequence[Event]) -> str:
    for group in (spoken, events):
        stated = Counter(str(e.attrs["repository"]) for e in group if e.attrs.get("repository"))
        counted: Counter[str] = Counter()
        for address, count in stated.items():
            counted[repository_name(address)] += count
        del counted[""]
        if counted:
            return min(counted.items(), key=lambda pair: (-pair[1], pair[0]))[0]
    return ""


def _ticket(events: Sequence[Event], spoken: Sequence[Event], facts: OrgFacts) -> str:
    if stated := _stated(spoken, "ticket"):
        return stated
    for event in events:
        if event.kind is EventKind.INTENT or (owns(event) and event.vantage is not Vantage.TARGET):
            for key in event.keys:
                if key.role is KeyRole.REFERENCE and key.kind == "ticket":
                    return key.value
            if event.kind is EventKind.INTENT and (found := facts.ticket_in(event.text)):
                return found
    return ""


def _origin(spoken: Sequence[Event], scope: str) -> str:
    """endpoint, ci, vendor or cloud: as stated, else as the scope or the working directory proves."""
    stated = _stated(spoken, "origin") or next((e.principal.origin for e in spoken if e.principal and e.principal.origin), "")
    if stated:
        return stated
    if scope.startswith("ci.job:"):
        return "ci"
    where = next((str(e.attrs["cwd"]) for e in spoken if e.attrs.get("cwd")), "")
    if _RUNNER.match(where):
        return "ci"
    return "endpoint" if _HOME.match(where) else ""
