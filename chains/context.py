"""What stands around one task: what building a task is told, and what a detection may ask beyond the chain itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from chains.claims import Reported
from chains.facts import OrgFacts
from model.chain import Coverage, Credential, Finding, Intent, Task
from model.conformance import Compared
from model.event import Event


class Family(msgspec.Struct, frozen=True):
    """A task's place among tasks, as `chains.family` found it.

    `parent_step` is the step of the parent that spawned it ("" if only the parent is known), `depth` 0 for a task of
    its own. `children` maps each child task to the name of the spawning call (`kind:value`), "" where it is not known.
    """

    parent: str = ""
    parent_step: str = ""
    depth: int = 0
    children: Mapping[str, str] = msgspec.field(default_factory=dict)


class Reviewed(msgspec.Struct, frozen=True):
    """A finding and how its review stands: closed by a verdict on the evidence as it is, or accepted until a moment."""

    finding: Finding
    closed: bool = False
    accepted_until: int | None = None


class Context(msgspec.Struct):
    """What a detection is given beside a `TaskChain`.

    `coverages` are those of every point, for `chains.coverage.covered`. `credentials` holds by id every credential the
    task requested, was issued, used or exposed, with its uses elsewhere. `parent` and `children` are the neighbours'
    own rows (children by task id), `below` the rows of all descendants, `relatives` the ids of all ancestors and descendants, `above` what the ancestors were
    asked, the nearest first. `tells_intents` are the formats whose records state every intent of a task. `tickets` holds by reference what
    the ticket system logged of the tickets that the task names. `conflicts` are records of the
    task seen with different bytes under one id, `oversized` those too large to be read in full. `skews` gives by point the clock skew estimated against exact pairs, in
    microseconds (the point's clock is ahead by that much). `reported` tells by step what targets logged of what
    the agent claims in it (`chains.claims`), `compared` holds its steps against the policies in force
    (`chains.conformance`). `as_of` is the last evidence time of the store. `memo` holds what several detections work out
    of the same task, so that it is worked out once. `reviewed` are the task's findings with their review: given whenever
    findings are read, never while tasks are built, for nothing that is stored may depend on a verdict.
    """

    facts: OrgFacts
    coverages: Sequence[Coverage] = ()
    credentials: Mapping[str, Credential] = msgspec.field(default_factory=dict)
    parent: Task | None = None
    children: Mapping[str, Task] = msgspec.field(default_factory=dict)
    below: Mapping[str, Task] = msgspec.field(default_factory=dict)
    relatives: frozenset[str] = frozenset()
    above: Sequence[Intent] = ()
    tells_intents: frozenset[str] = frozenset()
    tickets: Mapping[str, Sequence[Event]] = msgspec.field(default_factory=dict)
    conflicts: tuple[str, ...] = ()
    oversized: tuple[str, ...] = ()
    skews: Mapping[str, int] = msgspec.field(default_factory=dict)
    as_of: int | None = None
    memo: dict[object, object] = msgspec.field(default_factory=dict)
    reviewed: Sequence[Reviewed] = ()
    reported: Mapping[str, Reported] = msgspec.field(default_factory=dict)
    compared: tuple[Compared, ...] = ()

    def parameters(self, detection: str) -> dict[str, object]:
        """What the organisation file sets for a detection; the detection's own defaults hold for the rest."""
        return self.facts.parameters(detection)
