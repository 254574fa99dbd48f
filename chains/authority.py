"""The answer to what an agent was authorised to do at one moment: the question Remit is named for."""

from __future__ import annotations

import msgspec

from model.chain import Credential, Intent, Step
from model.words import Effect


class Cursor(msgspec.Struct, frozen=True):
    """The moment asked about, in microseconds UTC, and the number of the step it stands on (0: on none).

    On a step everything counts up to and including that step, whatever the clocks say of it.
    """

    at: int | None
    step: int = 0


class Stated(msgspec.Struct, frozen=True):
    """What a record stated, and which."""

    value: str
    at: int | None
    by: str
    event: str
    record: str


class PolicyInForce(msgspec.Struct, frozen=True):
    """The policy a decider last answered from, by its name and the revision of its bundle ("" where not stated)."""

    by: str
    policy: str
    revision: str
    at: int | None
    event: str
    record: str


class Grant(msgspec.Struct, frozen=True):
    """A credential at the moment: `left` is what its life has left in microseconds, None where no end is known.

    `standing` never expires; `bound` says that it was issued to this very task with an end; `since` when the task is first
    seen with it. `why` says what makes it uncertain, or what ended it.
    """

    credential: Credential
    since: int | None
    left: int | None = None
    standing: bool = False
    bound: bool = False
    uses: int = 0
    why: str = ""
    ended: int | None = None


class Handed(msgspec.Struct, frozen=True):
    """Authority handed to a sub-agent: the step that did it, and whether the sub-agent still ran (None: not known)."""

    step: Step
    scope: str
    running: bool | None


class Answer(msgspec.Struct, frozen=True):
    """A step that was put to a person, or refused, and what came of it by then."""

    step: Step
    by: str
    rule: str
    reason: str
    answer: Effect
    at: int | None


class Authority(msgspec.Struct):
    """The answer. `unknown` holds what is not known, as (what, why)."""

    at: int | None
    step: Step | None
    mode: Stated | None
    sandbox: Stated | None
    policies: list[PolicyInForce]
    live: list[Grant]
    uncertain: list[Grant]
    over: list[Grant]
    delegations: list[Handed]
    asked: list[Answer]
    refused: list[Answer]
    intent: Intent | None
    ticket: str
    window: bool | None
    stated_window: str
    environment: str
    begun: bool | None
    ended: bool | None
    unknown: list[tuple[str, str]]


class Change(msgspec.Struct, frozen=True):
    """A moment at which something changed, in microseconds UTC, and what."""

    at: int
    what: str
