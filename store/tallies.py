"""Counts over all evidence, as reports and the overview want them."""

from __future__ import annotations

from sqlalchemy import func, select

from store.engine import Database
from store.tables import EVENT, RECORD


class Tallies:
    """Reads counts."""

    db: Database

    def last_evidence(self) -> int | None:
        """The latest time any event states: the moment up to which the store knows anything."""
        with self.db.read() as connection:
            return connection.execute(select(func.max(EVENT.c.at))).scalar()

    def delivered(self) -> list[tuple[str, str, str, str, str, int]]:
        """What each source delivered: (source, point, kind, phase, vantage, events), in that order."""
        place = (RECORD.c.source_id, EVENT.c.point, EVENT.c.kind, EVENT.c.phase, EVENT.c.vantage)
        wanted = (
            select(*place, func.count())
            .select_from(EVENT.join(RECORD, RECORD.c.id == EVENT.c.record_id))
            .where(RECORD.c.speaks)
            .group_by(*place)
            .order_by(*place)
        )
        with self.db.read() as connection:
            return [tuple(row) for row in connection.execute(wanted)]

    def unattributed_counts(self) -> dict[str, int]:
        """How many events belong to no task, by kind."""
        wanted = select(EVENT.c.kind, func.count()).where(EVENT.c.task_id == "").group_by(EVENT.c.kind).order_by(EVENT.c.kind)
        with self.db.read() as connection:
            return dict(tuple(row) for row in connection.execute(wanted))

    def verbs_decided(self) -> dict[str, tuple[str, ...]]:
        """The verbs each point gave a verdict on, by point: its silence says nothing of others."""
        place = (EVENT.c.point, EVENT.c.verb)
        wanted = select(*place).where(EVENT.c.kind == "decision", EVENT.c.phase == "verdict").distinct().order_by(*place)
        found: dict[str, list[str]] = {}
        with self.db.read() as connection:
            for point, verb in connection.execute(wanted):
                found.setdefault(point, []).append(verb)
        return {point: tuple(verbs) for point, verbs in found.items()}
