"""The queue: every page the right one, whatever the sort, the direction and the filter, and each found through an index."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.chain import Finding
from model.review import ExceptionRecord, Verdict
from model.words import Severity, VerdictWord
from store import Store, StoreError, TaskFilter, TaskRow, open_store
from store.fast import FastQueue, _ranges
from store.queue import page_statements
from store.rows import SORTS, UNKNOWN_STARTED, SortKey, page_key
from tests.store_fixtures import empty, make_chain, make_finding, make_step

SORT_KEYS: tuple[SortKey, ...] = get_args(SortKey)
ALL = 10_000


def in_order(rows: list[TaskRow], sort: SortKey) -> list[TaskRow]:
    ordered = list(rows)
    for place in range(len(SORTS[sort]) - 1, -1, -1):
        ordered.sort(key=lambda row: page_key(row, sort)[place], reverse=SORTS[sort][place][1])
    return ordered


tasks = st.fixed_dictionaries(
    {
        "risk": st.integers(0, 2),
        "started": st.one_of(st.none(), st.integers(1, 3)),
        "title": st.sampled_from(["", "a", "B", "é", "\U0001f600", "z"]),
        "agent": st.sampled_from(["codex", "claude-code"]),
        "repository": st.sampled_from(["acme/a", "acme/b", ""]),
        "steps": st.integers(0, 2),
        "findings": st.integers(0, 2),
    }
)


def save(store: Store, given: list[dict[str, Any]]) -> None:
    built = []
    for number, facts in enumerate(given):
        id = f"task-{number:02}"
        findings: list[Finding] = [make_finding(id, f"{number}/{n}") for n in range(facts["findings"])]
        shape = {name: value for name, value in facts.items() if name not in ("findings", "steps")}
        built.append((make_chain(id, [make_step(id, n) for n in range(facts["steps"])], **shape), findings))
    store.save_chains(built)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(tasks, min_size=1, max_size=20), st.integers(1, 7))
def test_pages_join_into_the_whole_queue_in_both_directions(store: Store, given: list[dict[str, Any]], size: int) -> None:
    empty(store)
    save(store, given)
    fast = FastQueue(store.location) if store.db.sqlite else None
    for sort in SORT_KEYS:
        whole = store.task_rows(sort=sort, limit=ALL)
        assert whole == in_order(whole, sort) and len(whole) == len(given) == store.count_tasks()
        pages: list[TaskRow] = []
        while page := store.task_rows(None, sort, size, page_key(pages[-1], sort) if pages else None):
            if fast:
                assert fast.rows(sort, size, page_key(pages[-1], sort) if pages else None) == page
            pages += page
        assert pages == whole
        back: list[TaskRow] = []
        while page := store.task_rows(None, sort, size, page_key(back[-1], sort) if back else None, backwards=True):
            back += page
        assert back == whole[::-1]
        for skip in range(0, len(given) + 2, size):
            for backwards, wanted in ((False, whole), (True, whole[::-1])):
                page = wanted[skip : skip + size]
                assert store.task_rows(None, sort, size, backwards=backwards, skip=skip) == page
                assert fast is None or fast.rows(sort, size, backwards=backwards, skip=skip) == page
    if fast:
        assert fast.count() == len(given)
        fast.close()


@pytest.mark.parametrize("sort", SORT_KEYS)
def test_every_page_is_a_walk_along_its_index(store: Store, sort: SortKey) -> None:
    """SQLite reads each range of a page from the sort's own index without sorting; PostgreSQL, which weighs costs, scans no table."""
    store.save_chains([(make_chain(f"task-{n}", title="t" * (n % 7), risk=n % 3, started=n % 11), []) for n in range(400)])
    store.optimise()
    row = store.task_rows(None, sort, 1)[0]
    with store.db.read() as connection:
        if not store.db.sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for after in (None, page_key(row, sort)):
            for backwards in (False, True):
                for statement in page_statements([], sort, 50, after, backwards):
                    compiled = statement.compile(dialect=store.db.engine.dialect, compile_kwargs={"literal_binds": True})
                    asked = f"EXPLAIN {'QUERY PLAN' if store.db.sqlite else ''} {compiled}"
                    plan = "\n".join(str(tuple(line)) for line in connection.exec_driver_sql(asked))
                    if store.db.sqlite:
                        assert f"USING INDEX ix_task_{sort}" in plan and "TEMP B-TREE" not in plan, plan
                    else:
                        assert "Index Scan" in plan and "Seq Scan" not in plan, plan
                        assert after is not None or f"using ix_task_{sort} " in plan, plan


