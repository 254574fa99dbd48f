"""Every table, declared once with SQLModel; SQLAlchemy Core moves the rows (`store.tables`).

Three layers: evidence (append-only), derived (rebuilt from evidence at any time) and human (append-only, refused
otherwise by triggers). Text compares by code point on every database. Times are microseconds since the epoch, UTC.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Index, LargeBinary, MetaData, text
from sqlmodel import Field, SQLModel

from store.columns import Serial, Words


def _text(default: str = "", *, key: bool = False, index: bool = False) -> Any:
    return Field(default=default, sa_type=Words, primary_key=key, index=index)


def _optional_text() -> Any:
    return Field(default=None, sa_type=Words)


def _number(default: int | None = 0, *, key: bool = False) -> Any:
    return Field(default=default, sa_type=BigInteger, primary_key=key, sa_column_kwargs={"autoincrement": False} if key else {})


def _serial() -> Any:
    return Field(default=0, sa_type=Serial, primary_key=True, sa_column_kwargs={"autoincrement": False})


def _bytes(*, key: bool = False, index: bool = False) -> Any:
    return Field(default=b"", sa_type=LargeBinary, primary_key=key, index=index)


def _optional_bytes() -> Any:
    return Field(default=None, sa_type=LargeBinary)


_PACKED = {"sqlite_with_rowid": False}


class Base(SQLModel):
    metadata = MetaData()


class MetaTable(Base, table=True):
    __tablename__ = "meta"

    key: str = _text(key=True)
    value: str = _text()


# evidence


class SourceTable(Base, table=True):
    __tablename__ = "source"

    id: str = _text(key=True)
    format: str = _text()
    name: str = _text()
    sha256: str = _text()
    bytes: int = _number()


class SourceFileTable(Base, table=True):
    """Custody: every import of a file. The one table whose content tells what was imported when, and by whom."""

    __tablename__ = "source_file"

    seq: int = _serial()
    source_id: str = _text(index=True)
    name: str = _text()
    path: str = _text()
    sha256: str = _text()
    bytes: int = _number()
    at: int = _number()
    by: str = _text()
    note: str = _text()
    complete: bool = False


class BookmarkTable(Base, table=True):
    """Where a file that may grow is read on: the importer's own notes, which cost only a longer import where they are lost."""

    __tablename__ = "bookmark"

    id: str = _text(key=True)
    source_id: str = _text()
    body: bytes = _bytes()


class AlertTable(Base, table=True):
    """Findings somebody was alerted to, and when, in microseconds; kept when chains are built again."""

    __tablename__ = "alert"

    finding_id: str = _text(key=True)
    at: int = _number()


class BlockTable(Base, table=True):
    """Redacted raw bytes of many records, one after the other, compressed; `digest` is of the bytes before compression."""

    __tablename__ = "block"

    id: int = _serial()
    size: int = _number()
    digest: bytes = _bytes()
    data: bytes = _bytes()


class DroppedBlockTable(Base, table=True):
    """The tombstone of a block of raw bytes that is no longer kept: what it was, of how many records and from when.

    `before` is the moment that the records were older than; `at` is when they were dropped, `by` whom.
    """

    __tablename__ = "dropped_block"

    id: int = _serial()
    size: int = _number()
    digest: bytes = _bytes()
    records: int = _number()
    first: int | None = _number(None)
    last: int | None = _number(None)
    before: int = _number()
    at: int = _number()
    by: str = _text()


class RecordTable(Base, table=True):
    """One record: its home (source, name, line, idx, start) and its bytes (block, block_start, length).

    `idx` is 0 outside arrays. Of records with one id and several digests the smallest digest `speaks`, a `copied` one
    last: `events` are the ids of its events, separated by blanks.
    """

    __tablename__ = "record"
    __table_args__ = (Index("ix_record_home", "source_id", "line", "idx"),)

    id: str = _text(key=True)
    digest: bytes = _bytes(key=True, index=True)
    source_id: str = _text()
    name: str = _text()
    line: int = _number()
    idx: int = _number()
    start: int = _number()
    length: int = _number()
    block_id: int = _number()
    block_start: int = _number()
    at: int | None = _number(None)
    type: str = _text()
    unknown_type: str = _text()
    secrets: str = _text()
    speaks: bool = True
    events: str = _text()
    copied: bool = False


