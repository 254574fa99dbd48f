"""Task, Step, Link, Credential, Coverage, Finding: what the stitching of events yields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from model.conformance import Compared
from model.event import Attr, Decision, Event, Operation, Target
from model.figures import Burst, Claim, Distance, Tally, Version
from model.words import Clock, Effect, LinkKind, Phase, Severity, Tri, Vantage, Verb


class Candidate(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rival of an inferred link: what else might have been joined, its score and the factors behind it."""

    task: str
    event: str
    score: float
    factors: dict[str, float] = msgspec.field(default_factory=dict)


class Link(msgspec.Struct, omit_defaults=True):
    """Why two events stand in one chain. `source` and `target` are event ids, `key` is `kind:value` of the shared key."""

    source: str
    target: str
    kind: LinkKind
    key: str
    confidence: float = 1.0
    candidates: tuple[Candidate, ...] = ()
    factors: dict[str, float] = msgspec.field(default_factory=dict)
    step: str = ""


class Item(msgspec.Struct, omit_defaults=True):
    """An event as it stands in a step: enough to draw it without reading the event."""

    id: str
    record: str
    phase: Phase
    vantage: Vantage
    point: str
    at: int | None = None
    verb: Verb = Verb.UNKNOWN
    tool: str = ""
    target: Target = Target()
    text: str = ""
    status: str = ""
    principal: str = ""
    decision: Decision | None = None
    credential: str = ""
    clock: Clock = Clock.EXACT


class StepOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """The four outcomes of a step; where vantages disagree it is `disputed`, and `disagreements` say in words who said what.

    `answered` is what policy said of it, where a person's own refusal does not count: what a dry-run compares with.
    """

    permitted: Effect = Effect.UNKNOWN
    transport: Tri = Tri.UNKNOWN
    tool: Tri = Tri.UNKNOWN
    effect: Tri = Tri.UNKNOWN
    disputed: bool = False
    answered: Effect = Effect.UNKNOWN
    disagreements: tuple[str, ...] = ()


class Step(msgspec.Struct, omit_defaults=True):
    """One thing the agent set out to do, with everything that is known about it.

    `assumed` names the attributes of `request` that no record of the step states, because Remit derived or assumed them.
    """

    id: str
    task: str
    n: int
    verb: Verb
    at: int | None = None
    end: int | None = None
    intent: str = ""
    tool: str = ""
    target: Target = Target()
    owner: str = ""
    environment: str = ""
    operations: tuple[Operation, ...] = ()
    request: dict[str, Attr] = msgspec.field(default_factory=dict)
    decisions: tuple[Item, ...] = ()
    credentials: tuple[str, ...] = ()
    credential_events: tuple[Item, ...] = ()
    outcome: StepOutcome = StepOutcome()
    actions: tuple[Item, ...] = ()
    effects: tuple[Item, ...] = ()
    links: tuple[Link, ...] = ()
    records: tuple[str, ...] = ()
    title: str = ""
    call: str = ""
    child: str = ""
    mode: str = ""
    order_uncertain: bool = False
    agent_claimed: bool = True
    assumed: tuple[str, ...] = ()
    distance: Distance | None = None

    def items(self) -> Iterator[Item]:
        """Every event of the step."""
        yield from self.decisions
        yield from self.credential_events
        yield from self.actions
        yield from self.effects


class Intent(msgspec.Struct, omit_defaults=True):
    """A statement of what is to be done, and who made it."""

    id: str
    record: str
    kind: Phase
    text: str
    at: int | None = None
    by: str = ""
    clock: Clock = Clock.EXACT


class Task(msgspec.Struct, omit_defaults=True):
    """The unit of review: one agent session, trace or job. Times are microseconds UTC.

    `unjudged` names the detections that could not judge it, each with the fact that was missing; `parent_call` the call
    that spawned it, `first_issue` the first event that issued it a credential. `clocks` is by point what its clock said
    less the agent's, in microseconds, wherever the task's records let the two be compared. `hidden` counts by detection and
    reason the findings that the organisation file has not reported. `burst` is the most that its agent did within one minute.
    """

    id: str
    scope: str
    title: str = ""
    agent: str = ""
    agent_version: str = ""
    principal: str = ""
    on_behalf_of: str = ""
    repository: str = ""
    repositories: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    project: str = ""
    environment: str = ""
    ticket: str = ""
    origin: str = ""
    mode: str = ""
    started: int | None = None
    ended: int | None = None
    steps: int = 0
    events: int = 0
    risk: int = 0
    risk_factors: dict[str, int] = msgspec.field(default_factory=dict)
    counts: dict[str, int] = msgspec.field(default_factory=dict)
    detections: tuple[str, ...] = ()
    blind_spots: int = 0
    unjudged: dict[str, str] = msgspec.field(default_factory=dict)
    vantages: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    parent: str = ""
    parent_step: str = ""
    parent_call: str = ""
    first_issue: str = ""
    depth: int = 0
    children: tuple[str, ...] = ()
    clocks: dict[str, list[int]] = msgspec.field(default_factory=dict)
    hidden: dict[str, dict[str, int]] = msgspec.field(default_factory=dict)
    burst: Burst | None = None


