"""One part of `benchmarks.policy` in a process of its own, so that its memory is its own: prints one JSON object."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.policy_history import edits, forty, policy
from chains.facts import OrgFacts
from policy import Replayer
from review.policy.history_index import open_history
from review.policy.studio import FLIPS_FIRST
from review.workspace import Workspace
from store import open_store


def opened(path: Path) -> dict[str, Any]:
    """Opening the history, from the index or, where there is none or an old one, from the database."""
    start, cpu = time.perf_counter(), time.process_time()
    with open_store(str(path), create=False) as store:
        history = open_history(Workspace(store, str(path), OrgFacts()))
        seconds = time.perf_counter() - start
        cpu = time.process_time() - cpu
        return {"seconds": seconds, "cpu": cpu, "requests": history.requests, "shapes": history.size, "tasks": len(history.tasks)}


def engine(path: Path, count: int) -> dict[str, Any]:
    """One-rule edits of a policy of forty rules, from text to figures and listed flips."""
    with open_store(str(path), create=False) as store:
        start = time.perf_counter()
        history = open_history(Workspace(store, str(path), OrgFacts()))
        replayer = Replayer(history)
        opening = time.perf_counter() - start
        first = policy(forty())
        start = time.perf_counter()
        replayer.run(first, flips_limit=FLIPS_FIRST)
        out: dict[str, Any] = {"open": opening, "first": time.perf_counter() - start}
        for name, baseline in (("recorded", None), ("policy", first)):
            wall, cpu = [], []
            for whens in edits(count):
                start, used = time.perf_counter(), time.process_time()
                replayer.run(policy(whens), baseline, flips_limit=FLIPS_FIRST)
                cpu.append(time.process_time() - used)
                wall.append(time.perf_counter() - start)
            for clock, spent in (("wall", wall), ("processor", cpu)):
                out.setdefault(name, {})[clock] = [*np.percentile(spent, [50, 95]).tolist(), max(spent)]
        return out


def peak() -> int:
    """Most bytes this process held. What getrusage tells would be no less than what held the process that started it."""
    with Path("/proc/self/status").open() as told:
        return next(int(line.split()[1]) << 10 for line in told if line.startswith("VmHWM"))


def main() -> int:
    part, path, *more = sys.argv[1:]
    found = opened(Path(path)) if part == "open" else engine(Path(path), int(more[0]))
    found["memory"] = peak() / 1e6
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
