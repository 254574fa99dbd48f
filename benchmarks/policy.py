"""How long one edited rule of forty takes over a whole history in a store, beside Cedar and Google's CEL over the same requests.

`python -m benchmarks.policy [--sizes 1000000x20000,…] [--edits N] [--studio]` prints; nothing is asserted. Each store is
invented: fifty requests a task, shapes drawn by a Zipf-like law, a tenth of some attributes missing. Every part runs in a
process of its own. Processor time stands beside wall time: on a busy machine it is the steadier figure.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.policy_engines import yardsticks
from benchmarks.policy_history import fill, shapes, touch

SIZES = "1000000x20000,1000000x1000000,10000000x200000"


def part(name: str, store: Path, *more: str) -> dict[str, Any]:
    """What one part found, run in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.policy_part", name, str(store), *more]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


def measure(count: int, distinct: int, edits: int, sample: int, folder: Path, studio: bool) -> None:
    print(f"\n{count:,} requests, {distinct:,} shapes")
    random = np.random.default_rng(7)
    of = shapes(min(distinct, count), random)
    store = folder / f"{count}x{distinct}.db"
    if not store.exists():
        start = time.perf_counter()
        fill(store, count, of, random)
        print(f"  store of {store.stat().st_size / 1e6:,.0f} MB written in {time.perf_counter() - start:,.0f} s")
    _opening("index made from the database", part("open", store))
    _opening("opened from the index", part("open", store))
    touch(store, 20)
    _opening("index brought up to date for 20 changed tasks", part("open", store))
    found = part("engine", store, str(edits))
    print(f"  first dry-run of forty rules {found['first'] * 1e3:,.0f} ms; {found['memory']:,.0f} MB at most")
    for name in ("recorded", "policy"):
        for clock, spent in found[name].items():
            p50, p95, worst = (1e3 * value for value in spent)
            print(f"  one-rule edit against {name}, {clock}: p50 {p50:.1f} ms, p95 {p95:.1f} ms, worst {worst:.1f} ms")
    for name, rate in yardsticks(of[:sample]):
        print(f"  {name}: {rate:,.0f} requests a second, {count / rate:,.1f} s for all")
    if studio:
        from benchmarks.policy_studio import drive

        for line in drive(store):
            print(f"  {line}")


def _opening(what: str, found: dict[str, Any]) -> None:
    print(f"  {what}: {found['seconds']:,.2f} s (processor {found['cpu']:,.2f} s), {found['memory']:,.0f} MB at most")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=SIZES, help="requests x shapes, with commas between")
    parser.add_argument("--edits", type=int, default=100)
    parser.add_argument("--sample", type=int, default=2_000, help="requests for the yardsticks")
    parser.add_argument("--folder", type=Path, help="keep the stores here, and take them from here")
    parser.add_argument("--studio", action="store_true", help="type into the studio in tmux as well")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="remit-policy-") as made:
        for size in given.sizes.split(","):
            count, distinct = (int(number) for number in size.split("x"))
            measure(count, distinct, given.edits, given.sample, given.folder or Path(made), given.studio)
    return 0


if __name__ == "__main__":
    sys.exit(main())
