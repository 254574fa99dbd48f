"""Sums over what the build counted: governed shares, habits of agents, versions of points. The database adds; no step is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Select, case, func, literal, select

from model.conformance import Compared
from model.figures import Sums
from store import codec
from store.engine import Database
from store.rows import UNKNOWN_STARTED, HabitRow, PairRow, ShareRow, VersionRow
from store.streams import streamed
from store.tables import CONFORMANCE, FINDING, POINT_VERSION, RECORD, SOURCE_FILE, TALLY, TASK
from store.text import clean


def _sums() -> list[Any]:
    return [func.sum(TALLY.c[name]).label(name) for name in Sums.__struct_fields__]


def _added(values: list[Any]) -> Sums:
    """PostgreSQL adds integers to a numeric."""
    return Sums(*map(int, values))


class Figures:
    """Aggregates kept by the build."""

    db: Database

    def shares(self, by: str) -> list[ShareRow]:
        """Actions and how many of them were governed, by `agent`, `owner` or `week`; an unknown name is ""."""
        name = TASK.c.agent if by == "agent" else TALLY.c[by]
        wanted: Select[Any] = select(name, *_sums(), func.min(TALLY.c.first), func.max(TALLY.c.last)).group_by(name)
        if by == "agent":
            wanted = wanted.join_from(TALLY, TASK, TASK.c.id == TALLY.c.task_id)
        with self.db.read() as connection:
            rows = connection.execute(wanted.order_by(name))
            return [ShareRow(who, _added(sums), first, last) for who, *sums, first, last in rows]

    def habits(self, agent: str | None = None, repository: str | None = None) -> Iterator[HabitRow]:
        """What each agent did in each repository, by tool, verb and week; or only what this agent did in this one."""
        place = (TASK.c.agent, TASK.c.repository, TALLY.c.tool, TALLY.c.verb, TALLY.c.week)
        wanted = (
            select(*place, *_sums(), func.max(TALLY.c.burst), func.min(TALLY.c.first), func.max(TALLY.c.last))
            .join_from(TALLY, TASK, TASK.c.id == TALLY.c.task_id)
            .group_by(*place)
            .order_by(*place)
        )
        if agent is not None:
            wanted = wanted.where(TASK.c.agent == clean(agent))
        if repository is not None:
            wanted = wanted.where(TASK.c.repository == clean(repository))
        with self.db.read() as connection:
            for who, where, tool, verb, week, *sums, burst, first, last in connection.execute(wanted):
                yield HabitRow(who, where, tool, verb, week, _added(sums), int(burst), first, last)

    def pairs(self) -> list[PairRow]:
        """Every agent in every repository: how many tasks, the first and the last of them."""
        started = case((TASK.c.started > UNKNOWN_STARTED, TASK.c.started))
        place = (TASK.c.agent, TASK.c.repository)
        wanted = select(*place, func.count(), func.min(started), func.max(started)).group_by(*place).order_by(*place)
        with self.db.read() as connection:
            return [PairRow(*row) for row in connection.execute(wanted)]

    def pair_before(self, agent: str, repository: str, task: str, started: int) -> tuple[int, int | None]:
        """How many other tasks this agent began in this repository before a moment, and when the first of them began."""
        c = TASK.c
        wanted = select(func.count(), func.min(c.started)).where(
            c.agent == clean(agent),
            c.repository == clean(repository),
            c.started > UNKNOWN_STARTED,
            c.started < started,
            c.id != task,
        )
        with self.db.read() as connection:
            count, first = connection.execute(wanted).one()
            return int(count), first

    def tools_before(self, agent: str, repository: str, task: str, started: int, tools: Iterable[str]) -> set[str]:
        """Those of these tools that this agent used in this repository in other tasks that began before a moment.

        Each is looked for from the latest of these tasks on: what is used all the time is found at once.
        """
        c = TASK.c
        before = (c.agent == clean(agent), c.repository == clean(repository), c.started < started, c.id != task)
        with self.db.read() as connection:
            found = set()
            for tool in tools:
                used = select(literal(1)).join_from(TASK, TALLY, (c.id == TALLY.c.task_id) & (TALLY.c.tool == clean(tool)))
                if connection.execute(used.where(*before).order_by(c.started.desc()).limit(1)).first():
                    found.add(tool)
            return found

    def point_versions(self) -> list[VersionRow]:
        """Every version of its software or policy each point was seen to run, by point and first sight."""
        c = POINT_VERSION.c
        place = (c.point, c.kind, c.version)
        wanted = select(*place, func.sum(c.seen), func.min(c.first), func.max(c.last)).group_by(*place).order_by(*place)
        with self.db.read() as connection:
            return [
                VersionRow(point, kind, version, int(seen), first, last)
                for point, kind, version, seen, first, last in connection.execute(wanted)
            ]

    def compared(self, task: str | None = None) -> Iterator[tuple[str, int | None, Compared]]:
        """Steps in which what happened is another thing than the policy in force says: (task, time, comparison), in order of time."""
        c = CONFORMANCE.c
        wanted = select(c.task_id, c.at, c.body).where(c.step_id != "").order_by(c.at.is_(None), c.at, c.task_id, c.step_id)
        if task is not None:
            wanted = wanted.where(c.task_id == task)
        with self.db.read() as connection:
            for id, at, body in streamed(connection, wanted):
                yield id, at, codec.COMPARED.decode(body)

    def conformance_counts(self) -> list[tuple[str, str, str, str, int]]:
        """How many steps were held against each policy: (point, policy, kind, why, steps)."""
        c = CONFORMANCE.c
        place = (c.point, c.policy, c.kind, c.why)
        wanted = select(*place, func.sum(c.steps)).group_by(*place).order_by(*place)
        with self.db.read() as connection:
            return [(point, policy, kind, said, int(steps)) for point, policy, kind, said, steps in connection.execute(wanted)]

    def detection_delays(self) -> Iterator[tuple[str, str, str, int]]:
        """Of every finding with both times: (agent, repository, detection, microseconds until its evidence was whole)."""
        f = FINDING.c
        wanted = (
            select(TASK.c.agent, TASK.c.repository, f.detection, f.body)
            .join_from(FINDING, TASK, TASK.c.id == f.task_id)
            .where(f.blind_spot.is_(False))
            .order_by(f.id)
        )
        with self.db.read() as connection:
            for agent, repository, detection, body in streamed(connection, wanted):
                at, evident = codec.delay(body)
                if at is not None and evident is not None:
                    yield agent, repository, detection, evident - at

    def imported_at(self, records: list[str]) -> dict[str, int]:
        """When each record was first at hand: the first import of its home's source that is not older than the record."""
        r, s = RECORD.c, SOURCE_FILE.c
        fits = case((r.at.is_(None), s.at), (s.at >= r.at, s.at))
        wanted = (
            select(r.id, func.min(fits), func.min(s.at))
            .join_from(RECORD, SOURCE_FILE, s.source_id == r.source_id)
            .where(r.id.in_(records), r.speaks)
            .group_by(r.id)
        )
        with self.db.read() as connection:
            return {id: after if after is not None else first for id, after, first in connection.execute(wanted)}
