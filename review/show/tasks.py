"""The queue as a listing. Without a filter a SQLite store answers over plain `sqlite3`: the command need not wait for the database toolkit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from model.chain import Task
from review import documents, locations
from review.documents import Doc
from review.errors import RemitError
from review.organisation import own_folder, validate_organisation
from review.state.standing import Said, Standing
from store.errors import StoreError
from store.fast import FastQueue
from store.rows import SORTS, PageKey, SortKey, TaskFilter, TaskRow, page_key

PAGE = 500


class Tasks(Said, Protocol):
    """A store as this listing reads it."""

    def task_rows(
        self, filter: TaskFilter | None, sort: SortKey, limit: int, after: PageKey | None, *, backwards: bool
    ) -> list[TaskRow]: ...

    def task_bodies(self, ids: Sequence[str]) -> dict[str, Task]: ...


def list_tasks(
    store: str | None, org: str | None, detections: str | None, filter: str = "", sort: str = "risk", limit: int | None = None
) -> Iterator[Doc]:
    """Tasks of the named or default store in the order of `sort`, a page of them in memory; RemitError where it or its organisation file cannot be read."""
    location = store or locations.default_store()
    if not filter and (queue := _plain(location)) is not None:
        with queue:
            validate_organisation(location, org)
            own_folder(detections)
            yield from each_task(queue, sort=sort, limit=limit)
            return
    from review.workspace import open_workspace

    with open_workspace(store, org, detections=detections, readonly=True) as work:
        yield from each_task(work.store, filter, sort, limit)


def _plain(location: str) -> FastQueue | None:
    """A store to be read by plain `sqlite3`; None where opening it in full is needed, if only to say what is wrong with it."""
    if locations.is_url(location) or not Path(location).exists():
        return None
    try:
        return FastQueue(location)
    except StoreError:
        return None


def tasks(store: Tasks, filter: str = "", sort: str = "risk", limit: int | None = None) -> list[Doc]:
    """Tasks of an open store in the order of `sort`; `-` before it turns it round."""
    return list(each_task(store, filter, sort, limit))


def each_task(store: Tasks, filter: str = "", sort: str = "risk", limit: int | None = None) -> Iterator[Doc]:
    """The same one after the other, a page of them in memory."""
    key = next((key for key in SORTS if key == sort.removeprefix("-")), None)
    if key is None:
        raise RemitError(f"cannot sort by {sort!r}; sorts: {', '.join(SORTS)}, each also with - before it")
    chosen = None
    if filter:
        from review.show.filters import task_filter

        chosen = task_filter(filter)
    return _pages(store, chosen, key, limit, backwards=sort.startswith("-"))


def _pages(store: Tasks, chosen: TaskFilter | None, key: SortKey, limit: int | None, *, backwards: bool) -> Iterator[Doc]:
    standing = Standing(store)
    listed = 0
    after = None
    while limit is None or listed < limit:
        page = store.task_rows(chosen, key, PAGE if limit is None else min(PAGE, limit - listed), after, backwards=backwards)
        if not page:
            return
        bodies = store.task_bodies([row.id for row in page])
        for row in page:
            yield _task(bodies[row.id], row.evidence, standing)
        listed += len(page)
        after = page_key(page[-1], key)


def _task(task: Task, evidence: str, standing: Standing) -> Doc:
    row = documents.task_row(task, standing.of_task(task.id, evidence))
    row["seen"] = " ".join(v[0].upper() for v in task.vantages)
    row["state"] = row["review"]["verdict"] or row["review"]["state"]
    return row


def task_sentence(row: Doc) -> str:
    who = f"{row['principal'] or 'unknown principal'} through {row['agent'] or 'unknown agent'}"
    found = ", ".join(row["detections"]) or "no findings"
    return f"Risk {row['risk']}: {row['title'] or row['scope']}; {who}; {found}; {row['state']}; task {row['id']}"
