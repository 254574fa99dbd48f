"""A few words to write example chains with; the examples stand beside the detections and are their tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import yaml

from chains.context import Context
from chains.detections.registry import Example
from chains.facts import OrgFacts
from chains.org import load
from lang.shell import parse
from model.chain import Coverage, Credential, Gap, Intent, Item, Step, StepOutcome, Task, TaskChain, Turn, Use
from model.event import Attr, CredentialFact, Decision, Event, Key, Target
from model.org import Org, PointFact, Resource
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb

START = 1_780_000_000_000_000
TASK = "task-example"
SCOPE = "session:example"

Made = Callable[[int], Step]


def at(seconds: float) -> int:
    """A moment, in seconds after the example's beginning."""
    return START + int(seconds * 1_000_000)


def answer(
    effect: str,
    *,
    at: int | None = None,
    vantage: str = "enforcer",
    rule: str = "r-1",
    verb: str = "unknown",
    host: str = "",
    name: str = "",
) -> Item:
    """A verdict by a policy engine, on a request to a host or on something of a name where one is given."""
    return Item(
        id=f"ev-answer-{effect}-{at}",
        record=f"rec-answer-{effect}",
        phase=Phase.VERDICT,
        vantage=Vantage(vantage),
        point="opa:agent",
        at=at,
        verb=Verb(verb),
        target=Target(TargetClass.NETWORK, host) if host else Target(name=name),
        decision=Decision(Effect(effect), rule=rule, by="opa:agent"),
    )


def by_person(effect: str) -> Item:
    """What the person at the keyboard said to a call."""
    return msgspec.structs.replace(
        answer(effect, vantage="agent"), point="claude-code", decision=Decision(Effect(effect), by="user")
    )


def step(
    verb: str,
    *decisions: Item,
    command: str = "",
    target: str = "",
    name: str = "",
    detail: str = "",
    tool: str = "unknown",
    effect: str = "unknown",
    at: int | None = None,
    output: str = "",
    **more: Any,
) -> Made:
    """A step; `command` is parsed like any shell command. Its place in the chain gives number, time and ids."""

    def make(n: int) -> Step:
        moment = at if at is not None else START + n * 10_000_000
        placed = tuple(msgspec.structs.replace(d, at=d.at or moment) for d in decisions)
        permitted = placed[-1].decision.effect if placed and placed[-1].decision else Effect.UNKNOWN
        cls = TargetClass(target) if target else TargetClass.UNKNOWN
        results = (result_of(n, output),) if output else ()
        return Step(
            id=f"step-{n}",
            task=TASK,
            n=n,
            verb=Verb(verb),
            at=moment,
            tool=more.pop("tool_name", "Bash" if command else ""),
            target=Target(cls, name, detail),
            operations=parse(command).operations if command else (),
            decisions=placed,
            outcome=StepOutcome(permitted, Tri.UNKNOWN, Tri(tool), Tri(effect)),
            title=command or name,
            call=f"call:{n}",
            records=(f"rec-{n}",),
            actions=(Item(f"ev-{n}", f"rec-{n}", Phase.CALL, Vantage.AGENT, "claude-code", moment), *results),
            **more,
        )

    return make


def result_of(n: int, output: str) -> Item:
    """What came back of a step; `chain` makes the event that holds the output."""
    return Item(f"ev-result-{n}", f"rec-result-{n}", Phase.RESULT, Vantage.AGENT, "claude-code", text=output)


def served(host: str, principal: str = "", vantage: str = "target") -> Item:
    """A request that a target tells of, or another that it passed through."""
    return Item(
        "ev-served", "rec-served", Phase.OBSERVED, Vantage(vantage), host, verb=Verb.HTTP_REQUEST,
        target=Target(TargetClass.NETWORK, host), principal=principal,
    )  # fmt: skip


def handed_out(secret: str) -> Item:
    """A secret that its store tells to have handed out."""
    return Item(
        "ev-handed-out", "rec-handed-out", Phase.OBSERVED, Vantage.TARGET, "vault", verb=Verb.SECRET_READ,
        target=Target(TargetClass.SECRET_STORE, secret),
    )  # fmt: skip


