"""What reads give back and what they are asked with: plain structs, free of the database."""

from __future__ import annotations

from typing import Literal

import msgspec

from model.event import RecordRef
from model.figures import Sums

SortKey = Literal["risk", "started", "title", "agent", "principal", "repository", "environment", "steps", "findings", "state"]
PageKey = tuple[str | int, ...]
"""Where a page begins: the sort columns of the row before it, as `TaskRow.key` gives them."""


class Clause(msgspec.Struct, frozen=True):
    """One narrowing of the queue: `field` of a task is one of `values`, is like one of `patterns`, or lies in one of `spans`.

    `field` is a column of the queue, or `detection` or `owner`, of which a task may have several and one is enough. Patterns
    have `*` and `?`, and upper and lower case are one in them. A span is [low, high) in the field's own unit, None without a
    bound. `anything` asks only that there be a value. What is unknown passes no clause, and every `negated` one.
    """

    field: str
    values: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    spans: tuple[tuple[int | None, int | None], ...] = ()
    anything: bool = False
    negated: bool = False


class TaskFilter(msgspec.Struct, frozen=True):
    """Which tasks to list: every clause holds, every one of `phrases` is found in the task's texts and none of `without`.

    A phrase is words in this order, the last of them perhaps only begun, in titles, commands, targets and reasons.
    """

    clauses: tuple[Clause, ...] = ()
    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


class TaskRow(msgspec.Struct, frozen=True, array_like=True):
    """A task as the queue shows it. Lists are in the order of their names; times are microseconds UTC."""

    id: str
    scope: str
    title: str
    agent: str
    principal: str
    on_behalf_of: str
    repository: str
    environment: str
    started: int | None
    ended: int | None
    steps: int
    events: int
    risk: int
    findings: int
    critical: int
    high: int
    medium: int
    low: int
    blind_spots: int
    detections: tuple[str, ...]
    vantages: tuple[str, ...]
    points: tuple[str, ...]
    parent: str
    depth: int
    evidence: str
    state: str
    verdict: str
    reviewer: str
    reviewed_at: int | None
    assignee: str


TASK_COLUMNS: tuple[str, ...] = TaskRow.__struct_fields__
UNKNOWN_STARTED = -(2**62)
_LISTS = tuple(TASK_COLUMNS.index(name) for name in ("detections", "vantages", "points"))
_STARTED = TASK_COLUMNS.index("started")

SORTS: dict[SortKey, tuple[tuple[str, bool], ...]] = {
    "risk": (("risk", True), ("started", True), ("id", False)),
    "started": (("started", True), ("id", False)),
    "title": (("title", False), ("started", True), ("id", False)),
    "agent": (("agent", False), ("started", True), ("id", False)),
    "principal": (("principal", False), ("started", True), ("id", False)),
    "repository": (("repository", False), ("started", True), ("id", False)),
    "environment": (("environment", False), ("started", True), ("id", False)),
    "steps": (("steps", True), ("started", True), ("id", False)),
    "findings": (("findings", True), ("started", True), ("id", False)),
    "state": (("state", False), ("started", True), ("id", False)),
}
"""Columns of each sort and whether they descend; an index of the same shape stands behind each."""


def task_row(values: tuple[object, ...]) -> TaskRow:
    """A row of the task table, its columns in the order of `TASK_COLUMNS`."""
    cells = list(values)
    for place in _LISTS:
        cells[place] = tuple(str(cells[place]).split())
    if cells[_STARTED] == UNKNOWN_STARTED:
        cells[_STARTED] = None
    return TaskRow(*cells)  # type: ignore[arg-type]


def page_key(row: TaskRow, sort: SortKey) -> PageKey:
    """Where the page after this row begins."""
    values: list[str | int] = []
    for name, _ in SORTS[sort]:
        value = getattr(row, name)
        values.append(UNKNOWN_STARTED if value is None else value)
    return tuple(values)


