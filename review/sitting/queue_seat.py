"""The queue's half of a desk: rows by page, facets, filters and views, and why a task ranks where it does."""

from __future__ import annotations

from collections.abc import Sequence
from threading import RLock
from typing import TYPE_CHECKING, Any, cast

from lang.counted import count
from review.errors import RemitError
from review.sitting.queueing import PAGE, row_document

if TYPE_CHECKING:
    from review.sitting.view_export import Cells
    from review.workspace import Workspace
    from store.fast import FastQueue
    from store.rows import PageKey, SortKey, TaskFilter, TaskRow
    from store.store import Store

Doc = dict[str, Any]
REMEMBERED = 50_000
"""Things of which a sitting remembers in which state it showed them last."""


class QueueSeat:
    """What a desk reads for the queue."""

    generation: int
    pending: dict[str, str]
    _lock: RLock
    _fast: FastQueue | None
    _shown: dict[str, str]
    _known: dict[str, tuple[int, list[tuple[str, int]]]]

    if TYPE_CHECKING:

        @property
        def work(self) -> Workspace: ...

        @property
        def store(self) -> Store: ...

    def tasks(self, filter: str, sort: str) -> TaskPages:
        return TaskPages(self, filter, sort)

    def facet(self, field: str, filter: str, most: int) -> list[Doc]:
        """The most frequent values of a field among the tasks that pass a filter, as `remit tasks --facets` tells them."""
        from review.sitting.facets import facet

        return facet(self.store, field, filter, most)

    def complete_filter(self, expression: str, cursor: int) -> Doc:
        """What may be written at a place of a filter; values with their counts in the whole store."""
        from review.show.filter_completion import complete

        return complete(expression, cursor, self._values)

    def _values(self, field: str) -> list[tuple[str, int]]:
        """Read once for each field and state of the store."""
        from review.show.filters import FIELDS
        from review.sitting.facets import VALUES
        from store.narrowing import NAMES

        column = FIELDS[field].column
        if column not in NAMES:
            return []
        known = self._known.get(column)
        if known is None or known[0] != self.generation:
            known = self._known[column] = (self.generation, self.store.facet(column, None, VALUES))
        return known[1]

    def views(self) -> list[Doc]:
        """The saved views, one's own and those everybody has."""
        from review.sitting.views import views

        with self._lock:
            return views(self.work.identity)

    def save_view(self, name: str, filter: str, sort: str) -> str:
        from review.sitting.views import save_view

        return f"view {save_view(name, filter, sort).name} kept"

    def delete_view(self, name: str) -> str:
        from review.sitting.views import delete_view

        delete_view(name)
        return f"view {name} forgotten"

    def export_view(self, path: str, filter: str, sort: str) -> str:
        """Write the rows of a view to a file; the sentence that says where."""
        from review.sitting.view_export import export_view

        with self._lock:
            work = self.work
        done = export_view(work, path, filter, sort)
        return f"{count(done['tasks'], 'task')} written to {done['path']}"

    def export_list(self, path: str, name: str, rows: Sequence[Doc], shown: Cells) -> str:
        """Write the rows of any other list to a file; the sentence that says where."""
        from review.sitting.view_export import export_list

        with self._lock:
            work = self.work
        return f"{count(len(rows), 'row')} written to {export_list(work, path, name, rows, shown)}"

    def filter_problem(self, filter: str) -> str:
        """What is wrong with a filter, "" if nothing."""
        if not filter:
            return ""
        from review.show.filters import task_filter

        try:
            task_filter(filter)
        except RemitError as error:
            return str(error)
        return ""

    def risk_factors(self, tasks: Sequence[str]) -> dict[str, dict[str, int]]:
        """Why tasks rank where they do, by id: points by factor, the largest first; none for a task that is not there."""
        if self._fast is not None:
            found = self._fast.task_bodies(tasks)
        else:
            with self._lock:
                found = self.work.store.task_bodies(tasks)
        return {task: dict(found[task].risk_factors) if task in found else {} for task in tasks}

    def rows(self, ids: Sequence[str]) -> dict[str, Doc]:
        """These rows of the queue as they are now, by id."""
        found: list[TaskRow] = []
        for first in range(0, len(ids), PAGE):
            part = ids[first : first + PAGE]
            if self._fast is not None:
                found += self._fast.tasks_by_id(part)
            else:
                with self._lock:
                    found += self.work.store.tasks_by_id(part)
        return {row["id"]: row for row in self.showing([row_document(row, self.pending) for row in found])}

    def showing(self, rows: list[Doc]) -> list[Doc]:
        """Rows that are about to be shown: a verdict on one of them is given on the state it has here."""
        for row in rows:
            self._shown.pop(row["id"], None)
            self._shown[row["id"]] = row["review"]["seen"]
        while len(self._shown) > REMEMBERED:
            del self._shown[next(iter(self._shown))]
        return rows


class TaskPages:
    """The queue's rows by page: by key after a page already seen, else by a jump from the nearer end of the queue."""

    def __init__(self, desk: QueueSeat, filter: str, sort: str) -> None:
        self.desk = desk
        self.expression = filter
        self.sort = cast("SortKey", sort.lstrip("-"))
        self.turned = sort.startswith("-")
        self._keys: dict[int, PageKey | None] = {0: None}
        self._total: int | None = None

    def count(self) -> int:
        desk = self.desk
        if desk._fast is not None and not self.expression:
            self._total = desk._fast.count()
        else:
            self._total = desk.store.count_tasks(chosen(self.expression))
        return self._total

    def page(self, number: int) -> Sequence[Doc]:
        first, total = number * PAGE, self._total
        if number in self._keys:
            rows = self._rows(PAGE, after=self._keys[number])
        elif total is None or first < total // 2:
            rows = self._rows(PAGE, skip=first)
        else:
            last = min(first + PAGE, total)
            rows = self._rows(max(last - first, 0), backwards=True, skip=total - last)[::-1]
        if len(rows) == PAGE:
            self._keys[number + 1] = self._key(rows[-1])
        return self.desk.showing([row_document(row, self.desk.pending) for row in rows])

    def ids(self, first: int, stop: int) -> list[str]:
        """Of the tasks at places [first, stop), whether or not their pages were read."""
        store = self.desk.store
        return store.task_ids_between(first, stop, chosen(self.expression), self.sort, backwards=self.turned)

    def _rows(self, limit: int, after: PageKey | None = None, *, backwards: bool = False, skip: int = 0) -> Sequence[TaskRow]:
        desk = self.desk
        backwards = backwards != self.turned
        if desk._fast is not None and not self.expression:
            return desk._fast.rows(self.sort, limit, after, backwards=backwards, skip=skip)
        # Without the desk's lock: the store gives every reader a connection of its own.
        return desk.store.task_rows(chosen(self.expression), self.sort, limit, after, backwards=backwards, skip=skip)

    def _key(self, row: TaskRow) -> PageKey:
        from store.rows import page_key

        return page_key(row, self.sort)


def chosen(expression: str) -> TaskFilter:
    """A filter as the store takes it; raises RemitError."""
    from review.show.filters import task_filter

    return task_filter(expression)
