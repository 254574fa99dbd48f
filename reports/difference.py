"""The difference of two reports as data: what `remit report diff --json` prints and the annexe of a report holds."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Pair = tuple[Any, Any]
"""What the old report says and what the new one does."""

Direction = Literal["worse", "less known", "better", "other"]


class Side(msgspec.Struct):
    """Which report this is. Times as printed in it."""

    organisation: str
    system: str
    start: str | None
    end: str | None
    as_of: str
    tool_version: str
    schema_version: int
    tables_digest: str


class Basis(msgspec.Struct):
    """Something the two reports do not share, so that what differs below may come from it; "" where one has none."""

    what: str
    name: str
    old: str
    new: str


class FindingMove(msgspec.Struct):
    """A finding of one report alone, with why as far as the reports tell."""

    id: str
    detection: str
    title: str
    severity: str
    state: str
    group: str
    at: str | None
    why: str


class FindingChange(msgspec.Struct):
    """A finding of both reports of which something changed: field -> (old, new)."""

    id: str
    detection: str
    title: str
    severity: str
    changed: dict[str, Pair]


class ControlMove(msgspec.Struct):
    """A control whose result or count of open exceptions moved; `why` in sentences: findings, population, evidence, sources."""

    framework: str
    id: str
    title: str
    old: str
    new: str
    direction: Direction
    open: Pair
    why: list[str]


class Change(msgspec.Struct):
    """A named thing of both reports of which something changed: field -> (old, new)."""

    name: str
    changed: dict[str, Pair]


class Changes(msgspec.Struct):
    """Named things: those of the new report alone, those of the old alone, those that changed."""

    added: list[str]
    gone: list[str]
    changed: list[Change]

    def __bool__(self) -> bool:
        return bool(self.added or self.gone or self.changed)


class Comparison(msgspec.Struct):
    """Two reports side by side; `same` is true where nothing below differs. `figures` is name -> (old, new)."""

    same: bool
    old: Side
    new: Side
    basis: list[Basis]
    new_findings: list[FindingMove]
    gone_findings: list[FindingMove]
    changed_findings: list[FindingChange]
    controls: list[ControlMove]
    sources: Changes
    coverage: Changes
    expected_unseen: Changes
    detections: Changes
    policies: Changes
    reviewers: Changes
    sign_offs: Changes
    figures: dict[str, Pair]