class FindingFilter(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which findings to list; `severity` and `detection` are sets of which one must hold."""

    task: str | None = None
    step: str | None = None
    detections: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    blind_spot: bool | None = None
    after: int | None = None
    before: int | None = None


class NamedSource(msgspec.Struct):
    """A source by all the names its files came under, with the digest and the bytes of the largest."""

    id: str
    format: str
    name: str
    sha256: str
    bytes: int
    names: tuple[str, ...]


class SourceRow(msgspec.Struct):
    """A source, reconciled from each record's home: `read = accepted + duplicate + rejected` whatever was imported first."""

    id: str
    format: str
    name: str
    sha256: str
    bytes: int
    first: int | None
    last: int | None
    read: int
    accepted: int
    duplicate: int
    rejected: int
    names: tuple[str, ...]
    unknown_types: dict[str, int]


class RecordRow(msgspec.Struct):
    """A record: the reference of the variant that speaks, where else it was seen, and the digests it also came with.

    `told` says of each digest whether it is a copy, and in whose voice it tells.
    """

    id: str
    ref: RecordRef
    also: tuple[RecordRef, ...]
    variants: tuple[RecordRef, ...]
    type: str
    at: int | None
    unknown_type: str = ""
    secrets: tuple[str, ...] = ()
    told: dict[str, tuple[bool, str]] = msgspec.field(default_factory=dict)


class RawRow(msgspec.Struct):
    """One stored record as a rebuild reads it; `speaks` is false for a variant whose events do not count."""

    id: str
    digest: str
    raw: bytes
    line: int
    index: int | None
    offset: int
    speaks: bool


class PointRow(msgspec.Struct):
    """What was seen of one enforcement point from one vantage; `decides` when it answered at least one request."""

    point: str
    vantage: str
    decides: bool
    records: int
    events: int
    first: int | None
    last: int | None


class HeardState(msgspec.Struct, frozen=True):
    """A moment up to which what was heard of a point is kept, and how many sightings that were."""

    point: str
    until: int
    records: int


class ShareRow(msgspec.Struct, frozen=True):
    """How many actions there were under one name, and how many of these were governed."""

    name: str
    sums: Sums
    first: int | None
    last: int | None


class HabitRow(msgspec.Struct, frozen=True):
    """What an agent did in a repository by one tool and verb in one week."""

    agent: str
    repository: str
    tool: str
    verb: str
    week: str
    sums: Sums
    burst: int
    first: int | None
    last: int | None


class PairRow(msgspec.Struct, frozen=True):
    """An agent in a repository: its tasks there, when the first and the last of them began."""

    agent: str
    repository: str
    tasks: int
    first: int | None
    last: int | None


class ShareSumRow(msgspec.Struct, frozen=True):
    """The governed actions of an agent in a repository in one week."""

    agent: str
    repository: str
    week: str
    sums: Sums


class RiskRow(msgspec.Struct, frozen=True):
    """The tasks of an agent in a repository that have one risk; of severities and blind spots, how many tasks have any."""

    agent: str
    repository: str
    risk: int
    tasks: int
    critical: int
    high: int
    medium: int
    low: int
    blind_spots: int


class FindingHour(msgspec.Struct, frozen=True):
    """How many findings of one severity lie in an hour (since the epoch, UTC; None where it is not known)."""

    hour: int | None
    severity: str
    blind_spot: bool
    findings: int


class WaitingRow(msgspec.Struct, frozen=True):
    """What waits for a reviewer: never judged, reopened, and of the former the oldest and how many began when."""

    open: int
    reopened: int
    undated: int
    oldest: int | None
    since: tuple[int, ...]


class VersionRow(msgspec.Struct, frozen=True):
    """A version of its `software` or `policy` that a point was seen to run, in how many records, and when."""

    point: str
    kind: str
    version: str
    seen: int
    first: int | None
    last: int | None


class IdentityRow(msgspec.Struct):
    """A principal as logged, where it was seen and how often."""

    principal: str
    points: tuple[str, ...]
    events: int
    first: int | None
    last: int | None


class StepRow(msgspec.Struct):
    """A step as a list shows it."""

    id: str
    task: str
    n: int
    at: int | None
    verb: str
    target: str
    title: str
    recorded: str
    disputed: bool


class SearchHit(msgspec.Struct):
    """A step that holds the searched words (`step` "" when the task's own title does) and the text around them."""

    task: str
    step: str
    snippet: str


class JournalCheck(msgspec.Struct):
    """Whether a journal is whole; `seq` and `problem` name the first entry that is not."""

    ok: bool
    entries: int
    head: str
    seq: int = 0
    problem: str = ""