def test_plain_reads_tell_of_tasks_and_of_what_people_said_what_the_store_tells(sqlite_url: str) -> None:
    with open_store(sqlite_url) as store:
        store.save_chains(
            [(make_chain(f"task-{n}", risk=n, title=f"t{n}"), [make_finding(f"task-{n}", str(n))]) for n in range(3)]
        )
        for word in (VerdictWord.ESCALATE, VerdictWord.WITHIN):
            store.add_verdict(Verdict("task-1", "task", word, "because", "dana", 5))
        store.add_exception(ExceptionRecord("find-1", "dana", "SEC-1", 9, "known", "mallory", 5))
        ids = ["task-2", "task-0", "no such task"]
        with FastQueue(sqlite_url) as fast:
            assert fast.task_bodies(ids) == store.task_bodies(ids) and len(fast.task_bodies(ids)) == 2
            assert fast.verdicts() == store.verdicts() and len(fast.verdicts()) == 2
            assert fast.exceptions() == store.exceptions() and len(fast.exceptions()) == 1


def test_fast_pages_walk_the_same_indexes(sqlite_url: str) -> None:
    with open_store(sqlite_url) as store:
        store.save_chains([(make_chain(f"task-{n}", risk=n % 3, started=n % 11), []) for n in range(200)])
        store.optimise()
        row = store.task_rows(None, "risk", 1)[0]
        for sort in SORT_KEYS:
            order = ", ".join(f"{name} DESC" if down else name for name, down in SORTS[sort])
            for where, values in _ranges(sort, page_key(row, sort)):
                asked = f"EXPLAIN QUERY PLAN SELECT * FROM task {where} ORDER BY {order} LIMIT 9"
                with store.db.read() as connection:
                    plan = str(connection.exec_driver_sql(asked, values).all())
                assert f"ix_task_{sort}" in plan and "TEMP B-TREE" not in plan, plan


def test_filters_narrow(store: Store) -> None:
    step = make_step("task-1", 0, command="git push --force origin main")
    store.save_chains(
        [
            (
                make_chain(
                    "task-1",
                    [step],
                    agent="codex",
                    principal="dana",
                    repository="acme/a",
                    environment="prod",
                    risk=80,
                    started=100,
                    vantages=("agent", "enforcer"),
                    title="Deploy the payments service",
                ),
                [make_finding("task-1", "a"), make_finding("task-1", "b", detection="GOV-01", severity=Severity.LOW)],
            ),
            (
                make_chain(
                    "task-2", agent="claude-code", risk=10, started=200, vantages=("agent",), parent="task-1", title="docs"
                ),
                [],
            ),
            (make_chain("task-3", risk=50, title="50% of_it"), [make_finding("task-3", "c", blind_spot=True)]),
        ]
    )
    store.add_verdict(Verdict("task-2", "task", VerdictWord.WITHIN, "fine", "lee", 5))

    def ids(**fields: Any) -> list[str]:
        chosen = TaskFilter(**fields)
        rows = store.task_rows(chosen)
        assert store.count_tasks(chosen) == len(rows)
        assert store.task_rows(chosen, after=page_key(rows[0], "risk")) == rows[1:] if rows else True
        return [row.id for row in rows]

    assert ids() == ["task-1", "task-3", "task-2"]
    assert ids(agent="codex") == ids(principal="dana") == ids(repository="acme/a") == ids(environment="prod") == ["task-1"]
    assert ids(agent="") == ["task-3"]
    assert ids(risk_min=50) == ["task-1", "task-3"] and ids(risk_min=11, risk_max=79) == ["task-3"]
    assert ids(detections=("CRED-03",)) == ids(detections=("CRED-03", "GOV-01")) == ["task-1"]
    assert ids(detections=("CRED",)) == ids(detections=("%",)) == ids(vantage=("agent", "witness")) == []
    assert ids(vantage=("agent",)) == ["task-1", "task-2"] and ids(vantage=("enforcer",)) == ["task-1"]
    assert ids(after=100) == ["task-1", "task-2"] and ids(after=101) == ["task-2"]
    assert ids(before=200) == ["task-1"] and ids(before=10**15) == ["task-1", "task-2"], "unknown is not proved to be earlier"
    assert ids(parent="task-1") == ["task-2"] and store.children("task-1") == ["task-2"]
    assert ids(state="open") == ["task-1", "task-3"] and ids(state="reviewed") == ids(verdict="within-remit") == ["task-2"]
    assert ids(text="payments") == ids(text="push force") == ids(text="PAYM") == ["task-1"]
    assert ids(text="payments docs") == ids(text="absent") == ids(text="%%%") == ids(agent="\x00\ud800") == []
    assert ids(text="  ") == ids()


def test_a_read_can_be_stopped_from_outside(sqlite_url: str) -> None:
    with open_store(sqlite_url) as store:
        store.save_chain(make_chain("task-1"), [])
        fast = FastQueue(sqlite_url)
        fast.interrupt()
        assert fast.count() == 1, "nothing was under way"
        store.interrupt()
        assert store.count_tasks() == 1
        fast._connection.set_progress_handler(lambda: 1, 1)
        with pytest.raises(StoreError, match="stopped"):
            fast.rows()
        fast.close()


def test_unknown_starts_come_last(store: Store) -> None:
    store.save_chains([(make_chain(f"task-{n}", started=n or None), []) for n in range(3)])
    assert [row.started for row in store.task_rows(None, "started")] == [2, 1, None]
    assert page_key(store.task_rows(None, "started")[-1], "started") == (UNKNOWN_STARTED, "task-0")
