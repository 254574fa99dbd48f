"""Which machine a row lies on: every key and every hot question, held against PostgreSQL's own distribution by hash."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Column, Connection, Index, MetaData, Table, Text, event

from model.evidence import SourceFile
from model.review import Comment, Verdict
from model.words import VerdictWord
from store import Store, open_store
from store.declared import Base
from store.placement import PLACES, SEARCH_TABLE, Place, script, unplaced
from store.schema import VERSION_TABLE
from store.tables import METADATA
from tests.store_fixtures import SESSION, make_chain, make_finding, make_record, make_step

SCRIPT = Path(__file__).resolve().parent.parent / "docs" / "citus.sql"
PARTS = 3

# PostgreSQL keeps the same rule for its own partitions by hash as Citus for its shards, a unique key holds the column, and it
# leaves out the partitions that a question's column rules out: these two make `docs/citus.sql` run on it as it stands.
STANDS_IN = f"""
CREATE FUNCTION create_reference_table(name regclass) RETURNS void LANGUAGE sql AS $$ SELECT $$;
CREATE FUNCTION create_distributed_table(name regclass, by_column text, colocate_with text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE made text := name::text; held text := 'held_' || name::text; triggers text[]; one text;
BEGIN
    SELECT array_agg(pg_get_triggerdef(oid)) INTO triggers FROM pg_trigger WHERE tgrelid = name AND NOT tgisinternal;
    EXECUTE format('ALTER TABLE %I RENAME TO %I', made, held);
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL) PARTITION BY HASH (%I)', made, held, by_column);
    FOR n IN 0..{PARTS - 1} LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS {PARTS}, REMAINDER %s)', made || '_part' || n, made, n);
    END LOOP;
    EXECUTE format('INSERT INTO %I SELECT * FROM %I', made, held);
    EXECUTE format('DROP TABLE %I', held);
    FOREACH one IN ARRAY coalesce(triggers, '{{}}') LOOP EXECUTE one; END LOOP;
