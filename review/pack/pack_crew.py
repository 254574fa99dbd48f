"""A second process that counts a pack's population and writes formats beside this one, which reads findings and writes the others.

It opens the store for reading. Whatever it cannot do is done here.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from reports.errors import ReportError
from reports.input import StepRow
from reports.manifest import entry
from reports.renderers.base import Document, Renderer, choose
from reports.shelf import Shelf, shelve
from reports.streaming import passing
from reports.tally import Counted, Tally
from review.collecting import fewer_collections
from review.pack.pack_population import Ground, rows
from review.processes import Process, processors, serve
from review.workspace import Workspace
from store import Store, StoreError, open_store
from store.fingerprints import STATED

WORTH = 10_000
"""Steps from which starting a process pays."""

_LOOK = 0.1
"""Seconds between two looks at how far it is."""
_PROGRAM = "from review.pack.pack_crew import work_beside; work_beside()"
_FINDINGS, _REST = "findings", "document"

Heed = Callable[[str, int, int], None]


class Digest(msgspec.Struct):
    """Asked: work out the digests of the store's tables."""


class Count(msgspec.Struct):
    """Asked: count the steps of these tasks and write the tables of these formats into a folder."""

    ground: Ground
    formats: list[str]
    stage: str


class Render(msgspec.Struct):
    """Asked: write one format of the document that lies beside the folder."""

    format: str
    stage: str


class Told(msgspec.Struct):
    """Answered: how many steps are done, and in the end the counts, what the manifest says of each file, or the digests of tables."""

    done: int = 0
    counted: Counted | None = None
    files: dict[str, dict[str, Any]] | None = None
    tables: dict[str, str] | None = None

    @property
    def end(self) -> object:
        return next((one for one in (self.counted, self.files, self.tables) if one is not None), None)


_TOLD = msgspec.msgpack.Decoder(Told)