class TaskChain(msgspec.Struct):
    """A task with everything in it: what detections read and what `show TASK` prints.

    `events` is by event id; they, `tallies`, `versions`, `claims` and `compared` are there only while the task is built.
    """

    task: Task
    intents: list[Intent]
    steps: Sequence[Step]
    links: list[Link]
    records: list[str]
    events: Mapping[str, Event] = msgspec.field(default_factory=dict)
    tallies: tuple[Tally, ...] = ()
    versions: tuple[Version, ...] = ()
    claims: tuple[Claim, ...] = ()
    compared: tuple[Compared, ...] = ()


class Use(msgspec.Struct, frozen=True, omit_defaults=True):
    """One use of a credential: who saw it, in which task, for what.

    `done` is whether whoever saw it (`vantage`) says that it took effect; `agent` and `by` are the agent and the principal of
    the task it was made in, `environment` that of what it was used on; "" is unknown.
    """

    event: str
    record: str
    at: int | None
    task: str = ""
    point: str = ""
    host: str = ""
    verb: Verb = Verb.UNKNOWN
    target: Target = Target()
    vantage: Vantage = Vantage.AGENT
    done: Tri = Tri.UNKNOWN
    agent: str = ""
    by: str = ""
    environment: str = ""


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """A turn in a credential's life that is no use of it: requested, issued, renewed, revoked or expired.

    `expires` and `ttl_seconds` are what this very record states: a renewal says nothing of the time before it.
    """

    phase: Phase
    event: str
    record: str
    at: int | None
    task: str = ""
    point: str = ""
    expires: int | None = None
    ttl_seconds: int | None = None


class Credential(msgspec.Struct, omit_defaults=True):
    """A credential lifeline: requested, issued, each use, revoked or expired, last use. Times in microseconds.

    `names` are all identifiers it goes by (`kind:value`), the strongest first; `via` those of the credential it was
    obtained with.
    """

    id: str
    key: str
    kind: str = ""
    issuer: str = ""
    subject: str = ""
    scope: tuple[str, ...] = ()
    requested: int | None = None
    issued: int | None = None
    issued_task: str = ""
    issued_agent: str = ""
    issued_for: str = ""
    issued_event: str = ""
    issued_record: str = ""
    ttl_seconds: int | None = None
    expires: int | None = None
    revoked: int | None = None
    revoked_record: str = ""
    first_use: int | None = None
    last_use: int | None = None
    uses: int = 0
    use_list: tuple[Use, ...] = ()
    exposures: tuple[Use, ...] = ()
    tasks: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    turns: tuple[Turn, ...] = ()


class Gap(msgspec.Struct, frozen=True):
    start: int
    end: int


class Coverage(msgspec.Struct, omit_defaults=True):
    """When an enforcement point was observed, for which scope. Between `start` and `end`, less `gaps`, silence means absence.

    `decides` is true where the point gives verdicts; `verbs` are those it gave one on: of other verbs its silence says nothing.
    `usual` is its usual silence in microseconds, 0 where none was worth the name.
    """

    point: str
    vantage: Vantage
    scope: str
    start: int
    end: int
    records: int
    gaps: tuple[Gap, ...] = ()
    decides: bool = False
    verbs: tuple[Verb, ...] = ()
    usual: int = 0

    def covers(self, at: int) -> bool:
        return self.start <= at <= self.end and not any(g.start < at < g.end for g in self.gaps)


class Finding(msgspec.Struct, omit_defaults=True):
    """What a detection saw. The id is detection + anchor; `evidence` are record ids; `evidence_digest` changes with them.

    `at` is when it happened, `evident` when the last of its evidence was logged: nothing could have told it earlier.
    """

    id: str
    detection: str
    title: str
    severity: Severity
    task: str
    anchor: str
    step: str = ""
    at: int | None = None
    evidence: tuple[str, ...] = ()
    evidence_digest: str = ""
    why: str = ""
    blind_spot: bool = False
    facts: dict[str, Attr] = msgspec.field(default_factory=dict)
    evident: int | None = None
