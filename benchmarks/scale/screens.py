"""What the queue, its filters and searches, and opening a task ask of a large PostgreSQL store: statement by statement, explained.

A key pressed in the dashboard becomes a few statements. They are listened to as the desk asks them, then each is run again
under EXPLAIN (ANALYZE, BUFFERS), by one process of the server alone. Its processor time and the pages of 8 KB touched are the
figures that do not hang on how busy the machine is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import thread_time
from typing import Any

from sqlalchemy import event

from benchmarks.desk.__main__ import FILTERS, SEARCHES
from benchmarks.desk.filling import fill_postgresql
from benchmarks.fill import copy, sample_chains
from benchmarks.scale.measuring import postgresql
from review.sitting.desk import Desk
from review.sitting.queueing import FACETS, PAGE
from store import open_store
from store.engine import Database

LARGE = 10_000
"""Rows of a table from which reading all of it is worth telling."""
ROUND = 900
"""The round under which the sample day's chains are written beside the invented tasks: those are opened."""

Asked = tuple[str, Any]


@dataclass
class Cost:
    """What the server did for some statements: milliseconds, those of its processor, pages found in memory and not, tables read whole."""

    ms: float = 0.0
    cpu: float = 0.0
    hit: int = 0
    read: int = 0
    whole: set[str] = field(default_factory=set)


def screens(data: Path, tasks: int) -> None:
    """Print a line for each thing a reviewer does; the store is made where the folder holds none."""
    filled = (data / "data").exists()
    with postgresql(data) as (url, _):
        if not filled:
            fill_postgresql(url, tasks)
        with open_store(url) as store:
            opened = [copy(chain, findings, ROUND) for chain, findings in sample_chains()]
            if store.task(opened[0][0].task.id) is None:
                store.save_chains(opened)
            known = store.count_tasks()
        longest = max(opened, key=lambda one: len(one[0].steps))[0]
        print(f"{known:,} tasks; a task of {len(longest.steps)} steps is opened")
        print(f"  {'':<88}{'asked':>6}{'client cpu ms':>14}{'server ms':>11}{'its cpu':>9}{'pages':>11}{'not in memory':>14}")
        desk = Desk(url, readonly=True)
        try:
            _all(desk, url, longest.task.id)
        finally:
            desk.close()


def _all(desk: Desk, url: str, task: str) -> None:
    def told(name: str, act: Callable[[], object]) -> None:
        _tell(desk, url, name, act)

    for sort in ("risk", "started", "title", "agent", "steps", "findings"):
        told(f"queue by {sort}: first page", lambda s=sort: desk.tasks("", s).page(0))  # type: ignore[misc]
    pages = desk.tasks("", "risk")
    for number in range(20):
        pages.page(number)
    told("queue by risk: the next page, by key", lambda: pages.page(20))
    told("queue: the count", lambda: desk.tasks("", "risk").count())
    last = desk.tasks("", "risk")
    total = last.count()
    told("queue by risk: a jump to the last page", lambda: last.page((total - 1) // PAGE))
    told("queue by risk: a jump to the middle", lambda: last.page(total // 2 // PAGE))
    for name, expressions in (("filter", FILTERS), ("search", SEARCHES)):
        for expression in expressions:
            told(f"{name} {expression}: first page", lambda e=expression: desk.tasks(e, "risk").page(0))  # type: ignore[misc]
            told("  its count", lambda e=expression: desk.tasks(e, "risk").count())  # type: ignore[misc]
    for one in FACETS:
        told(f"facet {one} of every task", lambda f=one: desk.facet(f, "", 6))  # type: ignore[misc]
    told("one task: opened", lambda: desk.task(task))
    told("one task: its walk", lambda: desk.walk(task))
    told("a look for news", desk.look)
    told("a look for news, the next", desk.look)


def _tell(desk: Desk, url: str, name: str, act: Callable[[], object]) -> None:
    act()  # what is asked once a sitting is asked
    with _listening(desk.store.db) as asked:
        start = thread_time()
        act()
        spent = (thread_time() - start) * 1e3
    cost = _explained(url, asked)
    whole = f"  reads all of {', '.join(sorted(cost.whole))}" if cost.whole else ""
    print(
        f"  {name:<88}{len(asked):>6}{spent:>14.1f}{cost.ms:>11.1f}{cost.cpu:>9.1f}{cost.hit + cost.read:>11,}{cost.read:>14,}{whole}",
        flush=True,
    )


@contextmanager
def _listening(db: Database) -> Iterator[list[Asked]]:
    """What is asked of a database meanwhile, by whichever way."""
    asked: list[Asked] = []
    fetch = Database.fetch

    def heard(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    def fetched(self: Database, connection: Any, statement: str, values: Any) -> Any:
        asked.append((statement.replace("?", "%s"), values))
        return fetch(self, connection, statement, values)

    event.listen(db.engine, "before_cursor_execute", heard)
    Database.fetch = fetched  # type: ignore[method-assign]
    try:
        yield asked
    finally:
        Database.fetch = fetch  # type: ignore[method-assign]
        event.remove(db.engine, "before_cursor_execute", heard)


def _explained(url: str, asked: list[Asked]) -> Cost:
    import psycopg

    cost = Cost()
    with psycopg.connect(url) as connection:
        connection.execute("SET max_parallel_workers_per_gather = 0")
        used = Path(f"/proc/{connection.info.backend_pid}/schedstat")
        for statement, values in asked:
            if not statement.lstrip().upper().startswith(("SELECT", "WITH")):
                continue
            before = int(used.read_text().split()[0])
            row = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}".encode(), values).fetchone()
            cost.cpu += (int(used.read_text().split()[0]) - before) / 1e6
            assert row is not None
            plan = row[0][0]
            cost.ms += plan["Execution Time"] + plan["Planning Time"]
            cost.hit += plan["Plan"]["Shared Hit Blocks"]
            cost.read += plan["Plan"]["Shared Read Blocks"]
            cost.whole |= _whole(plan["Plan"])
    return cost


def _whole(node: dict[str, Any]) -> set[str]:
    """Large tables and indexes that a plan reads from end to end."""
    found = set[str]()
    rows = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    if rows >= LARGE and node["Node Type"] == "Seq Scan":
        found.add(node["Relation Name"])
    if rows >= LARGE and "Index" in node["Node Type"] and "Index Cond" not in node and "Index Name" in node:
        found.add(node["Index Name"])
    for part in node.get("Plans", ()):
        found |= _whole(part)
    return found
