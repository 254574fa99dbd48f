"""What people leave behind: verdicts, exceptions, policy versions and the journal. Append-only."""

from __future__ import annotations

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


class PolicyVersion(msgspec.Struct, omit_defaults=True):
    """A saved policy: text, digest, author and reason."""

    name: str
    version: int
    format: str
    sha256: str
    text: str
    author: str
    reason: str
    at: int


class JournalEntry(msgspec.Struct, omit_defaults=True):
    """One link of the review journal's hash chain: `head` = SHA-256 over the previous head and the canonical body."""

    seq: int
    at: int
    who: str
    what: str
    body: str
    head: str
