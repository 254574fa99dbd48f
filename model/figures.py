"""What is counted of a task while it is built, so that shares, rates and baselines are sums and never scans of all steps."""

from __future__ import annotations

import msgspec

from model.words import Verb


class Distance(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far from an action its decision was taken.

    `seconds` runs from the verdict to the call, clock skew taken off: below zero the call came first. `hops` counts the
    links between the two records, 0 for one record; None where none leads there. `same_host` is None where either side
    names no host.
    """

    point: str
    seconds: float | None = None
    hops: int | None = None
    same_host: bool | None = None


class Burst(msgspec.Struct, frozen=True):
    """The most that was done within one minute: how many actions, and when the first of them began."""

    actions: int
    at: int


class Tally(msgspec.Struct, frozen=True, array_like=True):
    """The actions of one task for one owner in one week by one tool and verb.

    `week` is that of ISO 8601 (`2026-W12`, UTC), "" where no time is known. `decided` counts actions with a verdict on
    record, `allowed` and `refused` those it let through or not; `held` those that used a credential, `bound` those whose
    credential was issued to this task with an end; `confirmed` those whose target saw them. `burst` is the most of them
    within one minute. `waited` sums the microseconds between verdict and call, whichever came first, over `timed` decisions; `near` and `far` count
    decisions taken on the action's own host and on another.
    """

    owner: str
    week: str
    verb: str
    tool: str
    actions: int
    decided: int
    allowed: int
    refused: int
    held: int
    bound: int
    confirmed: int
    burst: int
    timed: int
    waited: int
    near: int
    far: int
    first: int | None
    last: int | None


class Sums(msgspec.Struct, frozen=True, array_like=True):
    """Sums of tallies, under the same names."""

    actions: int = 0
    decided: int = 0
    allowed: int = 0
    refused: int = 0
    held: int = 0
    bound: int = 0
    confirmed: int = 0
    timed: int = 0
    waited: int = 0
    near: int = 0
    far: int = 0

    def plus(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))


class Version(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A version an enforcement point was seen to run in one task: of its `software`, or of the `policy` it decided by."""

    point: str
    kind: str
    version: str
    seen: int
    first: int | None
    last: int | None


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """A step the agent calls done and whose effect nobody saw.

    `value` is the act's `verb|target` as targets' records are filed, `start` and `end` its time on the agents' clock.
    """

    step: str
    value: str
    verb: Verb
    start: int
    end: int


_APART = 10_000


def apart(difference: int) -> int:
    """How far two clocks are apart as it is counted: whole hundredths of a second, in microseconds, so that there are few however many pairs."""
    return (difference + _APART // 2) // _APART * _APART