class PackCrew:
    """The other process, where there is a processor for it and work that is worth it; a `reports.beside.Beside`.

    `streams` says that rows have to pass through this process all the same.
    """

    def __init__(self, work: Workspace, stage: Path, formats: Sequence[Renderer], heed: Heed | None, *, streams: bool) -> None:
        self._store, self._stage, self._heed, self._streams = work.store, stage, heed, streams
        self._tables = [one.id for one in formats if getattr(one, "streamed", False)]
        self._process: Process | None = None
        self._asking = ThreadPoolExecutor(1, thread_name_prefix="pack")
        self._ground: Ground | None = None
        self._count: Future[Told | None] | None = None
        self._made: dict[str, Future[Told | None]] = {}
        self._tables_of: Future[Told | None] | None = None
        self._digests: dict[str, str] = {}
        self._done = self._total = 0
        if processors() > 1 and work.store.has_steps(WORTH):
            process = Process(_PROGRAM, work.location, opens=True)
            with suppress(OSError):  # No more processes may be started here.
                process.start()
                self._process = process

    def tables(self) -> dict[str, str]:
        """The digests of the store's tables."""
        told = None if self._tables_of is None else self._awaited(self._tables_of)
        if told is not None and told.tables is not None:
            return told.tables
        return {name: self._digests.get(name) or self._store.table_digest(name) for name in STATED}

    def begin(self, ground: Ground, total: int) -> None:
        """Have the steps of these tasks counted, as they stand in the store; there may be so many."""
        if self._process is None:
            return
        if self._streams:
            self._tables_of = self._asking.submit(self._ask, Digest())
        else:
            self._ground, self._total = ground, total
            self._count = self._asking.submit(self._ask, Count(ground, self._tables, str(self._stage)))

    @property
    def counting(self) -> bool:
        return self._count is not None

    def rows(self, tasks: Collection[str], steps: Collection[str]) -> Iterable[StepRow]:
        assert self._ground is not None, "the population is counted"
        known = self._ground.names
        yield from rows(self._store.steps_of([task for task in sorted(tasks) if task in known]), self._ground)
        wanted = self._store.seen_steps(sorted(steps))
        yield from rows((one for one in wanted if one.task in known and one.task not in tasks), self._ground)

    def counted(self) -> Counted | None:
        assert self._count is not None, "the population is counted"
        for name in STATED:
            # Wanted last of all, and this process would do nothing until the counts are there.
            if self._count.done():
                break
            self._digests[name] = self._store.table_digest(name)
            self._say("steps", self._done)
        told = self._awaited(self._count)
        self._ground = self._count = None
        if told is not None:
            self._say("assessing and writing the formats", self._total)
        return None if told is None else told.counted

    def _awaited(self, begun: Future[Told | None]) -> Told | None:
        """Wait in small steps: whoever wants to stop all this is heard between them."""
        while True:
            try:
                return begun.result(_LOOK)
            except TimeoutError:
                if self._count is not None:
                    self._say("steps", self._done)

    def _say(self, what: str, done: int) -> None:
        if self._heed is not None and done:
            self._heed(what, done, max(self._total, done))

    def render(self, formats: Sequence[str], document: Document) -> None:
        if self._process is not None:
            controls = shelve(self._stage.with_name(_FINDINGS), document["findings"])
            rest = {name: value for name, value in document.items() if name != "findings"}
            # Controls name the same findings again and again: pickled, each name stands there once, and once in memory.
            self._stage.with_name(_REST).write_bytes(pickle.dumps((rest, controls), pickle.HIGHEST_PROTOCOL))
            for one in formats:
                self._made[one] = self._asking.submit(self._ask, Render(one, str(self._stage)))

    def rendered(self, format: str) -> dict[str, dict[str, Any]] | None:
        begun = self._made.pop(format, None)
        if begun is None or begun.cancel():
            return None
        told = self._awaited(begun)
        return None if told is None else told.files

    def _ask(self, request: Digest | Count | Render) -> Told | None:
        """The answer's last part; None where there is none: it is found out here why."""
        assert self._process is not None
        told: Told | None = None
        with suppress(EOFError, OSError, ReportError, StoreError):
            for told in self._process.ask(request, _TOLD):
                self._done = max(self._done, told.done)
        return told if told is not None and told.end is not None else None

    def __enter__(self) -> PackCrew:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is not None:
            self._process.kill()
        self._asking.shutdown(cancel_futures=True)
        if self._process is not None:
            self._process.stop()


def work_beside() -> None:
    """Answer with digests, counts and files; a process's whole program."""

    def answering(location: str) -> Callable[[Digest | Count | Render], Iterator[Told]]:
        @cache
        def store() -> Store:
            return open_store(location, create=False, readonly=True)

        def answer(request: Digest | Count | Render) -> Iterator[Told]:
            if isinstance(request, Digest):
                yield Told(tables=store().table_digests())
            elif isinstance(request, Count):
                yield from _count(store(), request)
            else:
                yield _render(request)

        return answer

    with fewer_collections():
        serve(answering, (OSError, ReportError, StoreError))


def _count(store: Store, request: Count) -> Iterator[Told]:
    stage, tally = Path(request.stage), Tally()
    sinks = [sink for one in choose(set(request.formats)) if (sink := one.population(stage)) is not None]
    records: dict[str, int] = {}
    try:
        for done in passing(rows(store.steps_of(sorted(request.ground.names)), request.ground), tally, sinks):
            yield Told(done=done)
    finally:
        for sink in sinks:
            records |= sink.close()
    yield Told(counted=tally.counted(records))


def _render(request: Render) -> Told:
    stage = Path(request.stage)
    with stage.with_name(_REST).open("rb") as file:
        document, controls = pickle.load(file)  # noqa: S301  the process that started this one wrote it
    document["findings"] = Shelf(stage.with_name(_FINDINGS), controls)
    (one,) = choose({request.format})
    return Told(files={name: entry(stage, name, count) for name, count in one.render(document, stage).items()})
