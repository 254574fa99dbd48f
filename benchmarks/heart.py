"""A heart that beats on a dashboard's own loop, so that every pause of the loop is seen, and what it was spent on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

BEAT = 0.005

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
