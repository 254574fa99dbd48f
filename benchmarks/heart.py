"""A heart that beats on a dashboard's own loop, so that every pause of the loop is seen, and what it was spent on."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

BEAT = 0.005
LONG = 0.025
"""Seconds without a beat from which on it is looked at what the loop is at."""
DEPTH = 6
_INNER = ("asyncio", "selectors.py", "threading.py")

Pause = tuple[float, float, float, float]
"""Seconds of a pause beyond a beat: by the wall, of the process's processor time, of the loop's own thread's; and when it ended."""


async def beat(pauses: list[Pause], alive: Callable[[], bool]) -> None:
    """Beat as long as it is alive, noting each pause; to be run as a task of the loop that is measured."""
    last = time.perf_counter(), time.process_time(), time.thread_time()
    while alive():
        await asyncio.sleep(BEAT)
        now = time.perf_counter(), time.process_time(), time.thread_time()
        pauses.append((now[0] - last[0] - BEAT, now[1] - last[1], now[2] - last[2], now[0]))
        last = now


class Onlooker:
    """Looks at the loop from a thread of its own while no beat comes: what it was running, and passes of the collector.

    To be made on the thread of the loop. `seen` holds (when, what) in order; a look waits for the interpreter like any
    thread, so what holds it throughout is seen at its end.
    """

    def __init__(self, pauses: list[Pause]) -> None:
        self.seen: list[tuple[float, str]] = []
        self._pauses = pauses
        self._loop = threading.get_ident()
        self._begun = 0.0
        self._over = threading.Event()
        gc.callbacks.append(self._collected)
        threading.Thread(target=self._look, daemon=True).start()

    def end(self) -> None:
        self._over.set()
        gc.callbacks.remove(self._collected)

    def _look(self) -> None:
        while not self._over.wait(BEAT):
            last = self._pauses[-1][3] if self._pauses else time.perf_counter()
            if time.perf_counter() - last > LONG:
                frame = sys._current_frames().get(self._loop)
                self.seen.append((time.perf_counter(), _told(frame)))

    def _collected(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            self._begun = time.perf_counter()
        elif (took := time.perf_counter() - self._begun) > BEAT:
            who = "loop" if threading.get_ident() == self._loop else "another thread"
            self.seen.append((time.perf_counter(), f"collector, generation {info['generation']}: {took * 1e3:.0f} ms on {who}"))


def _told(frame: FrameType | None) -> str:
    """The innermost calls, outermost first."""
    calls: list[str] = []
    while frame is not None and len(calls) < DEPTH:
        name = frame.f_code.co_filename
        if not any(word in name for word in _INNER):
            calls.append(f"{Path(name).parent.name}/{Path(name).name}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    return " < ".join(calls) or "waiting"
