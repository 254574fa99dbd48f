"""What a pack is made from: everything `review` hands over, already selected for one period and one as-of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from model.chain import Coverage, Credential, Finding, Task
from model.event import Attr, RecordRef
from model.evidence import SeenCredential, SeenStep, SeenTask
from model.org import Org
from model.review import ExceptionRecord, PolicyVersion, Remedy, SignedScope, Verdict
from model.words import Effect, EventKind, Phase, Severity, TargetClass, Tri, Vantage, Verb
from reports.exchange import Exchange

_VERDICT = Phase.VERDICT
AnyTask = Task | SeenTask
AnyCredential = Credential | SeenCredential
"""Whole, or as much of it as a report needs."""


class Delivered(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one imported source delivered: a count of events of one kind, phase and vantage at one enforcement point.

    `facts` are names of the evidence vocabulary that no event kind expresses (`usage`, `log_chain`).
    """

    source: str
    point: str
    kind: EventKind
    phase: Phase
    vantage: Vantage
    events: int
    facts: tuple[str, ...] = ()


class StepRow(msgspec.Struct, omit_defaults=True):
    """One step of the population, flat. Rows come in ascending (task, n); times are microseconds UTC.

    `covered` says that a decider's log covers the step's moment; `task_bound` that the credential used was issued in
    this task with an expiry; `verdict` is the reviewers' word on the step or its task.
    """

    id: str
    task: str
    n: int
    at: int | None = None
    verb: Verb = Verb.UNKNOWN
    tool: str = ""
    target_class: TargetClass = TargetClass.UNKNOWN
    target: str = ""
    owner: str = ""
    environment: str = ""
    title: str = ""
    permitted: Effect = Effect.UNKNOWN
    decided: bool = False
    decided_by: str = ""
    rule: str = ""
    policy: str = ""
    covered: bool = False
    credentials: tuple[str, ...] = ()
    task_bound: Tri = Tri.UNKNOWN
    transport: Tri = Tri.UNKNOWN
    tool_outcome: Tri = Tri.UNKNOWN
    effect: Tri = Tri.UNKNOWN
    disputed: bool = False
    vantages: tuple[str, ...] = ()
    verdict: str = ""
    records: int = 0


def step_row(step: SeenStep, *, covered: bool, task_bound: Tri = Tri.UNKNOWN, verdict: str = "") -> StepRow:
    """The population row of a step of a chain; what the step does not know itself is given."""
    decided, by, rule, policy = False, "", "", ""
    vantages: list[str] = []
    for items in (step.decisions, step.credential_events, step.actions, step.effects):
        for item in items:
            # The value: a member of an enumeration is hashed and compared at many times its price.
            if (vantage := item.vantage._value_) not in vantages:
                vantages.append(vantage)
    for item in step.decisions:
        if (said := item.decision) is not None and item.phase is _VERDICT:
            decided, by, rule, policy = True, said.by or item.point, said.rule, said.policy
    target, outcome = step.target, step.outcome
    vantages.sort()
    return StepRow(
        id=step.id,
        task=step.task,
        n=step.n,
        at=step.at,
        verb=step.verb,
        tool=step.tool,
        target_class=target.cls,
        target=target.name,
        owner=step.owner,
        environment=step.environment,
        title=step.title,
        permitted=outcome.permitted,
        decided=decided,
        decided_by=by,
        rule=rule,
        policy=policy,
        covered=covered,
        credentials=step.credentials,
        task_bound=task_bound,
        transport=outcome.transport,
        tool_outcome=outcome.tool,
        effect=outcome.effect,
        disputed=outcome.disputed,
        vantages=tuple(vantages),
        verdict=verdict,
        records=len(step.records),
    )


class FindingRow(msgspec.Struct, omit_defaults=True):
    """A finding with the places of its evidence. Its review state is computed here from verdicts and exceptions."""

    finding: Finding
    evidence: tuple[RecordRef, ...] = ()


class SourceRow(msgspec.Struct, omit_defaults=True):
    """One imported source, reconciled: read = accepted + duplicate + rejected, each record counted at its home."""

    id: str
    name: str
    format: str
    sha256: str = ""
    bytes: int = 0
    first: int | None = None
    last: int | None = None
    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    events: int = 0
    points: tuple[str, ...] = ()
    reject_reasons: dict[str, int] = msgspec.field(default_factory=dict)
    unknown_types: dict[str, int] = msgspec.field(default_factory=dict)
    zone_assumed: int = 0
    skew_micros: int | None = None
    note: str = ""


