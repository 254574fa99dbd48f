"""Migrations of a PostgreSQL store that people work with: what would keep them waiting is named, and what may wait gives way."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, text

from model.evidence import SourceFile
from store import StoreError, online, open_store
from store.engine import Database
from store.migrate import migrate
from store.online import Fill, Index, build, fill, patiently
from store.schema import HEAD
from tests.store_fixtures import make_chain, make_record, make_step

ONLINE_SINCE = "0016"
"""Migrations after this one are held to the rule; the ones before are what stores of that age have been through."""

_QUICK = (
    r"CREATE (TABLE|FUNCTION|OR REPLACE FUNCTION|TRIGGER|POLICY|SEQUENCE|ROLE|SCHEMA)\b",
    r"(GRANT|REVOKE|COMMENT|SELECT|SET|SHOW|WITH)\b",
    r"DROP (TABLE|INDEX|TRIGGER|FUNCTION|POLICY)\b",
    r"(INSERT INTO|UPDATE|DELETE FROM) (meta|remit_schema)\b",
    r"ALTER (INDEX|FUNCTION)\b",
)
_PARTS = (
    r"ADD COLUMN (?!.*\b(GENERATED|UNIQUE|PRIMARY|REFERENCES|CHECK|DEFAULT|NOT NULL)\b)",
    r"ADD COLUMN (?!.*\b(GENERATED|UNIQUE|PRIMARY|REFERENCES|CHECK)\b).*\bDEFAULT ('[^']*'|-?\d+|NULL|TRUE|FALSE)( NOT NULL)?$",
    r"ADD CONSTRAINT .*\b(NOT VALID|USING INDEX \w+)$",
    r"(DROP (COLUMN|CONSTRAINT)|RENAME|OWNER TO|ATTACH PARTITION|ENABLE ROW LEVEL|SET DEFAULT|VALIDATE CONSTRAINT)\b",
    r"ALTER (COLUMN )?\w+ (SET DEFAULT|DROP DEFAULT|DROP NOT NULL|SET STATISTICS|SET STORAGE)\b",
)


def locking(statements: list[str]) -> list[str]:
    """Those statements that keep readers or writers of a table waiting for as long as it has rows: scans and rewrites under a lock.

    What is done to a table that the statements themselves made is no matter. An unknown kind of statement is named too.
    """
    made: set[str] = set()
    found = []
    for statement in (" ".join(one.split()) for one in statements):
        if created := re.match(r"CREATE TABLE (?:IF NOT EXISTS )?\"?(\w+)", statement, re.I):
            made.add(created[1])
        on = re.match(
            r"(?:CREATE (?:UNIQUE )?INDEX .*? ON|ALTER TABLE(?: ONLY)?|INSERT INTO|UPDATE|DELETE FROM) \"?(\w+)", statement, re.I
        )
        own = on is not None and on[1] in made
        altered = re.match(r"ALTER TABLE(?: ONLY)? \S+ (.*)", statement, re.I)
        parts = re.split(r", (?=ADD |DROP |ALTER |RENAME )", altered[1]) if altered else []
        quick = all(any(re.match(one, part, re.I) for one in _PARTS) for part in parts) if parts else False
        if not (own or quick or any(re.match(one, statement, re.I) for one in _QUICK)):
            found.append(statement)
    return found


@pytest.mark.parametrize(
    ("statement", "locks"),
    [
        ("CREATE TABLE shiny (id BIGINT PRIMARY KEY)", False),
        ("CREATE INDEX ix_step_verb ON step (verb)", True),
        ("CREATE UNIQUE INDEX ix ON step (verb)", True),
        ("ALTER TABLE step ADD COLUMN tried BIGINT", False),
        ("ALTER TABLE step ADD COLUMN tried TEXT DEFAULT '' NOT NULL", False),
        ("ALTER TABLE step ADD COLUMN tried BIGINT NOT NULL", True),
        ("ALTER TABLE step ADD COLUMN tried UUID DEFAULT gen_random_uuid()", True),
        ("ALTER TABLE step ADD COLUMN tried BIGINT GENERATED ALWAYS AS (n + 1) STORED", True),
        ("ALTER TABLE step ALTER COLUMN n TYPE INTEGER", True),
        ("ALTER TABLE step ALTER COLUMN at SET NOT NULL", True),
        ("ALTER TABLE step ADD COLUMN a BIGINT, ALTER COLUMN n TYPE INTEGER", True),
        ("ALTER TABLE step ADD CONSTRAINT positive CHECK (n >= 0)", True),
        ("ALTER TABLE step ADD CONSTRAINT positive CHECK (n >= 0) NOT VALID", False),
        ("ALTER TABLE step ADD CONSTRAINT step_key PRIMARY KEY (id, task_id)", True),
        ("ALTER TABLE step ADD CONSTRAINT step_key PRIMARY KEY USING INDEX ix_key", False),
        ("ALTER TABLE step ADD PRIMARY KEY (id)", True),
        ("UPDATE step SET verb = ''", True),
        ("UPDATE remit_schema SET version_num='0018'", False),
        ("CLUSTER step USING ix_step_task", True),
        ("LOCK TABLE step", True),
        ("TRUNCATE step", True),
    ],
)
def test_what_locks_is_told_from_what_does_not(statement: str, locks: bool) -> None:
    assert bool(locking([statement])) is locks
    if " step " in statement and statement.startswith(("ALTER", "CREATE", "UPDATE")):
        assert locking(["CREATE TABLE step (id BIGINT)", statement]) == [], "nobody waits for a table that is new"


@pytest.fixture
def older(postgresql_server: str) -> Iterator[Database]:
    """A store of the schema from which on migrations are held to the rule."""
    name = f"remit_{uuid.uuid4().hex}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    database = Database(postgresql_server.replace("/postgres?", f"/{name}?", 1), create=True, readonly=False)
    migrate(database, ONLINE_SINCE)
    yield database
    database.close()
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def indexes(database: Database) -> dict[str, bool]:
    """Every index with whether it can be used."""
    asked = "SELECT indexrelid::regclass::text AS name, indisvalid AS valid FROM pg_index WHERE indexrelid::regclass::text LIKE 'ix_%'"
    with database.read() as connection:
        return {row.name: row.valid for row in connection.execute(text(asked))}


def test_a_migration_keeps_nobody_waiting(older: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def keep(_connection: Any, _cursor: Any, statement: str, *_: object) -> None:
        ran.append(statement)

    last = import_module("store.migrations.versions.0017_dropped_blocks")
    monkeypatch.setattr(
        last, "INDEXES", (Index("ix_tried", "step", "verb, at"), Index("ix_new", "dropped_block", "at")), raising=False
    )
    held = text("SELECT id, size, digest, data FROM block")
    with older.write() as connection:
        connection.execute(text("INSERT INTO block VALUES (7, 1, 'd', 'x')"))
        before = connection.execute(held).all()
    event.listen(older.engine, "before_cursor_execute", keep)
    migrate(older)
    event.remove(older.engine, "before_cursor_execute", keep)
    assert any(HEAD in one or "version_num" in one for one in ran)
    assert locking(ran) == []
    with older.read() as connection:
        assert connection.execute(held).all() == before
    assert indexes(older)["ix_tried"], "an index of a table with rows was built before the transaction"
    assert "ix_new" not in indexes(older), "a table that the migration makes is for the migration to index"


def test_an_index_that_was_broken_off_is_built_anew(older: Database) -> None:
    wanted = [Index("ix_tried", "step", "verb")]
    build(older, wanted)
    with older.write() as connection:
        connection.execute(text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_tried'::regclass"))
    assert indexes(older)["ix_tried"] is False
    build(older, wanted)
    assert indexes(older)["ix_tried"] is True


def test_columns_are_filled_some_rows_at_a_time_and_gone_on_with(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "FILLED", 10)
    wanted = [Fill("tried", ("half BIGINT",), "n", "UPDATE tried SET half = n / 2 WHERE half IS NULL AND n > %s AND n <= %s")]
    database = Database(postgresql_url, create=True, readonly=False)
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE tried (n BIGINT)")
        connection.execute("INSERT INTO tried SELECT generate_series(1, 35)")
        fill(database, wanted)
        connection.execute("UPDATE tried SET half = 7 WHERE n = 1")
        connection.execute("INSERT INTO tried VALUES (36), (12)")
        fill(database, wanted)
        held = connection.execute("SELECT n, half FROM tried ORDER BY n, half").fetchall()
    database.close()
    assert held == sorted([(1, 7), (12, 6), *((n, n // 2) for n in range(2, 37))])


def test_a_migration_that_was_killed_before_its_last_step_is_gone_on_with(
    older: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = older.url.render_as_string(hide_password=False)

    def killed(_: Database) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as ends:
        ends.setattr("store.migrate.finish", killed)
        with pytest.raises(KeyboardInterrupt):
            migrate(older)
    with open_store(url, create=False) as store:
        store.save_chain(make_chain("task-1", [make_step("task-1", 0, title="zebra")]), [])
        with store.db.write() as connection:
            connection.execute(text("UPDATE search_fts SET task_id = NULL"))
    with open_store(url) as store, store.db.read() as connection:
        assert set(connection.execute(text("SELECT task_id FROM search_fts")).scalars()) == {"task-1"}
        assert connection.execute(text("SELECT count(*) FROM meta WHERE key = 'filling'")).scalar_one() == 0


def test_a_change_that_gets_no_lock_lets_others_pass_and_tries_again(older: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "LOCK_SECONDS", 0.05)
    waits: list[float] = []
    with psycopg.connect(older.url.set(drivername="postgresql").render_as_string(hide_password=False)) as reader:

        def pause(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 2:
                reader.rollback()

        monkeypatch.setattr(online, "sleep", pause)
        reader.execute("SELECT count(*) FROM source")
        patiently(older, lambda connection: connection.execute(text("ALTER TABLE source ADD COLUMN tried BIGINT")))
        assert len(waits) == 2
        reader.execute("SELECT count(tried) FROM source")
        with pytest.raises(StoreError, match="try again when it is done"):
            patiently(older, lambda connection: connection.execute(text("ALTER TABLE source ADD COLUMN again BIGINT")))
        assert len(waits) == 2 + online.TRIES - 1


def test_the_oldest_postgresql_takes_the_schema_and_its_rows(oldest_postgresql_url: str) -> None:
    with open_store(oldest_postgresql_url) as store:
        store.begin_source(SourceFile("src-1", "fmt", "a.jsonl", at=1))
        store.add([make_record("rec")])
        store.save_chain(make_chain("task-1", [make_step("task-1", 0)], []), [])
        assert store.check() == [] and store.totals()["tasks"] == 1
