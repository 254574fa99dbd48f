"""Keys typed into a real dashboard while a real import writes to its store: how long a key waits, how long the loop stands still.

`python -m benchmarks.desk.beside STORE [--megabytes N]` writes a transcript of that size, imports it in a process of its own
and types all the while. STORE is changed by it. A pause of the loop counts by the wall and by what the loop's own thread
computed meanwhile: on a busy machine the loop also waits for a core, and that is told apart.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.claude_file import write_transcript
from benchmarks.desk.terminal import PAGE_DOWN, Sitting, compiled, current
from benchmarks.heart import BEAT, Onlooker, Pause, beat
from samplegen.moments import moment

if TYPE_CHECKING:
    from tui.app import RemitApp

KEYS = (PAGE_DOWN, b"j", b"j", b"k", b"j", b"\x1b[5~", b"G", b"g")
STALL = 0.05
LATER = moment("2026-09-01T08:00:00")
"""Behind all invented tasks: a change of coverage has the tasks of its time built again, and those have no events to be built from."""
LONGEST = 8
"""Pauses of which is told what they were spent on."""
MS = 1e3


def measure(store: str, log: Path) -> list[str]:
    """Type until the import has ended; what was seen, line by line."""
    with tempfile.TemporaryDirectory(prefix="remit-beside-") as made:
        out = Path(made, "told.json")
        module = [sys.executable, "-m", "benchmarks.desk.beside"]
        with Sitting(store, [*module, "--inside", store, str(out)]) as sitting:
            begin = time.perf_counter()
            with Path(made, "import.txt").open("wb") as said:
                words = [sys.executable, "-m", "cli.main", "--store", store, "import", str(log)]
                importer = subprocess.Popen(words, stdout=said, stderr=said)
                waits: list[float] = []
                while importer.poll() is None:
                    waits.append(sitting.key(KEYS[len(waits) % len(KEYS)]))
            end = time.perf_counter()
            told = Path(made, "import.txt").read_text().strip().replace("\n", " ")
            sitting.end()
            heard = json.loads(out.read_text())
            pauses: list[Pause] = [p for p in heard["pauses"] if begin < p[3] < end]
    if importer.returncode or not waits:
        return [f"the import ended with {importer.returncode}: {told}"]
    wall, own = max(p[0] for p in pauses), max(p[2] for p in pauses)
    slow = sum(wait > STALL for wait in waits)
    return [
        told,
        f"the import took {end - begin:.0f} s beside the dashboard; {len(waits):,} keys were typed meanwhile",
        f"key to painted: median {statistics.median(waits) * MS:.0f} ms, worst {max(waits) * MS:.0f} ms, {slow} over 50 ms",
        f"longest pause of the loop: {wall * MS:.0f} ms by the wall, {own * MS:.0f} ms of its own thread",
        f"pauses over 50 ms: {sum(p[0] > STALL for p in pauses)} by the wall, {sum(p[2] > STALL for p in pauses)} of its own thread",
        *_spent(pauses, heard["seen"]),
    ]


def _spent(pauses: list[Pause], seen: list[tuple[float, str]]) -> list[str]:
    """What the loop was at in the longest pauses of its own thread."""
    told = []
    for wall, _, own, ended in sorted(pauses, key=lambda pause: -pause[2])[:LONGEST]:
        during = Counter(what for at, what in seen if ended - wall - BEAT < at < ended + BEAT)
        at = "; ".join(f"{n} × {what}" for what, n in during.most_common(3))
        told.append(f"  {wall * MS:.0f} ms, {own * MS:.0f} of its own: {at or 'not seen'}")
    return told


def inside(store: str, out: Path) -> None:
    """The dashboard, its loop listened to; what was heard is written down when it ends."""
    from cli.commands.dashboard import open_app

    pauses: list[Pause] = []
    seen: list[tuple[float, str]] = []

    def run(app: RemitApp, mouse: bool) -> int:
        async def listen(_: object) -> None:
            onlooker = Onlooker(pauses)
            await beat(pauses, lambda: app.return_code is None)
            onlooker.end()
            seen.extend(onlooker.seen)

        app.run(mouse=mouse, auto_pilot=listen)
        return app.return_code or 0

    try:
        open_app(store, None, seen=True, run=run)
    finally:
        out.with_suffix(".new").write_text(json.dumps({"pauses": pauses, "seen": seen}))
        out.with_suffix(".new").rename(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("store")
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("out", nargs="?", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        inside(args.store, Path(args.out))
        return
    current(args.store)
    with tempfile.TemporaryDirectory() as made:
        log = Path(made, "session.jsonl")
        records = write_transcript(log, args.megabytes * 1_000_000, f"beside {time.time_ns()}", LATER)
        print(f"  {records:,} records are to be imported", flush=True)
        with compiled(args.store):
            for one in measure(args.store, log):
                print(f"  {one}", flush=True)


if __name__ == "__main__":
    main()
