"""What a policy in force says of a step, and where what happened is another thing."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from model.words import Effect


class Expected(msgspec.Struct, frozen=True):
    """What the policy in force says of one step; UNKNOWN with the reason where that cannot be said exactly.

    `record` is the settings file's own record, "" for a policy saved in the store; `certain` says that it is known since
    when it was in force.
    """

    point: str
    effect: Effect
    rule: str = ""
    policy: str = ""
    record: str = ""
    why: str = ""
    certain: bool = True


class Conformance(StrEnum):
    """How what happened stands to what the policy says."""

    AGREES = "agrees"
    EXECUTED = "executed although denied"
    NOT_ASKED = "not asked although it says ask"
    ASKED = "asked although allowed"
    REFUSED = "refused although allowed"
    UNKNOWN = "cannot judge"


class Compared(msgspec.Struct, frozen=True):
    """One step held against the policy in force; `why` says what was seen, or what is missing."""

    step: str
    kind: Conformance
    expected: Expected
    why: str