class RecordAlsoTable(Base, table=True):
    """Where else a record was seen; its home, the smallest place, is not among them."""

    __tablename__ = "record_also"
    __table_args__ = (Index("ix_record_also_source", "source_id"), _PACKED)

    id: str = _text(key=True)
    digest: bytes = _bytes(key=True)
    source_id: str = _text(key=True)
    line: int = _number(key=True)
    idx: int = _number(key=True)
    name: str = _text(key=True)
    start: int = _number(key=True)


class RejectTable(Base, table=True):
    __tablename__ = "reject"
    __table_args__ = (_PACKED,)

    source_id: str = _text(key=True)
    line: int = _number(key=True)
    idx: int = _number(key=True)
    start: int = _number(key=True)
    name: str = _text(key=True)
    digest: str = _text(key=True)
    reason: str = _text()


# derived


class EventTable(Base, table=True):
    """`task_id` is NULL until stitching has looked at the event, "" when it belongs to no task.

    `seq` grows with every row written, so that what a build has not seen is what lies beyond a number.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index(
            "ix_event_task",
            "task_id",
            "at",
            "id",
            sqlite_where=text("task_id IS NOT NULL"),
            postgresql_where=text("task_id IS NOT NULL"),
        ),
        Index("ix_event_id", "id", unique=True),
    )

    seq: int = _serial()
    id: str = _text()
    record_id: str = _text()
    ordinal: int = 0
    kind: str = _text()
    phase: str = _text()
    vantage: str = _text()
    point: str = _text()
    at: int | None = _number(None)
    principal: str = _text()
    verb: str = _text()
    task_id: str | None = _optional_text()
    links: bytes | None = _optional_bytes()
    body: bytes = _bytes()


class EventKeyTable(Base, table=True):
    """Which events carry a key: `name` is the hash of `kind:value`, `at` the event's time (unknown sorts last)."""

    __tablename__ = "event_key"
    __table_args__ = (_PACKED,)

    name: int = _number(key=True)
    at: int = _number(key=True)
    event_id: str = _text(key=True)


class ScopeEdgeTable(Base, table=True):
    """Two scope keys that events name together, and how many events do."""

    __tablename__ = "scope_edge"
    __table_args__ = (Index("ix_scope_edge_b", "b"), _PACKED)

    a: str = _text(key=True)
    b: str = _text(key=True)
    events: int = _number()


class ScopeAliasTable(Base, table=True):
    """The strongest name of every scope key that has another; scope keys that stand alone have no row."""

    __tablename__ = "scope_alias"

    name: str = _text(key=True)
    root: str = _text(index=True)


class PointTable(Base, table=True):
    """What was seen of each enforcement point, kept up to date as events come and go."""

    __tablename__ = "point"

    point: str = _text(key=True)
    vantage: str = _text(key=True)
    records: int = _number()
    events: int = _number()
    verdicts: int = _number()
    first: int | None = _number(None)
    last: int | None = _number(None)


class SightingTable(Base, table=True):
    """When each point was seen to be alive, for whom as far as it says, and how many events say so.

    `decided` is the verb of a verdict, else "". `host` and `session` are kept of enforcers only: whose silence means
    absence is asked of nobody else. Unknown times sort last.
    """

    __tablename__ = "sighting"
    __table_args__ = (_PACKED,)

    point: str = _text(key=True)
    at: int = _number(key=True)
    vantage: str = _text(key=True)
    principal: str = _text(key=True)
    host: str = _text(key=True)
    session: str = _text(key=True)
    decided: str = _text(key=True)
    events: int = _number()


class SequenceBreakTable(Base, table=True):
    """An event before which its log's own numbers or hash chain say that something is missing or was changed."""

    __tablename__ = "sequence_break"
    __table_args__ = (_PACKED,)

    event_id: str = _text(key=True)
    point: str = _text()
    at: int = _number()
    missing: int = _number()
    why: str = _text()


class DirtyKeyTable(Base, table=True):
    """Keys whose carriers must be looked at again: an event went away, or a scope got a stronger name.

    `epoch` counts builds begun, so that a build clears only what it saw.
    """

    __tablename__ = "dirty_key"
    __table_args__ = (_PACKED,)

    epoch: int = _number(key=True)
    name: str = _text(key=True)


class DirtyTaskTable(Base, table=True):
    """Tasks that lost, gained or kept an event that was looked at again."""

    __tablename__ = "dirty_task"
    __table_args__ = (_PACKED,)

    epoch: int = _number(key=True)
    task_id: str = _text(key=True)


