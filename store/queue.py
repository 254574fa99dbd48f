"""Pages of the task queue: keyset on ordinary columns, so that a page costs the same wherever it lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, exists, func, literal_column, or_, select

from store.engine import Database, chunks, marks
from store.narrowing import aside, conditions, is_few, searched
from store.rows import SORTS, TASK_COLUMNS, UNKNOWN_STARTED, PageKey, SortKey, TaskFilter, TaskRow, task_row
from store.tables import CLAIM, FINDING, TALLY, TASK, TASK_TEAM

SPANS = 100
"""Spans asked for in one statement."""

_COLUMNS = [TASK.c[name] for name in TASK_COLUMNS]

CHILDREN = "SELECT id FROM task WHERE parent >= ? AND parent <= ? ORDER BY started, id"
"""The tasks a task spawned. A span, since most tasks have none above them: one value the statistics of SQLite take for any task's."""


class Queue:
    """Reads the queue."""

    db: Database

    def task_rows(
        self,
        filter: TaskFilter | None = None,
        sort: SortKey = "risk",
        limit: int = 200,
        after: PageKey | None = None,
        *,
        backwards: bool = False,
        skip: int = 0,
    ) -> list[TaskRow]:
        """One page of tasks. `after` is `store.rows.page_key` of the row before it; `backwards` walks towards the first row.

        A backwards page comes last row first; without `after` it begins at the end of the queue. `skip` passes over that
        many rows of the index first, for a jump to where no key is known; it goes without `after`.
        """
        with self.db.read() as connection:
            found = searched(self.db, connection, filter, ordered=True) if sort == "risk" else None
            if found is not None:
                rows = _page(connection, [], sort, limit, after, backwards, skip, apart=True, of=found)
                return [task_row(tuple(row)) for row in rows]
            narrowed = self._ordered(connection, filter, sort)
            apart = (bool(narrowed) and sort == "risk") or (skip > 0 and not self.db.sqlite)
            return [task_row(tuple(row)) for row in _page(connection, narrowed, sort, limit, after, backwards, skip, apart=apart)]

    def count_tasks(self, filter: TaskFilter | None = None) -> int:
        """How many tasks pass a filter."""
        with self.db.read() as connection:
            if filter is None and self.db.divided(connection):
                # Of a team's tasks there is an index; of the tasks themselves each would be held to the rule.
                return int(connection.execute(select(func.count(TASK_TEAM.c.task_id.distinct()))).scalar_one())
            if (found := searched(self.db, connection, filter, ordered=False)) is not None:
                return connection.execute(select(func.count()).select_from(found)).scalar_one()
            narrowed = conditions(self.db, connection, filter, ordered=False)
            return connection.execute(select(func.count()).select_from(TASK).where(*narrowed)).scalar_one()

    def task_ids_between(
        self, first: int, stop: int, filter: TaskFilter | None = None, sort: SortKey = "risk", *, backwards: bool = False
    ) -> list[str]:
        """The ids of the tasks at places [first, stop) of the queue, for marking what lies between two rows."""
        with self.db.read() as connection:
            narrowed = self._ordered(connection, filter, sort)
            wanted = select(TASK.c.id).where(*narrowed).order_by(*_order(sort, backwards)).offset(first).limit(stop - first)
            return list(connection.execute(wanted).scalars())

    def _ordered(self, connection: Connection, filter: TaskFilter | None, sort: SortKey) -> list[ColumnElement[bool]]:
        """Conditions of a page. Few tasks in an order whose index lacks the filter's columns are collected first."""
        narrowed = conditions(self.db, connection, filter, ordered=True)
        if narrowed and sort != "risk" and is_few(self.db, connection, narrowed):
            collected = select(TASK.c.id).where(*conditions(self.db, connection, filter, ordered=False))
            return [TASK.c.id.in_(collected.correlate(None))]
        return narrowed

    def facet(self, field: str, filter: TaskFilter | None = None, most: int = 200) -> list[tuple[str, int]]:
        """The values of a field in the tasks that pass a filter, with how many have them: the most frequent first.

        `field` is one of `store.narrowing.NAMES`, or `vantages`; "" is what is not known.
        """
        with self.db.read() as connection:
            narrowed = conditions(self.db, connection, filter, ordered=False, alone=False)
            wanted = _facet_statement(field, narrowed, self.db.sqlite)
            if field == "vantages":
                return _seen_by(connection.execute(wanted))[:most]
            wanted = wanted.order_by(literal_column("2 DESC"), literal_column("1")).limit(most)
            return [(name, int(count)) for name, count in connection.execute(wanted)]

    def children(self, task_id: str) -> list[str]:
        """The tasks a task spawned, in the order they began."""
        with self.db.read() as connection:
            return [id for (id,) in self.db.fetch(connection, CHILDREN, (task_id, task_id))]

    def children_of(self, tasks: Sequence[str]) -> dict[str, list[str]]:
        """The same of each of these; in PostgreSQL asked for together."""
        if self.db.sqlite:
            return {task: self.children(task) for task in tasks}
        found: dict[str, list[str]] = {task: [] for task in tasks}
        with self.db.read() as connection:
            for part in chunks(tasks):
                wanted = f"SELECT parent, id FROM task WHERE parent IN ({marks(part)}) ORDER BY started, id"  # noqa: S608  only marks are put in
                for parent, id in self.db.fetch(connection, wanted, part):
                    found[parent].append(id)
        return found

    def tasks_during(self, spans: Sequence[tuple[int, int]], *, claiming: bool = False) -> set[str]:
        """Tasks that overlap one of these spans, one without an end wherever it began before; or those of them that claim an act."""
        # Rows in their own order: an index would have most of them looked up one by one.
        began = aside(TASK.c.started) if self.db.sqlite else TASK.c.started
        found: set[str] = set()
        with self.db.read() as connection:
            for part in chunks(spans, SPANS):
                # Looked at first: of a span's own condition there are many.
                around = [
                    began > UNKNOWN_STARTED,
                    began <= max(end for _, end in part),
                    _ends(min(start for start, _ in part)),
                ]
                wanted = select(TASK.c.id).where(*around, or_(*(and_(_ends(start), began <= end) for start, end in part)))
                if claiming:
                    wanted = wanted.where(exists().where(CLAIM.c.task_id == TASK.c.id))
                found.update(connection.execute(wanted).scalars())
        return found

    def tasks_with(self, detection: str, spans: Sequence[tuple[int, int]]) -> set[str]:
        """Tasks with a finding of this detection in one of these spans, and tasks that ended in one and have findings that are hidden."""
        found: set[str] = set()
        with self.db.read() as connection:
            for part in chunks(spans, SPANS):
                told = or_(*(FINDING.c.at.between(start, end) for start, end in part))
                seen = FINDING.c.blind_spot.in_((False, True)), FINDING.c.detection == detection
                found.update(connection.execute(select(FINDING.c.task_id).where(*seen, told)).scalars())
                over = or_(*(TASK.c.ended.between(start, end) for start, end in part))
                found.update(connection.execute(select(TASK.c.id).where(TASK.c.hidden > 0, over)).scalars())
        return found


