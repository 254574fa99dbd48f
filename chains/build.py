"""A task from its events: steps in order, each with decisions, credential, action, effects, request, and the links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from chains.claims import claims
from chains.context import Family
from chains.facts import OrgFacts
from chains.family import step_id
from chains.grouping import Grouped, group
from chains.heads import complete, head
from chains.held import Held
from chains.links import Drawing
from chains.modes import Mode, speaks_of_mode
from chains.order import Ordered
from chains.provenance import assumed_in, guessed_events, told_of
from chains.requests import request_of
from chains.steps import MAX_TEXT, Draft, draft, guardrail_change
from chains.tally import burst_of, distance_of, host_of_agent, is_action, tallies_of, versions_of
from model.chain import Credential, Intent, Link, Step, TaskChain
from model.event import Event
from model.words import EventKind, KeyRole, Phase

TOLD_WITHIN = 5_000_000
"""Microseconds within which the same words from another record are one request, told by several logs."""

_HEADING = frozenset({Phase.PROMPT, Phase.QUEUED, Phase.DELEGATED, Phase.MANDATE, Phase.TICKET})


def build_task(
    task: str,
    events: Sequence[Event],
    links: Iterable[Link],
    facts: OrgFacts,
    family: Family | None = None,
    credentials: Mapping[str, Credential] | None = None,
    skews: Mapping[str, int] | None = None,
) -> TaskChain:
    """Build one task; the result depends on the set of events and links alone, not on their order.

    `links` are those of attribution and parentage with an end in this task. `credentials` maps key names (`kind:value`)
    to lifelines over the whole store; what it does not name is pieced together from the task's own events. `skews` is the
    clock skew by point in microseconds: times are compared without it, and shown as they were logged. Findings,
    risk and the counts that follow from them are not set here.
    """
    family = family or Family()
    unique = {event.id: event for event in events}
    ordered = Ordered([unique[id] for id in sorted(unique)], skews)
    known = list(links)
    held = Held(task, ordered.events, credentials or {}, facts)
    grouped = group(ordered, known, facts.org.inference_window_seconds)
    drafts, last = _drafts(task, grouped, ordered, held, facts)
    made = head(task, ordered.events, family, facts)
    stated = made.environment
    complete(made, drafts, last, facts)
    told = _told(ordered.events)
    intents = [_intent(event) for event in told]
    _number(drafts, ordered, told, family)
    tickets_known = facts.knows_tickets and any(e.kind is EventKind.INTENT and e.text for e in ordered.events)
    told_once = told_of(ordered.events)
    guessed = guessed_events((*known, *(link for one in grouped.groups for link in one.links)))
    for one in drafts:
        one.step.request = request_of(one, made, held, facts, stated, tickets_known)
        one.step.assumed = assumed_in(one, held, told_once, guessed)
    chain_links = _links(drafts, grouped, ordered, known, held)
    by_id = {event.id: event for event in ordered.events}
    host = host_of_agent(ordered.events)
    for one in drafts:
        one.step.distance = distance_of(one.step, by_id, skews or {}, host)
    steps = [one.step for one in drafts]
    made.burst = burst_of(step.at for step in steps if step.at is not None and is_action(step))
    chain = TaskChain(
        task=made,
        intents=intents,
        steps=steps,
        links=chain_links,
        records=list(dict.fromkeys(e.record for e in ordered.events if e.record)),
        events=by_id,
        tallies=tallies_of(made, steps, facts),
        versions=versions_of(ordered.events),
    )
    chain.claims = tuple(claims(chain))
    return chain


def _drafts(task: str, grouped: Grouped, ordered: Ordered, held: Held, facts: OrgFacts) -> tuple[list[Draft], Mode]:
    """Steps in order, each with the mode in force when it began, and a step wherever a guard is taken down."""
    place = ordered.position
    modes, changes = _modes(ordered.events)
    found: list[tuple[tuple[int, int], Draft]] = []
    for one in grouped.groups:
        at = place[(one.call or one.events[0]).id]
        made = draft(task, one, held, facts, modes[at])
        made.step.order_uncertain = made.lead.id in ordered.uncertain
        found.append(((at, 1), made))
    for at, before, mode in changes:
        found.append(((at, 0), guardrail_change(task, ordered.events[at], before, mode, held)))
    found.sort(key=lambda pair: pair[0])
    drafts = [one for _, one in found]
    _distinct(task, drafts)
    return drafts, modes[-1] if modes else Mode()


def _distinct(task: str, drafts: Sequence[Draft]) -> None:
    """Logs exist that use one call id for two calls: the first keeps it, the others are named by their own event."""
    seen: set[str] = set()
    for one in drafts:
        if one.step.id in seen:
            one.step.id = step_id(task, one.lead.id)
        seen.add(one.step.id)


def _modes(events: Sequence[Event]) -> tuple[list[Mode], list[tuple[int, Mode, Mode]]]:
    """The mode in force at each event, its own statement included, and the places where it turns into a bypass."""
    current = Mode()
    modes: list[Mode] = []
    changes: list[tuple[int, Mode, Mode]] = []
    for n, event in enumerate(events):
        mode, sandbox = event.attrs.get("mode"), event.attrs.get("sandbox")
        if speaks_of_mode(event):
            new = Mode(str(mode or current.mode), str(sandbox or current.sandbox))
            if new.bypasses and not current.bypasses:
                changes.append((n, current, new))
            current = new
        modes.append(current)
    return modes, changes


def _told(events: Iterable[Event]) -> list[Event]:
    """The intents, each once: an agent's transcript, its telemetry and its hooks tell of the same words within moments."""
    found: list[Event] = []
    last: dict[tuple[Phase, str], Event] = {}
    for event in events:
        if event.kind is not EventKind.INTENT:
            continue
        before = last.get((event.phase, event.text))
        again = before is not None and before.record != event.record and before.at is not None and event.at is not None
        if again and before is not None and abs((event.at or 0) - (before.at or 0)) <= TOLD_WITHIN:
            continue
        last[event.phase, event.text] = event
        found.append(event)
    return _timed(found)


