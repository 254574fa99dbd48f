"""What an import says of itself: each file's records reconciled to the last one, and the run as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lang.times import iso
from model.event import Reject

REJECTS_TOLD = 10_000
"""Rejected records of one file that are told one by one: a file may be broken in every line. All of them are counted."""


@dataclass
class FileReport:
    """What one file gave in this run; `growing` counts a last record its writer had not finished, which is read the next time.

    `not_kept` counts those known already of which the raw bytes were let go: they are not taken in again.
    """

    name: str
    format: str
    id: str = ""
    sha256: str = ""
    bytes: int = 0
    first: int | None = None
    last: int | None = None
    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    events: int = 0
    noise_lines: int = 0
    growing: int = 0
    not_kept: int = 0
    rejected: int = 0
    rejects: list[Reject] = field(default_factory=list)
    unknown_types: Counter[str] = field(default_factory=Counter)
    secrets: Counter[str] = field(default_factory=Counter)

    def reject(self, rejects: Sequence[Reject]) -> None:
        """Count these, and tell the first of them."""
        self.rejected += len(rejects)
        self.rejects += rejects[: REJECTS_TOLD - len(self.rejects)]

    def document(self) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "format": self.format,
            "sha256": self.sha256,
            "bytes": self.bytes,
            "first": iso(self.first),
            "last": iso(self.last),
            "records": {
                "read": self.read,
                "accepted": self.accepted,
                "duplicate": self.duplicate,
                "rejected": self.rejected,
            },
            "events": self.events,
            "rejects": [{"line": r.line, "index": r.index, "offset": r.offset, "reason": r.reason} for r in self.rejects],
        }
        if left_out := self.rejected - len(self.rejects):
            shape["rejects_left_out"] = left_out
        if self.unknown_types:
            shape["unknown_types"] = dict(sorted(self.unknown_types.items()))
        if self.secrets:
            shape["secrets_replaced"] = dict(sorted(self.secrets.items()))
        if self.not_kept:
            shape["not_kept"] = self.not_kept
        if self.growing:
            shape["growing"] = self.growing
        if self.noise_lines:
            shape["noise_lines"] = self.noise_lines
        return shape


@dataclass
class ImportReport:
    """What one run of `remit import` did; `stopped` when it was ended early.

    `lacking` are the reasons of what was skipped though it is wanted: a file named by the user gave nothing, or one cannot be read.
    `broken` are files of which the end, or all, could not be read. `unchanged` counts objects of a store that are as they were when they were imported, which were not read.
    """

    sources: list[FileReport] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    lacking: set[str] = field(default_factory=set)
    broken: list[Path] = field(default_factory=list)
    stopped: bool = False
    unchanged: int = 0
    totals: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def skip(self, name: str, reason: str, *, lacks: bool) -> None:
        """Note a file that gave nothing and why; the import is incomplete where it `lacks` it."""
        self.skipped.append((name, reason))
        if lacks:
            self.lacking.add(reason)

    @property
    def unreadable(self) -> bool:
        """Whether something that was wanted gave nothing."""
        return bool(self.lacking)

    @property
    def rejected(self) -> int:
        return sum(s.rejected for s in self.sources)

    @property
    def events(self) -> int:
        return sum(s.events for s in self.sources)

    def document(self) -> dict[str, Any]:
        """The JSON shape of `import` in the command-line contract."""
        counted = {
            "read": sum(s.read for s in self.sources),
            "accepted": sum(s.accepted for s in self.sources),
            "duplicate": sum(s.duplicate for s in self.sources),
            "rejected": self.rejected,
            "events": self.events,
        }
        shape: dict[str, Any] = {
            "sources": [s.document() for s in self.sources],
            "skipped": [{"name": name, "reason": reason} for name, reason in self.skipped],
            "totals": counted | self.totals,
            "seconds": round(self.seconds, 3),
        }
        if self.unchanged:
            shape["unchanged"] = self.unchanged
        if self.stopped:
            shape["stopped"] = True
        return shape