NARROWED = ("agent", "principal", "repository", "environment", "state", "verdict", "assignee", "vantages")
"""Columns that filters name most, carried along in the index of the first sort: a filter of several is judged there alone."""


class TaskTable(Base, table=True):
    """The queue's columns. Lists are blank-separated and blank-framed; unknown `started` sorts last.

    `hidden` counts the findings that the organisation file has not reported, `assignee` is who is to review it.
    """

    __tablename__ = "task"
    __table_args__ = (
        Index("ix_task_risk", text("risk DESC"), text("started DESC"), "id", *NARROWED),
        Index("ix_task_started", text("started DESC"), "id"),
        Index("ix_task_title", "title", text("started DESC"), "id"),
        Index("ix_task_agent", "agent", text("started DESC"), "id"),
        # Of one person or repository among many the riskiest are found in the index alone, however far down the queue they lie.
        Index("ix_task_principal_risk", "principal", text("started DESC"), "id", "risk"),
        Index("ix_task_repository_risk", "repository", text("started DESC"), "id", "risk"),
        Index("ix_task_environment", "environment", text("started DESC"), "id"),
        Index("ix_task_state", "state", text("started DESC"), "id"),
        Index("ix_task_verdict", "verdict"),
        Index("ix_task_assignee", "assignee"),
        Index("ix_task_vantages", "vantages"),
        Index("ix_task_steps", text("steps DESC"), text("started DESC"), "id"),
        Index("ix_task_findings", text("findings DESC"), text("started DESC"), "id"),
        Index("ix_task_parent", "parent"),
        Index("ix_task_scope", "scope"),
    )

    id: str = _text(key=True)
    scope: str = _text()
    title: str = _text()
    agent: str = _text()
    principal: str = _text()
    on_behalf_of: str = _text()
    repository: str = _text()
    environment: str = _text()
    started: int = _number()
    ended: int | None = _number(None)
    steps: int = _number()
    events: int = _number()
    risk: int = _number()
    findings: int = _number()
    critical: int = _number()
    high: int = _number()
    medium: int = _number()
    low: int = _number()
    blind_spots: int = _number()
    detections: str = _text()
    vantages: str = _text()
    points: str = _text()
    parent: str = _text()
    depth: int = _number()
    evidence: str = _text()
    state: str = _text("open")
    verdict: str = _text()
    reviewer: str = _text()
    reviewed_at: int | None = _number(None)
    hidden: int = _number()
    assignee: str = _text()


class TaskBodyTable(Base, table=True):
    """The task in full, its intents, links and records: apart, so that walking the queue reads short rows."""

    __tablename__ = "task_body"

    task_id: str = _text(key=True)
    body: bytes = _bytes()
    extra: bytes = _bytes()


class StepTable(Base, table=True):
    __tablename__ = "step"
    __table_args__ = (Index("ix_step_task", "task_id", "n"),)

    id: str = _text(key=True)
    task_id: str = _text()
    n: int = _number()
    at: int | None = _number(None)
    verb: str = _text()
    target: str = _text()
    title: str = _text()
    recorded: str = _text()
    disputed: bool = False
    body: bytes = _bytes()


class RequestTable(Base, table=True):
    """What replay reads of each step, in short rows of its own: when, what policy answered, and which request it was."""

    __tablename__ = "request"
    __table_args__ = (_PACKED,)

    task_id: str = _text(key=True)
    shape: bytes = _bytes(key=True)
    step_id: str = _text(key=True)
    at: int | None = _number(None)
    answered: str = _text()


class ShapeTable(Base, table=True):
    """Each distinct request once, packed, under the digest it is named by."""

    __tablename__ = "shape"

    digest: bytes = _bytes(key=True)
    request: bytes = _bytes()


class StepChangeTable(Base, table=True):
    """Which tasks' steps a transaction changed; its number and token name the state of the steps after it."""

    __tablename__ = "step_change"
    __table_args__ = (_PACKED,)

    seq: int = _number(key=True)
    task_id: str = _text(key=True)
    token: str = _text()