def chain(
    *steps: Made, credentials: tuple[str, ...] = (), events: tuple[Event, ...] = (), **task: Any
) -> Callable[[], TaskChain]:
    def make() -> TaskChain:
        made = [one(n) for n, one in enumerate(steps, 1)]
        ended = task.get("ended", at(100))
        head = Task(
            TASK, SCOPE, started=START, steps=len(made), **{"ended": ended} | {k: v for k, v in task.items() if k != "ended"}
        )
        outputs = [_came_back(item) for one in made for item in one.actions if item.phase is Phase.RESULT]
        return TaskChain(head, [], made, [], [], {event.id: event for event in (*events, *outputs)})

    return make


def _came_back(item: Item) -> Event:
    return Event(
        EventKind.ACTION, Phase.RESULT, item.vantage, item.point, id=item.id, record=item.record, attrs={"output": item.text}
    )  # fmt: skip


def context(*coverages: Coverage, **more: Any) -> Callable[[], Context]:
    return lambda: Context(**{"facts": OrgFacts()} | more, coverages=coverages)


def org(
    *,
    resources: tuple[tuple[str, str, str], ...] = (),
    hosts: tuple[str, ...] | None = None,
    registries: tuple[str, ...] | None = None,
    servers: tuple[str, ...] | None = None,
    points: tuple[PointFact, ...] = (),
) -> OrgFacts:
    """An organisation: resources as (`class:glob`, environment, classification), approved lists, expected points."""
    return OrgFacts(
        Org(
            resources=tuple(Resource(match, environment=e, classification=c) for match, e, c in resources),
            approved_hosts=hosts,
            approved_registries=registries,
            approved_mcp_servers=servers,
            enforcement_points=points,
        )
    )


def opa_coverage(*verbs: str, gap: tuple[float, float] | None = None, scope: str = "*") -> Coverage:
    gaps = (Gap(at(gap[0]), at(gap[1])),) if gap else ()
    return Coverage("opa:agent", Vantage.ENFORCER, scope, at(0), at(1000), 10, gaps, True, tuple(Verb(v) for v in verbs))


def example(title: str, matches: bool, build: Callable[[], TaskChain], around: Callable[[], Context] | None = None) -> Example:
    return Example(title, matches, lambda: (build(), (around or context())()))


def organisation(**sections: Any) -> Callable[[], Context]:
    """A context with an organisation file of these sections."""
    return context(facts=OrgFacts(load(yaml.safe_dump(sections))))


def asked(build: Callable[[], TaskChain], text: str = "", **attrs: Any) -> Callable[[], TaskChain]:
    """The chain with a prompt before its steps; `attrs` are what the agent's records state of the session."""

    def make() -> TaskChain:
        made = build()
        prompt = Event(
            EventKind.INTENT, Phase.PROMPT, Vantage.AGENT, "claude-code", id="ev-prompt", record="rec-prompt", at=at(0),
            format="claude-code", text=text, keys=(Key(KeyRole.SCOPE, "session", "example"),), attrs=attrs,
        )  # fmt: skip
        if text:
            made.intents = [Intent("ev-prompt", "rec-prompt", Phase.PROMPT, text, at(0))]
        made.events = {prompt.id: prompt, **made.events}
        made.task.vantages = ("agent",)
        return made

    return make


def unasked(build: Callable[[], TaskChain], after: str = "") -> Callable[[], TaskChain]:
    """The chain with the agent's own record of its first call, which no prompt precedes; `after` is what that record answers."""

    def make() -> TaskChain:
        made = build()
        call = Event(
            EventKind.ACTION, Phase.CALL, Vantage.AGENT, "claude-code", id="ev-1", record="rec-1", at=at(1), format="claude-code",
            ref="claude.uuid:first", after=after, keys=(Key(KeyRole.SCOPE, "session", "example"),),
        )  # fmt: skip
        made.events = {call.id: call, **made.events}
        return made

    return make


