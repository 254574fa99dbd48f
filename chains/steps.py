"""From a group of events to a step: what was wanted, on what, with which decisions, credential, action and effects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from chains.facts import NOTHING, OrgFacts, ResourceFacts
from chains.family import step_id
from chains.folders import elsewhere
from chains.groups import Group
from chains.held import Held
from chains.match import canonical, specific
from chains.modes import Mode
from chains.outcome import outcome_of
from lang.cells import cut_names, seen
from model.chain import Item, Step
from model.event import Event, Operation, Target
from model.words import EventKind, Phase, TargetClass, Vantage, Verb

MAX_TEXT = 2_000
"""Characters of an event's text kept in a step; the record holds the rest."""
MAX_TITLE = 160

_WEIGHT = {
    verb: n
    for n, verb in enumerate(
        (
            Verb.GUARDRAIL_CHANGE,
            Verb.SECRET_READ,
            Verb.SECRET_WRITE,
            Verb.CREDENTIAL_ISSUE,
            Verb.CREDENTIAL_RENEW,
            Verb.CREDENTIAL_REVOKE,
            Verb.REPO_MERGE,
            Verb.REPO_WRITE,
            Verb.PR_MERGE,
            Verb.PR_OPEN,
            Verb.PACKAGE_PUBLISH,
            Verb.CI_MODIFY,
            Verb.CI_RUN,
            Verb.CLOUD_CALL,
            Verb.CLUSTER_CALL,
            Verb.DB_QUERY,
            Verb.INSTRUCTIONS_WRITE,
            Verb.PACKAGE_INSTALL,
            Verb.TICKET_OPEN,
            Verb.TICKET_UPDATE,
            Verb.REPO_READ,
            Verb.MCP_CALL,
            Verb.HTTP_REQUEST,
            Verb.NET_CONNECT,
            Verb.FILE_DELETE,
            Verb.FILE_WRITE,
            Verb.FILE_READ,
        )
    )
}
"""Which operation of a command its step is about: what reaches furthest comes first."""


class Draft(msgspec.Struct):
    """A step and the events it was made of, until the request is written and the links are drawn."""

    step: Step
    events: list[Event]
    lead: Event
    mode: Mode


def draft(task: str, group: Group, held: Held, facts: OrgFacts, mode: Mode) -> Draft:
    """The step of a group, but for its number, intent, request and links."""
    events = group.events
    lead = lead_of(group)
    operations = _operations(group, lead)
    verb = _verb(lead, events)
    target = _target(lead, events, operations)
    known = resource_facts(facts, target, events)
    start, end = _times(group, lead)
    items = _items(events, held)
    step = Step(
        id=step_id(task, group.anchor),
        task=task,
        n=0,
        verb=verb,
        at=start,
        end=end,
        tool=lead.tool or next((e.tool for e in events if e.tool), ""),
        target=target,
        owner=known.owner or _owner(events, facts),
        environment=known.environment or _stated(events, "environment"),
        operations=operations,
        decisions=items[EventKind.DECISION],
        credentials=held.ids(events),
        credential_events=items[EventKind.CREDENTIAL],
        outcome=outcome_of(events),
        actions=items[EventKind.ACTION],
        effects=items[EventKind.EFFECT],
        records=tuple(dict.fromkeys(e.record for e in events if e.record)),
        call=group.anchor if group.anchor != lead.id and ":" in group.anchor else "",
        mode=mode.effective,
        agent_claimed=any(e.vantage is Vantage.AGENT and e.kind is EventKind.ACTION for e in events),
    )
    step.title = title_of(lead, verb, target)
    return Draft(step, events, lead, mode)


def guardrail_change(task: str, event: Event, before: Mode, mode: Mode, held: Held) -> Draft:
    """A step of its own for the moment from which nobody is asked any more."""
    was = before.effective
    words = f"changed from {was} to {mode.effective}" if was else f"{mode.effective}, none stated before"
    step = Step(
        id=step_id(task, event.id),
        task=task,
        n=0,
        verb=Verb.GUARDRAIL_CHANGE,
        at=event.at,
        end=event.at,
        target=Target(TargetClass.AGENT, "", mode.effective),
        actions=(_item(event, held),),
        records=(event.record,) if event.record else (),
        title=f"permission mode {words}",
        mode=mode.effective,
    )
    return Draft(step, [event], event, mode)


def lead_of(group: Group) -> Event:
    """The event that says what the step is: the agent's call, else any call, else effect, verdict, credential."""
    if group.call is not None:
        return group.call
    rank = {EventKind.ACTION: 0, EventKind.EFFECT: 1, EventKind.DECISION: 2, EventKind.CREDENTIAL: 3}
    return min(
        group.events,
        key=lambda e: (rank.get(e.kind, 4), e.phase is not Phase.CALL, e.verb is Verb.UNKNOWN, e.at is None, e.at or 0, e.id),
    )


def _times(group: Group, lead: Event) -> tuple[int | None, int | None]:
    times = [e.at for e in group.events if e.at is not None]
    start = lead.at if lead.at is not None else min(times, default=None)
    ends = [e.at for e in group.events if e.at is not None and (e.kind is not EventKind.INTENT)]
    end = max(ends, default=None)
    return start, end if start is None or end is None or end >= start else start


