"""Pages of the task queue: keyset on ordinary columns, so that a page costs the same wherever it lies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select

from store.engine import Database
from store.rows import SORTS, TASK_COLUMNS, UNKNOWN_STARTED, PageKey, SortKey, TaskFilter, TaskRow, task_row
from store.searching import holding, is_common, matching
from store.tables import SEARCH_DOC, STEP_CHANGE, TASK
from store.text import clean

_COLUMNS = [TASK.c[name] for name in TASK_COLUMNS]


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
        conditions = self._conditions(filter)
        with self.db.read() as connection:
            return [task_row(tuple(row)) for row in _page(connection, conditions, sort, limit, after, backwards, skip)]

    def count_tasks(self, filter: TaskFilter | None = None) -> int:
        """How many tasks pass a filter."""
        wanted = select(func.count()).select_from(TASK).where(*self._conditions(filter, ordered=False))
        with self.db.read() as connection:
            return connection.execute(wanted).scalar_one()

    def children(self, task_id: str) -> list[str]:
        """The tasks a task spawned, in the order they began."""
        wanted = select(TASK.c.id).where(TASK.c.parent == task_id).order_by(TASK.c.started, TASK.c.id)
        with self.db.read() as connection:
            return list(connection.execute(wanted).scalars())

    def _conditions(self, filter: TaskFilter | None, *, ordered: bool = True) -> list[ColumnElement[bool]]:
        if filter is None:
            return []
        c = TASK.c
        found: list[ColumnElement[bool]] = []
        for name in ("agent", "principal", "repository", "environment", "state", "verdict", "parent"):
            value = getattr(filter, name)
            if value is not None:
                found.append(c[name] == clean(value))
        bounds = ((c.risk, filter.risk_min, filter.risk_max), (c.started, filter.after, None))
        for column, low, high in bounds:
            if low is not None:
                found.append(column >= low)
            if high is not None:
                found.append(column <= high)
        if filter.before is not None:
            found += [c.started < filter.before, c.started > UNKNOWN_STARTED]
        for column, names in ((c.detections, filter.detections), (c.vantages, filter.vantage)):
            found += [column.contains(f" {clean(name)} ", autoescape=True) for name in names]
        found += [c[name] > 0 for name in filter.severities]
        if filter.since is not None:
            found.append(c.id.in_(select(STEP_CHANGE.c.task_id).where(STEP_CHANGE.c.seq > filter.since)))
        if filter.text.strip():
            hits = matching(self.db, filter.text)
            if hits is None:
                found.append(c.id.is_(None))
            elif ordered and is_common(self.db, hits):
                found.append(holding(hits))
            else:
                found.append(c.id.in_(select(SEARCH_DOC.c.task_id).where(SEARCH_DOC.c.id.in_(hits))))
        return found


def page_statements(
    conditions: Sequence[ColumnElement[bool]],
    sort: SortKey,
    limit: int,
    after: PageKey | None,
    backwards: bool,
    skip: int = 0,
) -> Iterator[Select[Any]]:
    """The statements of one page, to be asked in turn until it is full: each is one range of the sort's index.

    One comparison of rows would not do, since the columns of a sort run in different directions.
    """
    wanted = select(*_COLUMNS).where(*conditions).order_by(*_order(sort, backwards)).limit(limit)
    if after is None:
        yield wanted.offset(skip) if skip else wanted
        return
    columns = SORTS[sort]
    for depth in range(len(columns) - 1, -1, -1):
        equal = [TASK.c[name] == value for (name, _), value in zip(columns[:depth], after[:depth], strict=True)]
        name, descending = columns[depth]
        beyond = TASK.c[name] < after[depth] if descending != backwards else TASK.c[name] > after[depth]
        yield wanted.where(and_(*equal, beyond))


def _page(
    connection: Connection,
    conditions: Sequence[ColumnElement[bool]],
    sort: SortKey,
    limit: int,
    after: PageKey | None,
    backwards: bool,
    skip: int,
) -> list[Any]:
    rows: list[Any] = []
    for statement in page_statements(conditions, sort, limit, after, backwards, skip):
        rows += connection.execute(statement.limit(limit - len(rows))).all()
        if len(rows) >= limit:
            break
    return rows


def _order(sort: SortKey, backwards: bool) -> list[ColumnElement[Any]]:
    return [TASK.c[name].desc() if descending != backwards else TASK.c[name].asc() for name, descending in SORTS[sort]]
