"""The part of the report as data that tells what was covered: sources, enforcement points, limits."""

from __future__ import annotations

import msgspec


class Source(msgspec.Struct):
    id: str
    name: str
    format: str
    sha256: str
    bytes: int
    first: str | None
    last: str | None
    read: int
    accepted: int
    duplicate: int
    rejected: int
    reconciled: bool
    events: int
    points: list[str]
    reject_reasons: dict[str, int]
    unknown_types: dict[str, int]
    zone_assumed: int
    skew_seconds: str
    note: str


class Window(msgspec.Struct):
    start: str
    end: str


class Point(msgspec.Struct):
    """What was seen of one enforcement point; `bar` places it within the period in thousandths."""

    point: str
    vantage: str
    scope: str
    decides: bool
    start: str
    end: str
    records: int
    gaps: list[Window]
    bar: list[list[int]]


class Expected(msgspec.Struct):
    """An enforcement point the organisation says exists and of which nothing was imported."""

    id: str
    vantage: str
    scope: str
    since: str


class Limit(msgspec.Struct):
    """Something that could not be judged: `kind` unattributed, outside period, cannot judge, missing fact,
    not reported or raw record no longer kept.
    """

    kind: str
    name: str
    count: int


class Coverage(msgspec.Struct):
    sources: list[Source]
    points: list[Point]
    expected: list[Expected]
    limits: list[Limit]
