"""Everything at once, in memory: the reference that any piecewise building must equal."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from sys import intern

import msgspec

from chains.attribution import Resolver, attribute
from chains.build import build_task
from chains.context import Family
from chains.coverage import measure
from chains.credentials import TaskLife, credential_groups, in_environment, lifeline
from chains.facts import OrgFacts
from chains.family import Parentage, depth_of, parentage
from chains.heads import agent_of, principal_of, span
from chains.heard import Sighting
from chains.memory import MemoryIndex
from model.chain import Coverage, Credential, Link, TaskChain
from model.event import Event
from model.words import EventKind, KeyRole, Phase


class Stitched(msgspec.Struct):
    """Tasks by id, events that belong to none, credentials by id, coverage."""

    chains: dict[str, TaskChain]
    unattributed: list[Event]
    credentials: dict[str, Credential]
    coverages: list[Coverage]


def stitch(events: Iterable[Event], facts: OrgFacts) -> Stitched:
    """Attribute, follow credentials, find parents, build every task. Events must be enriched and have ids."""
    unique = {event.id: event for event in events}
    index = MemoryIndex(unique[id] for id in sorted(unique))
    stubs = [index.stubs[id] for id in sorted(index.stubs)]
    placed = {a.event: a for a in attribute(stubs, index, facts)}
    members: dict[str, list[Event]] = {}
    links: dict[str, list[Link]] = {}
    for id, one in placed.items():
        members.setdefault(one.task, []).append(unique[id])
        links.setdefault(one.task, []).extend(one.links)
    unattributed = members.pop("", [])
    parents: dict[str, Parentage] = {}
    resolver = Resolver(index, facts, {})
    for task in sorted(members):
        named = [index.stubs[e.id] for e in members[task]]
        parents[task] = parentage(task, named, resolver)
    lives = {task: life(mine, parents[task].parent, facts=facts) for task, mine in members.items()}
    places = {id: a.task for id, a in placed.items()}
    credentials, by_name = _credentials(list(unique.values()), places, lives, facts)
    above = {task: one.parent for task, one in parents.items() if one.parent}
    chains: dict[str, TaskChain] = {}
    for task in sorted(members):
        children = {child: one.call for child, one in sorted(parents.items()) if one.parent == task}
        own = parents[task]
        family = Family(own.parent, own.step, depth_of(task, above), children)
        given = links[task] + ([own.link] if own.link else [])
        chains[task] = build_task(task, members[task], given, facts, family, by_name)
    credentials = {id: _placed(one, chains, facts) for id, one in credentials.items()}
    return Stitched(chains, unattributed, credentials, measure(sightings(unique.values()), facts))


def _placed(one: Credential, chains: dict[str, TaskChain], facts: OrgFacts) -> Credential:
    owner = chains.get(one.issued_task)
    return in_environment(one, owner.task.environment, facts) if owner else one


def life(events: Collection[Event], parent: str = "", environment: str = "", facts: OrgFacts | None = None) -> TaskLife:
    """What lifelines need to know of a task, from its events."""
    issues = [(e.at is None, e.at or 0, e.id) for e in events if e.kind is EventKind.CREDENTIAL and e.phase is Phase.ISSUED]
    first = min(issues)[2] if issues else ""
    agent, principal = agent_of(events), principal_of(events, facts or OrgFacts())
    # A build keeps the life of every task, and few agents and principals are at work in them.
    return TaskLife(span(events)[1], parent, first, environment, intern(agent), intern(principal))


def sightings(events: Iterable[Event]) -> list[Sighting]:
    """Events as coverage sees them, in order of time; what has no time covers nothing."""
    found = []
    for event in events:
        if event.at is not None:
            session = next((k.name for k in event.keys if k.role is KeyRole.SCOPE), "")
            decides = event.kind is EventKind.DECISION and event.phase is Phase.VERDICT
            who = event.principal.name if event.principal else ""
            host = str(event.attrs.get("host") or "")
            found.append(Sighting(event.point, event.vantage, event.at, who, host, session, decides, event.verb))
    return sorted(found, key=lambda s: (s.at, s.point, s.principal, s.host, s.session, s.decides, s.verb.value))


def _credentials(
    events: list[Event], placed_tasks: dict[str, str], lives: dict[str, TaskLife], facts: OrgFacts
) -> tuple[dict[str, Credential], dict[str, Credential]]:
    carrying: dict[str, list[Event]] = {}
    for event in events:
        for key in event.keys:
            if key.role is KeyRole.CREDENTIAL:
                carrying.setdefault(key.name, []).append(event)
    by_id: dict[str, Credential] = {}
    by_name: dict[str, Credential] = {}
    for names in credential_groups(events):
        mine = {e.id: e for name in names for e in carrying[name]}
        made = lifeline(names, [(mine[id], placed_tasks[id]) for id in sorted(mine)], lives, facts)
        by_id[made.id] = made
        by_name.update(dict.fromkeys(names, made))
    return by_id, by_name