class TallyTable(Base, table=True):
    """What a task's actions add up to, as `model.figures.Tally` says; unknown times are NULL."""

    __tablename__ = "tally"
    __table_args__ = (Index("ix_tally_owner", "owner", "task_id"), _PACKED)

    task_id: str = _text(key=True)
    owner: str = _text(key=True)
    week: str = _text(key=True)
    verb: str = _text(key=True)
    tool: str = _text(key=True)
    actions: int = _number()
    decided: int = _number()
    allowed: int = _number()
    refused: int = _number()
    held: int = _number()
    bound: int = _number()
    confirmed: int = _number()
    burst: int = _number()
    timed: int = _number()
    waited: int = _number()
    near: int = _number()
    far: int = _number()
    first: int | None = _number(None)
    last: int | None = _number(None)


class ClaimTable(Base, table=True):
    """What agents call done and nobody confirmed, by its `verb|target` and when it began."""

    __tablename__ = "claim"
    __table_args__ = (Index("ix_claim_task", "task_id"), _PACKED)

    value: str = _text(key=True)
    at: int = _number(key=True)
    step_id: str = _text(key=True)
    task_id: str = _text()


class ConformanceTable(Base, table=True):
    """Steps held against the policy in force: each that is another thing, and of the others (`step_id` "") how many and why."""

    __tablename__ = "conformance"
    __table_args__ = (_PACKED,)

    task_id: str = _text(key=True)
    policy: str = _text(key=True)
    point: str = _text(key=True)
    kind: str = _text(key=True)
    why: str = _text(key=True)
    step_id: str = _text(key=True)
    steps: int = _number()
    at: int | None = _number(None)
    body: bytes = _bytes()


class VersionTable(Base, table=True):
    """The versions of its software and of its policy that a point was seen to run in a task."""

    __tablename__ = "point_version"
    __table_args__ = (_PACKED,)

    task_id: str = _text(key=True)
    point: str = _text(key=True)
    kind: str = _text(key=True)
    version: str = _text(key=True)
    seen: int = _number()
    first: int | None = _number(None)
    last: int | None = _number(None)


class TaskTeamTable(Base, table=True):
    """The teams whose a task is: the owners of what it worked in and on, "" where none is known; see `store.teams`."""

    __tablename__ = "task_team"
    __table_args__ = (Index("ix_task_team_team", "team", "task_id"), _PACKED)

    task_id: str = _text(key=True)
    team: str = _text(key=True)


class FindingTable(Base, table=True):
    """`rank` is the severity as a number, critical 0."""

    __tablename__ = "finding"
    __table_args__ = (
        Index("ix_finding_task", "task_id"),
        Index("ix_finding_rank", "blind_spot", "rank", "detection", "id"),
        Index("ix_finding_detection", "blind_spot", "detection", "task_id"),
    )

    id: str = _text(key=True)
    detection: str = _text()
    rank: int = 0
    blind_spot: bool = False
    task_id: str = _text()
    step_id: str = _text()
    at: int | None = _number(None)
    body: bytes = _bytes()


class CredentialTable(Base, table=True):
    __tablename__ = "credential"

    id: str = _text(key=True)
    key: str = _text(index=True)
    kind: str = _text()
    issuer: str = _text()
    subject: str = _text()
    flags: str = _text()
    last_use: int | None = _number(None)
    body: bytes = _bytes()


class CredentialTaskTable(Base, table=True):
    __tablename__ = "credential_task"
    __table_args__ = (Index("ix_credential_task_task", "task_id"), _PACKED)

    credential_id: str = _text(key=True)
    task_id: str = _text(key=True)


class CoverageTable(Base, table=True):
    __tablename__ = "coverage"

    seq: int = _serial()
    point: str = _text()
    vantage: str = _text()
    scope: str = _text()
    started: int = _number()
    body: bytes = _bytes()


class ShareSumTable(Base, table=True):
    """Tallies added up by agent, repository and week, kept while tasks are written, so that no figure needs all tallies."""

    __tablename__ = "share_sum"
    __table_args__ = (_PACKED,)

    agent: str = _text(key=True)
    repository: str = _text(key=True)
    week: str = _text(key=True)
    actions: int = _number()
    decided: int = _number()
    allowed: int = _number()
    refused: int = _number()
    held: int = _number()
    bound: int = _number()
    confirmed: int = _number()
    timed: int = _number()
    waited: int = _number()
    near: int = _number()
    far: int = _number()


