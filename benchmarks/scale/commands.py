"""What the listings of the command line cost over a large PostgreSQL store kept in a folder: time, processor, memory."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.measured import measured
from benchmarks.scale.measuring import postgresql, used

COMMANDS = (
    "overview",
    "tasks --limit 50",
    "tasks --json",
    "search push --limit 20",
    "findings --filter severity:critical --limit 20",
    "findings",
    "findings --json",
    "credentials",
    "coverage",
    "points",
    "baselines",
    "identities",
    "sources",
    "controls",
    "store check",
)


def commands(data: Path) -> None:
    """Print a line for each; the store is one that `--grow` or `--screens` left there."""
    os.environ["REMIT_PSEUDONYM_KEY"] = "5a" * 32
    os.environ["XDG_DATA_HOME"] = str(data / "home")
    with postgresql(data) as (url, pid):
        for command in COMMANDS:
            before = used(pid)
            cost = measured([sys.executable, "-m", "cli.main", *command.split()], {"REMIT_STORE": url})
            if cost.code:
                raise SystemExit(f"remit {command} ended with {cost.code}: {cost.err.decode()[-2000:]}")
            print(
                f"{command:<50}{cost.seconds:8.1f} s  processor {cost.cpu:6.1f} s and the server's {used(pid) - before:6.1f} s"
                f"  peak {cost.peak / 1e6:5.0f} MB  printed {len(cost.out):>13,} bytes",
                flush=True,
            )
