"""HUM: whether people's part in it was a real one: approvals, separation of duties, review in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chains.context import Context, Reviewed
from chains.detections.examples import at, chain, context, example, organisation, step
from chains.detections.reading import seconds, when
from chains.detections.registry import Hit, Unjudged, detection
from model.chain import Finding, TaskChain
from model.event import Decision, Event, Key, Principal
from model.words import Effect, EventKind, KeyRole, Phase, Severity, Vantage, Verb

_USER = "user"
"""How agents' logs name the person at the keyboard, who has no name there."""


def _approval(moment: float, by: str, *, requester: str = "", verb: str = "pr.merge", pull: str = "acme/pay#7") -> Event:
    named = {"approver": by, "requester": requester} if by != _USER else {}
    return Event(
        EventKind.DECISION, Phase.VERDICT, Vantage.TARGET if named else Vantage.AGENT, "github:acme" if named else "claude-code",
        id=f"ev-approval-{moment}", record=f"rec-approval-{moment}", at=at(moment), verb=Verb(verb),
        keys=(Key(KeyRole.REFERENCE, "pr", pull),), decision=Decision(Effect.ALLOW, by=by),
        attrs={name: value for name, value in named.items() if value},
    )  # fmt: skip


def _opened(by: str, behalf: str = "", pull: str = "acme/pay#7") -> Event:
    return Event(
        EventKind.EFFECT, Phase.OBSERVED, Vantage.TARGET, "github:acme", id="ev-opened", record="rec-opened", at=at(2),
        verb=Verb.PR_OPEN, principal=Principal(by, on_behalf_of=behalf), keys=(Key(KeyRole.REFERENCE, "pr", pull),),
    )  # fmt: skip


def approver(event: Event) -> str:
    """Who approved, where a person or an identity of its own did: a rule's allowance is nobody's approval."""
    if event.decision is not None and event.decision.effect is not Effect.ALLOW:
        return ""
    stated = str(event.attrs.get("approver") or "")
    return stated or (_USER if event.decision is not None and event.phase is Phase.VERDICT and event.decision.by == _USER else "")


