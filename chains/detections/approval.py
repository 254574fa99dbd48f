"""GOV: whether a change to something shared was approved: by a ticket that stands, at a time that was agreed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain as everything

from chains.context import Context
from chains.detections.changing import changes
from chains.detections.examples import answer, asked, at, chain, example, organisation, step, ticket
from chains.detections.reading import said, when
from chains.detections.registry import Hit, Unjudged, detection
from chains.detections.stated import tickets
from lang.times import parse_time
from model.chain import Step, TaskChain
from model.event import Event
from model.words import Clock, Phase, Severity, Vantage, Verb

_PAY = "acme/pay"
_ORG = organisation(
    ticket_pattern="PAY-[0-9]+",
    change_windows=[{"environment": "prod", "from": "2026-05-28T20:30:00Z", "to": "2026-05-28T20:30:05Z"}],
)
"""The examples begin at 2026-05-28T20:26:40Z."""


@detection(
    "GOV-06",
    "Intent/action mismatch: no valid ticket or approval reference",
    Severity.MEDIUM,
    needs=("intent ticket reference", "list of tickets or their state"),
    looks_for="a change to something shared - a merge, a publication, a production or staging system, a protected branch - in a task that names "
    "no ticket, or only tickets that were closed or rejected by then or opened only afterwards",
    limits="Needs the organisation's ticket pattern. That a ticket was not found says nothing, as a ticket may be older than the log of the "
    "ticket system; its state is known from its own records only. Pushing to a branch of one's own is no change.",
    parameters={"closed": (["closed", "done", "resolved", "rejected", "cancelled", "canceled", "declined", "abandoned", "deleted"],
                           "states in which a ticket vouches for nothing")},
    examples=(
        example("merges without any ticket", True,
                asked(chain(step("pr.merge", target="repository", name=_PAY, tool="yes")), "Merge my pull request."), _ORG),
        example("names a ticket", False,
                asked(chain(step("pr.merge", target="repository", name=_PAY, tool="yes")), "PAY-12: merge it."), _ORG),
        example("the ticket was closed before", True,
                asked(chain(step("pr.merge", target="repository", name=_PAY, tool="yes"), events=(ticket("PAY-12", 2, "Done"),)),
                      "PAY-12: merge it."), _ORG),
        example("the ticket was opened afterwards", True,
                asked(chain(step("pr.merge", target="repository", name=_PAY, tool="yes"), events=(ticket("PAY-12", 60, "Open", opens=True),)),
                      "PAY-12: merge it."), _ORG),
        example("closed, then opened again", False,
                asked(chain(step("pr.merge", target="repository", name=_PAY, tool="yes"),
                            events=(ticket("PAY-12", 2, "Done"), ticket("PAY-12", 4, "In progress"))), "PAY-12: merge it."), _ORG),
        example("a push to its own branch", False,
                asked(chain(step("exec", command="git push origin fix/a", tool="yes")), "Push my branch."), _ORG),
        example("the organisation states no pattern", False,
                asked(chain(step("pr.merge", target="repository", name=_PAY, tool="yes")), "Merge my pull request.")),
    ),
)  # fmt: skip
def no_ticket(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    made = list(changes(task))
    if not made or not _agents(task):
        return
    if not around.facts.knows_tickets:
        yield Unjudged("ticket pattern in the organisation file")
        return
    named = tickets(task, around)
    first, what = made[0]
    logged: dict[str, list[Event]] = {}
    if not named:
        if not any(i.text for i in task.intents) and not around.above:
            yield Unjudged("the task's intents")
            return
        why = "the task names no ticket"
    else:
        given = parameters["closed"]
        closed = {str(one).casefold() for one in given} if isinstance(given, list | tuple) else set()
        logged = _logged(task, around, set(named))
        states = [_invalid(name, logged.get(name, []), first.at, closed) for name in named]
        if all(state is None for state in states):
            yield Unjudged("records of the ticket system")
        if any(not state for state in states):
            return
        why = "; ".join(str(state) for state in states)
    yield Hit(
        anchor="scope",
        step=first.id,
        at=first.at,
        evidence=(
            *first.records,
            *(i.record for i in task.intents[:3]),
            *(e.record for told in logged.values() for e in told[:20]),
        ),
        why=f"`{said(first)}` ({what.verb.value}) changed something shared at {when(first.at)}, and {why}",
        facts={"changes": len(made), "tickets": named},
    )


def _agents(task: TaskChain) -> bool:
    """Whether an agent's work is at hand: a pipeline rests on the change that started it."""
    return bool(task.task.agent) or Vantage.AGENT.value in task.task.vantages or not task.events


def _invalid(name: str, told: list[Event], at: int | None, closed: set[str]) -> str | None:
    """Why a ticket vouches for nothing at a moment; "" where it does, None where its own records are not at hand."""
    if not told or at is None:
        return None
    opened = next((e for e in told if e.verb is Verb.TICKET_OPEN), None)
    if opened is not None and opened.at is not None and opened.at > at and all((e.at or 0) > at for e in told):
        return f"{name} was opened only at {when(opened.at)}"
    before = [e for e in told if e.at is not None and e.at <= at and e.attrs.get("ticket_state")]
    if before and str(before[-1].attrs["ticket_state"]).casefold() in closed:
        return f"{name} was {str(before[-1].attrs['ticket_state']).casefold()} since {when(before[-1].at)}"
    return ""


