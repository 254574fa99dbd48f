"""The report as data: what `report.json` holds and every other format is made from. Times are ISO 8601 in UTC.

The shapes are versioned by SCHEMA_VERSION; `report.schema.json` is generated from them. Ids of findings, controls,
tasks, steps and sources are stable, so that two reports can be compared.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from reports.assessment import Control
from reports.coverage_shapes import Coverage
from reports.difference import Comparison
from reports.exchange import Exchange
from reports.finding_shapes import FindingEntry
from reports.oscal_names import OscalNames

SCHEMA_NAME = "remit-report"
SCHEMA_VERSION = 1


class Period(msgspec.Struct):
    """The period as it was asked for, None where open; `first` and `last` are the moments it reaches from and to."""

    start: str | None
    end: str | None
    first: str = ""
    last: str = ""
    time_zone: str = "UTC"


class Cover(msgspec.Struct):
    organisation: str
    system: str
    period: Period
    as_of: str
    reviewed_until: str
    status: str
    tool: str
    tool_version: str
    editions: list[str]
    tables_digest: str = ""


class Worst(msgspec.Struct):
    id: str
    severity: str
    title: str
    task: str
    state: str
    why: str


class Tallied(msgspec.Struct):
    """How many controls of one framework have each result, in the vocabulary's words."""

    framework: str
    title: str
    results: dict[str, int]


class Summary(msgspec.Struct):
    results: list[Tallied]
    worst: list[Worst]
    limits: list[str]


class DetectorRun(msgspec.Struct):
    id: str
    title: str
    version: int
    severity: str
    params: dict[str, Any]
    needs: list[str]
    lacking: str
    population: str
    units: int
    cannot_judge: int
    findings: int


class ResultMeaning(msgspec.Struct):
    word: str
    threat_word: str
    meaning: str


class Reviewed(msgspec.Struct):
    """One reviewer: verdicts on findings of this report, and how many of them were on the reviewer's own tasks."""

    name: str
    verdicts: int
    own: int
    checked: bool


class InputFile(msgspec.Struct, frozen=True):
    """What went into the pack beside the store: `what` is templates (SHA-256 over the lines of their digests and paths) or since
    (an earlier pack; SHA-256 of its report.json)."""

    what: str
    name: str
    sha256: str


class Term(msgspec.Struct, frozen=True):
    """A word this report uses in a sense of its own."""

    term: str
    meaning: str


class Method(msgspec.Struct):
    linking: list[str]
    meanings: list[ResultMeaning]
    detectors: list[DetectorRun]
    not_run: list[str]
    sampling: str
    reviewers: list[str]
    mapping_note: str
    inputs: list[InputFile] = msgspec.field(default_factory=list)
    terms: list[Term] = msgspec.field(default_factory=list)


class GivenLabel(msgspec.Struct):
    """A label somebody brought, beside the published ids it stands for."""

    given: str
    reference: str
    published: list[str]
    titles: list[str]
    correction: str


class Attested(msgspec.Struct):
    """What a person stated by hand; `evidence` points to what it rests on, `expired` that it no longer holds at as-of."""

    control: str
    who: str
    at: str | None
    text: str
    asserted: bool
    evidence: str
    expires: str | None
    expired: bool


class FrameworkSection(msgspec.Struct):
    id: str
    catalogue: str
    edition: str
    title: str
    publisher: str
    published: str
    reading: str
    attribution: str
    licence: str
    verification: str
    catalogue_sha256: str
    classification: list[str]
    notes: list[str]
    given_labels: list[GivenLabel]
    headings: dict[str, str]
    overlay: str
    licensed: dict[str, str]
    controls: list[Control]
    attestations: list[Attested]
    oscal: OscalNames | None = None


class EditionRow(msgspec.Struct):
    """One entry in two editions with its result in each; "" where an edition has it not."""

    old: str
    old_title: str
    old_word: str
    new: str
    new_title: str
    new_word: str
    change: str


class Editions(msgspec.Struct):
    """Two editions of one catalogue side by side, the older first."""

    old: str
    new: str
    rows: list[EditionRow]


