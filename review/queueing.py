"""The queue as a screen reads it: rows by page, what lies between two rows, facets, and the values filters can name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from lang.times import iso

if TYPE_CHECKING:
    from review.queue_seat import QueueSeat
    from store.rows import PageKey, SortKey, TaskFilter, TaskRow

Doc = dict[str, Any]
PAGE = 200
SORTS: tuple[str, ...] = (
    "risk",
    "started",
    "title",
    "agent",
    "principal",
    "repository",
    "environment",
    "steps",
    "findings",
    "state",
)
FALLING = frozenset({"risk", "started", "steps", "findings"})
"""Sorts that begin with the largest; `-` before a sort turns it round."""

FACETS: tuple[str, ...] = ("state", "verdict", "finding", "agent", "repo", "env", "who", "assignee", "owner", "seen")
"""Fields of the filter language whose values are counted beside the queue."""

SHOWN = 6
"""Values a facet shows; the most frequent."""

MARKED_MOST = 50_000
"""Rows that can be marked at once."""


def falls(order: str) -> bool:
    """Whether an order begins with the largest."""
    return (order.lstrip("-") in FALLING) != order.startswith("-")


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
    from review.filters import task_filter

    return task_filter(expression)


def row_document(row: TaskRow, pending: Mapping[str, str]) -> Doc:
    """A queue row with the names the screens use; `pending` are verdicts on tasks that are still to be written."""
    from review.seen import token

    return {
        "id": row.id,
        "scope": row.scope,
        "title": row.title,
        "agent": row.agent,
        "principal": row.principal,
        "repository": row.repository,
        "environment": row.environment,
        "started": iso(row.started),
        "steps": row.steps,
        "risk": row.risk,
        "findings": {"critical": row.critical, "high": row.high, "medium": row.medium, "low": row.low},
        "blind_spots": row.blind_spots,
        "detections": list(row.detections),
        "vantages": list(row.vantages),
        "assignee": row.assignee or None,
        "review": {
            "state": row.state,
            "verdict": row.verdict or None,
            "reviewer": row.reviewer or None,
            "seen": token(row.reviewed_at, row.evidence),
            "pending": pending.get(row.id),
        },
    }
