"""What people leave behind: verdicts, exceptions, policy versions and the journal. Append-only."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from model.words import VerdictWord


class Verdict(msgspec.Struct, omit_defaults=True):
    """A reviewer's judgement of a task, step or finding; `evidence` is the evidence digest it was given on."""

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


class ExceptionRecord(msgspec.Struct, omit_defaults=True):
    """An accepted risk: owner, scope, ticket, expiry; it shows how many findings it hides."""

    finding: str
    owner: str
    ticket: str
    expires: int
    reason: str
    by: str
    at: int
    seq: int = 0


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
    """One link of the review journal's hash chain: `head` = SHA-256 over the previous head and the canonical body."""

    seq: int
    at: int
    who: str
    what: str
    body: str
    head: str
