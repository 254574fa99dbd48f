"""The queue: every page the right one, whatever the sort, the direction and the filter, and each found through an index."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any, get_args
from unittest.mock import ANY

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import func, select

from model.chain import Finding
from model.figures import Claim
from model.review import ExceptionRecord, Verdict
from model.words import Severity, Verb, VerdictWord
from review.show.filters import task_filter
from store import Store, StoreError, TaskRow, open_store
from store.fast import FastQueue, _ranges
from store.narrowing import conditions
from store.queue import CHILDREN, page_statements
from store.rows import SORTS, UNKNOWN_STARTED, SortKey, page_key
from store.tables import TALLY, TASK
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
                        assert after is not None or f"using ix_task_{sort}" in plan, plan


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
                    "task-2",
                    agent="claude-code",
                    principal="lee@acme.example",
                    risk=10,
                    started=200,
                    vantages=("agent",),
                    parent="task-1",
                    title="docs",
                ),
                [],
            ),
            (make_chain("task-3", risk=50, title="50% of_it"), [make_finding("task-3", "c", blind_spot=True)]),
        ]
    )
    with store.db.write() as connection:
        for task, owner in (("task-1", "team-a"), ("task-2", "team-b")):
            store.db.insert(connection, TALLY, [(task, owner, "", "exec", "Bash", *[0] * 12, None, None)])
    store.add_verdict(Verdict("task-2", "task", VerdictWord.WITHIN, "fine", "lee", 5))

    def ids(expression: str = "") -> list[str]:
        chosen = task_filter(expression)
        rows = store.task_rows(chosen)
        assert store.count_tasks(chosen) == len(rows)
        assert store.task_rows(chosen, after=page_key(rows[0], "risk")) == rows[1:] if rows else True
        assert store.task_ids_between(0, ALL, chosen) == [row.id for row in rows]
        assert [count for _, count in store.facet("state", chosen)] == ([len(rows)] if len({r.state for r in rows}) == 1 else ANY)
        return [row.id for row in rows]

    everything = ["task-1", "task-3", "task-2"]
    for expression, wanted in {
        "": "1 3 2",
        "agent:codex": "1",
        "agent:co*": "1",
        "agent:codex,claude-code": "1 2",
        "who:dana": "1",
        "who:lee": "2",
        "repo:acme/a": "1",
        "repo:a": "1",
        "repo:*/?": "1",
        'repo:"*/?"': "",
        "env:prod": "1",
        "env:*": "1",
        "risk:>=50": "1 3",
        "risk:11..79": "3",
        "risk:10,80": "1 2",
        "steps:>0": "1",
        "finding:cred-03": "1",
        "finding:CRED-03 finding:GOV-01": "1",
        "finding:*-0?": "1",
        "finding:CRED": "",
        "finding:%": "",
        "severity:low": "1",
        "severity:critical": "",
        "blind:>0": "3",
        "seen:agent": "1 2",
        "seen:agent seen:witness": "",
        "seen:witness,enforcer": "1",
        f"after:{_at(100)}": "1 2",
        f"after:{_at(101)}": "2",
        f"before:{_at(200)}": "1",
        "before:2030-01-01": "1 2",
        "parent:task-1": "2",
        "state:open": "1 3",
        "state:reviewed": "2",
        "verdict:within-remit": "2",
        "verdict:*": "2",
        "title:*PAY*": "1",
        "title:50%*": "3",
        "payments": "1",
        "push force": "1",
        '"git push"': "1",
        '"push git"': "",
        "PAYM": "1",
        "payments docs": "",
        "absent": "",
        "%%%": "",
        "owner:team-b": "2",
        "owner:*": "1 2",
    }.items():
        found = [f"task-{number}" for number in wanted.split()]
        assert ids(expression) == found, expression
        if expression and len(expression.split()) == 1:
            turned = [id for id in everything if id not in found]
            assert ids(f"-{expression}") == ids(f"!{expression}") == turned, f"-{expression}"
    assert ids("-payments -docs") == ["task-3"] and ids("agent:\x00\ud800") == []
    assert (
        store.facet("agent") == store.facet("agent", task_filter("-agent:nobody")) == [("", 1), ("claude-code", 1), ("codex", 1)]
    )
    assert store.facet("detection", task_filter("agent:codex")) == [("CRED-03", 1), ("GOV-01", 1)]
    assert store.facet("vantages") == [("agent", 2), ("", 1), ("enforcer", 1)]
    assert store.facet("owner", most=1) == [("team-a", 1)]


def _at(micros: int) -> str:
    return f"1970-01-01T00:00:00.{micros:06}Z"


@pytest.mark.parametrize(
    "expression",
    ["agent:codex", "who:dana", "repo:payments", "env:prod", "state:reopened", "verdict:escalate", "assignee:lee", "finding:CRED-03",
     "owner:team-a", "-verdict:*", "risk:>2", "after:2026-06-01", "word", "agent:codex,pi risk:>1"],
)  # fmt: skip
def test_no_filter_of_one_value_reads_the_whole_table(store: Store, expression: str) -> None:
    store.save_chains(
        [
            (
                make_chain(f"task-{n}", agent=f"a{n % 9}", risk=n % 3, started=n % 11, environment=f"e{n % 9}", title="a word"),
                [make_finding(f"task-{n}", str(n))] if n % 40 == 0 else [],
            )
            for n in range(300)
        ]
    )
    store.optimise()
    with store.db.read() as connection:
        if not store.db.sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        narrowed = conditions(store.db, connection, task_filter(expression), ordered=False)
        compiled = (
            select(func.count())
            .select_from(TASK)
            .where(*narrowed)
            .compile(dialect=store.db.engine.dialect, compile_kwargs={"literal_binds": True})
        )
        asked = f"EXPLAIN {'QUERY PLAN' if store.db.sqlite else ''} {compiled}"
        plan = [str(tuple(line)) for line in connection.exec_driver_sql(asked)]
        scans = [line for line in plan if ("SCAN task" in line and "USING" not in line) or "Seq Scan" in line]
        assert not scans, plan


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


def test_a_store_is_closed_while_threads_read_it(sqlite_url: str) -> None:
    """A dashboard is quit whenever one likes; to close what another thread reads from ended the process."""
    with open_store(sqlite_url) as store:
        store.save_chain(make_chain("task-1"), [])
    for _ in range(50):
        fast, reading = FastQueue(sqlite_url), threading.Event()

        def read(fast: FastQueue = fast, reading: threading.Event = reading) -> None:
            with suppress(StoreError):
                while True:
                    fast.rows()
                    fast.pulse()
                    reading.set()

        readers = [threading.Thread(target=read) for _ in range(3)]
        for one in readers:
            one.start()
        reading.wait()
        fast.close()
        for one in readers:
            one.join()
        with pytest.raises(StoreError):
            fast.rows()


def test_unknown_starts_come_last(store: Store) -> None:
    store.save_chains([(make_chain(f"task-{n}", started=n or None), []) for n in range(3)])
    assert [row.started for row in store.task_rows(None, "started")] == [2, 1, None]
    assert page_key(store.task_rows(None, "started")[-1], "started") == (UNKNOWN_STARTED, "task-0")


SPANS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)).map(lambda pair: (pair[0], sum(pair))), max_size=3)
TIMES = st.lists(st.tuples(st.none() | st.integers(1, 9), st.none() | st.integers(0, 4)), max_size=6)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times=TIMES, spans=SPANS)
def test_tasks_of_a_time_are_those_that_overlap_it(
    store: Store, times: list[tuple[int | None, int | None]], spans: list[tuple[int, int]]
) -> None:
    empty(store)
    told = {f"task-{n}": (start, None if lasts is None else (start or 1) + lasts) for n, (start, lasts) in enumerate(times)}
    store.save_chains([(make_chain(id, started=start, ended=end), []) for id, (start, end) in told.items()])
    overlap = {
        id
        for id, (start, end) in told.items()
        if start is not None and any(start <= last and (end is None or end >= first) for first, last in spans)
    }
    assert store.tasks_during(spans) == overlap
    assert store.tasks_during(spans, claiming=True) == set()


def test_who_descends_from_a_task_is_looked_up_even_where_no_task_does(sqlite_url: str) -> None:
    with open_store(sqlite_url) as store:
        store.save_chains([(make_chain(f"task-{n}", started=n), []) for n in range(400)])
        store.optimise()
        with store.db.read() as connection:
            plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {CHILDREN}", ("task-1", "task-1")).all())
        assert "ix_task_parent" in plan, plan


def test_the_children_of_several_tasks_are_those_of_each(store: Store) -> None:
    told = {"a": "", "b": "a", "c": "a", "d": "b", "e": "", "f": "gone"}
    store.save_chains([(make_chain(id, parent=parent, started=9 - n), []) for n, (id, parent) in enumerate(told.items())])
    asked = [*told, "gone", "nobody"]
    assert store.children_of(asked) == {task: store.children(task) for task in asked}
    assert store.children_of(["a"]) == {"a": ["c", "b"]}
    assert store.children_of([]) == {}


def test_of_the_tasks_of_a_time_those_that_claim_an_act_are_told(store: Store) -> None:
    told = {id: make_chain(id, started=1, ended=4) for id in ("claims", "claims nothing")}
    told["claims"].claims = (Claim("step-1", "repo.write|acme/a", Verb.REPO_WRITE, 2, 3),)
    store.save_chains([(chain, []) for chain in told.values()])
    assert store.tasks_during([(4, 9)], claiming=True) == {"claims"}
    assert store.tasks_during([(5, 9)], claiming=True) == set()


def test_tasks_with_a_finding_of_a_time_or_one_that_is_hidden_are_told(store: Store) -> None:
    def found(task: str, at: int, blind: bool = False, detection: str = "CRED-05") -> Finding:
        return replace(make_finding(task, task), detection=detection, at=at, blind_spot=blind)

    chains = {id: make_chain(id, started=1, ended=5) for id in ("seen", "blind", "later", "another", "hidden")}
    chains["hidden"].task.hidden = {"GOV-01": {"known": 1}}
    findings = {
        "seen": [found("seen", 5)],
        "blind": [found("blind", 6, True)],
        "later": [found("later", 9)],
        "another": [found("another", 5, detection="GOV-01")],
    }
    store.save_chains([(chain, findings.get(id, [])) for id, chain in chains.items()])
    assert store.tasks_with("CRED-05", [(5, 6)]) == {"seen", "blind", "hidden"}
    assert store.tasks_with("CRED-05", [(7, 8), (9, 9)]) == {"later"}
