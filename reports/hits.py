"""What detections found, by detection: everything of an assessment that can be said before the population is counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from reports.input import PackInput
from reports.standing import Desk, Group


class Hits(msgspec.Struct):
    """Findings of one detection or control by how they stand; ids in order."""

    open: int = 0
    accepted: int = 0
    dismissed: int = 0
    blind_spots: int = 0
    findings: tuple[str, ...] = ()


class Found:
    """The findings of a state by detection, and lists of them in the order in which a report names them."""

    def __init__(self, given: PackInput, desk: Desk) -> None:
        self.desk = desk
        self.hits = hits_by_detection(given, desk)
        self._blind = frozenset(r.finding.id for r in given.findings if r.finding.blind_spot)
        self._listed: dict[tuple[str, ...], tuple[str, ...]] = {}

    def listed(self, detections: Sequence[str]) -> tuple[str, ...]:
        """The findings of these detections in order, blind spots last; many controls rest on the same ones and share one list."""
        names = tuple(name for name in detections if name in self.hits)
        if names not in self._listed:
            found = {f for name in names for f in self.hits[name].findings}
            self._listed[names] = (*sorted(found - self._blind), *sorted(found & self._blind))
        return self._listed[names]


def hits_by_detection(given: PackInput, desk: Desk) -> dict[str, Hits]:
    """Findings of each detection, counted by how they stand."""
    ids: dict[str, list[str]] = defaultdict(list)
    groups: dict[str, list[Group]] = defaultdict(list)
    for row in sorted(given.findings, key=lambda r: r.finding.id):
        groups[row.finding.detection].append(desk.standing(row.finding).group)
        ids[row.finding.detection].append(row.finding.id)
    return {
        name: Hits(
            open=found.count("open"),
            accepted=found.count("accepted"),
            dismissed=found.count("dismissed"),
            blind_spots=found.count("blind-spot"),
            findings=tuple(ids[name]),
        )
        for name, found in groups.items()
    }