def ticket(name: str, seconds: float, state: str = "", *, opens: bool = False) -> Event:
    """What the ticket system logged of a ticket."""
    return Event(
        EventKind.EFFECT, Phase.OBSERVED, Vantage.TARGET, "tickets", id=f"ev-ticket-{seconds}", record=f"rec-ticket-{seconds}",
        at=at(seconds), verb=Verb.TICKET_OPEN if opens else Verb.TICKET_UPDATE, target=Target(TargetClass.TICKETING, name),
        keys=(Key(KeyRole.REFERENCE, "ticket", name),), attrs={"ticket_state": state},
    )  # fmt: skip


def credential(**more: Any) -> Credential:
    """A credential issued to the example's task at its beginning for a quarter of an hour."""
    base: dict[str, Any] = {
        "id": "cred-1",
        "key": "vault.accessor:a1",
        "kind": "vault token",
        "issued": at(1),
        "issued_task": TASK,
        "issued_event": "ev-issue",
        "issued_record": "rec-issue",
        "ttl_seconds": 900,
        "expires": at(901),
        "tasks": (TASK,),
    }
    return Credential(**base | more)


def use(seconds: float, task: str = TASK) -> Use:
    return Use(f"ev-use-{seconds}", f"rec-use-{seconds}", at(seconds), task, "vault")


def seen_use(seconds: float, task: str = TASK, *, done: str = "yes", vantage: str = "target", **more: Any) -> Use:
    """A use that its target saw."""
    return msgspec.structs.replace(use(seconds, task), done=Tri(done), vantage=Vantage(vantage), **more)


def given(point: str, record: str) -> Turn:
    """That a credential was issued, as one point's record tells it."""
    return Turn(Phase.ISSUED, f"ev-{record}", record, at(1), TASK, point)


def other_task(ended: int) -> Task:
    return Task("task-child", "session:child", ended=ended)


def with_credentials(*held: Credential, coverages: tuple[Coverage, ...] = (), **more: Any) -> Callable[[], Context]:
    return context(*coverages, credentials={c.id: c for c in held}, **more)


def exposed(value: str = "f00", kind: str = "github-token") -> Event:
    return Event(
        EventKind.CREDENTIAL,
        Phase.EXPOSED,
        Vantage.AGENT,
        "claude-code",
        id=f"ev-exposed-{value}",
        record="rec-1",
        at=at(10),
        text=f"{kind.replace('-', ' ')} in clear",
        keys=(Key(KeyRole.CREDENTIAL, "secret", value),),
        attrs={"secret_kind": kind},
    )


def issuing(seconds: float) -> Event:
    """The event of the example credential's issuance; the task's agent is heard too, so its end is known."""
    return Event(
        EventKind.CREDENTIAL, Phase.ISSUED, Vantage.ENFORCER, "vault", id="ev-issue", record="rec-issue", at=at(seconds)
    )  # fmt: skip


def asking(seconds: float, phase: Phase = Phase.REQUESTED) -> Event:
    """A request for access to a broker, or what answers it: both carry the request's id."""
    return Event(
        EventKind.CREDENTIAL, phase, Vantage.ENFORCER, "teleport", id=f"ev-ask-{phase.value}", record=f"rec-ask-{phase.value}",
        at=at(seconds), keys=(Key(KeyRole.CALL, "request", "r-1"),), credential=CredentialFact("access request", "teleport", scope=("admin",)),
    )  # fmt: skip


def spoken(**attrs: Attr) -> Event:
    """A record of a sandbox's own log."""
    return Event(
        EventKind.DECISION, Phase.VERDICT, Vantage.ENFORCER, "nono", id="ev-nono", record="rec-nono", at=at(20), attrs=attrs
    )  # fmt: skip


def issue(seconds: float, *scope: str, phase: Phase = Phase.ISSUED, id: str = "cred-1") -> Item:
    """An issuance as it stands in a step."""
    return Item(
        id=f"ev-issue-{seconds}", record=f"rec-issue-{seconds}", phase=phase, vantage=Vantage.ENFORCER, point="vault", at=at(seconds),
        credential=id, text=" ".join(scope),
    )  # fmt: skip
