"""What people leave behind: verdicts, exceptions, comments, policy versions and the journals. Append-only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from model.words import VerdictWord

Scope = Literal["finding", "task", "repository", "agent"]
"""How far an accepted risk reaches."""


class Verdict(msgspec.Struct, omit_defaults=True):
    """A reviewer's judgement of a task, step or finding; `evidence` is the evidence digest it was given on.

    `by` is the identity that acted (the database role or the OS user), `reviewer` the name it is kept under; they differ
    where one was asserted. `critical` says that a second reviewer has to agree, `own` that the agent acted for whoever gave
    it. A row with `withdraws` takes back the verdict of that number and judges nothing itself. One with `origin` was given in
    another store, which that names, and is kept as its export asserts it.
    """

    subject: str
    kind: str
    verdict: VerdictWord
    reason: str
    reviewer: str
    at: int
    task: str = ""
    evidence: str = ""
    asserted: bool = False
    seq: int = 0
    by: str = ""
    critical: bool = False
    own: bool = False
    withdraws: int = 0
    origin: str = ""

    @property
    def identity(self) -> str:
        """Who acted; rows from before it was kept apart know the reviewer alone."""
        return self.by or self.reviewer


class ExceptionRecord(msgspec.Struct, omit_defaults=True):
    """An accepted risk: owner, scope, ticket, expiry; it shows how many findings it hides.

    It holds for `finding` or, by its `scope`, for every finding of the same `detection` in one task, in one repository or by
    one agent, which `where` names. A row with `withdraws` ends the exception of that number before its time.
    """

    finding: str
    owner: str
    ticket: str
    expires: int
    reason: str
    by: str
    at: int
    seq: int = 0
    scope: Scope = "finding"
    detection: str = ""
    where: str = ""
    withdraws: int = 0


class _Withdrawable(Protocol):
    """A row that may be taken back by a later one."""

    @property
    def at(self) -> int: ...
    @property
    def seq(self) -> int: ...
    @property
    def withdraws(self) -> int: ...


_Row = TypeVar("_Row", bound=_Withdrawable)


def standing_rows(rows: Iterable[_Row], until: int | None = None) -> list[_Row]:
    """The rows that count: those given by `until`, where that is stated, and not withdrawn by then."""
    given = [row for row in rows if until is None or row.at <= until]
    withdrawn = {row.withdraws for row in given if row.withdraws}
    return [row for row in given if not row.withdraws and row.seq not in withdrawn]


class Comment(msgspec.Struct, frozen=True, omit_defaults=True, tag="comment"):
    """What a person said of a task, step or finding, in Markdown."""

    subject: str
    kind: str
    task: str
    text: str
    by: str
    at: int
    seq: int = 0


class Assignment(msgspec.Struct, frozen=True, omit_defaults=True, tag="assignment"):
    """Who looks after a task from `at` on; nobody where `to` is ""."""

    subject: str
    to: str
    by: str
    at: int
    reason: str = ""
    seq: int = 0


class SignedScope(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a sign-off is about: frameworks by id, the ends of the period (None open) and the moment, in microseconds UTC.

    `state` is the digest of the evidence and the findings that the signer had before them, "" where it was not kept.
    """

    frameworks: tuple[str, ...]
    as_of: int
    start: int | None = None
    end: int | None = None
    state: str = ""


class Attestation(msgspec.Struct, frozen=True, omit_defaults=True, tag="attestation"):
    """What a person states by hand of a control of a framework, or, without one, as the sign-off of the review.

    `about` says what a sign-off is about; without it only its text does. `evidence` points to what it rests on (a document, a ticket), `expires` (microseconds UTC) says until when it holds, 0 without
    end. A row with `withdraws` takes back the one of that number and states nothing itself; its `text` is why.
    """

    framework: str
    control: str
    text: str
    by: str
    at: int
    seq: int = 0
    reviewer: str = ""
    asserted: bool = False
    evidence: str = ""
    expires: int = 0
    withdraws: int = 0
    about: SignedScope | None = None

    @property
    def subject(self) -> str:
        return f"{self.framework}:{self.control}" if self.framework else "sign-off"


class Remedy(msgspec.Struct, frozen=True, omit_defaults=True, tag="remedy"):
    """How a finding is put right: why it came about, who sees to it until when (microseconds UTC, 0 open), and what shows it done.

    `closure` points to that evidence (a change, a ticket, a document), "" while it is not done. A later row for the same finding
    holds in place of this one. It judges nothing: the finding stays what its verdict makes of it.
    """

    finding: str
    task: str
    cause: str
    owner: str
    due: int
    closure: str
    by: str
    at: int
    seq: int = 0

    @property
    def subject(self) -> str:
        return self.finding


class Sample(msgspec.Struct, frozen=True, omit_defaults=True, tag="sample"):
    """Tasks drawn for review: from how many, by which method and seed, so that anybody can draw them again."""

    filter: str
    method: str
    seed: str
    size: int
    population: int
    population_digest: str
    drawn: tuple[str, ...]
    by: str
    at: int
    reason: str = ""
    seq: int = 0

    @property
    def subject(self) -> str:
        return "sample"


Statement = Comment | Assignment | Attestation | Remedy | Sample
"""What people say without judging; each kind is a row of the same table."""


class PolicyFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file of a saved policy; `layer` is the program's own word for where it is read from, "" where there are none."""

    name: str
    text: str
    layer: str = ""


class PolicyVersion(msgspec.Struct, omit_defaults=True):
    """A saved policy: text, digest, author and reason.

    `files` are those of an agent's own rules, in the order of their layers, and then `text` is the first of them. `dry_run`
    is what it would have done when it was saved, without flips: under `recorded` and `previous` (the version before, null
    where there is none) a summary each, and in `history` what it was computed on. `revision` is what a decision log calls it.
    """

    name: str
    version: int
    format: str
    sha256: str
    text: str
    author: str
    reason: str
    at: int
    files: tuple[PolicyFile, ...] = ()
    dry_run: dict[str, Any] = msgspec.field(default_factory=dict)
    revision: str = ""


class Promotion(msgspec.Struct, omit_defaults=True):
    """From `at` on this version of a policy is in force, at one enforcement point or, with "", wherever nothing else is said."""

    name: str
    version: int
    turn: Literal["promote", "rollback"]
    reason: str
    by: str
    at: int
    point: str = ""
    seq: int = 0


class JournalEntry(msgspec.Struct, omit_defaults=True):
    """One link of a journal's hash chain: `head` = SHA-256 over the previous head and the canonical body."""

    seq: int
    at: int
    who: str
    what: str
    body: str
    head: str
