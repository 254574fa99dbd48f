"""Findings as they are read: by filter and page in the order of the list, by task, and counted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Select, case, func, select, tuple_

from model.chain import Finding
from model.words import Severity
from store import codec
from store.chainrows import RANKS
from store.engine import Database
from store.rows import FindingFilter
from store.streams import streamed
from store.tables import FINDING, STEP


class FindingReads:
    """The findings that the build left behind, blind spots among them."""

    db: Database

    def finding(self, id: str) -> Finding | None:
        with self.db.read() as connection:
            body = connection.execute(select(FINDING.c.body).where(FINDING.c.id == id)).scalar()
        return None if body is None else codec.FINDING.decode(body)

    def findings(
        self, filter: FindingFilter | None = None, limit: int | None = None, after: tuple[int, int, str, str] | None = None
    ) -> list[Finding]:
        """Findings, blind spots after the others, by severity, detection and id; `after` is `finding_place` of the last one seen."""
        c = FINDING.c
        wanted = _findings(filter).order_by(c.blind_spot, c.rank, c.detection, c.id).limit(limit)
        if after is not None:
            # A row value is one range of the index by rank; the same in ORs is read from the beginning of the rank each time.
            spot, rank, detection, id = after
            wanted = wanted.where(tuple_(c.blind_spot, c.rank, c.detection, c.id) > tuple_(bool(spot), rank, detection, id))
        few = limit is not None or (filter is not None and (filter.task is not None or filter.step is not None))
        with self.db.read() as connection:
            rows = connection.execute(wanted) if few else streamed(connection, wanted)
            return [codec.FINDING.decode(body) for body in rows.scalars()]

    def findings_by_task(self) -> Iterator[list[Finding]]:
        """The findings that are no blind spots, those of a task together and in their order."""
        wanted = _findings(None).where(case((FINDING.c.blind_spot, 1), else_=0) == 0).order_by(FINDING.c.task_id)
        with self.db.read() as connection:
            bodies = streamed(connection, wanted).scalars()
            for _, found in groupby((codec.FINDING.decode(body) for body in bodies), key=lambda one: one.task):
                yield sorted(found, key=finding_place)

    def findings_of(self, task_id: str) -> list[Finding]:
        """A task's findings and blind spots."""
        return self.findings(FindingFilter(task=task_id))

    def count_findings(self, filter: FindingFilter | None = None) -> dict[str, int]:
        """How many findings pass a filter, by severity, blind spots apart under "blind_spots"."""
        inner = _findings(filter).with_only_columns(FINDING.c.rank, FINDING.c.blind_spot).subquery()
        wanted = select(inner.c.rank, inner.c.blind_spot, func.count()).group_by(inner.c.rank, inner.c.blind_spot)
        found = {severity.value: 0 for severity in Severity} | {"blind_spots": 0}
        names = {rank: severity.value for severity, rank in RANKS.items()}
        with self.db.read() as connection:
            for rank, spot, count in connection.execute(wanted):
                found["blind_spots" if spot else names[rank]] += count
        return found


def finding_place(finding: Finding) -> tuple[int, int, str, str]:
    """Where a finding stands in the list, for the next page."""
    return int(finding.blind_spot), RANKS[finding.severity], finding.detection, finding.id


def _findings(filter: FindingFilter | None) -> Select[Any]:
    c = FINDING.c
    wanted = select(c.body)
    if filter is None:
        return wanted
    if filter.task is not None:
        wanted = wanted.where(c.task_id == filter.task)
    if filter.step is not None:
        of_step = select(STEP.c.task_id).where(STEP.c.id == filter.step).scalar_subquery()
        wanted = wanted.where(c.step_id == filter.step, c.task_id == of_step)
    if filter.detections:
        wanted = wanted.where(c.detection.in_(filter.detections))
    if filter.severities:
        wanted = wanted.where(c.rank.in_([RANKS[Severity(severity)] for severity in filter.severities]))
    if filter.task is not None or filter.step is not None:
        # One task has few findings; asked plainly, SQLite looks through those of all tasks in the order of their ranks instead.
        if filter.blind_spot is not None:
            wanted = wanted.where(case((c.blind_spot, 1), else_=0) == int(filter.blind_spot))
    elif filter.blind_spot is not None:
        wanted = wanted.where(c.blind_spot.is_(filter.blind_spot))
    elif filter.severities or filter.detections:
        # Indexes by rank and by detection begin with this.
        wanted = wanted.where(c.blind_spot.in_((False, True)))
    if filter.after is not None:
        wanted = wanted.where(c.at >= filter.after)
    if filter.before is not None:
        wanted = wanted.where(c.at < filter.before)
    return wanted
