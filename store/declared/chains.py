"""What is stitched and judged: tasks, steps, findings, credentials, coverage, and the sums the screens read. Rebuilt at any time."""

from __future__ import annotations

from sqlalchemy import Index, text

from store.declared.fields import PACKED, Base, bytes_column, number_column, serial_column, text_column

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

    id: str = text_column(key=True)
    scope: str = text_column()
    title: str = text_column()
    agent: str = text_column()
    principal: str = text_column()
    on_behalf_of: str = text_column()
    repository: str = text_column()
    environment: str = text_column()
    started: int = number_column()
    ended: int | None = number_column(None)
    steps: int = number_column()
    events: int = number_column()
    risk: int = number_column()
    findings: int = number_column()
    critical: int = number_column()
    high: int = number_column()
    medium: int = number_column()
    low: int = number_column()
    blind_spots: int = number_column()
    detections: str = text_column()
    vantages: str = text_column()
    points: str = text_column()
    parent: str = text_column()
    depth: int = number_column()
    evidence: str = text_column()
    state: str = text_column("open")
    verdict: str = text_column()
    reviewer: str = text_column()
    reviewed_at: int | None = number_column(None)
    hidden: int = number_column()
    assignee: str = text_column()


class TaskBodyTable(Base, table=True):
    """The task in full, its intents, links and records: apart, so that walking the queue reads short rows."""

    __tablename__ = "task_body"

    task_id: str = text_column(key=True)
    body: bytes = bytes_column()
    extra: bytes = bytes_column()


class StepTable(Base, table=True):
    __tablename__ = "step"
    __table_args__ = (Index("ix_step_task", "task_id", "n"),)

    id: str = text_column(key=True)
    task_id: str = text_column()
    n: int = number_column()
    at: int | None = number_column(None)
    verb: str = text_column()
    target: str = text_column()
    title: str = text_column()
    recorded: str = text_column()
    disputed: bool = False
    body: bytes = bytes_column()


class RequestTable(Base, table=True):
    """What replay reads of each step, in short rows of its own: when, what policy answered, and which request it was."""

    __tablename__ = "request"
    __table_args__ = (PACKED,)

    task_id: str = text_column(key=True)
    shape: bytes = bytes_column(key=True)
    step_id: str = text_column(key=True)
    at: int | None = number_column(None)
    answered: str = text_column()


class ShapeTable(Base, table=True):
    """Each distinct request once, packed, under the digest it is named by."""

    __tablename__ = "shape"

    digest: bytes = bytes_column(key=True)
    request: bytes = bytes_column()


class StepChangeTable(Base, table=True):
    """Which tasks' steps a transaction changed; its number and token name the state of the steps after it."""

    __tablename__ = "step_change"
    __table_args__ = (PACKED,)

    seq: int = number_column(key=True)
    task_id: str = text_column(key=True)
    token: str = text_column()


class TallyTable(Base, table=True):
    """What a task's actions add up to, as `model.figures.Tally` says; unknown times are NULL."""

    __tablename__ = "tally"
    __table_args__ = (Index("ix_tally_owner", "owner", "task_id"), PACKED)

    task_id: str = text_column(key=True)
    owner: str = text_column(key=True)
    week: str = text_column(key=True)
    verb: str = text_column(key=True)
    tool: str = text_column(key=True)
    actions: int = number_column()
    decided: int = number_column()
    allowed: int = number_column()
    refused: int = number_column()
    held: int = number_column()
    bound: int = number_column()
    confirmed: int = number_column()
    burst: int = number_column()
    timed: int = number_column()
    waited: int = number_column()
    near: int = number_column()
    far: int = number_column()
    first: int | None = number_column(None)
    last: int | None = number_column(None)


class ClaimTable(Base, table=True):
    """What agents call done and nobody confirmed, by its `verb|target` and when it began."""

    __tablename__ = "claim"
    __table_args__ = (Index("ix_claim_task", "task_id"), PACKED)

    value: str = text_column(key=True)
    at: int = number_column(key=True)
    step_id: str = text_column(key=True)
    task_id: str = text_column()


class ConformanceTable(Base, table=True):
    """Steps held against the policy in force: each that is another thing, and of the others (`step_id` "") how many and why."""

    __tablename__ = "conformance"
    __table_args__ = (PACKED,)

    task_id: str = text_column(key=True)
    policy: str = text_column(key=True)
    point: str = text_column(key=True)
    kind: str = text_column(key=True)
    why: str = text_column(key=True)
    step_id: str = text_column(key=True)
    steps: int = number_column()
    at: int | None = number_column(None)
    body: bytes = bytes_column()


class VersionTable(Base, table=True):
    """The versions of its software and of its policy that a point was seen to run in a task."""

    __tablename__ = "point_version"
    __table_args__ = (PACKED,)

    task_id: str = text_column(key=True)
    point: str = text_column(key=True)
    kind: str = text_column(key=True)
    version: str = text_column(key=True)
    seen: int = number_column()
    first: int | None = number_column(None)
    last: int | None = number_column(None)


