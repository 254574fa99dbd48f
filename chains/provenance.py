"""Where the values of a request come from: stated by a record, or derived or assumed by Remit.

A policy may rest on either; what it would have answered without the latter is what a dry-run tells apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chains.held import Held
from chains.steps import Draft
from model.chain import Link
from model.event import Attr, Event
from model.request import RECORDED
from model.words import EventKind, LinkKind, Phase, Vantage

_ALWAYS = frozenset(
    {
        "resource.owner",
        "resource.environment",
        "resource.classification",
        "context.in_change_window",
        "credential.task_bound",
    }
)
"""What no log states: read off the organisation file, or worked out from a credential's whole life."""

_STATED_AS = {
    "principal.origin": "origin",
    "context.environment": "environment",
    "context.project": "project",
    "context.repository": "repository",
    "context.ticket": "ticket",
}
"""Attributes that are taken from the organisation file, the title or a path where no record states them under this name."""

_CREDENTIAL = ("credential.kind", "credential.issuer", "credential.ttl_seconds")


def told_of(events: Iterable[Event]) -> dict[str, frozenset[str]]:
    """What the task's own records and deciders state, by name: a log that says it once for a session has said it."""
    found: dict[str, set[str]] = {}
    for event in events:
        if event.vantage not in (Vantage.AGENT, Vantage.ENFORCER):
            continue
        for name in _STATED_AS.values():
            if value := event.attrs.get(name):
                found.setdefault(name, set()).add(str(value))
        if event.principal and event.principal.origin:
            found.setdefault("origin", set()).add(event.principal.origin)
    return {name: frozenset(values) for name, values in found.items()}


def guessed_events(links: Iterable[Link]) -> frozenset[str]:
    """The events that stand where they stand by inference alone."""
    ends: dict[str, bool] = {}
    for link in links:
        ends[link.target] = ends.get(link.target, True) and link.kind is LinkKind.INFERRED
    return frozenset(event for event, inferred in ends.items() if inferred)


def assumed_in(one: Draft, held: Held, told: Mapping[str, frozenset[str]], guessed: frozenset[str]) -> tuple[str, ...]:
    """The names of the request's values that no record states, in the order of the request.

    `recorded` is among them where the deciding record was joined to the call by inference.
    """
    request = one.step.request
    events = [event for event in one.events if event.id not in guessed]
    found = [name for name in request if _assumed(name, request, events, told)]
    if len(events) < len(one.events):
        found += _by_inference(one, events, held, found)
    return tuple(found)


def _assumed(name: str, request: Mapping[str, Attr], events: Sequence[Event], told: Mapping[str, frozenset[str]]) -> bool:
    if name in _ALWAYS:
        return True
    value = request[name]
    if name in _STATED_AS:
        stated = _STATED_AS[name]
        return str(value) not in told.get(stated, ()) and not any(str(e.attrs.get(stated)) == value for e in events)
    if name == "context.has_ticket":
        return not value or "context.ticket" not in request or _assumed("context.ticket", request, events, told)
    if name == "principal.kind":
        return not any(e.principal and e.principal.kind == value for e in events)
    if name == "agent.depth":
        return value == 0
    if name == "resource.name":
        return not any(e.target.name == value or any(op.target.name == value for op in e.operations) for e in events)
    return False


def _by_inference(one: Draft, events: Sequence[Event], held: Held, found: Sequence[str]) -> list[str]:
    """What only records joined by inference say of the request."""
    more: list[str] = []
    if not any(_decides(event) for event in events) and any(_decides(event) for event in one.events):
        more.append(RECORDED)
    used = held.used(one.events)
    if used is not None and held.used(events) is not used:
        more += [name for name in _CREDENTIAL if name in one.step.request]
    named = any(e.principal and e.principal.name for e in events)
    if not named and "principal.id" in one.step.request and any(e.principal and e.principal.name for e in one.events):
        more.append("principal.id")
    return [name for name in more if name not in found]


def _decides(event: Event) -> bool:
    return event.kind is EventKind.DECISION and event.phase is Phase.VERDICT
