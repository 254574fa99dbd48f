"""The part of the report as data that tells of one finding: what was seen, what it rests on, what people said of it."""

from __future__ import annotations

import msgspec


class Evidence(msgspec.Struct):
    source: str
    name: str
    line: int
    index: int | None
    offset: int
    digest: str


class Judgement(msgspec.Struct):
    at: str | None
    verdict: str
    reviewer: str
    reason: str
    asserted: bool
    self_review: bool


class Link(msgspec.Struct):
    """A finding's chain as it stands in the population; `absent` names the links of which nothing was recorded."""

    intent: str
    decision: str
    credential: str
    action: str
    effect: str
    absent: list[str]


class Accepted(msgspec.Struct):
    owner: str
    ticket: str
    expires: str | None
    expired: bool
    reason: str
    by: str
    at: str | None


class Remedied(msgspec.Struct):
    """How a person says a finding is put right; `closure` is what shows it done, `overdue` that nothing did when it was due, as of the report."""

    cause: str
    owner: str
    due: str | None
    overdue: bool
    closure: str
    by: str
    at: str | None


class FindingEntry(msgspec.Struct):
    id: str
    detection: str
    title: str
    severity: str
    state: str
    group: str
    task: str
    agent: str
    principal: str
    step: str
    at: str | None
    why: str
    relevance: str
    controls: list[str]
    evidence: list[Evidence]
    evidence_digest: str
    chain: Link | None
    history: list[Judgement]
    exception: Accepted | None
    remedy: Remedied | None = None
