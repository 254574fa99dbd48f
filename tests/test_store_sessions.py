"""A store on PostgreSQL is the same whatever an administrator set for the server, the database or the login."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event, Thread

import psycopg
import pytest
from sqlalchemy import text

from model.evidence import Attribution, SourceFile
from store import StoreError, open_store
from store.sessions import ISOLATION, SETTINGS
from tests.store_fixtures import make_event, make_record

ODD = {
    "array_nulls": "off",
    "bytea_output": "escape",
    "client_encoding": "LATIN1",
    "datestyle": "German, DMY",
    "extra_float_digits": "-15",
    "gin_fuzzy_search_limit": "3",
    "intervalstyle": "postgres_verbose",
    "standard_conforming_strings": "off",
    "transform_null_equals": "on",
    "default_transaction_isolation": "serializable",
    "default_transaction_read_only": "on",
    "timezone": "Asia/Kathmandu",
}


@pytest.fixture
def odd_url(postgresql_url: str) -> Iterator[str]:
    """The URL of an empty store in a database whose settings are not those of a new server."""
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        for name, value in ODD.items():
            connection.execute(f"ALTER DATABASE \"{connection.info.dbname}\" SET {name} = '{value}'".encode())
    yield postgresql_url


def test_every_setting_of_ours_is_another_in_the_odd_database() -> None:
    assert set(SETTINGS) <= set(ODD)
    assert not [name for name, value in SETTINGS.items() if value == ODD[name]]


def test_odd_settings_change_no_byte_and_no_unknown(odd_url: str) -> None:
    raw = bytes(range(256)) + b"\\x41\\\\ \\000 'quoted' " + "naïve → 语".encode()
    records = [make_record(str(n), raw + str(n).encode(), line=n, events=[]) for n in range(1, 40)]
    records += [
        make_record(f"e{n}", line=100 + n, events=[make_event(f"e{n}", text="→ 语", at=None if n % 2 else n)])
        for n in range(1, 40)
    ]
    with open_store(odd_url, create=False) as store:
        store.begin_source(SourceFile("src-1", "fmt", "a.jsonl", at=1))
        store.add(records)
        stubs = [one for batch in store.dirty_event_batches() for one in batch]
        # Those without a time: many values at once, unknown ones among them.
        store.save_attributions([Attribution(one.id, f"task-{n % 2}") for n, one in enumerate(stubs)])
        assert [store.raw(record.id) for record in records] == [record.raw for record in records]
        assert store.check() == []


def test_who_writes_sees_what_was_written_while_it_waited(odd_url: str) -> None:
    waits, seen = Event(), []

    def second() -> None:
        with open_store(odd_url, create=False) as other:
            waits.set()
            with other.db.write() as connection:
                seen.append(connection.execute(text("SELECT value FROM meta WHERE key = 'said'")).scalar())
                seen.append(connection.execute(text("SHOW transaction_isolation")).scalar())

    with open_store(odd_url, create=False) as store:
        with store.db.write() as connection:
            thread = Thread(target=second)
            thread.start()
            assert waits.wait(60)
            with psycopg.connect(odd_url, autocommit=True) as watching:
                while not watching.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone():
                    pass
            connection.execute(text("INSERT INTO meta (key, value) VALUES ('said', 'first')"))
        thread.join()
    assert seen == ["first", ISOLATION.lower()]


def test_a_builder_keeps_its_turn_where_idle_sessions_are_ended(postgresql_url: str) -> None:
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{connection.info.dbname}" SET idle_session_timeout = 50'.encode())
        connection.execute("SET idle_session_timeout = 0")
        with open_store(postgresql_url, create=False) as builder, builder.building_alone():
            other = psycopg.connect(postgresql_url, autocommit=True)
            there = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
            while connection.execute(there, (other.info.backend_pid,)).fetchone():
                pass
            held = connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted").fetchone()
            other.close()
    assert held == (1,)


def end_all_others(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        others = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = %s"
        connection.execute(others, (connection.info.dbname,))


def test_a_view_whose_connection_is_gone_ends_with_a_sentence(postgresql_url: str) -> None:
    with open_store(postgresql_url, create=False) as store:
        with pytest.raises(StoreError, match="cannot read the store"), store.viewing():
            store.get_meta("seen")
            end_all_others(postgresql_url)
            store.set_meta("seen", "1")
        with pytest.raises(StoreError, match="cannot read the store"), store.viewing():
            store.get_meta("seen")
            end_all_others(postgresql_url)
        assert store.get_meta("seen") is None
        store.set_meta("seen", "2")
        assert store.get_meta("seen") == "2"


@pytest.mark.parametrize(
    ("setting", "statement", "said"),
    [
        pytest.param("statement_timeout = '10ms'", "SELECT pg_sleep(5)", "have this limit raised", id="statement_timeout"),
        pytest.param(
            "temp_file_limit = 0; SET work_mem = '64kB'",
            "SELECT count(*) FROM (SELECT g FROM generate_series(1, 100000) g ORDER BY md5(g::text)) s",
            "have this limit raised",
            id="temp_file_limit",
        ),
        pytest.param("transaction_read_only = on", "DELETE FROM meta", "name the one that takes writes", id="read-only"),
        pytest.param("lock_timeout = 0", "SELECT pg_cancel_backend(pg_backend_pid())", "somebody cancelled it", id="cancelled"),
        pytest.param("lock_timeout = 0", "SELECT pg_terminate_backend(pg_backend_pid())", "when it is up", id="terminated"),
    ],
)
def test_a_limit_is_told_with_what_to_do(postgresql_url: str, setting: str, statement: str, said: str) -> None:
    with open_store(postgresql_url, create=False) as store:
        with pytest.raises(StoreError, match=said) as caught, store.db.write() as connection:
            connection.execute(text("INSERT INTO meta (key, value) VALUES ('said', 'half')"))
            for one in f"SET LOCAL {setting}".split("; "):
                connection.execute(text(one))
            connection.execute(text(statement)).all()
        assert type(caught.value) is StoreError
        assert store.get_meta("said") is None


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_hold_every_text_is_refused(postgresql_server: str, encoding: str) -> None:
    name = f"remit_{encoding.lower()}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'".encode())
        try:
            with pytest.raises(StoreError, match=f"keeps text as {encoding}.*--encoding UTF8"):
                open_store(postgresql_server.replace("/postgres?", f"/{name}?", 1))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
