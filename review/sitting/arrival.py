"""An import that runs in a process of its own while somebody works at the desk: started, watched, ended early.

Nothing here loads what reads logs: the process does (`review.sitting.arriving`), and the desk's screens stay quick.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lang.counted import count
from review.child import Child

Doc = dict[str, Any]


@dataclass
class Arrival(Child):
    """One import: how far it is, and once it has ended what came of it. Stopped or left, it keeps what it read. Read from any thread."""

    paths: list[str]
    follow: bool = False
    file: str = ""
    files: int = 0
    records: int = 0
    bytes: int = 0
    total: int = 0
    accepted: int = 0
    rejected: int = 0
    at: float = field(default_factory=time.time)
    report: Doc | None = None

    @property
    def rate(self) -> float:
        """Bytes a second so far."""
        return self.bytes / max((self.took or time.monotonic() - self.began), 0.001)

    @property
    def left(self) -> float | None:
        """Seconds until all is read, if it goes on like this; None where that cannot be said."""
        if self.follow or self.phase != "reading" or not self.bytes or self.total < self.bytes:
            return None
        return (self.total - self.bytes) / self.rate

    def start(self, store: str, org: str | None, detections: str | None, ended: Callable[[Arrival], None]) -> Arrival:
        """Begin; `ended` is called on a thread of its own once the import is over, however it went."""
        asked = {"store": store, "org": org, "detections": detections, "paths": self.paths, "follow": self.follow}
        self._begin("review.sitting.arriving", asked, lambda: self._over(ended))
        return self

    def _over(self, ended: Callable[[Arrival], None]) -> None:
        if self.report is None and not self.error:
            self.error = "it was ended; what was committed stays, import again to complete it"
        self._end()
        ended(self)

    def sentence(self) -> str:
        """What came of it."""
        if self.report is None:
            return f"the import did not finish: {self.error}"
        totals = self.report["totals"]
        early = "stopped early, what was read is kept: " if self.report.get("stopped") else ""
        skipped = self.report["skipped"]
        more = f"; skipped {skipped[0]['name']}: {skipped[0]['reason']}" if skipped else ""
        more += f" and {len(skipped) - 1:,} more" if len(skipped) > 1 else ""
        return (
            f"{early}{count(totals['accepted'], 'record')} accepted, {totals['duplicate']:,} already known, {totals['rejected']:,} rejected; "
            f"{count(totals['tasks'], 'task')} in the store{more}"
        )

    def refusals(self) -> list[str]:
        """What was refused and why: `file:line: reason`, then files that were skipped."""
        if self.report is None:
            return []
        told = []
        for source in self.report["sources"]:
            told += [f"{source['name']}:{one['line']}: {one['reason']}" for one in source["rejects"]]
            if source["records"]["rejected"] > len(source["rejects"]):
                told.append(
                    f"{source['name']}: … and {source['records']['rejected'] - len(source['rejects']):,} more rejected records"
                )
        return told + [f"{one['name']}: skipped: {one['reason']}" for one in self.report["skipped"]]
