"""A task from its events: steps in order, each with decisions, credential, action, effects, request, and the links."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from chains.claims import claims
from chains.context import Family
from chains.facts import OrgFacts
from chains.family import step_id
from chains.grouping import group
from chains.groups import Grouped
from chains.heads import About, complete, head
from chains.held import Held
from chains.links import Drawing
from chains.modes import Mode, speaks_of_mode
from chains.order import Ordered
from chains.provenance import assumed_in, guessed_events, told_of
from chains.requests import request_of
from chains.shelf import Shelf, alike
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
    # A shelf holds each event once.
    ordered = Ordered(events if isinstance(events, Shelf) else list({event.id: event for event in events}.values()), skews)
    known = list(links)
    held = Held(task, ordered.events, credentials or {}, facts)
    grouped = group(ordered, known, facts.org.inference_window_seconds)
    made = head(task, ordered.events, family, facts)
    stated = made.environment
    drafts = _Drafts(task, grouped, ordered, held, facts, known)
    complete(made, drafts.about, drafts.last, facts)
    told = _told(ordered.events)
    tickets_known = facts.knows_tickets and any(e.kind is EventKind.INTENT and e.text for e in ordered.events)
    told_once = told_of(ordered.events)
    guessed = guessed_events((*known, *(link for _, links in grouped.joined.values() for link in links)))
    host = host_of_agent(ordered.events)
    steps = alike(ordered.events, Step)
    for one in drafts.finished(told, family):
        one.step.request = request_of(one, made, held, facts, stated, tickets_known)
        one.step.assumed = assumed_in(one, held, told_once, guessed)
        one.step.distance = distance_of(one.step, {event.id: event for event in one.events}, skews or {}, host)
        steps.append(one.step)
    made.burst = burst_of(step.at for step in steps if step.at is not None and is_action(step))
    chain = TaskChain(
        task=made,
        intents=[_intent(event) for event in told],
        steps=steps,
        links=drafts.apart,
        records=list(dict.fromkeys(e.record for e in ordered.events if e.record)),
        events=ordered.by_id,
        tallies=tallies_of(made, steps, facts),
        versions=versions_of(ordered.events),
    )
    chain.claims = tuple(claims(chain))
    return chain


class _Kept(msgspec.Struct):
    """A step while its task is built, with the places of its events and of the one that leads it."""

    step: Step
    places: list[int]
    lead: int
    mode: Mode


class _Drafts:
    """The steps of a task in order, each with the mode in force when it began, and a step wherever a guard is taken down.

    Every link stands with the step it leads to, else with the one it comes from, else `apart`.
    """

    def __init__(self, task: str, grouped: Grouped, ordered: Ordered, held: Held, facts: OrgFacts, known: Iterable[Link]) -> None:
        self.about = About()
        modes, changes = _modes(ordered.events)
        self.last = modes[-1] if modes else Mode()
        self._ordered = ordered
        self._kept = alike(ordered.events, _Kept)
        self._home = array("q", [-1]) * len(ordered.events)
        self._ids: set[str] = set()
        drawing = Drawing(ordered, known, held)
        moved: dict[int, list[Link]] = {}
        ahead = deque(changes)
        for one in grouped:
            while ahead and ahead[0][0] <= one.place:
                at, before, mode = ahead.popleft()
                self._keep(guardrail_change(task, ordered.events[at], before, mode, held), [at], moved.pop(at, ()))
            made = draft(task, one, held, facts, modes[one.place])
            lead = one.places[one.events.index(made.lead)]
            made.step.order_uncertain = ordered.is_uncertain(lead)
            links = drawing.within(one)
            # An event that takes a guard down later than its step began stands in the later step.
            later = {at for at, _, _ in ahead}.intersection(one.places)
            for event, place in zip(one.events, one.places, strict=True) if later else ():
                if place in later:
                    moved[place] = [link for link in links if link.target == event.id]
                    links = [link for link in links if link.target != event.id]
            self._keep(made, one.places, links)
        for at, before, mode in ahead:
            self._keep(guardrail_change(task, ordered.events[at], before, mode, held), [at], moved.pop(at, ()))
        drawing.scopes()
        drawing.credentials()
        self.apart, self._further = self._homes(drawing.links)

    def _keep(self, one: Draft, places: list[int], links: Iterable[Link]) -> None:
        number, step = len(self._kept), one.step
        if step.id in self._ids:
            # Logs exist that use one call id for two calls: the first keeps it, the others are named by their own event.
            step.id = step_id(step.task, one.lead.id)
        self._ids.add(step.id)
        step.links = tuple(links)
        for place in places:
            self._home[place] = number
        self.about.take(step)
        self._kept.append(_Kept(step, places, places[one.events.index(one.lead)], one.mode))

    def _homes(self, links: Iterable[Link]) -> tuple[list[Link], dict[int, list[Link]]]:
        """The links that belong to no step, and those that do, by the step's number."""
        position = self._ordered.position
        apart: list[Link] = []
        found: dict[int, list[Link]] = {}
        for link in links:
            homes = (self._home[position[end]] for end in (link.target, link.source) if end in position)
            home = next((number for number in homes if number >= 0), None)
            (apart if home is None else found.setdefault(home, [])).append(link)
        return sorted(apart, key=_rank), found

    def finished(self, told: Sequence[Event], family: Family) -> Iterator[Draft]:
        """Each with its number, intent, child and links."""
        events, position = self._ordered.events, self._ordered.position
        children = {call: child for child, call in sorted(family.children.items(), reverse=True) if call}
        headings = [(position[e.id], e.id) for e in told if _heads(e)]
        heading = -1
        for n, kept in enumerate(self._kept):
            step, at = kept.step, kept.lead
            mine = [events[place] for place in kept.places]
            step.n = n + 1
            while heading + 1 < len(headings) and headings[heading + 1][0] <= at:
                heading += 1
            step.intent = headings[heading][1] if heading >= 0 else ""
            step.child = next((children[k.name] for e in mine for k in e.keys if k.name in children), "") if children else ""
            drawn = (*step.links, *self._further.get(n, ()))
            step.links = tuple(sorted((replace(link, step=step.id) for link in drawn), key=_rank))
            yield Draft(step, mine, mine[kept.places.index(at)], kept.mode)


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
        said = _said(event)
        before = last.get(said)
        again = before is not None and before.record != event.record and before.at is not None and event.at is not None
        if again and before is not None and abs((event.at or 0) - (before.at or 0)) <= TOLD_WITHIN:
            continue
        last[said] = event
        found.append(event)
    return _timed(found)