class TaskTeamTable(Base, table=True):
    """The teams whose a task is: the owners of what it worked in and on, "" where none is known; see `store.teams`."""

    __tablename__ = "task_team"
    __table_args__ = (Index("ix_task_team_team", "team", "task_id"), PACKED)

    task_id: str = text_column(key=True)
    team: str = text_column(key=True)


class FindingTable(Base, table=True):
    """`rank` is the severity as a number, critical 0."""

    __tablename__ = "finding"
    __table_args__ = (
        Index("ix_finding_task", "task_id"),
        Index("ix_finding_rank", "blind_spot", "rank", "detection", "id"),
        Index("ix_finding_detection", "blind_spot", "detection", "task_id"),
    )

    id: str = text_column(key=True)
    detection: str = text_column()
    rank: int = 0
    blind_spot: bool = False
    task_id: str = text_column()
    step_id: str = text_column()
    at: int | None = number_column(None)
    body: bytes = bytes_column()


class CredentialTable(Base, table=True):
    __tablename__ = "credential"

    id: str = text_column(key=True)
    key: str = text_column(index=True)
    kind: str = text_column()
    issuer: str = text_column()
    subject: str = text_column()
    flags: str = text_column()
    last_use: int | None = number_column(None)
    body: bytes = bytes_column()


class CredentialTaskTable(Base, table=True):
    __tablename__ = "credential_task"
    __table_args__ = (Index("ix_credential_task_task", "task_id"), PACKED)

    credential_id: str = text_column(key=True)
    task_id: str = text_column(key=True)


class CoverageTable(Base, table=True):
    __tablename__ = "coverage"

    seq: int = serial_column()
    point: str = text_column()
    vantage: str = text_column()
    scope: str = text_column()
    started: int = number_column()
    body: bytes = bytes_column()


class HeardTable(Base, table=True):
    """What was heard of a point up to some moments (`chains.heard`), so that a build reads only what it has heard since."""

    __tablename__ = "heard"

    point: str = text_column(key=True)
    until: int = number_column(key=True)
    records: int = number_column()
    body: bytes = bytes_column()


class ShareSumTable(Base, table=True):
    """Tallies added up by agent, repository and week, kept while tasks are written, so that no figure needs all tallies."""

    __tablename__ = "share_sum"
    __table_args__ = (PACKED,)

    agent: str = text_column(key=True)
    repository: str = text_column(key=True)
    week: str = text_column(key=True)
    actions: int = number_column()
    decided: int = number_column()
    allowed: int = number_column()
    refused: int = number_column()
    held: int = number_column()
    bound: int = number_column()
    confirmed: int = number_column()
    timed: int = number_column()
    waited: int = number_column()
    near: int = number_column()
    far: int = number_column()


class RiskSumTable(Base, table=True):
    """Tasks counted by agent, repository and risk; the columns of severities and blind spots count tasks that have any."""

    __tablename__ = "risk_sum"
    __table_args__ = (PACKED,)

    agent: str = text_column(key=True)
    repository: str = text_column(key=True)
    risk: int = number_column(key=True)
    tasks: int = number_column()
    critical: int = number_column()
    high: int = number_column()
    medium: int = number_column()
    low: int = number_column()
    blind_spots: int = number_column()


class FindingSumTable(Base, table=True):
    """Findings counted by hour (since the epoch, UTC), severity and whether they are blind spots; an unknown hour sorts first."""

    __tablename__ = "finding_sum"
    __table_args__ = (PACKED,)

    hour: int = number_column(key=True)
    rank: int = number_column(key=True)
    blind_spot: int = number_column(key=True)
    findings: int = number_column()


class ClockSumTable(Base, table=True):
    """How often a point's clock was so far apart from an agent's, in microseconds (`model.figures.apart`), over all tasks."""

    __tablename__ = "clock_sum"

    point: str = text_column(key=True)
    apart: int = number_column(key=True)
    pairs: int = number_column()


class CredentialSumTable(Base, table=True):
    """Credentials counted by how they are bound (`task`, `standing`, `other`, `unknown`) and by their flags."""

    __tablename__ = "credential_sum"
    __table_args__ = (PACKED,)

    bond: str = text_column(key=True)
    flags: str = text_column(key=True)
    credentials: int = number_column()


class WordPairTable(Base, table=True):
    """An event that says, in words that stand once on either side, what one call of an agent's does, and its time less the call's."""

    __tablename__ = "word_pair"
    __table_args__ = (PACKED,)

    event_id: str = text_column(key=True)
    point: str = text_column()
    apart: int = number_column()


class SearchDocTable(Base, table=True):
    """One searchable text for each step, and one for each task (`step_id` ""); its tokens live in `search_fts`."""

    __tablename__ = "search_doc"

    id: int = serial_column()
    task_id: str = text_column(index=True)
    step_id: str = text_column()
    n: int = number_column()
    text: str = text_column()
