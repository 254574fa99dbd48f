"""Who spawned whom: a sub-agent names its parent, a CI job is the child of the task that made its commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from chains.attribution import Resolver
from chains.match import SHA, is_commit
from chains.memory import in_time, stub_of
from chains.reach import is_call, task_id
from chains.runs import by_the_clock
from model.chain import Link
from model.event import Event, Key, short_id
from model.evidence import Stub
from model.words import KeyRole, LinkKind

MAX_DEPTH = 100
"""Generations followed upwards; a longer line, or a circle, ends there."""


class Parentage(msgspec.Struct, frozen=True):
    """The task that spawned a task: its id, the step that did it and the call key that names that step ("" if unknown)."""

    parent: str = ""
    step: str = ""
    call: str = ""
    link: Link | None = None


_DESCENT = frozenset({KeyRole.PARENT, KeyRole.REFERENCE})
_ORPHAN = Parentage()
"""Most tasks have no parent, and a build keeps where each of them stands."""


def step_id(task: str, anchor: str) -> str:
    """The id of the step that stands on a call key (`kind:value`) or, without one, on an event id."""
    return short_id("step", task, anchor)


def telling(events: Iterable[Event]) -> list[Stub]:
    """What of a task's events its parent is told by: those that name a parent or a reference, and one call, if it is an agent's own."""
    own = False
    found: list[Stub] = []
    for event in events:
        calls = not own and is_call(event)
        if calls or any(key.role in _DESCENT for key in event.keys):
            found.append(stub_of(event))
        own = own or calls
    return found


def parentage(task: str, stubs: Sequence[Stub], resolver: Resolver) -> Parentage:
    """The parent of a task, from the events that are `telling` (others are passed over).

    A PARENT call key names the spawning step and outranks a PARENT scope key. Where there is neither, a task that is no
    agent's own (a CI job) is derived from the one other task that acted on its commit or pull request, unless a schedule began it.
    """
    ordered = sorted(stubs, key=in_time)
    stated = [(stub, key) for stub in ordered for key in stub.keys if key.role is KeyRole.PARENT]
    return _by_call(task, stated, resolver) or _by_scope(task, stated, resolver) or _by_reference(task, ordered, resolver)


def _by_call(task: str, stated: Sequence[tuple[Stub, Key]], resolver: Resolver) -> Parentage | None:
    tried: set[str] = set()
    for stub, key in stated:
        if key.name in tried:
            continue
        tried.add(key.name)
        for owner in resolver.reach.carriers(key.name):
            calls = is_call(owner) and any(k.role is KeyRole.CALL and k.name == key.name for k in owner.keys)
            place = resolver.reach.direct(owner) if calls else None
            if place is not None and place[0] not in ("", task):
                link = Link(owner.id, stub.id, LinkKind.EXACT, key.name)
                return Parentage(place[0], step_id(place[0], key.name), key.name, link)
    return None


def _by_scope(task: str, stated: Sequence[tuple[Stub, Key]], resolver: Resolver) -> Parentage | None:
    scopes = {key.name for _, key in stated if key.kind not in ("call", "span", "request")}
    for stub, key in stated:
        if key.name not in scopes:
            continue
        parent = task_id(resolver.reach.root(key.name))
        if parent != task:
            first = next((s for s in resolver.reach.first_of_scope(key.name) if s.id != stub.id), None)
            link = Link(first.id, stub.id, LinkKind.EXACT, key.name) if first else None
            call = next((k.name for _, k in stated if k.kind == "call"), "")
            return Parentage(parent, step_id(parent, call) if call else "", call, link)
    return None


def _by_reference(task: str, stubs: Sequence[Stub], resolver: Resolver) -> Parentage:
    if any(is_call(stub) or by_the_clock(stub) for stub in stubs):
        return _ORPHAN
    for commits in (True, False):
        found: dict[str, Parentage] = {}
        for stub in stubs:
            for key in stub.keys:
                if is_commit(key) if commits else (key.role is KeyRole.REFERENCE and key.kind == "pr"):
                    _collect(task, stub, key, resolver, found)
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            return _ORPHAN
    return _ORPHAN


def _collect(task: str, stub: Stub, key: Key, resolver: Resolver, found: dict[str, Parentage]) -> None:
    """Tasks that acted on a commit or pull request, CI jobs aside: they are its children themselves. Agents print a commit's first digits."""
    commit = is_commit(key)
    for other, place in resolver.acted(f"sha:{key.value[:SHA]}" if commit else key.name):
        if place and place != task and place not in found and (not commit or _tells_of(other, key)):
            call = next((k.name for k in other.keys if k.role is KeyRole.CALL and k.kind == "call"), "")
            link = Link(other.id, stub.id, LinkKind.DERIVED, key.name)
            found[place] = Parentage(place, step_id(place, call) if call else "", call, link)


def _tells_of(stub: Stub, commit: Key) -> bool:
    """Whether an event names this commit, however short either writes it."""
    named = (key.value for key in stub.keys if is_commit(key))
    return any(one.startswith(commit.value) or commit.value.startswith(one) for one in named)


def depth_of(task: str, parents: Mapping[str, str]) -> int:
    """How many generations stand above a task; a circle counts as long as it is followed, at most `MAX_DEPTH`."""
    return len(ancestors(task, parents))


def ancestors(task: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    """The tasks above a task, nearest first; a circle is cut where it closes."""
    found: list[str] = []
    current = parents.get(task, "")
    while current and current != task and current not in found and len(found) < MAX_DEPTH:
        found.append(current)
        current = parents.get(current, "")
    return tuple(found)
