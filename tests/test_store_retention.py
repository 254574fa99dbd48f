"""Raw records that were let go: their bytes are gone, and nothing that was known of them is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import event, func, select

from model.evidence import SourceFile
from store import NotKept, Store, StoreError, open_store
from store.tables import BLOCK
from tests.store_fixtures import make_chain, make_record, make_step

DAY = 86_400_000_000
OLD = [make_record(f"old-{n}", line=n, at=n * DAY) for n in (1, 2, 3)]
NEW = [make_record(f"new-{n}", line=9 + n, at=(9 + n) * DAY) for n in (1, 2)]
MIXED = [make_record("early", line=20, at=DAY), make_record("late", line=21, at=12 * DAY)]
UNDATED = [make_record("undated", source="src-2", at=None)]
BEFORE = 5 * DAY


@pytest.fixture
def filled(store: Store) -> Store:
    """Four blocks: all old, all new, of both, and undated but imported early."""
    store.begin_source(SourceFile("src-1", "fmt", "a.jsonl", at=20 * DAY))
    store.begin_source(SourceFile("src-2", "fmt", "b.jsonl", at=2 * DAY))
    for batch in (OLD, NEW, MIXED, UNDATED):
        store.add(batch)
    store.save_chain(make_chain("task-1", [make_step("task-1", 0)], [one.id for one in OLD]), [])
    return store


def test_what_is_old_throughout_goes_and_its_tombstone_stays(filled: Store) -> None:
    blocks, counts, events = list(filled.block_digests()), filled.counts(), filled.events_of_record(OLD[0].id)
    seen = filled.retention(BEFORE)
    assert (seen.blocks, seen.records, seen.first, seen.last) == (2, 4, DAY, 3 * DAY)
    assert seen.by_source == {"src-1": 3, "src-2": 1} and seen.stored > 0
    assert filled.raw(OLD[0].id) == OLD[0].raw, "a preview lets nothing go"

    assert filled.retain(BEFORE, [], [], "lee", {}) == seen
    for gone in (*OLD, *UNDATED):
        with pytest.raises(NotKept, match=r"no longer kept.*older than 1970-01-06"):
            filled.raw(gone.id)
    for stays in (*NEW, *MIXED):
        assert filled.raw(stays.id) == stays.raw
    assert filled.check() == [] and filled.counts() == counts
    assert list(filled.block_digests()) == blocks
    assert filled.events_of_record(OLD[0].id) == events and filled.chain("task-1") is not None
    assert [row.id for row in filled.raw_records("src-1")] == [one.id for one in (*NEW, *MIXED)]
    assert (filled.dropped().blocks, filled.dropped().records) == (2, 4)

    entry = filled.journal()[-1]
    assert entry.what == "retain" and json.loads(entry.body)["data"] == {"blocks": 2, "records": 4, "held": 0, "before": BEFORE}
    with pytest.raises(StoreError, match="nothing to let go"):
        filled.retain(BEFORE, [], [], "lee", {})


def test_records_are_gone_through_a_few_times_however_many_blocks_go(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks have no index of their records: whoever asks of some blocks at a time goes through all records each time."""
    monkeypatch.setattr("store.retention.chunks", lambda items: ([one] for one in items))
    asked: list[str] = []

    def before(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(filled.db.engine, "before_cursor_execute", before)
    assert filled.retain(BEFORE, [], [], "lee", {}).blocks == 2
    assert len([one for one in asked if "FROM record" in one]) == 2


def test_the_same_record_again_is_known_and_stays_let_go(filled: Store) -> None:
    filled.retain(BEFORE, [], [], "lee", {})
    counted = filled.add([OLD[0], make_record("other", line=30)])
    assert (counted.accepted, counted.duplicate) == (1, 1)
    assert filled.not_kept([OLD[0].id, NEW[0].id]) == 1
    with pytest.raises(NotKept):
        filled.raw(OLD[0].id)
    assert filled.check() == []


def test_numbers_of_blocks_are_never_given_again(filled: Store) -> None:
    before = [number for number, _ in filled.block_digests()]
    filled.retain(30 * DAY, [], [], "lee", {})
    with filled.db.read() as connection:
        assert connection.execute(select(func.count()).select_from(BLOCK)).scalar_one() == 0
    filled.add([make_record("after", line=40)])
    assert [number for number, _ in filled.block_digests()] == [*before, max(before) + 1]
    assert filled.raw(make_record("after").id) == b"after"


def test_what_is_held_stays_with_its_whole_block(filled: Store) -> None:
    assert (filled.retention(BEFORE, [OLD[1].id]).blocks, filled.retention(BEFORE, [OLD[1].id]).held) == (1, 1)
    assert filled.retention(BEFORE, [], ["src-2"]).records == 3
    with pytest.raises(StoreError, match="nothing to let go"):
        filled.retain(BEFORE, [OLD[2].id], ["src-2"], "lee", {})
    assert filled.raw(OLD[0].id) == OLD[0].raw


def parts(store: Store) -> list[str]:
    """The partitions that blocks lie in, by the numbers they are for."""
    asked = "SELECT c.relname || ' ' || pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid "
    with store.db.read() as connection:
        return sorted(connection.exec_driver_sql(asked + "WHERE inhparent = 'block'::regclass").scalars())


def aged(store: Store) -> None:
    """Have old records lie in the table of a month that is over."""
    store.begin_source(SourceFile("src-1", "fmt", "a.jsonl", at=20 * DAY))
    store.add(OLD)
    month = parts(store)[0].split()[0]
    with store.db.write() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {month} RENAME TO block_before")


def test_a_month_of_blocks_is_dropped_as_a_whole(postgresql_url: str) -> None:
    with open_store(postgresql_url, create=False) as store:
        store.begin_source(SourceFile("src-1", "fmt", "a.jsonl", at=20 * DAY))
        store.add(OLD)
        (first,) = parts(store)
        month = first.split()[0]
        assert first == f"{month} FOR VALUES FROM (MINVALUE) TO (MAXVALUE)" and month.startswith("block_2")
        # As though the next import were in another month.
        with store.db.write() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {month} RENAME TO block_before")
        store.add(NEW)
        assert parts(store) == [
            f"{month} FOR VALUES FROM ('2') TO (MAXVALUE)",
            "block_before FOR VALUES FROM (MINVALUE) TO ('2')",
        ]
        assert store.raw(OLD[0].id) == OLD[0].raw and store.raw(NEW[0].id) == NEW[0].raw
        store.retain(BEFORE, [], [], "lee", {})
        assert parts(store) == [f"{month} FOR VALUES FROM ('2') TO (MAXVALUE)"]
        with pytest.raises(NotKept):
            store.raw(OLD[0].id)
        assert store.add(OLD).duplicate == 3 and store.check() == []


def test_nobody_waits_for_a_month_that_goes_while_somebody_reads_it(postgresql_url: str) -> None:
    with open_store(postgresql_url, create=False) as store:
        aged(store)
        store.add(NEW)
        with store.db.read() as reading:
            assert reading.execute(select(func.count()).select_from(BLOCK)).scalar_one() == 2
            assert store.retain(BEFORE, [], [], "lee", {}).records == 3
            assert reading.execute(select(func.count()).select_from(BLOCK)).scalar_one() == 2, "a view stays what it was"
        with pytest.raises(NotKept):
            store.raw(OLD[0].id)
        assert len(parts(store)) == 2 and store.check() == []
        store.retain(30 * DAY, [], [], "lee", {})
        assert len(parts(store)) == 1, "the empty table goes with what goes next"


def test_an_import_goes_on_where_somebody_reads_blocks_for_long(postgresql_url: str) -> None:
    with open_store(postgresql_url, create=False) as store:
        aged(store)
        with store.db.read() as reading:
            assert reading.execute(select(func.count()).select_from(BLOCK)).scalar_one() == 1
            assert store.add(NEW).accepted == 2
            assert len(parts(store)) == 1
        assert store.add(MIXED).accepted == 2
        assert len(parts(store)) == 2 and store.check() == []


def test_a_file_gives_the_space_back(sqlite_url: str) -> None:
    with open_store(sqlite_url) as store:
        store.begin_source(SourceFile("src-1", "fmt", "a.jsonl", at=1))
        noise = b"".join(n.to_bytes(8, "big") for n in range(0, 10**12, 10**7))
        store.add([make_record("large", noise, at=DAY)])
        held = store.info()["bytes"]
        size = store.retain(BEFORE, [], [], "lee", {}).stored
        store.vacuum()
        assert isinstance(held, int) and isinstance(now := store.info()["bytes"], int)
        assert held - now >= size // 2 > 50_000
