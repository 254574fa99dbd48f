"""A second process that places events and builds shares of the tasks beside this one, which writes down what both make.

It opens the store for reading; what it answers are rows to be written. Whatever it cannot do is done here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from queue import Empty, Queue
from threading import Thread
from types import TracebackType
from typing import TypeVar

import msgspec

from review.collecting import fewer_collections
from review.derive.chaining import Chaining, Ground, Made, Share
from review.derive.index import CachedIndex
from review.derive.lifelines import Lifelines
from review.derive.lineage import Lineage
from review.derive.placing import Placed, Stretch, place
from review.derive.settings_stamp import settings_stamp
from review.errors import RemitError
from review.processes import Part, Process, processors, serve
from review.workspace import Workspace, open_workspace
from store import StoreError

WORTH = 8_000
"""New events from which starting a process pays."""

_VIEW_SECONDS = 1.0
"""So long the other process reads one state at most: it reads all the time, and this one's log must begin anew now and then."""
_WAITING = 2
"""Answers kept unwritten: memory is bounded however fast the other is."""

_MADE = msgspec.msgpack.Decoder(Made)
_PLACED = msgspec.msgpack.Decoder(Placed)
_PROGRAM = "from review.derive.crew import build_shares; build_shares()"


Asked = TypeVar("Asked")
Answer = TypeVar("Answer", bound=Part)


class Opening(msgspec.Struct):
    """What the other process is told first: which store, with which settings, and whether nothing was built in it before."""

    store: str
    org: str | None
    detections: str | None
    stamp: str
    first: bool


class Ready(msgspec.Struct):
    """Asks, and answers, whether the other process has loaded what it needs."""

    end: bool = True


class Grounded(msgspec.Struct):
    """A share to be built; the first that is asked for brings along what all of them are built on."""

    share: Share
    ground: Ground | None


class Crew:
    """The other process, where there is a processor for it."""

    def __init__(self, work: Workspace, waiting: int) -> None:
        self._process: Process | None = None
        if waiting >= WORTH and processors() > 1:
            # Before a first build nothing is placed in any task.
            first = next(work.store.task_ids(), None) is None
            self._process = Process(_PROGRAM, _opening(work, first), opens=True)
            self._process.start()
            self._waking = Thread(target=_wake, args=(self._process,), name="crew, waking", daemon=True)
            self._waking.start()

    def __bool__(self) -> bool:
        return self._process is not None

    def place(
        self, skews: dict[str, int], stretches: list[Stretch], here: Callable[[Stretch], Iterator[Placed]]
    ) -> Iterator[Placed]:
        """Where both say that the events of these stretches belong, `here` being what places them in this process."""
        return self._together(stretches, lambda stretch: (stretch, skews), _PLACED, here)

    def build(self, ground: Ground, shares: list[Share], here: Callable[[Share], Iterator[Made]]) -> Iterator[Made]:
        """Everything that both make of these shares, `here` being what builds tasks in this process."""
        grounds = iter([ground])
        return self._together(shares, lambda share: Grounded(share, next(grounds, None)), _MADE, here)

    def _together(
        self,
        work: list[Asked],
        request: Callable[[Asked], object],
        decoder: msgspec.msgpack.Decoder[Answer],
        here: Callable[[Asked], Iterator[Answer]],
    ) -> Iterator[Answer]:
        """What both answer; the other process is asked by a `request` of its own for each piece of work."""
        left = deque(work)
        answers: Queue[Answer | None] = Queue(_WAITING)
        process = self._process
        assert process is not None
        thread = Thread(target=_listen, args=(process, left, request, decoder, answers), name="crew", daemon=True)
        try:
            working = False
            while left or working:
                # What waits for a process that is still loading might as well be done here.
                if not thread.ident and not self._waking.is_alive():
                    working = True
                    thread.start()
                while working:
                    try:
                        made = answers.get(block=not left)
                    except Empty:
                        break
                    if made is None:
                        working = False
                    else:
                        yield made
                if (piece := _taken(left)) is not None:
                    yield from here(piece)
        finally:
            # Left in the middle: whoever listens must come to an end before the process is done with.
            left.clear()
            while thread.is_alive():
                process.kill()
                with suppress(Empty):
                    answers.get(timeout=0.1)

    def dismiss(self) -> None:
        """End the other process, and what it holds in memory: what is left is done here."""
        if self._process is not None:
            self._process.kill()
            self._waking.join()
            self._process.stop()
            self._process = None

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.dismiss()


def _opening(work: Workspace, first: bool) -> Opening:
    org, detections = (str(path) if path else None for path in (work.org_path, work.detections_dir))
    return Opening(work.location, org, detections, settings_stamp(work), first)


def _wake(process: Process) -> None:
    """Return once the process has loaded what it needs: a piece of work given to it before would wait, which this one may do at once."""
    with suppress(EOFError, OSError, RemitError, StoreError):
        for _ in process.ask(Ready(), msgspec.msgpack.Decoder(Ready)):
            pass


def _taken(left: deque[Asked]) -> Asked | None:
    """The next piece of work, None where the other was faster."""
    try:
        return left.popleft()
    except IndexError:
        return None


def _listen(
    process: Process,
    left: deque[Asked],
    request: Callable[[Asked], object],
    decoder: msgspec.msgpack.Decoder[Answer],
    answers: Queue[Answer | None],
) -> None:
    """Have piece after piece done by the other process; one that it fails at is put back, and nothing more is asked of it."""
    piece: Asked | None = None
    try:
        while (piece := _taken(left)) is not None:
            for made in process.ask(request(piece), decoder):
                answers.put(made)
    except (EOFError, OSError, RemitError, StoreError):
        pass
    finally:
        if piece is not None:
            left.append(piece)
        answers.put(None)


def build_shares() -> None:
    """Answer with what is to be written of each stretch and share; a process's whole program."""
    from chains.detections import registry
    from importers.registry import importers

    registry()
    importers()

    def answering(opening: Opening) -> Callable[[Ready | Grounded | tuple[Stretch, dict[str, int]]], Iterator[Part]]:
        @cache
        def opened() -> Workspace:
            work = open_workspace(opening.store, opening.org, detections=opening.detections, readonly=True)
            if settings_stamp(work) != opening.stamp:
                raise RemitError("the settings have changed since the build began")
            return work

        grounds: list[Ground] = []

        def answer(request: Ready | Grounded | tuple[Stretch, dict[str, int]]) -> Iterator[Part]:
            work = opened()
            if isinstance(request, Ready):
                yield request
                return
            if not isinstance(request, Grounded):
                yield place(work.store, CachedIndex(work.store), work.facts, request[1], request[0])
                return
            if request.ground is not None:
                grounds.append(request.ground)
            share, ground = request.share, grounds[-1]
            lineage = Lineage(work.store, empty=opening.first)
            lineage.found = share.found
            lifelines = Lifelines(work.store, work.facts, lineage, ground.skews)
            lifelines.made = share.made
            chaining = Chaining(work, ground, lineage, lifelines, CachedIndex(work.store))
            with work.store.viewing(_VIEW_SECONDS):
                lifelines.ready(share.made)
                yield from chaining.build(share.tasks)

        return answer

    with fewer_collections():
        serve(answering, (OSError, RemitError, StoreError))