class Detection(msgspec.Struct, omit_defaults=True):
    """A detection that ran: its metadata, its parameters in force, and how often it could not judge.

    `cannot_judge` counts the cases that lacked a fact, and `unjudged` names their tasks; less evidence may not turn such a
    task into a judged one. Without names the count is held against the units of the detection's population. `excluded` counts by reason the findings that the organisation
    has it not report. An `own` one is the organisation's and brings what it speaks to, as (framework, id).
    """

    id: str
    title: str
    version: int = 1
    severity: Severity = Severity.MEDIUM
    params: dict[str, Attr] = msgspec.field(default_factory=dict)
    cannot_judge: int = 0
    missing_facts: dict[str, int] = msgspec.field(default_factory=dict)
    unjudged: frozenset[str] = frozenset()
    excluded: dict[str, int] = msgspec.field(default_factory=dict)
    own: bool = False
    controls: tuple[tuple[str, str], ...] = ()


class Classification(msgspec.Struct, frozen=True):
    """A person's statement that a regulation binds the system: who says so, in which role (provider, deployer, both)."""

    framework: str
    by: str
    role: str
    text: str = ""


class Attestation(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person states of a control by hand. It stands beside the result and never changes it.

    `evidence` points to what it rests on (a document, a ticket), `expires` says until when it holds, `asserted` that the name
    was stated by another identity.
    """

    framework: str
    control: str
    who: str
    at: int
    text: str
    evidence: str = ""
    expires: int | None = None
    asserted: bool = False


class SignOff(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reviewer's sign-off recorded in the journal; without `about` only its text says what it is about."""

    who: str
    at: int
    text: str
    asserted: bool = False
    about: SignedScope | None = None


class Journal(msgspec.Struct, frozen=True, omit_defaults=True):
    """The head of the review journal. It depends on when things were done, so it appears in the custody file alone."""

    seq: int = 0
    head: str = ""


class CustodyEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who imported what, when and from where; in the custody file alone."""

    source: str
    path: str
    by: str
    at: int
    sha256: str = ""


class SourceEvidence(msgspec.Struct, frozen=True):
    """The Merkle root over the digests of one source's records, in the order of their places."""

    source: str
    name: str
    records: int
    root: str


class PackInput(msgspec.Struct, kw_only=True):
    """The state a pack is made from. `steps` is read once, from its beginning, and may be a generator.

    Nothing here but `journal`, `custody`, `blocks` and `tables` may depend on when or in which order sources were imported.
    `start` and `end` bound the period (microseconds UTC, None is open), `as_of` is the moment evidence is known by and
    exceptions are judged at, `reviewed_until` the moment up to which what people said counts (None: `as_of`).
    `unattributed` counts events that belong to no task, by event kind; `outside_period` counts steps left out,
    `not_kept` records whose raw bytes were let go.
    `out_of_scope` names controls a person took out, per framework, with the reason. `exchange` sets the machine formats.
    `blocks` are the digests of the store's blocks of raw bytes, in the order they were written, `tables` gives those of its tables
    when the custody is written; like `custody` they depend on how the import went. `parameters` is what was asked for, as the manifest keeps it, so that the same can be asked again of the same store.
    """

    organisation: str
    system: str = ""
    start: int | None = None
    end: int | None = None
    as_of: int
    reviewed_until: int | None = None
    tool_version: str
    tasks: tuple[AnyTask, ...] = ()
    steps: Iterable[StepRow] = ()
    findings: tuple[FindingRow, ...] = ()
    credentials: tuple[AnyCredential, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    sources: tuple[SourceRow, ...] = ()
    delivered: tuple[Delivered, ...] = ()
    exceptions: tuple[ExceptionRecord, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    policies: tuple[PolicyVersion, ...] = ()
    detections: tuple[Detection, ...] = ()
    unattributed: dict[str, int] = msgspec.field(default_factory=dict)
    outside_period: int = 0
    not_kept: int = 0
    org: Org | None = None
    classifications: tuple[Classification, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    out_of_scope: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    sign_offs: tuple[SignOff, ...] = ()
    separation_enforced: bool = False
    configuration: dict[str, str] = msgspec.field(default_factory=dict)
    sample_seed: str = "remit"
    sample_size: int = 3
    journal: Journal = Journal()
    custody: tuple[CustodyEntry, ...] = ()
    evidence: tuple[SourceEvidence, ...] = ()
    blocks: tuple[str, ...] = ()
    tables: Callable[[], dict[str, str]] = dict
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    exchange: Exchange = Exchange()


def reviewed_until(given: PackInput) -> int:
    """Up to when what people said counts."""
    return given.as_of if given.reviewed_until is None else given.reviewed_until
