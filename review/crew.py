"""A second process that builds shares of the tasks beside this one, which builds others and writes down what both make.

It opens the store for reading; what it answers are rows to be written. Whatever it cannot do is done here.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from queue import Empty, Queue
from threading import Thread
from types import TracebackType

import msgspec

from review.chaining import Chaining, Ground, Made, Share
from review.collecting import fewer_collections
from review.errors import RemitError
from review.index import CachedIndex
from review.lifelines import Lifelines
from review.lineage import Lineage
from review.processes import Process, serve
from review.settings_stamp import settings_stamp
from review.workspace import Workspace, open_workspace
from store import StoreError

WORTH = 8_000
"""New events from which starting a process pays."""

_WAITING = 2
"""Answers kept unwritten: memory is bounded however fast the other is."""

_MADE = msgspec.msgpack.Decoder(Made)
_PROGRAM = "from review.crew import build_shares; build_shares()"


class Opening(msgspec.Struct):
    """What the other process is told first: which store, with which settings, and what tasks are built on."""

    store: str
    org: str | None
    detections: str | None
    stamp: str
    first: bool
    ground: Ground


class Crew:
    """The other process, where there is a processor for it."""

    def __init__(self, work: Workspace, waiting: int) -> None:
        self._work = work
        self._process: Process | None = None
        if waiting >= WORTH and _processors() > 1:
            self._process = Process(_PROGRAM, opens=True)
            self._process.start()

    def __bool__(self) -> bool:
        return self._process is not None

    def build(
        self, ground: Ground, first: bool, shares: list[Share], here: Callable[[list[str]], Iterator[Made]]
    ) -> Iterator[Made]:
        """Everything that both make of these shares, `here` being what builds tasks in this process."""
        left = deque(shares)
        answers: Queue[Made | None] = Queue(_WAITING)
        process = self._process
        assert process is not None
        process.greeting = self._opening(ground, first)
        thread = Thread(target=_listen, args=(process, left, answers), name="crew", daemon=True)
        thread.start()
        try:
            working = True
            while left or working:
                while working:
                    try:
                        made = answers.get(block=not left)
                    except Empty:
                        break
                    if made is None:
                        working = False
                    else:
                        yield made
                if (share := _taken(left)) is not None:
                    yield from here(share.tasks)
        finally:
            # Left in the middle: whoever listens must come to an end before the process is done with.
            left.clear()
            while thread.is_alive():
                process.kill()
                with suppress(Empty):
                    answers.get(timeout=0.1)

    def _opening(self, ground: Ground, first: bool) -> Opening:
        work = self._work
        org, detections = (str(path) if path else None for path in (work.org_path, work.detections_dir))
        return Opening(work.location, org, detections, settings_stamp(work), first, ground)

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is not None:
            self._process.stop()


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _taken(left: deque[Share]) -> Share | None:
    """The next share, None where the other was faster."""
    try:
        return left.popleft()
    except IndexError:
        return None


def _listen(process: Process, left: deque[Share], answers: Queue[Made | None]) -> None:
    """Have share after share built by the other process; one that it fails at is put back, and nothing more is asked of it."""
    share: Share | None = None
    try:
        while (share := _taken(left)) is not None:
            for made in process.ask(share, _MADE):
                answers.put(made)
    except (EOFError, OSError, RemitError, StoreError):
        pass
    finally:
        if share is not None:
            left.append(share)
        answers.put(None)


def build_shares() -> None:
    """Answer with what is to be written of each share; a process's whole program."""
    from chains.detections import registry
    from importers.registry import importers

    registry()
    importers()

    def answering(opening: Opening) -> Callable[[Share], Iterator[Made]]:
        @cache
        def opened() -> Workspace:
            work = open_workspace(opening.store, opening.org, detections=opening.detections, readonly=True, sparing=True)
            if settings_stamp(work) != opening.stamp:
                raise RemitError("the settings have changed since the build began")
            return work

        def answer(share: Share) -> Iterator[Made]:
            work = opened()
            lineage = Lineage(work.store, empty=opening.first)
            lineage.found = share.found
            lifelines = Lifelines(work.store, work.facts, lineage, opening.ground.skews)
            lifelines.by_name = {name: held for names, held in share.credentials for name in names}
            chaining = Chaining(work, opening.ground, lineage, lifelines, CachedIndex(work.store))
            with work.store.viewing():
                yield from chaining.build(share.tasks)

        return answer

    with fewer_collections():
        serve(answering, (OSError, RemitError, StoreError))
