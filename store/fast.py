"""The queue over plain sqlite3, so that neither opening the dashboard nor listing tasks waits for a database library.

It answers what `store.queue` answers without a filter, from the same columns and sorts; a test holds the two equal.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, cast

from msgspec.msgpack import decode

from model.review import Assignment, ExceptionRecord, JournalEntry, Verdict, standing_rows
from store.errors import Interrupted, OlderSchemaError, StoreError
from store.held import HeldFile
from store.pulse import ASKED, CHANGED, Pulse
from store.rows import SORTS, TASK_COLUMNS, PageKey, SortKey, TaskFilter, TaskRow, task_row
from store.schema import APPLICATION_ID, HEAD, REVISIONS, VERSION_TABLE, newer, older

if TYPE_CHECKING:
    from model.chain import Task

__all__ = ["FastQueue", "StoreError"]

_COLUMNS = ", ".join(TASK_COLUMNS)


class FastQueue:
    """A SQLite store's queue, for reading. Raises StoreError where the file is no store of this program's schema."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).absolute()
        # Threads share the connection. To close it while one of them reads would take the memory it reads from away.
        self._reading = threading.Lock()
        if not self._path.is_file():
            raise StoreError(f"there is no store at {path}; make one with `remit import PATH`, or check the path")
        try:
            self._file = HeldFile(self._path)
            self._connection = sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, timeout=5, check_same_thread=False)
            try:
                self._recognise()
            except (sqlite3.Error, StoreError):
                self._connection.close()
                raise
        except sqlite3.Error as error:
            raise StoreError(f"cannot read the store {path}: {error}; check that it is a Remit store and readable") from error

    def rows(
        self,
        sort: SortKey = "risk",
        limit: int = 200,
        after: PageKey | None = None,
        *,
        backwards: bool = False,
        skip: int = 0,
    ) -> list[TaskRow]:
        """One page of tasks, as `store.queue` gives it."""
        found: list[tuple[object, ...]] = []
        order = ", ".join(f"{name} DESC" if down != backwards else name for name, down in SORTS[sort])
        for where, values in _ranges(sort, after, backwards):
            asked = f"SELECT {_COLUMNS} FROM task {where} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608  names of ours
            found += self._ask(asked, (*values, limit - len(found), skip))
            if len(found) >= limit:
                break
        return [task_row(values) for values in found]

    def task_rows(
        self, filter: TaskFilter | None, sort: SortKey, limit: int, after: PageKey | None, *, backwards: bool = False
    ) -> list[TaskRow]:
        """`rows` as `store.queue` is asked for them; what a filter keeps is for the whole store to say (StoreError)."""
        if filter is not None:
            raise StoreError("a filter is beyond the plain reading of a store; open it in full")
        return self.rows(sort, limit, after, backwards=backwards)

    def waiting_rows(self, limit: int) -> list[TaskRow]:
        """The riskiest tasks that wait for a reviewer, as `store.posture` gives them."""
        asked = (
            f"SELECT {_COLUMNS} FROM task INDEXED BY ix_task_risk WHERE +state <> 'reviewed' "  # noqa: S608  names of ours
            "ORDER BY risk DESC, started DESC, id LIMIT ?"
        )
        return [task_row(values) for values in self._ask(asked, (limit,))]

    def task_bodies(self, ids: Sequence[str]) -> dict[str, Task]:
        """These tasks by id; unknown ids are left out."""
        from store.codec import TASK

        wanted = f"SELECT task_id, body FROM task_body WHERE task_id IN ({','.join('?' * len(ids))})"  # noqa: S608  marks
        return {str(id): TASK.decode(cast("bytes", body)) for id, body in self._ask(wanted, tuple(ids))}

    def verdicts(self, *, until: int | None = None) -> list[Verdict]:
        """Every verdict that was not withdrawn, oldest first."""
        found = self._ask("SELECT body FROM verdict ORDER BY seq", ())
        return standing_rows((decode(cast("bytes", body), type=Verdict) for (body,) in found), until)

    def exceptions(self, *, until: int | None = None) -> list[ExceptionRecord]:
        """Every accepted risk that was not ended early, oldest first; expired ones too."""
        found = self._ask("SELECT body FROM accepted_risk ORDER BY seq", ())
        return standing_rows((decode(cast("bytes", body), type=ExceptionRecord) for (body,) in found), until)

    def alike(self, detection: str, scope: str, where: str) -> list[str]:
        """Which findings an exception covers is for the whole store to say (StoreError); the queue asks for none."""
        raise StoreError("findings are beyond the plain reading of a store; open it in full")

    def assignees(self) -> dict[str, str]:
        """Who looks after each task that somebody does."""
        asked = "SELECT subject, body FROM statement WHERE what = 'assignment' ORDER BY seq"
        found = {str(task): decode(cast("bytes", body), type=Assignment).to for task, body in self._ask(asked, ())}
        return {task: to for task, to in found.items() if to}

    def comment_counts(self) -> dict[str, int]:
        """How many comments there are on each task and on what is in it."""
        asked = "SELECT task_id, count(*) FROM statement WHERE what = 'comment' GROUP BY task_id"
        return {str(task): int(str(count)) for task, count in self._ask(asked, ())}

    def task(self, id: str) -> Task | None:
        """One task as it was built; None where there is none of that id."""
        from store.codec import TASK

        found = self._ask("SELECT body FROM task_body WHERE task_id = ?", (id,))
        return TASK.decode(cast("bytes", found[0][0])) if found else None

    def tasks_by_id(self, ids: Sequence[str]) -> list[TaskRow]:
        """These tasks' rows, in no order; unknown ids are left out."""
        asked = f"SELECT {_COLUMNS} FROM task WHERE id IN ({','.join('?' * len(ids))})"  # noqa: S608  names of ours, marks
        return [task_row(values) for values in self._ask(asked, tuple(ids))]

    def pulse(self) -> Pulse:
        """Where the store stands now, as `store.pulse` tells it."""
        return Pulse(*(int(str(number)) for number in self._ask(ASKED, ())[0]))

    def tasks_changed(self, after: int, limit: int) -> list[str]:
        """Tasks whose steps changed after this number, as `store.pulse` tells them."""
        return [str(task) for (task,) in self._ask(CHANGED, (after, limit))]

    def journal(self, after: int = 0, limit: int | None = None) -> list[JournalEntry]:
        """Entries of the review journal numbered above `after`, oldest first."""
        asked = "SELECT seq, at, who, what, body, head FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"
        return [JournalEntry(*row) for row in self._ask(asked, (after, -1 if limit is None else limit))]  # type: ignore[arg-type]

    def count(self) -> int:
        """How many tasks there are."""
        return int(str(self._ask("SELECT count(*) FROM task", ())[0][0]))

    def interrupt(self) -> None:
        """Stop a read that is under way in another thread; it raises Interrupted there."""
        with suppress(sqlite3.ProgrammingError):  # closed meanwhile
            self._connection.interrupt()

    def close(self) -> None:
        """Close once no thread reads any more: the read under way is stopped, and what is asked later is a StoreError."""
        while not self._reading.acquire(timeout=0.01):
            self.interrupt()
        with suppress(sqlite3.Error):
            self._connection.close()
        self._reading.release()

    def __enter__(self) -> FastQueue:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _ask(self, statement: str, values: tuple[str | int, ...]) -> list[tuple[object, ...]]:
        self._file.check()
        try:
            with self._reading:
                return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            if str(error) == "interrupted":
                raise Interrupted("this read was stopped, because its answer is no longer wanted") from error
            raise StoreError(f"cannot read the store {self._path}: {error}") from error

    def _recognise(self) -> None:
        if self._connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise StoreError(f"{self._path} is not a Remit store; check the path")
        found = self._connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608  a constant of ours
        if found is not None and found[0] != HEAD and found[0] in REVISIONS:
            raise OlderSchemaError(older(str(self._path), str(found[0])))
        if found is None or found[0] != HEAD:
            raise StoreError(newer(str(self._path), str(found and found[0])))


def _ranges(sort: SortKey, after: PageKey | None, backwards: bool = False) -> list[tuple[str, tuple[str | int, ...]]]:
    """The ranges of the sort's index that make up a page, in their order (see `store.queue.page_statements`)."""
    if after is None:
        return [("", ())]
    columns = SORTS[sort]
    found = []
    for depth in range(len(columns) - 1, -1, -1):
        name, descending = columns[depth]
        parts = [f"{equal} = ?" for equal, _ in columns[:depth]] + [f"{name} {'<' if descending != backwards else '>'} ?"]
        found.append((f"WHERE {' AND '.join(parts)}", after[: depth + 1]))
    return found