class RiskSumTable(Base, table=True):
    """Tasks counted by agent, repository and risk; the columns of severities and blind spots count tasks that have any."""

    __tablename__ = "risk_sum"
    __table_args__ = (_PACKED,)

    agent: str = _text(key=True)
    repository: str = _text(key=True)
    risk: int = _number(key=True)
    tasks: int = _number()
    critical: int = _number()
    high: int = _number()
    medium: int = _number()
    low: int = _number()
    blind_spots: int = _number()


class FindingSumTable(Base, table=True):
    """Findings counted by hour (since the epoch, UTC), severity and whether they are blind spots; an unknown hour sorts first."""

    __tablename__ = "finding_sum"
    __table_args__ = (_PACKED,)

    hour: int = _number(key=True)
    rank: int = _number(key=True)
    blind_spot: int = _number(key=True)
    findings: int = _number()


class CredentialSumTable(Base, table=True):
    """Credentials counted by how they are bound (`task`, `standing`, `other`, `unknown`) and by their flags."""

    __tablename__ = "credential_sum"
    __table_args__ = (_PACKED,)

    bond: str = _text(key=True)
    flags: str = _text(key=True)
    credentials: int = _number()


class WordPairTable(Base, table=True):
    """An event that says, in words that stand once on either side, what one call of an agent's does, and its time less the call's."""

    __tablename__ = "word_pair"
    __table_args__ = (_PACKED,)

    event_id: str = _text(key=True)
    point: str = _text()
    apart: int = _number()


class SearchDocTable(Base, table=True):
    """One searchable text for each step, and one for each task (`step_id` ""); its tokens live in `search_fts`."""

    __tablename__ = "search_doc"

    id: int = _serial()
    task_id: str = _text(index=True)
    step_id: str = _text()
    n: int = _number()
    text: str = _text()


# human


class VerdictTable(Base, table=True):
    """`anchor` is the scope of the task at the time: it finds the verdict again when late records merge two tasks.

    `withdraws` is the number of the verdict that a row takes back, `actor` who acted: in PostgreSQL always the role logged in.
    """

    __tablename__ = "verdict"
    __table_args__ = (
        Index("ix_verdict_subject", "subject", "seq"),
        Index("ix_verdict_anchor", "anchor"),
        Index("ix_verdict_withdraws", "withdraws"),
    )

    seq: int = _serial()
    subject: str = _text()
    kind: str = _text()
    task_id: str = _text()
    anchor: str = _text()
    body: bytes = _bytes()
    withdraws: int | None = _number(None)
    actor: str = _text()


class ExceptionTable(Base, table=True):
    __tablename__ = "accepted_risk"

    seq: int = _serial()
    finding: str = _text(index=True)
    body: bytes = _bytes()


class PolicyTable(Base, table=True):
    __tablename__ = "policy_version"

    name: str = _text(key=True)
    version: int = _number(key=True)
    body: bytes = _bytes()


class InForceTable(Base, table=True):
    """Which version of a policy is in force from when, `point` by `point`; a row holds until the next of its name and point."""

    __tablename__ = "policy_in_force"

    seq: int = _serial()
    name: str = _text(index=True)
    point: str = _text()
    at: int = _number()
    body: bytes = _bytes()


class StatementTable(Base, table=True):
    """What people say without judging: comments, assignments, attestations, samples (`what`)."""

    __tablename__ = "statement"
    __table_args__ = (Index("ix_statement_subject", "what", "subject", "seq"), Index("ix_statement_task", "task_id"))

    seq: int = _serial()
    what: str = _text()
    subject: str = _text()
    task_id: str = _text()
    body: bytes = _bytes()


class TeamSightTable(Base, table=True):
    """Which team's tasks a login of PostgreSQL sees, where a store is divided by team: "" are those of none, `*` is everything."""

    __tablename__ = "team_sight"
    __table_args__ = (_PACKED,)

    login: str = _text(key=True)
    team: str = _text(key=True)


class JournalTable(Base, table=True):
    """The review journal: everything people decided, as a hash chain."""

    __tablename__ = "journal"

    seq: int = _number(key=True)
    at: int = _number()
    who: str = _text()
    what: str = _text()
    body: str = _text()
    head: str = _text()


class AccessJournalTable(Base, table=True):
    """The access journal: what people opened, revealed, tried and took away, as a hash chain of its own."""

    __tablename__ = "access_journal"

    seq: int = _number(key=True)
    at: int = _number()
    who: str = _text()
    what: str = _text()
    body: str = _text()
    head: str = _text()
