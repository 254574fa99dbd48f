"""Opening stores: made private and current, refused in plain words, and cheap until used."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, closing
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from sqlalchemy import create_engine, inspect, text

from review.errors import RemitError
from review.sitting.desk import Desk
from store import Store, StoreError, columns, open_store
from store.declared import Base
from store.dialects import COMPILED
from store.engine import Database
from store.fast import FastQueue
from store.fresh import TEXT, written
from store.location import parse_location
from store.masked import shown
from store.migrate import migrate
from store.schema import REVISIONS, VERSION_TABLE
from store.sessions import PATIENCE, patience
from store.tables import METADATA, WRITTEN
from tests.store_fixtures import make_record


def test_a_new_store_is_private_and_reopens(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    with open_store(str(path)) as store:
        assert store.add([make_record("one")]).accepted == 1
        for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            assert stat.S_IMODE(name.stat().st_mode) == 0o600
    with open_store(f"sqlite:///{path}", create=False) as store:
        assert store.counts()["records"] == 1
    with open_store(str(path), create=False, readonly=True) as store:
        assert store.counts()["records"] == 1
        with pytest.raises(StoreError, match="reading only"):
            store.add([make_record("two")])


def test_an_empty_postgresql_database_becomes_a_store(postgresql_server: str) -> None:
    url = postgresql_server.replace("/postgres?", "/remit_made?", 1)
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE remit_made")
    with pytest.raises(StoreError, match="there is no store"):
        open_store(url, create=False)
    with open_store(url) as store:
        assert store.info()["database"] == "postgresql"
        assert store.check() == []
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("DROP DATABASE remit_made WITH (FORCE)")


def test_what_was_compiled_for_one_store_serves_the_next(store_url: str) -> None:
    known = []
    for _ in range(2):
        with open_store(store_url, create=False) as store:
            assert store.points() == []
        known.append(len(COMPILED))
    assert 0 < known[0] == known[1]


def test_two_programs_may_make_one_store(tmp_path: Path) -> None:
    path = str(tmp_path / "raced.db")
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: open_store(path), range(4)))
    for number, store in enumerate(stores):
        assert store.add([make_record(f"r{number}")]).accepted == 1
    assert [store.counts()["records"] for store in stores] == [4] * 4
    for store in stores:
        store.close()


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"{}\n", "not a Remit store"), (b"SQLite format 3\0" + bytes(100), "not a Remit store|file is not a database")],
)
def test_other_files_are_refused_and_left_alone(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "other.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=said):
        open_store(str(path))
    with pytest.raises(StoreError):
        FastQueue(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE event (id INTEGER)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a Remit store"):
        open_store(str(path))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("event",)]
    assert len(path.read_bytes()) == len(before)


def test_missing_stores_folders_and_strange_urls_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store at"):
        open_store(str(tmp_path / "none.db"), create=False)
    with pytest.raises(StoreError, match="there is no store at"):
        open_store(str(tmp_path / "none.db"), readonly=True)
    with pytest.raises(StoreError, match="is a folder"):
        open_store(str(tmp_path))
    with pytest.raises(StoreError, match="cannot open"):
        open_store(str(tmp_path / "no" / "such" / "folder.db"))
    with pytest.raises(StoreError, match="give the path of a file or a postgresql:// URL"):
        open_store("mysql://user:secret@host/db")
    with pytest.raises(StoreError, match="give the path"):
        open_store("://")
    assert not (tmp_path / "none.db").exists()


def test_an_unreachable_server_is_one_sentence_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(f"postgresql://dana:hunter2@/remit?host={tmp_path}")
    assert "cannot read the store" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert parse_location("postgresql://h/d").drivername == "postgresql+psycopg"


def test_a_server_that_says_nothing_is_not_waited_for_without_end(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def waits(url: str) -> dict[str, str]:
        with open_store(url, create=False) as store, closing(store.db.engine.raw_connection()) as pooled:
            held = cast(Any, pooled.driver_connection).info.get_parameters()
            return {name: held[name] for name in ("connect_timeout", "keepalives_idle", "tcp_user_timeout") if name in held}

    assert waits(postgresql_url) == {"connect_timeout": "15", "keepalives_idle": "15", "tcp_user_timeout": "35000"}
    assert waits(f"{postgresql_url}&connect_timeout=44&tcp_user_timeout=1000")["connect_timeout"] == "44", "as the address says"
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "33")
    assert patience(parse_location(postgresql_url)).keys() == PATIENCE.keys() - {"connect_timeout"}
    assert not patience(parse_location("postgresql:///?service=team"))


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("postgresql://dana:hun@ter:2/x@127.0.0.1:1/remit", id="unescaped"),
        pytest.param("postgresql://dana:hunter@hunter@127.0.0.1:1/remit", id="two-ats"),
        pytest.param("postgresql://dana:hunter/2@127.0.0.1:port/remit", id="no-port"),
        pytest.param("postgresql://127.0.0.1:1/remit?user=dana&password=hunter2&sslpassword=hunter3", id="query"),
        pytest.param("postgresql://dana@127.0.0.1:1/remit?password=x@hunter2", id="query-with-at"),
        pytest.param("host=127.0.0.1 port=1 password = 'hunter 2' user=dana", id="conninfo"),
        pytest.param("postgres//dana:hunter2@127.0.0.1/remit", id="no-colon"),
        pytest.param("postgresql:/dana:hunter2@127.0.0.1/remit", id="one-slash"),
    ],
)
def test_a_password_is_not_told_however_the_location_is_written(location: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught, chdir(tmp_path):
        open_store(location)
    assert "hunter" not in str(caught.value) and "hunter" not in shown(location)
    assert not any(tmp_path.iterdir())


def test_a_location_is_shown_as_it_is_where_no_password_stands_in_it() -> None:
    for location in (
        "a/b.db",
        "/srv/a:b@c//d@e.db",
        "postgresql:///remit?host=@socket",
        "postgresql://dana@h:5432/remit?sslmode=require",
    ):
        assert shown(location) == location


def test_a_newer_schema_is_refused(store_url: str) -> None:
    with open_store(store_url) as store, store.db.write() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"written by a newer Remit.*update Remit"):
        open_store(store_url)
    if "://" not in store_url:
        with pytest.raises(StoreError, match="newer Remit"):
            FastQueue(store_url)


def test_whoever_began_before_the_schema_changed_writes_no_more(store_url: str) -> None:
    with open_store(store_url) as beside, open_store(store_url) as store:
        store.set_meta("before", "1")
        with beside.db.write() as connection:
            connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
        for writes in (lambda: store.set_meta("after", "1"), lambda: store.add([make_record("late")])):
            with pytest.raises(StoreError, match=r"is 9999 by now and was \d+ when this program opened it.*begin this one again"):
                writes()
        with pytest.raises(StoreError, match="by now"), store.together():
            store.set_meta("after", "1")
        assert store.get_meta("before") == "1" and store.get_meta("after") is None and store.counts()["records"] == 0


def test_a_store_keeps_to_one_pseudonym_key(store: Store) -> None:
    assert store.key_id() is None
    store.bind_key("k1")
    store.bind_key("k1")
    with pytest.raises(StoreError, match=r"another pseudonym key.*REMIT_PSEUDONYM_KEY"):
        store.bind_key("k2")
    assert store.key_id() == "k1"


def test_callers_facts_are_kept_apart_from_the_stores_own(store: Store) -> None:
    store.bind_key("k1")
    store.set_meta("pseudonym_key", "mine")
    assert (store.get_meta("pseudonym_key"), store.get_meta("absent"), store.key_id()) == ("mine", None, "k1")


def test_migrations_make_the_declared_tables(store: Store) -> None:
    """A store made by migrations has the columns and indexes that a store made from the declarations has."""
    declared = (
        create_engine("sqlite://")
        if store.db.sqlite
        else store.db.engine.execution_options(schema_translate_map={None: "declared"})
    )
    if not store.db.sqlite:
        with store.db.write() as connection:
            connection.execute(text("CREATE SCHEMA declared"))
    with declared.begin() as connection:
        Base.metadata.create_all(connection)
        wanted = dict(_shape(connection, None if store.db.sqlite else "declared"))
    with store.db.read() as connection:
        made = dict(_shape(connection, None))
    extra = {name for name in made if name.startswith(("search_fts", "block_")) or name == VERSION_TABLE}
    assert {name: shape for name, shape in made.items() if name not in extra} == wanted
    assert VERSION_TABLE in extra
    if store.db.sqlite:
        declared.dispose()


def _shape(connection: object, schema: str | None) -> Iterator[tuple[str, object]]:
    look = inspect(connection)
    for name in look.get_table_names(schema):
        columns = [(c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(name, schema)]
        keys = look.get_pk_constraint(name, schema)["constrained_columns"]
        yield name, (columns, keys, sorted(_indexes(connection, name, schema)))


def _indexes(connection: object, name: str, schema: str | None) -> Iterator[str]:
    if connection.dialect.name == "sqlite":  # type: ignore[attr-defined]
        wanted = "SELECT sql FROM sqlite_master WHERE tbl_name = :name AND sql IS NOT NULL AND type = 'index'"
        values = {"name": name}
    else:
        wanted = "SELECT indexdef FROM pg_indexes WHERE tablename = :name AND schemaname = :schema"
        values = {"name": name, "schema": schema or "public"}
    for (definition,) in connection.execute(text(wanted), values):  # type: ignore[attr-defined]
        yield definition.replace("declared.", "").replace("public.", "").replace('"', "").replace(" ON ONLY ", " ON ")


def test_a_new_store_is_what_the_migrations_make(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "migrated.db"), create=True, readonly=False)
    migrate(database)
    database.close()
    with closing(sqlite3.connect(tmp_path / "migrated.db")) as migrated:
        assert TEXT.read_text("utf-8") == written(migrated), "run `make schema`"
        open_store(str(tmp_path / "new.db")).close()
        with closing(sqlite3.connect(tmp_path / "new.db")) as new:
            assert written(new) == written(migrated)
            assert new.execute("PRAGMA application_id").fetchone() == migrated.execute("PRAGMA application_id").fetchone()


def test_the_columns_that_rows_are_moved_by_are_those_declared() -> None:
    assert WRITTEN.read_text("utf-8") == columns.written(Base.metadata), "run `make schema`"
    assert columns.written(METADATA) == columns.written(Base.metadata)


def test_an_import_loads_no_more_of_the_toolkit_than_moves_rows() -> None:
    program = "import sys, review.intake.importing, review.derive.building, store.store; print(sorted({'sqlmodel', 'pydantic', 'alembic', 'sqlalchemy.orm'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_store_of_an_earlier_schema_is_brought_up_to_date_by_a_sitting_that_may_write(tmp_path: Path) -> None:
    path = str(tmp_path / "earlier.db")
    database = Database(path, create=True, readonly=False)
    migrate(database, REVISIONS[8])
    database.close()
    with pytest.raises(StoreError, match=r"older schema .* `remit store migrate`"):
        FastQueue(path)
    with pytest.raises(RemitError, match="older schema"):
        Desk(path, readonly=True)
    desk = Desk(path)
    assert desk.tasks("", "risk").count() == 0
    desk.close()
    FastQueue(path).close()


def test_a_text_of_another_schema_makes_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = tmp_path / "stale.sql"
    stale.write_text("-- schema 0001\n\nCREATE TABLE elsewhere (id)\n")
    monkeypatch.setattr("store.fresh.TEXT", stale)
    open_store(str(tmp_path / "new.db")).close()
    with closing(sqlite3.connect(tmp_path / "new.db")) as new:
        assert written(new) == TEXT.read_text("utf-8")


def test_every_revision_has_its_module() -> None:
    folder = Path(sys.modules["store"].__file__ or "").parent / "migrations" / "versions"
    assert [path.name[:4] for path in sorted(folder.glob("[0-9]*.py"))] == list(REVISIONS)


def test_the_first_pages_and_the_listing_of_tasks_need_no_database_library() -> None:
    program = "import sys, store.fast, cli.commands.tasks; print(sorted({'sqlalchemy', 'sqlmodel', 'pydantic', 'alembic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_store_opened_twice_keeps_what_the_first_writes_when_another_process_ends(tmp_path: Path) -> None:
    """Closing a file of one's own takes POSIX locks away: the other process would remove the log the first still writes to."""
    path = tmp_path / "s.db"
    with open_store(str(path)) as first:
        first.set_meta("a", "1")
        open_store(str(path)).close()
        program = f"from store import open_store\nwith open_store({str(path)!r}) as s: s.set_meta('b', '2')"
        subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parent.parent)
        assert path.with_name("s.db-wal").exists(), "the log is still there for the first"
        first.set_meta("c", "3")
        with sqlite3.connect(path) as other:
            held = dict(other.execute("SELECT key, value FROM meta WHERE key LIKE 'app.%'"))
        assert held == {"app.a": "1", "app.b": "2", "app.c": "3"}


