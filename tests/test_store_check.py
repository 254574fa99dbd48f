"""The store's own examination: damage is named in a sentence, wherever it lies."""

from __future__ import annotations

import pytest
from sqlalchemy import text, update

from model.chain import Credential
from model.evidence import SourceFile
from store import Store, StoreError
from store.schema import HEAD
from store.tables import BLOCK
from tests.store_fixtures import make_chain, make_finding, make_record, make_step


@pytest.fixture
def filled(store: Store) -> Store:
    store.begin_source(SourceFile("src-1", "fmt", "a.jsonl"))
    store.add([make_record(f"r{n}", line=n) for n in range(1, 6)])
    store.save_chain(make_chain("task-1", [make_step("task-1", 0)]), [make_finding("task-1", "a")])
    store.save_credentials([Credential("cred-1", "k:v", tasks=("task-1",))])
    assert store.check() == []
    return store


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DELETE FROM source", "5 records name a source"),
        ("DELETE FROM block", "5 records name a block"),
        ("UPDATE record SET length = 10000000", "5 records reach beyond"),
        ("DELETE FROM record WHERE line = 2", "events name a record"),
        ("DELETE FROM event WHERE ordinal = 0", "records name 5 events, the store holds 0"),
        ("DELETE FROM event WHERE ordinal = 0", "5 keys name an event"),
        ("UPDATE record SET speaks = (line > 2)", "2 records have no variant"),
        ("DELETE FROM task", "1 steps name a task"),
        ("DELETE FROM task", "1 findings name a task"),
        ("DELETE FROM task_body", "1 tasks name their content"),
        ("DELETE FROM credential", "1 uses name a credential"),
        ("DROP TABLE clock_sum", "there is no table clock_sum; restore"),
        ("ALTER TABLE clock_sum RENAME COLUMN pairs TO others", "the table clock_sum has no pairs; restore"),
    ],
)
def test_what_points_nowhere_is_named(filled: Store, damage: str, said: str) -> None:
    with filled.db.write() as connection:
        connection.execute(text(damage))
    assert any(said in sentence for sentence in filled.check()), filled.check()


@pytest.mark.parametrize("data", [b"", b"no zstd", b"\x28\xb5\x2f\xfd\x00\x00\x01\x00\x00"])
def test_altered_raw_bytes_are_found_and_never_shown(filled: Store, data: bytes) -> None:
    with filled.db.write() as connection:
        connection.execute(update(BLOCK).values(data=data))
    assert any("block 1" in sentence for sentence in filled.check())
    with pytest.raises(StoreError, match="block 1 of the raw records"):
        filled.raw(make_record("r1").id)


def test_a_store_says_what_it_holds(filled: Store) -> None:
    info = filled.info()
    assert (info["records"], info["events"], info["tasks"], info["schema"]) == (5, 5, 1, HEAD)
    assert isinstance(info["bytes"], int) and info["bytes"] > 0
    filled.optimise()
    filled.vacuum()
    assert filled.check() == []


def test_a_failed_write_leaves_nothing_behind(filled: Store) -> None:
    twice = make_step("task-2", 0)
    with pytest.raises(StoreError, match="cannot write the store"):
        filled.save_chains([(make_chain("task-2", [twice]), []), (make_chain("task-3", [twice]), [])])
    assert list(filled.task_ids()) == ["task-1"] and filled.check() == []


def test_reads_that_share_a_view_see_what_their_thread_writes(filled: Store) -> None:
    with filled.viewing(), filled.viewing():
        assert list(filled.task_ids()) == ["task-1"]
        filled.save_chain(make_chain("task-2"), [])
        assert list(filled.task_ids()) == ["task-1", "task-2"]
        with pytest.raises(StoreError, match="cannot read"), filled.db.read() as connection:
            connection.exec_driver_sql("SELECT nothing FROM nowhere")
        with filled.db.read() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM task")
            filled.delete_task("task-2")
            assert connection.exec_driver_sql("SELECT count(*) FROM task").scalar() == 2, (
                "a read that is under way sees what it saw"
            )
        assert list(filled.task_ids()) == ["task-1"]


def test_writes_may_be_joined_and_one_that_fails_is_undone_alone(filled: Store) -> None:
    twice = make_step("task-2", 0)
    with filled.together(), filled.together():
        filled.save_chain(make_chain("task-2", [twice]), [])
        with pytest.raises(StoreError):
            filled.save_chains([(make_chain("task-3"), []), (make_chain("task-4", [twice, twice]), [])])
        filled.set_meta("after", "written")
        assert list(filled.task_ids()) == ["task-1"], "not visible before the end"
    assert list(filled.task_ids()) == ["task-1", "task-2"] and filled.get_meta("after") == "written"
    with pytest.raises(ZeroDivisionError), filled.together():
        filled.delete_task("task-2")
        raise ZeroDivisionError
    assert list(filled.task_ids()) == ["task-1", "task-2"] and filled.check() == []