@detection(
    "HUM-01",
    "Approval fatigue: N approvals in T seconds",
    Severity.MEDIUM,
    needs=("approval events with approver and time",),
    looks_for="many approvals by one approver within a short time in one task: an indicator that nobody looked, no proof",
    limits="Counts what is on record as a person's approval; an allowance by a rule, a hook or a mode is none, and where no approval is on record "
    "none was given. Several records of one call count once. Approvals are counted within one task.",
    parameters={"approvals": (10, "approvals from which it is told"), "seconds": (60, "time within which they were given")},
    examples=(
        example("ten in half a minute", True, chain(step("exec"), events=tuple(_approval(n * 3, _USER) for n in range(10)))),
        example("ten in an hour", False, chain(step("exec"), events=tuple(_approval(n * 360, _USER) for n in range(10)))),
        example("four in half a minute", False, chain(step("exec"), events=tuple(_approval(n * 3, _USER) for n in range(4)))),
        example("by two people", False, chain(step("exec"), events=tuple(_approval(n * 3, ("dana", "lee")[n % 2]) for n in range(10)))),
        example("by a rule", False, chain(step("exec"), events=tuple(_approval(n * 3, "") for n in range(12)))),
    ),
)  # fmt: skip
def fatigue(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    span = seconds(parameters["seconds"], 60)
    given = parameters["approvals"]
    bar = max(2, given) if isinstance(given, int) else 10
    by_approver: dict[str, dict[str, tuple[int, str]]] = {}
    for event in task.events.values():
        who = approver(event)
        if who and event.at is not None:
            call = next((k.name for k in event.keys if k.role is KeyRole.CALL), event.id)
            held = by_approver.setdefault(around.facts.identity(who), {})
            held[call] = min(held.get(call, (event.at, event.record)), (event.at, event.record))
    for who, held in sorted(by_approver.items()):
        ordered = sorted(held.values())
        best = _densest([moment for moment, _ in ordered], span)
        if best[1] - best[0] < bar:
            continue
        taken = ordered[best[0] : best[1]]
        named = "the person at the keyboard" if who == _USER else who
        yield Hit(
            anchor=f"approver:{who}",
            at=taken[0][0],
            evidence=[record for _, record in taken[:50]],
            why=f"{named} approved {len(taken)} calls within {(taken[-1][0] - taken[0][0]) / 1e6:.0f} s, from {when(taken[0][0])}; of {len(ordered)} in all",
            facts={"approver": who, "approvals": len(taken)},
        )


def _densest(times: list[int], span: int) -> tuple[int, int]:
    """The longest run of times that lie within a span, as begin and end; the first of equal ones."""
    best = (0, 0)
    first = 0
    for last in range(len(times)):
        while times[last] - times[first] > span:
            first += 1
        if last + 1 - first > best[1] - best[0]:
            best = (first, last + 1)
    return best


_PEOPLE = organisation(
    identities={"dana@acme.example": {"kind": "human", "aliases": ["dana-gh"]}, "lee@acme.example": ["lee-gh"]}
)


@detection(
    "HUM-02",
    "Own request approved by the requester, or no separation of duties",
    Severity.HIGH,
    needs=("requester, approver, policy author and reviewer identities",),
    looks_for="a pull request, an access request or a deployment that was approved by whoever asked for it: under the same name, under another one "
    "of theirs, or by the person for whom the agent asked",
    limits="Names are one person's where the organisation file lists them as such. That a person lets their own agent's tool calls pass is no approval "
    "of a request. That nobody approved is not judged here: a branch may need no approval.",
    examples=(
        example("approves the agent's pull request, made for them", True,
                chain(step("pr.open"), events=(_opened("agent[bot]", "dana@acme.example"), _approval(60, "dana-gh"))), _PEOPLE),
        example("somebody else approves it", False,
                chain(step("pr.open"), events=(_opened("agent[bot]", "dana@acme.example"), _approval(60, "lee-gh"))), _PEOPLE),
        example("the log states both", True, chain(step("pr.open"), events=(_approval(60, "dana-gh", requester="dana@acme.example"),)), _PEOPLE),
        example("another pull request", False,
                chain(step("pr.open"), events=(_opened("dana-gh", pull="acme/pay#6"), _approval(60, "dana-gh"))), _PEOPLE),
        example("lets a tool call pass", False, chain(step("exec"), events=(_opened("dana-gh"), _approval(60, _USER))), _PEOPLE),
    ),
)  # fmt: skip
def self_approved(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    asked: dict[str, list[tuple[str, Event]]] = {}
    for event in task.events.values():
        if event.verb in (Verb.PR_OPEN,) or event.phase is Phase.REQUESTED:
            for who in _asking(event, task, around):
                for name in _subjects(event):
                    asked.setdefault(name, []).append((who, event))
    for event in sorted(filter(approver, task.events.values()), key=lambda e: (e.at is None, e.at or 0, e.id)):
        who = around.facts.identity(approver(event))
        if not who or who == _USER:
            continue
        stated = around.facts.identity(str(event.attrs.get("requester") or ""))
        same = next(((one, e) for name in _subjects(event) for one, e in asked.get(name, ()) if one == who), None)
        if stated != who and same is None:
            continue
        subject = next(iter(_subjects(event)), "")
        what = subject.partition(":")[2] or event.target.name or event.verb.value
        yield Hit(
            anchor=f"approval:{subject or event.id}",
            step=next((one.id for one in task.steps if event.record in one.records), ""),
            at=event.at,
            evidence=(event.record, *((same[1].record,) if same else ())),
            why=f"{who} approved {what} at {when(event.at)} ({event.point}), which was asked for by or for {who}"
            + (f" at {when(same[1].at)}" if same else ""),
            facts={"approver": who},
        )


def _asking(event: Event, task: TaskChain, around: Context) -> set[str]:
    """Who stands behind a request: who made it, on whose behalf, and where an agent made it in a person's task, that person."""
    named = {str(event.attrs.get("requester") or "")}
    if event.principal is not None:
        named |= {event.principal.name, event.principal.on_behalf_of}
        if event.principal.kind in ("agent", "workload") or event.vantage is Vantage.AGENT:
            named |= {task.task.on_behalf_of, task.task.principal}
    return {around.facts.identity(name) for name in named if name}


def _subjects(event: Event) -> list[str]:
    """The names of what was asked for or approved: a pull request, a request id."""
    pulls = [k.name for k in event.keys if k.role is KeyRole.REFERENCE and k.kind == "pr"]
    return pulls or [k.name for k in event.keys if k.role is KeyRole.CALL]


_DAY = 86_400
_FINDING = Finding(
    "find-1", "CRED-03", "Credential used after task end", Severity.HIGH, "task-example", "k", at=at(0), evidence=("rec-1",)
)


def _later(days: float, *reviewed: Reviewed) -> Callable[[], Context]:
    return context(as_of=at(days * _DAY), reviewed=reviewed)


@detection(
    "HUM-03",
    "Finding not reviewed or exception expired within the agreed time",
    Severity.LOW,
    needs=("finding, verdict and exception records of this tool",),
    looks_for="findings of a task on which no verdict was given within the agreed time, and accepted risks whose time is over, as of the last evidence",
    limits="Drawn from this tool's own verdicts whenever findings are read, never stored. A verdict on the task or the step covers its findings; one that was "
    "given on other evidence than there is now does not. Agreed times are parameters; the time runs from the moment the finding speaks of.",
    parameters={
        "critical_hours": (24, "hours within which a critical finding is reviewed"),
        "high_hours": (7 * 24, "the same for high"),
        "medium_hours": (30 * 24, "the same for medium"),
        "low_hours": (90 * 24, "the same for low"),
    },
    examples=(
        example("open for eight days", True, chain(), _later(8, Reviewed(_FINDING))),
        example("open for six days", False, chain(), _later(6, Reviewed(_FINDING))),
        example("reviewed", False, chain(), _later(8, Reviewed(_FINDING, closed=True))),
        example("an accepted risk that has expired", True, chain(), _later(2, Reviewed(_FINDING, accepted_until=at(_DAY)))),
        example("an accepted risk that stands", False, chain(), _later(30, Reviewed(_FINDING, accepted_until=at(60 * _DAY)))),
    ),
)  # fmt: skip
def overdue(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    late: list[Finding] = []
    expired: list[Finding] = []
    for one in around.reviewed:
        if one.closed or around.as_of is None:
            continue
        if one.accepted_until is not None:
            if one.accepted_until <= around.as_of:
                expired.append(one.finding)
            continue
        given = parameters.get(f"{one.finding.severity.value}_hours")
        hours = float(given) if isinstance(given, int | float) and not isinstance(given, bool) else None
        if hours is not None and one.finding.at is not None and around.as_of - one.finding.at > hours * 3600 * 1_000_000:
            late.append(one.finding)
    if not late and not expired:
        return
    told = sorted((*expired, *late), key=lambda f: (f.at or 0, f.id))
    parts = [f"the accepted risk of {f.detection} ({f.id}) is over" for f in expired[:5]]
    if late:
        listed = ", ".join(sorted({f.detection for f in late}))
        parts.append(
            f"{len(late)} findings ({listed}) have no verdict within the agreed time, the oldest of {when(min(f.at or 0 for f in late))}"
        )
    yield Hit(
        anchor="scope",
        at=around.as_of,
        evidence=[record for f in told for record in f.evidence[:3]][:50],
        why=f"as of {when(around.as_of)} {'; '.join(parts)}",
        facts={"overdue": len(late), "expired": len(expired), "findings": [f.id for f in told[:50]]},
    )
