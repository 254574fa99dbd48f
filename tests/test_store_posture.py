"""The sums behind the overview are those of the rows, whatever was written, replaced or taken away; on both databases."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import select, text

from model.chain import Credential, Finding, TaskChain
from model.figures import Sums, Tally
from model.review import Verdict
from model.words import Severity, VerdictWord
from review.show.filters import task_filter
from store import Store, codec, open_store
from store.migrate import migrate
from store.posture import HOUR, oldest_statement, waiting_statement
from store.rows import FindingHour, RiskRow
from store.tables import CLOCK_SUM, CREDENTIAL_SUM, FINDING, FINDING_SUM, RISK_SUM, SHARE_SUM, TALLY, TASK, TASK_BODY
from tests.store_fixtures import make_chain, make_finding, make_step

ADDED = ("share_sum", "risk_sum", "finding_sum", "credential_sum")


def built(random: random.Random, id: str, anchors: Sequence[int]) -> tuple[TaskChain, list[Finding]]:
    chain = make_chain(
        id,
        [make_step(id, 0)],
        [f"rec-{id}"],
        agent=random.choice(["codex", "claude-code", ""]),
        repository=random.choice(["acme/a", "acme/b"]),
        risk=random.randrange(4) * 30,
        started=random.choice([None, 5, 9 * HOUR]),
    )
    chain.tallies = tuple(
        Tally("team", week, "exec", "Bash", random.randrange(1, 5), 1, 1, 0, 1, 1, 0, 2, 1, 500, 0, 1, 5, 9)
        for week in ("2026-W12", "2026-W13")[: random.randrange(3)]
    )
    chain.task.clocks = {
        point: [random.randrange(-3, 3) * 4_000 for _ in range(random.randrange(4))]
        for point in ("opa", "vault")[: random.randrange(3)]
    }
    found = []
    for anchor in anchors:
        one = make_finding(id, str(anchor), severity=random.choice(list(Severity)), blind_spot=random.random() < 0.3)
        one.at = random.choice([None, -1, 3, 2 * HOUR])
        found.append(one)
    return chain, found


def rows(store: Store, table: Any) -> list[tuple[Any, ...]]:
    with store.db.read() as connection:
        return sorted(tuple(row) for row in connection.execute(select(table)))


def counted(store: Store) -> dict[str, Counter[tuple[Any, ...]]]:
    """The sums worked out from the rows themselves."""
    found: dict[str, Counter[tuple[Any, ...]]] = {name: Counter() for name in ("share", "risk", "finding", "clock")}
    with store.db.read() as connection:
        joined = select(TALLY.c.actions, TALLY.c.week, TASK.c.agent, TASK.c.repository).join_from(
            TALLY, TASK, TASK.c.id == TALLY.c.task_id
        )
        for actions, week, agent, repository in connection.execute(joined):
            found["share"][agent, repository, week] += actions
        for task in connection.execute(select(TASK)):
            found["risk"][task.agent, task.repository, task.risk] += 1
        for one in connection.execute(select(FINDING)):
            found["finding"][-(2**62) if one.at is None else one.at // HOUR, one.rank, int(one.blind_spot)] += 1
        for (body,) in connection.execute(select(TASK_BODY.c.body)):
            for point, differences in codec.clocks(body).items():
                found["clock"].update((point, round(difference / 10_000) * 10_000) for difference in differences)
    return found


def agree(store: Store) -> None:
    now = counted(store)
    assert {row[:3]: row[3] for row in rows(store, SHARE_SUM)} == now["share"]
    assert {row[:3]: row[3] for row in rows(store, RISK_SUM)} == now["risk"]
    assert {row[:3]: row[3] for row in rows(store, FINDING_SUM)} == now["finding"]
    assert {row[:2]: row[2] for row in rows(store, CLOCK_SUM)} == now["clock"]


def test_sums_follow_whatever_is_written_and_taken_away(store: Store) -> None:
    chance = random.Random(7)
    for _ in range(12):
        ids = chance.sample([f"task-{n}" for n in range(8)], 3)
        # Anchors are dealt anew each time: a finding moves from one task to another.
        anchors = chance.sample(range(6), 6)
        store.save_chains([built(chance, id, anchors[2 * n : 2 * n + chance.randrange(3)]) for n, id in enumerate(ids)])
        agree(store)
        store.delete_task(f"task-{chance.randrange(8)}")
        agree(store)
    sums = (RISK_SUM, FINDING_SUM, SHARE_SUM, CLOCK_SUM)
    assert all(rows(store, one) for one in sums)
    store.clear_derived()
    assert not any(rows(store, one) for one in sums)


def test_what_the_sums_tell(store: Store) -> None:
    chain = make_chain("task-1", [make_step("task-1", 0)], ["rec-1"], agent="codex", repository="acme/a", risk=90)
    chain.tallies = (Tally("team", "2026-W12", "exec", "Bash", 4, 3, 2, 1, 2, 1, 1, 2, 1, 500, 0, 1, 5, 9),)
    late = make_finding("task-1", "late", severity=Severity.CRITICAL)
    late.at = 3 * HOUR + 1
    spot = make_finding("task-1", "spot", blind_spot=True)
    spot.at = None
    store.save_chain(chain, [late, spot])
    assert [(row.agent, row.week, row.sums) for row in store.share_sums()] == [
        ("codex", "2026-W12", Sums(4, 3, 2, 1, 2, 1, 1, 1, 500, 0, 1))
    ]
    assert store.risk_sums() == [RiskRow("codex", "acme/a", 90, 1, 1, 0, 0, 0, 1)]
    assert store.finding_hours() == [FindingHour(None, "high", True, 1), FindingHour(3, "critical", False, 1)]
    assert [row.id for row in store.task_rows(task_filter("severity:critical severity:blind"))] == ["task-1"]
    assert store.task_rows(task_filter("severity:high")) == []


def test_credentials_are_counted_by_bond_and_flags(store: Store) -> None:
    held = [
        Credential("c1", "token:1", issued_task="task-1", ttl_seconds=900),
        Credential("c2", "token:2", ttl_seconds=-1, flags=("standing", "reused")),
        Credential("c3", "token:3"),
        Credential("c4", "token:4", expires=5),
    ]
    store.save_credentials(held)
    whole = [("other", (), 1), ("standing", ("reused", "standing"), 1), ("task", (), 1), ("unknown", (), 1)]
    assert store.credential_sums() == whole
    store.save_credentials(held[:1])
    assert store.credential_sums() == whole
    store.delete_credentials(["c3"])
    assert store.credential_sums() == whole[:3]
    store.delete_credentials()
    assert store.credential_sums() == []


def test_an_older_store_gets_the_same_sums(store_url: str) -> None:
    chance = random.Random(11)
    with open_store(store_url) as store:
        store.save_chains([built(chance, f"task-{n}", (n, n + 100)) for n in range(12)])
        store.save_credentials([Credential("c1", "token:1", ttl_seconds=-1, flags=("standing",)), Credential("c2", "token:2")])
        tables = (SHARE_SUM, RISK_SUM, FINDING_SUM, CREDENTIAL_SUM)
        kept = [rows(store, table) for table in tables]
        with store.db.write() as connection:
            for name in ADDED:
                connection.execute(text(f"DROP TABLE {name}"))
            with Operations.context(MigrationContext.configure(connection)):
                import_module("store.migrations.versions.0012_posture_sums").upgrade()
        assert [rows(store, table) for table in tables] == kept
        agree(store)


def test_what_waits_is_counted_by_age(store: Store) -> None:
    starts = (None, 10, 20, 30, 40, 50)
    store.save_chains([(make_chain(f"task-{n}", started=at), []) for n, at in enumerate(starts)])
    store.add_verdict(Verdict("task-5", "task", VerdictWord.WITHIN, "fine", "dana", 5))
    store.add_verdict(Verdict("task-4", "task", VerdictWord.WITHIN, "fine", "dana", 5))
    store.save_chain(make_chain("task-4", [make_step("task-4", 0)], ["rec-late"], started=40), [])
    found = store.waiting((30, 20))
    assert (found.open, found.reopened, found.undated, found.oldest, found.since) == (4, 1, 1, 10, (1, 1, 1))


def test_what_waits_is_counted_from_its_index_alone(store: Store) -> None:
    store.save_chains([(make_chain(f"task-{n}", started=n), []) for n in range(300)])
    store.optimise()
    with store.db.read() as connection:
        if not store.db.sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for statement in (waiting_statement("open"), waiting_statement("open", 5, 9), oldest_statement()):
            compiled = statement.compile(dialect=store.db.engine.dialect, compile_kwargs={"literal_binds": True})
            asked = f"EXPLAIN {'QUERY PLAN' if store.db.sqlite else ''} {compiled}"
            plan = "\n".join(str(tuple(line)) for line in connection.exec_driver_sql(asked))
            assert not store.db.sqlite or "COVERING INDEX ix_task_state" in plan, plan
            assert "TEMP B-TREE" not in plan and "Seq Scan" not in plan, plan


def test_changes_after_a_mark(store: Store) -> None:
    store.save_chains([(make_chain("task-1"), []), (make_chain("task-2"), [])])
    mark = store.last_change()
    number = int(mark.partition(":")[0])
    assert store.changed_after(mark) == 0
    store.save_chain(make_chain("task-2"), [])
    store.save_chain(make_chain("task-3"), [])
    store.delete_task("task-1")
    assert store.changed_after(mark) == 2
    assert {row.id for row in store.task_rows(task_filter(f"since:{number}"))} == {"task-2", "task-3"}
    assert store.changed_after("1:another") is None and store.changed_after("") is None
    store.clear_derived()
    assert store.changed_after(mark) is None


@pytest.mark.parametrize("at", [-1, 0, HOUR - 1, HOUR, -HOUR, -HOUR - 1])
def test_hours_are_whole_before_the_epoch_too(sqlite_url: str, at: int) -> None:
    with open_store(sqlite_url) as store:
        found = make_finding("task-1", "a")
        found.at = at
        store.save_chain(make_chain("task-1"), [found])
        assert [row.hour for row in store.finding_hours()] == [at // HOUR]


def test_a_store_from_before_has_its_clocks_counted_when_it_is_brought_up_to_date(store: Store) -> None:
    chance = random.Random(11)
    store.save_chains([built(chance, f"task-{n}", []) for n in range(8)])
    before = rows(store, CLOCK_SUM)
    assert len(before) > 3
    with store.db.write() as connection:
        for name in ("clock_sum", "heard", "dirty_point"):
            connection.execute(text(f"DROP TABLE {name}"))
        connection.execute(text("ALTER TABLE record DROP COLUMN voice"))
        if not store.db.sqlite:
            connection.execute(text("DROP FUNCTION remit_takes_back"))
        connection.execute(text("UPDATE remit_schema SET version_num = '0022'"))
    store.db.schema = None  # as in a store that is only being opened
    migrate(store.db)
    assert rows(store, CLOCK_SUM) == before