def _ends(start: int) -> ColumnElement[bool]:
    """That a task ends at a moment or behind it, or has no end."""
    return or_(TASK.c.ended.is_(None), TASK.c.ended >= start)


def _seen_by(counted: Iterable[Any]) -> list[tuple[str, int]]:
    """How many tasks each vantage saw, of the few sets of them that there are."""
    found: Counter[str] = Counter()
    for listed, count in counted:
        for name in listed.split() or [""]:
            found[name] += int(count)
    return sorted(found.items(), key=lambda one: (-one[1], one[0]))


def _facet_statement(field: str, narrowed: Sequence[ColumnElement[bool]], sqlite: bool) -> Select[Any]:
    """Values and counts of one field; what a task may have several of is counted once a task."""
    if field not in ("detection", "owner"):
        # Of a narrowed queue SQLite would follow the field's index all the same, and look up every row of the table for it.
        return _counted(aside(TASK.c[field]) if sqlite and narrowed else TASK.c[field], func.count(), narrowed)
    table = FINDING if field == "detection" else TALLY
    wanted = _counted(table.c[field], func.count(table.c.task_id.distinct()), [])
    if field == "detection":
        wanted = wanted.where(table.c.blind_spot.is_(False))
    return wanted.where(table.c.task_id.in_(select(TASK.c.id).where(*narrowed))) if narrowed else wanted


def _counted(column: ColumnElement[Any], count: ColumnElement[Any], narrowed: Sequence[ColumnElement[bool]]) -> Select[Any]:
    return select(column, count).where(*narrowed).group_by(column)


def page_statements(
    conditions: Sequence[ColumnElement[bool]],
    sort: SortKey,
    limit: int,
    after: PageKey | None,
    backwards: bool,
    skip: int = 0,
    *,
    ids: bool = False,
    of: FromClause = TASK,
) -> Iterator[Select[Any]]:
    """The statements of one page, to be asked in turn until it is full: each is one range of the sort's index.

    One comparison of rows would not do, since the columns of a sort run in different directions. With `ids` they ask for
    the tasks' ids alone, be it `of` something else that has the columns of the sort.
    """
    columns_wanted = [of.c.id] if ids else _COLUMNS
    wanted = select(*columns_wanted).where(*conditions).order_by(*_order(sort, backwards, of)).limit(limit)
    if after is None:
        yield wanted.offset(skip) if skip else wanted
        return
    columns = SORTS[sort]
    for depth in range(len(columns) - 1, -1, -1):
        equal = [of.c[name] == value for (name, _), value in zip(columns[:depth], after[:depth], strict=True)]
        name, descending = columns[depth]
        beyond = of.c[name] < after[depth] if descending != backwards else of.c[name] > after[depth]
        yield wanted.where(and_(*equal, beyond))


def _page(
    connection: Connection,
    conditions: Sequence[ColumnElement[bool]],
    sort: SortKey,
    limit: int,
    after: PageKey | None,
    backwards: bool,
    skip: int,
    *,
    apart: bool,
    of: FromClause = TASK,
) -> list[Any]:
    """The rows of a page. `apart` finds them by an index that holds what the conditions are about, and then reads them.

    In one statement SQLite prepares to look up every row of the index it walks, which takes half as long again; PostgreSQL
    looks up every row it passes over.
    """
    rows: list[Any] = []
    for statement in page_statements(conditions, sort, limit, after, backwards, skip, ids=apart, of=of):
        wanted = statement.limit(limit - len(rows))
        if apart:
            wanted = select(*_COLUMNS).where(TASK.c.id.in_(wanted)).order_by(*_order(sort, backwards))
        rows += connection.execute(wanted).all()
        if len(rows) >= limit:
            break
    return rows


def _order(sort: SortKey, backwards: bool, of: FromClause = TASK) -> list[ColumnElement[Any]]:
    return [of.c[name].desc() if descending != backwards else of.c[name].asc() for name, descending in SORTS[sort]]
