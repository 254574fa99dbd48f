"""A PostgreSQL store that grows by two importers at once whose files overlap: what each round costs, and whether a record was doubled.

Every round brings days of its own: a first and a last part that one importer alone is given, and a middle one that both are.
Some of its events are those of whole working days with every enforcement point around short sessions, the rest long sessions
of Claude Code alone, as `benchmarks.import_speed` reads them. A round's logs are removed when they are stored, so that the
disk holds the store alone. Named again, a folder is gone on with from its last whole round.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

from benchmarks.claude_file import write_transcript
from benchmarks.measured import Cost, measured
from benchmarks.scale.measuring import EVENTS_PER_SESSION, postgresql, used
from review.sitting.demo import NOT_LOGS
from samplegen import generate
from samplegen.day import LANES, SESSIONS
from samplegen.moments import DAY, MINUTE, moment
from samplegen.world import DAY as THE_DAY

PARTS = {"first": 0.4, "both": 0.2, "last": 0.4}
GIVEN = (("first", "both"), ("both", "last"))
"""What each importer is given: a fifth of a round's events is read twice."""

_FILE = 60_000_000
"""Bytes of a file of long sessions."""
_BYTES_EACH = 2_600
"""About the bytes of a record there."""
_LONG = 100_000_000
"""The number of the first long session: each has a ticket of its own, as each of the days' sessions has."""
_APART = 6
"""Days that a part takes at least: its long sessions lie on five."""


def grow(data: Path, events: int, step: int, long: float) -> bool:
    """Print a line a round until the store has so many events, a share of them of `long` sessions; tells whether every record is there once."""
    os.environ["REMIT_PSEUDONYM_KEY"] = "5a" * 32
    os.environ["XDG_DATA_HOME"] = str(data / "home")
    state = data / "rounds.json"
    if data.exists() and not state.exists():
        raise SystemExit(f"{data} is there already and no store that --grow made; name a folder that is to be made, or its own")
    day, records, stored, spent = json.loads(state.read_text()) if state.exists() else (0, 0, 0, 0.0)
    right = True
    with postgresql(data) as (url, pid):
        while stored < events:
            logs = data / "logs"
            for part, share in PARTS.items():
                sessions = max(1, round(step * share * (1 - long) / EVENTS_PER_SESSION))
                records += generate(logs / part, sessions, truth=False, day=day)
                records += _long_sessions(logs / part, round(step * share * long * _BYTES_EACH), day)
                day += _APART + sessions // (SESSIONS * LANES)
                for other in NOT_LOGS:
                    (logs / part / other).unlink(missing_ok=True)
            before, begun = used(pid), perf_counter()
            costs, cpu = _beside([_import(url, [str(logs / part) for part in parts]) for parts in GIVEN])
            server, wall = used(pid) - before, perf_counter() - begun
            spent += cpu + server
            for cost in costs:
                if cost.code:
                    raise SystemExit(f"an importer ended with {cost.code}: {cost.err.decode()[-2000:]}")
            shutil.rmtree(logs)
            grown, stored = stored, _count(url, "event")
            right = right and _count(url, "record") == records
            state.write_text(json.dumps([day, records, stored, spent]))
            new = (stored - grown) / 1e6
            print(
                f"{stored:>11,} events {_count(url, 'task'):>8,} tasks  {wall:6.0f} s: a million {wall / new:6.0f} s, processor {cpu / new:6.0f} s"
                f" and the server's {server / new:5.0f} s  peaks {' '.join(f'{cost.peak / 1e6:.0f}' for cost in costs)} MB"
                f"  {_bytes(url) / stored:,.0f} bytes an event  {'each record once' if right else 'RECORDS DOUBLED OR LOST'}",
                flush=True,
            )
    print(f"{spent / max(stored, 1) * 1e6:,.0f} processor seconds a million events over all rounds")
    return right


def _long_sessions(folder: Path, size: int, day: int) -> int:
    """Files of long sessions of about so many bytes altogether; the number of records."""
    records = 0
    for number, left in enumerate(range(size, 0, -_FILE)):
        start = moment(THE_DAY) + day * DAY + number * MINUTE
        place = folder / f"long-{day}-{number}.jsonl"
        records += write_transcript(place, min(left, _FILE), f"{day} {number}", start, _LONG + (day * 100 + number) * 10_000)
    return records


def _import(url: str, paths: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "cli.main", "import", "--store", url, "--plain", *paths]


def _beside(commands: Sequence[Sequence[str]]) -> tuple[list[Cost], float]:
    """What commands that run at once cost, and the processor seconds of all of them: the system tells those of children together."""
    before = os.times()
    with ThreadPoolExecutor(len(commands)) as pool:
        costs = list(pool.map(measured, commands))
    after = os.times()
    return costs, after.children_user + after.children_system - before.children_user - before.children_system


def _count(url: str, table: str) -> int:
    import psycopg
    from psycopg import sql

    with psycopg.connect(url) as connection:
        found = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
        return int(found[0]) if found else 0


def _bytes(url: str) -> int:
    import psycopg

    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(found[0]) if found else 0
