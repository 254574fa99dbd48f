"""A command run to its end with what it cost: wall time, processor time, and the peak memory of it and its children together."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

_PAGE = os.sysconf("SC_PAGE_SIZE")
_EVERY = 0.02


@dataclass(frozen=True)
class Cost:
    """`seconds` on the wall, `cpu` over all its processes, `peak` bytes of resident memory summed over all processes at once.

    Memory that processes share counts once for each, so the sum is never too small. 0 where the system has no /proc.
    """

    code: int
    seconds: float
    cpu: float
    peak: int
    out: bytes
    err: bytes


def measured(words: Sequence[str], env: Mapping[str, str] | None = None) -> Cost:
    """Run a command; its output is kept, its exit code is the caller's to judge."""
    before = os.times()
    start = perf_counter()
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **(env or {})}
    )
    watch = _Watch(process.pid)
    watch.start()
    out, err = process.communicate()
    seconds = perf_counter() - start
    watch.over.set()
    watch.join()
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(process.returncode, seconds, cpu, watch.peak, out, err)


class _Watch(threading.Thread):
    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.peak = 0
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(_EVERY):
            self.peak = max(self.peak, sum(_resident(pid) for pid in _family(self.pid)))


def _family(pid: int) -> list[int]:
    """A process and everything it started, as far as it still runs."""
    found = [pid]
    for one in found:
        try:
            for task in Path(f"/proc/{one}/task").glob("*/children"):
                found += [int(child) for child in task.read_text().split()]
        except (OSError, ValueError):  # It has ended meanwhile.
            continue
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0
