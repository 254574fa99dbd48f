"""A detection of an organisation's own, checked: conditions as typed trees, durations in microseconds."""

from __future__ import annotations

from typing import Literal

import msgspec

from lang.cel import Tree
from lang.cel.typed import Value
from model.request import Field
from model.words import Severity

Over = Literal["steps", "events"]
Wanted = Literal["match", "not_match", "unjudged", "blind_spot"]
WANTED: tuple[Wanted, ...] = ("match", "not_match", "unjudged", "blind_spot")


class Stage(msgspec.Struct, frozen=True):
    """One link of a sequence: a condition, and how long after the link before it (0 for the first) it may come."""

    when: str
    tree: Tree
    within: int = 0


class Without(msgspec.Struct, frozen=True):
    """What must not stand within a time after the last link (or before the first), and which points would have seen it.

    `seen_by` are globs over enforcement points; none means the agent's own records.
    """

    when: str
    tree: Tree
    within: int
    before: bool = False
    seen_by: tuple[str, ...] = ()


class Parameter(msgspec.Struct, frozen=True):
    """A value that `org.yaml` may change; conditions read it as `param.<name>`."""

    field: Field
    default: Value
    help: str = ""


class StatedRow(msgspec.Struct, frozen=True):
    """A step (or event) of an inline test: what it states, and when, in microseconds after the test's beginning."""

    values: dict[str, Value]
    at: int | None


class OwnTest(msgspec.Struct, frozen=True):
    """Steps that a detection must or must not see; `watched` is the span in which an absence would have been seen."""

    wanted: Wanted
    title: str
    rows: tuple[StatedRow, ...]
    watched: tuple[int, int] | None
    line: int


class Definition(msgspec.Struct, frozen=True):
    """One detection as its file states it. `digest` is that of all that decides what it finds and says."""

    id: str
    title: str
    severity: Severity
    looks_for: str
    stages: tuple[Stage, ...]
    without: Without | None = None
    over: Over = "steps"
    refused: bool = False
    once: bool = False
    why: str = ""
    limits: str = ""
    controls: tuple[tuple[str, str], ...] = ()
    references: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    tests: tuple[OwnTest, ...] = ()
    version: int = 1
    line: int = 0
    digest: str = ""

    @property
    def reach(self) -> int:
        """How far from a step, in microseconds, coverage decides what is found."""
        return self.without.within if self.without else 0