def _timed(told: Sequence[Event]) -> list[Event]:
    """Without the words that one log tells with no time and another, as often, with the time they were said."""
    timed: dict[tuple[Phase, str], list[Event]] = {}
    for event in told:
        if event.at is not None:
            timed.setdefault((event.phase, event.text), []).append(event)
    found: list[Event] = []
    for event in told:
        same = timed.get((event.phase, event.text), []) if event.at is None else []
        other = next((one for one in same if one.format != event.format), None)
        if other is None:
            found.append(event)
        else:
            same.remove(other)
    return found


def _number(drafts: Sequence[Draft], ordered: Ordered, told: Sequence[Event], family: Family) -> None:
    """Number, intent and child of each step."""
    children = {call: child for child, call in sorted(family.children.items(), reverse=True) if call}
    headings = [(ordered.position[e.id], e.id) for e in told if _heads(e)]
    place = -1
    for n, one in enumerate(drafts, 1):
        one.step.n = n
        at = ordered.position[one.lead.id]
        while place + 1 < len(headings) and headings[place + 1][0] <= at:
            place += 1
        one.step.intent = headings[place][1] if place >= 0 else ""
        one.step.child = next((children[k.name] for e in one.events for k in e.keys if k.name in children), "")


def _heads(event: Event) -> bool:
    """Whether an intent heads the steps after it; what is handed to a sub-agent heads the sub-agent's steps only."""
    if event.phase not in _HEADING:
        return False
    return not any(key.role is KeyRole.CALL for key in event.keys)


def _intent(event: Event) -> Intent:
    by = event.principal.name if event.principal else event.agent if event.phase is Phase.DELEGATED else ""
    return Intent(event.id, event.record, event.phase, event.text[:MAX_TEXT], event.at, by, event.clock)


def _links(drafts: Sequence[Draft], grouped: Grouped, ordered: Ordered, known: Sequence[Link], held: Held) -> list[Link]:
    """Draw all links; each stands with the step it leads to, else with the one it comes from, else with the task."""
    drawing = Drawing(ordered.events, known, held)
    for members in grouped.groups:
        drawing.within(members)
    drawing.scopes(ordered.events)
    drawing.credentials(ordered.events)
    home: dict[str, Step] = {event.id: one.step for one in drafts for event in one.events}
    apart: list[Link] = []
    mine: dict[str, list[Link]] = {}
    for link in drawing.links:
        step = home.get(link.target) or home.get(link.source)
        if step is None:
            apart.append(link)
        else:
            mine.setdefault(step.id, []).append(replace(link, step=step.id))
    for one in drafts:
        one.step.links = tuple(sorted(mine.get(one.step.id, ()), key=_rank))
    return sorted(apart, key=_rank)


def _rank(link: Link) -> tuple[str, str, str]:
    return link.source, link.target, link.key


__all__ = ["build_task", "step_id"]
