"""An importer whose store takes nothing for a while reads no further than its pipes hold, and goes on from there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.claude_records import call, calls, result
from tests.running import KEY, ROOT, surroundings

if not list(Path("/proc/self/task").glob("*/children")):
    pytest.skip("how far a file was read is told by Linux alone", allow_module_level=True)

CALLS = 4_000
PATIENCE = 120
"""Seconds until reading that neither begins nor stops counts as a fault."""
HELD = 12 << 20
"""More bytes than pipes, batches and buffers hold of the file, and less than half of it."""


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    path = tmp_path / "long.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for n in range(CALLS):
            said = calls(call("Bash", f"toolu_{n}", command=f"cat part-{n}"), uuid=f"u{n}")
            seen = result(f"line {n} of what was printed " * 230, id=f"toolu_{n}", uuid=f"r{n}")
            file.write(json.dumps(said) + "\n" + json.dumps(seen) + "\n")
    assert path.stat().st_size > 2 * HELD
    return path


def family(pid: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield pid
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in thread.read_text().split():
            yield from family(int(child))


def read(pid: int, path: Path) -> int:
    """How many bytes of a file a process and its children have read."""
    found = 0
    for one in family(pid):
        for number in Path(f"/proc/{one}/fd").glob("*"):
            try:
                if os.readlink(number) == str(path):
                    told = Path(f"/proc/{one}/fdinfo/{number.name}").read_text()
                    found = max(found, int(told.split()[1]))
            except OSError:
                continue
    return found


def held(importer: subprocess.Popen[bytes], path: Path) -> int:
    """How far a file was read once nothing more of it has been for two seconds."""
    begun = since = time.monotonic()
    last = -1
    while last <= 0 or time.monotonic() - since < 2:
        assert importer.poll() is None and time.monotonic() - begun < PATIENCE
        now = read(importer.pid, path)
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.1)
    return last


def test_a_store_that_takes_nothing_stops_the_reading(tmp_path: Path, postgresql_url: str, transcript: Path) -> None:
    command = [sys.executable, "-m", "cli.main", "import", "--store", postgresql_url, "--json", str(transcript)]
    with surroundings(tmp_path, REMIT_PSEUDONYM_KEY=KEY), psycopg.connect(postgresql_url) as other:
        other.execute("LOCK TABLE record IN SHARE ROW EXCLUSIVE MODE")
        importer = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        try:
            assert held(importer, transcript) < HELD
            other.rollback()
            out, _ = importer.communicate(timeout=300)
        finally:
            importer.kill()
    assert importer.returncode == 0
    records = json.loads(out)["totals"]
    assert records["accepted"] == records["read"] == 2 * CALLS