def _said(event: Event) -> tuple[Phase, str]:
    """The words and what kind of request they are: some logs know that a prompt had to wait, others do not."""
    return (Phase.PROMPT if event.phase is Phase.QUEUED else event.phase), event.text


def _timed(told: Sequence[Event]) -> list[Event]:
    """Without the words that one log tells with no time and another, as often, with the time they were said."""
    timed: dict[tuple[Phase, str], list[Event]] = {}
    for event in told:
        if event.at is not None:
            timed.setdefault(_said(event), []).append(event)
    found: list[Event] = []
    for event in told:
        same = timed.get(_said(event), []) if event.at is None else []
        other = next((one for one in same if one.format != event.format), None)
        if other is None:
            found.append(event)
        else:
            same.remove(other)
    return found


def _heads(event: Event) -> bool:
    """Whether an intent heads the steps after it; what is handed to a sub-agent heads the sub-agent's steps only."""
    if event.phase not in _HEADING:
        return False
    return not any(key.role is KeyRole.CALL for key in event.keys)


def _intent(event: Event) -> Intent:
    by = event.principal.name if event.principal else event.agent if event.phase is Phase.DELEGATED else ""
    return Intent(event.id, event.record, event.phase, event.text[:MAX_TEXT], event.at, by, event.clock)


def _rank(link: Link) -> tuple[str, str, str]:
    return link.source, link.target, link.key


__all__ = ["build_task", "step_id"]