def _verb(lead: Event, events: Sequence[Event]) -> Verb:
    if lead.verb is not Verb.UNKNOWN:
        return lead.verb
    return min((e.verb for e in events if e.verb is not Verb.UNKNOWN), key=weight, default=Verb.UNKNOWN)


def weight(verb: Verb) -> int:
    """Smaller is what a step is rather about."""
    return _WEIGHT.get(verb, len(_WEIGHT))


def _operations(group: Group, lead: Event) -> tuple[Operation, ...]:
    if lead.operations:
        return lead.operations
    return next((e.operations for e in group.events if e.operations and e.verb is lead.verb), ())


def _target(lead: Event, events: Sequence[Event], operations: Sequence[Operation]) -> Target:
    """What the step is about: the call's own target, else its furthest reaching operation's, else what others saw."""
    if specific(lead.target):
        return lead.target
    named = [op for op in operations if op.target.name or op.target.detail or op.target.cls is not TargetClass.UNKNOWN]
    if named:
        best = min(named, key=lambda op: (weight(op.verb), not specific(op.target)))
        if weight(best.verb) < weight(Verb.FILE_DELETE) or not lead.target.name:
            return _completed(best, lead, events)
    others = [e for e in events if e is not lead and specific(e.target)]
    if not lead.target.name and others:
        return min(others, key=lambda e: (e.kind is not EventKind.DECISION, weight(e.verb), e.at or 0, e.id)).target
    return lead.target


def _completed(operation: Operation, lead: Event, events: Sequence[Event]) -> Target:
    """An operation's target under the name logs use: `origin` is the repository worked in, or the one a target saw."""
    target = operation.target
    if target.cls is not TargetClass.REPOSITORY:
        return target
    seen = next((e.target for e in events if e.kind is EventKind.EFFECT and e.verb is operation.verb and e.target.name), None)
    name = (seen.name if seen is not None else "") or canonical(
        operation.verb, target, lead, elsewhere(operation, lead.attrs.get("cwd"))
    )
    return Target(target.cls, name or target.name, target.detail or (seen.detail if seen is not None else ""))


def resource_facts(facts: OrgFacts, target: Target, events: Iterable[Event]) -> ResourceFacts:
    """What the organisation says of a target; what it does not say of the thing itself it may say of its account."""
    found = facts.resource(target.cls, target.name, target.detail)
    account = next((str(e.attrs["account"]) for e in events if e.attrs.get("account")), "")
    around = facts.resource("account", account) if account else NOTHING
    return ResourceFacts(
        found.owner or around.owner,
        found.environment or around.environment,
        found.classification or around.classification,
        found.project or around.project,
    )


def _owner(events: Iterable[Event], facts: OrgFacts) -> str:
    """The owner of what deciders and targets name, where the call itself names only the way to it."""
    named = (facts.resource(e.target.cls, e.target.name, e.target.detail).owner for e in events if e.target.name)
    return next((owner for owner in named if owner), "")


def _stated(events: Iterable[Event], name: str) -> str:
    return next((str(e.attrs[name]) for e in events if e.attrs.get(name)), "")


def _items(events: Iterable[Event], held: Held) -> dict[EventKind, tuple[Item, ...]]:
    found: dict[EventKind, list[Item]] = {kind: [] for kind in EventKind}
    for event in events:
        found[event.kind].append(_item(event, held))
    return {kind: tuple(items) for kind, items in found.items()}


def _item(event: Event, held: Held) -> Item:
    credential = held.of(event)
    return Item(
        id=event.id,
        record=event.record,
        phase=event.phase,
        vantage=event.vantage,
        point=event.point,
        at=event.at,
        clock=event.clock,
        verb=event.verb,
        tool=event.tool,
        target=event.target,
        text=event.text[:MAX_TEXT],
        status=str(event.attrs.get("status") or event.attrs.get("refused") or ""),
        principal=event.principal.name if event.principal else "",
        decision=event.decision,
        credential=credential.id if credential else "",
    )


def title_of(lead: Event, verb: Verb, target: Target) -> str:
    """A step in one line: its command, else verb and target, else the script it ran or the tool it called."""
    command = lead.attrs.get("command")
    if isinstance(command, str) and command.strip():
        return _begun(command)
    name = target.name + (f"@{target.detail}" if target.detail and target.cls is TargetClass.REPOSITORY else "")
    if not name and lead.text:
        return _begun(lead.text)
    script = next((one.text for one in lead.operations if one.text), "")
    return _begun(f"{verb.value} {name or script or (lead.tool if lead.tool != verb.value else '')}".strip())


def _begun(text: str) -> str:
    """The first line of what a step did, with an ellipsis where lines follow: a command does more than its first line."""
    more = " …" if "\n" in text.strip() else ""
    return clip(text, MAX_TITLE - len(more)) + more


def clip(text: str, width: int = MAX_TITLE) -> str:
    """The first line of a text, its blanks made single, at most `width` characters: of long ones the ends of paths stay."""
    line = " ".join(next((part for part in text.splitlines() if part.strip()), "").split())
    return line if len(line) <= width else cut_names(seen(line, width), width)[:width]