END $$
"""


def test_every_table_has_a_place_that_its_keys_can_be_kept_in() -> None:
    assert unplaced(Base.metadata) == []
    assert set(PLACES) == {*METADATA.tables, SEARCH_TABLE, VERSION_TABLE}
    for name, place in PLACES.items():
        if isinstance(place, Place) and place.beside:
            assert isinstance(PLACES[place.beside], Place), f"{name} lies beside {place.beside}, which is not spread"


def test_a_table_without_a_place_and_a_key_that_cannot_be_kept_are_named() -> None:
    declared = MetaData()
    Table("shiny", declared, Column("id", Text, primary_key=True))
    Table("tally", declared, Column("task", Text, primary_key=True))
    Table("step", declared, Column("id", Text, primary_key=True), Column("task_id", Text, primary_key=True))
    Table(
        "request",
        declared,
        Column("step_id", Text, primary_key=True),
        Column("task_id", Text),
        Index("one", "step_id", unique=True),
    )
    said = " / ".join(unplaced(declared))
    for part in (
        "shiny has no place",
        "tally has no column task_id",
        "primary key of step holds task_id",
        "primary key of request lacks task_id",
        "unique index one lacks task_id",
    ):
        assert part in said, said


def test_the_script_is_written_from_the_places() -> None:
    assert SCRIPT.read_text("utf-8") == script(Base.metadata), "run `make schema`"


@pytest.fixture
def spread(postgresql_url: str) -> Iterator[Store]:
    """A store with a little in it whose tables were distributed by the script."""
    with open_store(postgresql_url, create=False) as store:
        fill(store)
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(STANDS_IN.encode())
        connection.execute(SCRIPT.read_bytes())
    with open_store(postgresql_url, create=False) as store:
        yield store


def fill(store: Store) -> None:
    store.begin_source(SourceFile("src-1", "fmt", "a.jsonl"))
    store.add([make_record(f"r{n}", line=n) for n in range(1, 9)])
    ids = [make_record(f"r{n}").id for n in range(1, 9)]
    for number in range(6):
        task = f"task-{number}"
        store.save_chain(make_chain(task, [make_step(task, n) for n in range(3)], ids[:2]), [make_finding(task, task)])
    judge(store)


def judge(store: Store) -> None:
    me = store.identity()
    store.add_verdict(Verdict("task-1", "task", VerdictWord.WITHIN, "as asked", me, 8))
    store.add_statement(Comment("task-1", "task", "task-1", "see ticket 7", me, 7))


def asked_requests(store: Store) -> object:
    with store.request_view() as view:
        return list(view.cells(["task-1"]))


RECORD = make_record("r1")
HOT: dict[str, Callable[[Store], object]] = {
    "import": lambda store: store.add([make_record("r1", line=5), make_record("fresh")]),
    "record": lambda store: (store.records([RECORD.id]), store.raw(RECORD.id)),
    "events of a key": lambda store: store.carrying([SESSION.name]),
    "task": lambda store: (store.task("task-1"), store.task_row("task-1"), store.chain("task-1"), store.intents("task-1")),
    "steps": lambda store: (store.steps("task-1"), store.step_rows("task-1"), store.sketches("task-1", 0, 9)),
    "findings of a task": lambda store: (store.findings_of("task-1"), store.finding_places("task-1")),
    "requests of a task": asked_requests,
    "comments": lambda store: store.statements(Comment, task="task-1"),
    "verdict": judge,
    "build of a task": lambda store: store.save_chain(make_chain("task-1", [make_step("task-1", 0)]), []),
    "events of a task": lambda store: store.events_of_task("task-1"),
    "queue": lambda store: store.task_rows(limit=3),
    "search": lambda store: store.search("step"),
}
NUMBER = "the last number given: the end of one index on each machine, once in a transaction"
ANCHORS = "verdicts follow a task whose name changed, so they are looked up by every name it had"
EVERYWHERE: dict[str, dict[str, str]] = {
    "import": {"block": NUMBER, "dropped_block": NUMBER, "event": NUMBER},
    "verdict": {
        "statement": NUMBER,
        "verdict": f"{NUMBER}; {ANCHORS}",
        "scope_alias": ANCHORS,
        "task": "a verdict is one on all tasks that its scope is called by now",
    },
    "build of a task": {
        "search_doc": NUMBER,
        "step": "a step may have stood in another task, which is not known before it is found there",
        "verdict": ANCHORS,
        "scope_alias": ANCHORS,
    },
    "events of a task": {"event": "an event's task changes as records come, which no column that rows are spread by may"},
    "queue": {"task": "the first rows of each machine, by its index"},
    "search": dict.fromkeys(("search_fts", "search_doc", "task"), "words stand anywhere"),
}
"""What is asked of every machine, by question and table, and why that is right."""


def test_hot_questions_name_the_column_their_rows_are_spread_by(spread: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert spread.check() == []
    found: dict[str, dict[str, set[str]]] = {}
    for name, ask in HOT.items():
        with recorded(spread, monkeypatch) as asked:
            ask(spread)
        assert asked, f"{name} asked nothing"
        found[name] = lacking(spread, asked)
    assert spread.check() == []
    assert {name: set(tables) for name, tables in found.items() if tables} == {
        name: set(reasons) for name, reasons in EVERYWHERE.items()
    }, found


@contextmanager
def recorded(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Sequence[Any]]]]:
    """The statements that look for rows, with their values, however they are sent."""
    asked: list[tuple[str, Sequence[Any]]] = []

    def keep(statement: str, values: Any) -> None:
        first = values[0] if values and isinstance(values, list) and isinstance(values[0], tuple) else values
        if re.match(r"\s*(SELECT|WITH|UPDATE|DELETE)\b", statement):
            asked.append((statement, first))

    def executed(_connection: Any, _cursor: Any, statement: str, values: Any, *_: object) -> None:
        keep(statement, values)

    fetch = store.db.fetch

    def fetched(connection: Connection, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        keep(statement.replace("?", "%s"), values)
        return fetch(connection, statement, values)

    event.listen(store.db.engine, "before_cursor_execute", executed)
    with monkeypatch.context() as patched:
        patched.setattr(store.db, "fetch", fetched)
        yield asked
    event.remove(store.db.engine, "before_cursor_execute", executed)


def lacking(store: Store, asked: list[tuple[str, Sequence[Any]]]) -> dict[str, set[str]]:
    """Tables of which PostgreSQL would look through every part, with the statements that make it so."""
    found: dict[str, set[str]] = {}
    with store.db.write() as connection:
        raw: Any = connection.connection.dbapi_connection
        for statement, values in asked:
            (plan,) = raw.execute(f"EXPLAIN (FORMAT JSON) {statement}", _of_one(statement, values or ()) or None).fetchone()
            parts = Counter(re.sub(r"_part\d+$", "", part) for part in set(_relations(plan[0]["Plan"])) if "_part" in part)
            for table, count in parts.items():
                if count == PARTS:
                    found.setdefault(table, set()).add(" ".join(statement.split())[:160])
    return found


def _of_one(statement: str, values: Sequence[Any]) -> list[Any]:
    """The values with each list cut down to its first, since a question for many rows may well go to many machines."""
    found = list(values)
    for listed in re.finditer(r"\bIN \(([^()]*%s[^()]*)\)", statement):
        start, count = statement[: listed.start()].count("%s"), listed[1].count("%s")
        found[start : start + count] = [found[start]] * count
    return found


def _relations(plan: dict[str, Any]) -> Iterator[str]:
    if "Relation Name" in plan:
        yield plan["Relation Name"]
    for inner in plan.get("Plans", []):
        yield from _relations(inner)