def _logged(task: TaskChain, around: Context, wanted: set[str]) -> dict[str, list[Event]]:
    """By ticket what ticket systems logged of it, in order of time: in the task and elsewhere."""
    elsewhere = (event for name in sorted(wanted) for event in around.tickets.get(name, ()))
    seen = {e.id: e for e in everything(task.events.values(), elsewhere) if e.vantage is Vantage.TARGET and _of_a_ticket(e)}
    found: dict[str, list[Event]] = {}
    for event in sorted(seen.values(), key=lambda e: (e.at is None, e.at or 0, e.id)):
        for name in {event.target.name, *(k.value for k in event.keys if k.kind == "ticket")} & wanted:
            found.setdefault(name, []).append(event)
    return {name: found[name] for name in sorted(found)}


def _of_a_ticket(event: Event) -> bool:
    return event.verb in (Verb.TICKET_OPEN, Verb.TICKET_UPDATE) or event.phase is Phase.TICKET


@detection(
    "GOV-07",
    "Intent/action mismatch: outside change window",
    Severity.MEDIUM,
    needs=("change window", "action time", "clock source"),
    looks_for="a change to a shared system at a time outside the change windows of its environment, or outside the window the task's own records state",
    limits="Windows come from the organisation file, per environment, or from a stated window that is a span of two times. Looking is no change. "
    "A time whose zone is assumed or that is only an order is not judged.",
    examples=(
        example("production is changed outside its window", True,
                asked(chain(step("cloud.call", target="cloud", name="ecs:UpdateService", environment="prod", tool="yes")), "Scale it."), _ORG),
        example("inside the window", False,
                asked(chain(step("cloud.call", target="cloud", name="ecs:UpdateService", environment="prod", tool="yes", at=at(202))),
                      "Scale it."), _ORG),
        example("it only looks", False,
                asked(chain(step("cloud.call", target="cloud", name="ecs:DescribeServices", environment="prod", tool="yes")), "Look."), _ORG),
        example("another environment without windows", False,
                asked(chain(step("cloud.call", target="cloud", name="ecs:UpdateService", environment="staging", tool="yes")), "Scale it."), _ORG),
        example("outside the window its ticket states", True,
                asked(chain(step("cloud.call", target="cloud", name="ecs:UpdateService", environment="staging", tool="yes")), "Scale it.",
                      change_window="2026-05-28T22:00:00Z/2026-05-28T23:00:00Z"), _ORG),
        example("it was refused", False,
                asked(chain(step("cloud.call", answer("deny"), target="cloud", name="ecs:UpdateService", environment="prod", tool="no")),
                      "Scale it."), _ORG),
    ),
)  # fmt: skip
def outside_window(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    stated_spans = _spans(task)
    found: dict[str, Hit] = {}
    for one, what in changes(task):
        if one.environment == "" and not stated_spans and around.facts.in_change_window("", one.at) is None:
            yield Unjudged(
                "environment of what was changed"
                if around.facts.org.change_windows
                else "change windows in the organisation file"
            )
            continue
        moment, point, sure = _moment(one, around)
        if moment is None or not sure:
            yield Unjudged("a time to rely on")
            continue
        windowed = around.facts.in_change_window(one.environment, moment)
        spanned = any(start <= moment < end for start, end in stated_spans) if stated_spans else None
        if windowed is None and spanned is None:
            yield Unjudged("change windows of the environment")
        if (windowed is False and not spanned) or (windowed is None and spanned is False):
            where = one.environment or "the environment"
            found.setdefault(
                where,
                Hit(
                    anchor=f"scope:{where}",
                    step=one.id,
                    at=one.at,
                    evidence=one.records,
                    why=f"`{said(one)}` ({what.verb.value}) changed {where} at {when(moment)} by the clock of {point}, outside "
                    f"{'every change window of ' + where if windowed is False else 'the change window that is stated for the task'}",
                    facts={"environment": one.environment},
                ),
            )
    yield from found.values()


def _moment(one: Step, around: Context) -> tuple[int | None, str, bool]:
    """When a step changed something: by the target's clock, its known skew taken off, else by the agent's; and whether that is sure."""
    items = [i for i in one.effects if i.at is not None] or [i for i in one.actions if i.at is not None]
    if not items:
        return one.at, "the agent", one.at is not None
    first = min(items, key=lambda i: (i.at or 0, i.id))
    return (first.at or 0) - around.skews.get(first.point, 0), first.point, first.clock is Clock.EXACT


def _spans(task: TaskChain) -> list[tuple[int, int]]:
    """Change windows the task's records state as two times, `2026-03-17T14:00Z/2026-03-17T16:00Z`."""
    found = []
    for text in dict.fromkeys(str(e.attrs["change_window"]) for e in task.events.values() if e.attrs.get("change_window")):
        first, _, last = text.partition("/")
        start, end = parse_time(first.strip())[0], parse_time(last.strip())[0]
        if start is not None and end is not None and start < end:
            found.append((start, end))
    return found