class LeftOff(msgspec.Struct):
    framework: str
    reason: str


class SampleStep(msgspec.Struct):
    step: str
    at: str | None
    verb: str
    target: str
    decision: str
    credential: str
    outcome: str


class Sample(msgspec.Struct):
    task: str
    title: str
    agent: str
    principal: str
    kind: str
    findings: list[str]
    shown: int
    steps: int
    rows: list[SampleStep]


class Signed(msgspec.Struct):
    """A sign-off; `covers` says whether it is about this report's frameworks, period, moment and evidence, null where only its text tells."""

    who: str
    at: str | None
    text: str
    asserted: bool
    covers: bool | None = None


class SignOffSection(msgspec.Struct):
    reviewers: list[str]
    by_reviewer: list[Reviewed]
    separation: str
    self_reviews: list[str]
    signed: list[Signed]
    statement: str


class PolicyEntry(msgspec.Struct):
    name: str
    version: int
    format: str
    sha256: str
    author: str
    at: str | None


class CredentialEntry(msgspec.Struct):
    """A credential's lifeline; `ttl_seconds` is -1 where it was granted without an end, `tasks` are those that held it."""

    id: str
    kind: str
    issuer: str
    subject: str
    issued: str | None
    expires: str | None
    revoked: str | None
    ttl_seconds: int | None
    first_use: str | None
    last_use: str | None
    uses: int
    tasks: list[str]
    flags: list[str]


class Interval(msgspec.Struct):
    """One interval of the period: findings by severity (blind spots apart), steps, and those with a recorded decision."""

    start: str
    findings: dict[str, int]
    steps: int
    decided: int


class Trends(msgspec.Struct):
    """The period in equal intervals; what has no time or lies outside of them is counted under `elsewhere`."""

    width_seconds: int
    intervals: list[Interval]
    findings_elsewhere: int
    steps_elsewhere: int


class AgeClass(msgspec.Struct):
    """How many credentials reached an age of this class, and how many were granted a lifetime of it."""

    label: str
    ages: int
    lifetimes: int


class Since(msgspec.Struct):
    """What changed since an earlier report: in sentences, and as data where one was given to compare with."""

    sentences: list[str]
    comparison: Comparison | None = None


class Annexes(msgspec.Struct):
    configuration: dict[str, str]
    policies: list[PolicyEntry]
    catalogues: dict[str, str]
    crosswalk_checked_on: str
    changes: Since
    verify: list[str]
    rerun: str
    templates: dict[str, str] = msgspec.field(default_factory=dict)


class LeftOutTexts(msgspec.Struct):
    """What this pack leaves out, by which profile, and a sentence for the reader; counts and ids are those of the whole."""

    profile: str
    left_out: list[str]
    why: str


class Report(msgspec.Struct):
    """The whole report. `figures` are the numbers printed in prose and tables; `detail` is summary or full.

    `exchange` is what was set for the machine formats; `records` and `digests` state rows and SHA-256 of the table files; `cover.tables_digest` is what
    `sha256sum *.csv | sha256sum` prints in the pack.
    """

    cover: Cover
    summary: Summary
    coverage: Coverage
    method: Method
    frameworks: list[FrameworkSection]
    editions: list[Editions]
    left_off: list[LeftOff]
    findings: list[FindingEntry]
    credentials: list[CredentialEntry]
    trends: Trends
    credential_ages: list[AgeClass]
    samples: list[Sample]
    sign_off: SignOffSection
    annexes: Annexes
    figures: dict[str, int]
    exchange: Exchange = Exchange()
    redaction: LeftOutTexts | None = None
    records: dict[str, int] = msgspec.field(default_factory=dict)
    digests: dict[str, str] = msgspec.field(default_factory=dict)
    detail: str = "summary"
    schema: str = SCHEMA_NAME
    schema_version: int = SCHEMA_VERSION


@cache
def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of `report.json`."""
    schema = msgspec.json.schema(Report)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$id"] = f"urn:remit:report:{SCHEMA_VERSION}"
    schema["title"] = "Remit report"
    return schema
