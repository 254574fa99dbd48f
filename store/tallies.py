"""What the evidence amounts to: points and when they were alive, identities, and counts as reports want them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, repeat
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select, true

from model.chain import Step
from model.evidence import NamedAct, StepEnds
from model.words import Effect, EventKind, Phase, Vantage, Verb
from store import codec
from store.engine import Database
from store.posture import covered
from store.rows import HeardState, IdentityRow, PointRow
from store.streams import streamed
from store.tables import EVENT, HEARD, POINT, RECORD, SEQUENCE_BREAK, SIGHTING, STEP
from store.text import UNKNOWN_LATE, clean

_COSTS = frozenset({"tokens", "cost_usd"})


class Tallies:
    """Counts over all evidence, most of them kept up to date as it comes in."""

    db: Database

    def points(self) -> list[PointRow]:
        """Every enforcement point from every vantage it was seen, by name."""
        c = POINT.c
        with self.db.read() as connection:
            self.db.whole(connection, "enforcement points are counted")
            rows = connection.execute(select(POINT).order_by(c.point, c.vantage))
            return [PointRow(r.point, r.vantage, r.verdicts > 0, r.records, r.events, r.first, r.last) for r in rows]

    def quiet_points(self) -> dict[str, Vantage]:
        """Points that were seen from one vantage and never gave a verdict as an enforcer, with that vantage."""
        seen: dict[str, list[PointRow]] = {}
        for row in self.points():
            seen.setdefault(row.point, []).append(row)
        alone = [rows[0] for rows in seen.values() if len(rows) == 1]
        return {row.point: Vantage(row.vantage) for row in alone if not (row.decides and row.vantage == Vantage.ENFORCER.value)}

    def moments(self, point: str, until: int | None = None, after: int | None = None) -> Iterator[tuple[int, int]]:
        """When a point was alive: (time, events), in order of time; by `until` and later than `after`, where those are stated."""
        c = SIGHTING.c
        wanted = select(c.at, c.events).where(*_within(point, until, after)).order_by(c.at)
        with self.db.read() as connection:
            self.db.whole(connection, "points are watched")
            yield from ((at, events) for at, events in streamed(connection, wanted))

    def sightings(
        self, point: str, until: int | None = None, after: int | None = None
    ) -> Iterator[tuple[str, int, str, str, str, bool, str]]:
        """Events of a point with a known time, in order of it: (vantage, at, principal, host, session, decides, verb).

        `until` and `after` as `moments` has them. Host and session are told of enforcers only, the verb of verdicts.
        """
        c = SIGHTING.c
        order = (c.at, c.vantage, c.principal, c.host, c.session, c.decided)
        columns = (c.vantage, c.at, c.principal, c.host, c.session, c.decided, c.events)
        wanted = select(*columns).where(*_within(point, until, after)).order_by(*order)
        with self.db.read() as connection:
            self.db.whole(connection, "points are watched")
            for vantage, at, principal, host, session, decided, events in streamed(connection, wanted):
                sighting = (vantage, at, principal, host, session, decided != "", decided or Verb.UNKNOWN.value)
                yield from repeat(sighting, events)

    def heard_states(self) -> dict[str, list[HeardState]]:
        """By point the moments up to which a build kept what it heard, in order."""
        c = HEARD.c
        found: dict[str, list[HeardState]] = {}
        with self.db.read() as connection:
            for point, until, records in connection.execute(select(c.point, c.until, c.records).order_by(c.point, c.until)):
                found.setdefault(point, []).append(HeardState(point, int(until), int(records)))
        return found

    def heard_at(self, state: HeardState) -> bytes:
        """What a build kept of what it heard."""
        c = HEARD.c
        with self.db.read() as connection:
            wanted = select(c.body).where(c.point == state.point, c.until == state.until)
            return bytes(connection.execute(wanted).scalar_one())

    def sequence_breaks(self) -> Iterator[tuple[str, int | None, int, str]]:
        """Where logs say of themselves that they are not whole: (point, time, records missing, what does not fit), in order."""
        c = SEQUENCE_BREAK.c
        wanted = select(c.point, c.at, c.missing, c.why).order_by(c.point, c.at, c.event_id)
        with self.db.read() as connection:
            for point, at, missing, why in streamed(connection, wanted):
                yield point, None if at == UNKNOWN_LATE else at, missing, why

    def point_times(self, point: str, vantage: str | None = None) -> Iterator[tuple[int, str]]:
        """The distinct (time, principal) of a point's events with a known time, in order."""
        c = SIGHTING.c
        wanted = select(c.at, c.principal).where(c.point == clean(point), c.at < UNKNOWN_LATE)
        if vantage is not None:
            wanted = wanted.where(c.vantage == vantage)
        with self.db.read() as connection:
            rows = streamed(connection, wanted.distinct().order_by(c.at, c.principal))
            yield from ((row.at, row.principal) for row in rows)

    def verbs_decided(self) -> dict[str, tuple[str, ...]]:
        """The verbs each point gave a verdict on, by point: its silence says nothing of others."""
        c = SIGHTING.c
        wanted = select(c.point, c.decided).where(c.decided != "").distinct().order_by(c.point, c.decided)
        found: dict[str, tuple[str, ...]] = {}
        with self.db.read() as connection:
            for point, verb in connection.execute(wanted):
                found[point] = (*found.get(point, ()), verb)
        return found

    def identities(self) -> list[IdentityRow]:
        """Every principal the logs name, with where and how often, by name."""
        c = SIGHTING.c
        known = case((c.at < UNKNOWN_LATE, c.at))
        wanted = (
            select(c.principal, c.point, func.sum(c.events), func.min(known), func.max(known))
            .where(c.principal != "")
            .group_by(c.principal, c.point)
            .order_by(c.principal, c.point)
        )
        found: dict[str, IdentityRow] = {}
        with self.db.read() as connection:
            self.db.whole(connection, "identities are joined")
            for principal, point, events, first, last in connection.execute(wanted):
                row = found.setdefault(principal, IdentityRow(principal, (), 0, None, None))
                row.points = (*row.points, point)
                row.events += int(events)
                row.first = min((at for at in (row.first, first) if at is not None), default=None)
                row.last = max((at for at in (row.last, last) if at is not None), default=None)
        return list(found.values())

    def named_acts(self) -> Iterator[NamedAct]:
        """Every event that names its principal, in no order."""
        c = EVENT.c
        wanted = select(c.body, c.task_id, c.links).where(c.principal != "")
        with self.db.read() as connection:
            for body, task, links in streamed(connection, wanted):
                yield codec.named_act(body, task, links)

    def step_ends(self) -> Iterator[StepEnds]:
        """Every step by who is named in it, in no order."""
        with self.db.read() as connection:
            for body in streamed(connection, select(STEP.c.body)).scalars():
                yield codec.step_ends(body)

    def decided_steps(self) -> Iterator[tuple[str, list[Step]]]:
        """The steps on which a decision is on record, by task and in their order; tasks without one are left out."""
        c = STEP.c
        wanted = select(c.task_id, c.body).where(c.recorded != Effect.UNKNOWN.value).order_by(c.task_id, c.n, c.id)
        with self.db.read() as connection:
            rows = streamed(connection, wanted)
            for task, found in groupby(rows, key=itemgetter(0)):
                yield task, [codec.STEP.decode(body) for _, body in found]

    def last_evidence(self) -> int | None:
        """The time of the last event of the store, None where no event has a time.

        Whoever sees some teams alone is told when a point as a whole was last watched, which everybody is.
        """
        with self.db.read() as connection:
            if self.db.divided(connection):
                return max((one.end for one in covered(connection)), default=None)
            return connection.execute(select(func.max(POINT.c.last))).scalar()

    def delivered(self, until: int | None = None) -> list[tuple[str, str, EventKind, Phase, Vantage, int, tuple[str, ...]]]:
        """What each source told of: (source, point, kind, phase, vantage, events, facts), counted at each record's home.

        `facts` are `usage` where one of these events tells what it cost, `log_chain` where the record of one was held against
        its own log's hash chain. Of what happened by `until`, or at no known time, where that is stated.
        """
        c = EVENT.c
        wanted = self._marked(codec.CHAINED, until, c.point, c.kind, c.phase, c.vantage)
        with self.db.read() as connection:
            rows = connection.execute(wanted).all()
        spent = self._spent(until)
        return [
            (
                source, point, EventKind(kind), Phase(phase), Vantage(vantage), count,
                (*(("log_chain",) if chained else ()), *(("usage",) if (source, point, kind, phase, vantage) in spent else ())),
            )
            for source, point, kind, phase, vantage, count, chained in rows
        ]  # fmt: skip

    def _spent(self, until: int | None) -> set[tuple[str, ...]]:
        """Of which (source, point, kind, phase, vantage) an event tells what it cost.

        What may be such an event is told by its bytes, which a text may hold as well; so each kind's are read until one is.
        """
        c = EVENT.c
        told = (RECORD.c.source_id, c.point, c.kind, c.phase, c.vantage)
        wanted = (
            select(*told, c.body)
            .join_from(EVENT, RECORD, (RECORD.c.id == c.record_id) & RECORD.c.speaks)
            .where(_by(c.at, until), or_(*(self.db.holds(c.body, part) for part in codec.SPENT)))
        )
        found: set[tuple[str, ...]] = set()
        with self.db.read() as connection:
            for *key, body in streamed(connection, wanted):
                if (place := tuple(key)) not in found and not codec.EVENT.decode(body).attrs.keys().isdisjoint(_COSTS):
                    found.add(place)
        return found

    def told_by_source(self, until: int | None = None) -> list[tuple[str, str, int, int]]:
        """What each source told of each point: (source, point, events, events whose time zone was assumed), at each record's home.

        Of what happened by `until`, or at no known time, where that is stated.
        """
        wanted = self._marked(codec.ASSUMED_ZONE, until, EVENT.c.point)
        with self.db.read() as connection:
            return [(source, point, int(count), int(zones)) for source, point, count, zones in connection.execute(wanted)]

    def _marked(self, mark: bytes, until: int | None, *columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
        """Events by source and by these columns: how many there are, and how many of them hold a mark.

        The mark is looked for before anything is sorted, which without that fence would carry every body along.
        """
        marked = (
            select(RECORD.c.source_id, *columns, case((self.db.holds(EVENT.c.body, mark), 1), else_=0).label("marked"))
            .join_from(EVENT, RECORD, (RECORD.c.id == EVENT.c.record_id) & RECORD.c.speaks)
            .where(_by(EVENT.c.at, until))
        )
        *told, mine = (marked.limit(-1) if self.db.sqlite else marked.offset(0)).subquery().c
        return select(*told, func.count(), func.sum(mine)).group_by(*told).order_by(*told)

    def unattributed_counts(self, until: int | None = None) -> dict[str, int]:
        """How many events belong to no task, by kind; those that happened by `until`, where that is stated."""
        c = EVENT.c
        lost = select(c.kind, func.count()).where(c.task_id == "", _by(c.at, until))
        wanted = lost.group_by(c.kind).order_by(c.kind)
        with self.db.read() as connection:
            return {kind: count for kind, count in connection.execute(wanted)}  # noqa: C416


def _by(at: ColumnElement[int | None], until: int | None) -> ColumnElement[bool]:
    """That something happened by a moment, as far as its time is known; always, where no moment is stated."""
    return true() if until is None else or_(at.is_(None), at <= until)


def _within(point: str, until: int | None, after: int | None) -> list[ColumnElement[bool]]:
    c = SIGHTING.c
    within = [c.point == point, c.at < UNKNOWN_LATE if until is None else c.at <= until]
    return within if after is None else [*within, c.at > after]