def test_a_store_whose_log_was_carried_into_its_file_in_part_is_opened_with_its_log(tmp_path: Path) -> None:
    path, cut = tmp_path / "s.db", tmp_path / "cut.db"
    with open_store(str(path)) as store:
        store.set_meta("a", "1")
        shutil.copyfile(f"{path}-wal", f"{cut}-wal")
    # The first page alone, which says of itself that many more follow: as a disk that was full then leaves it.
    cut.write_bytes(path.read_bytes()[:4096])
    with open_store(str(cut), create=False) as store:
        assert store.get_meta("a") == "1" and store.check() == []
    cut.write_bytes(path.read_bytes()[:4096])
    with pytest.raises(StoreError, match="is not a Remit store"):
        open_store(str(cut), create=False)


@pytest.mark.parametrize("happened", ["removed", "replaced by another file"])
def test_nothing_is_kept_in_a_file_that_lies_there_no_more(tmp_path: Path, happened: str) -> None:
    path, other = tmp_path / "a.db", tmp_path / "b.db"
    with open_store(str(other)) as store:
        assert store.add([make_record("other")]).accepted == 1
    with open_store(str(path)) as store, FastQueue(path) as queue:
        assert store.add([make_record("one")]).accepted == 1 and queue.count() == 0
        path.unlink()
        if happened != "removed":
            shutil.copy(other, path)
        for asked in (lambda: store.add([make_record("two")]), store.counts, queue.count):
            with pytest.raises(StoreError, match=f"was {happened} while it was open; open it again"):
                asked()


def test_a_write_during_which_its_file_is_removed_has_failed(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with open_store(str(path)) as store, pytest.raises(StoreError, match="was removed"), store.db.write():
        path.unlink()
