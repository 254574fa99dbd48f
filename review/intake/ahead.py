"""A second process that reads the files which come next while this one stores what those before them gave.

It is asked for a stretch of files at a time and answers in their order. What only this process can read stays with it: members
of archives, standard input, files that were read before, and large ones, which processes of their own read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from types import TracebackType

import msgspec

from importers import NotRecognised, open_source
from importers.base import Importer
from importers.registry import importers
from lang.redact import Redactor
from review.collecting import fewer_collections
from review.intake.cleaning import Cleaning
from review.intake.feed import Batch, Feed
from review.intake.found import Found, Missing
from review.intake.helper import LARGE, gone
from review.intake.resuming import marked
from review.processes import Process, processors, serve
from store import Store

FILES = 256
BYTES = 32 << 20
"""A stretch ends with this many files or this many bytes of them."""

WORTH = 4 << 20
"""Bytes of a stretch from which starting the process pays."""

_PROGRAM = "from review.intake.ahead import read_ahead; read_ahead()"


class Wanted(msgspec.Struct, array_like=True):
    """A file to be read: its path, the name it is told under, and where it lies (`importers.base.reader_of`)."""

    path: str
    name: str
    place: str


class Told(msgspec.Struct, array_like=True):
    """Of one file its format, then its batches; or why there is nothing of it: no log of a known format, or not to be read.

    The last of a stretch has an `end`.
    """

    format: str = ""
    batch: Batch | None = None
    strange: str | None = None
    empty: bool = False
    unread: str | None = None
    end: bool | None = None


_Sized = tuple[Found | Missing, int]
_TOLD = msgspec.msgpack.Decoder(Told)


class Reading:
    """One file as the other process reads it; what is left of it is passed over before the next is begun."""

    def __init__(self, name: str, told: Iterator[Told]) -> None:
        self._name = name
        self._told = told
        self._over = False

    def importer(self) -> Importer:
        """Its format; raises NotRecognised or OSError as opening it here would."""
        return importers()[self._next().format]

    def batches(self) -> Iterator[Batch]:
        """All of it, once the format was asked for; raises OSError as reading it here would."""
        while not self._over:
            batch = self._next().batch
            assert batch is not None
            yield batch

    def leave(self) -> None:
        """Pass over what nobody asked for."""
        with suppress(NotRecognised, OSError):
            while not self._over:
                self._next()

    def _next(self) -> Told:
        try:
            told = next(self._told)
        except (EOFError, BrokenPipeError) as error:
            raise gone(self._name) from error
        failed = told.strange is not None or told.unread is not None
        self._over = failed or (told.batch is not None and told.batch.end is not None)
        if told.strange is not None:
            raise NotRecognised(told.strange, empty=told.empty)
        if told.unread is not None:
            raise OSError(told.unread)
        return told


class Ahead:
    """The other process, where there is a processor for it; started for the first stretch of files that is worth it."""

    def __init__(self, store: Store, redactor: Redactor, format: str | Importer | None) -> None:
        self._store = store
        self._redactor = redactor
        # A format that a user's mapping describes is known to this process alone.
        self._able = processors() > 1 and isinstance(format, str | None)
        self._format = format if isinstance(format, str) else None
        self._process: Process | None = None

    def over(self, sources: Iterable[Found | Missing]) -> Iterator[tuple[Found | Missing, Reading | None]]:
        """All of these in their order, with how each is read where the other process reads it."""
        if not self._able:
            yield from ((source, None) for source in sources)
            return
        for stretch in _stretches(sources):
            yield from self._read(stretch)

    def _read(self, stretch: list[_Sized]) -> Iterator[tuple[Found | Missing, Reading | None]]:
        wanted = self._wanted(stretch)
        told = self._asked(list(wanted.values())) if wanted else iter(())
        for place, (source, size) in enumerate(stretch):
            if place in wanted:
                reading = Reading(source.name, told)
                yield source, reading
                reading.leave()
            else:
                if size >= LARGE:
                    # Processes of its own read it: this one would only hold memory beside them.
                    self._stop()
                yield source, None
        for _ in told:
            pass

    def _wanted(self, stretch: list[_Sized]) -> dict[int, Wanted]:
        """By their places in the stretch, the files that the other process is to read; none where that does not pay."""
        plain = {n: source for n, (source, size) in enumerate(stretch) if isinstance(source, Found) and 0 < size < LARGE}
        if sum(stretch[n][1] for n in plain) < WORTH:
            return {}
        known = marked(self._store, plain.values(), self._format)
        return {n: Wanted(str(one.path), one.name, one.place) for n, one in plain.items() if one not in known}

    def _asked(self, files: list[Wanted]) -> Iterator[Told]:
        if self._process is None:
            # Loaded before the process begins as a copy of this one, they are loaded once.
            importers()
            self._process = Process(_PROGRAM, self._redactor, opens=False)
        return self._process.ask((self._format, files), _TOLD)

    def _stop(self) -> None:
        if self._process is not None:
            self._process.stop()

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()


def _stretches(sources: Iterable[Found | Missing]) -> Iterator[list[_Sized]]:
    """These in stretches. What holds others must be read before more is asked for, and so it ends one; a large file is one."""
    stretch: list[_Sized] = []
    held = 0
    for source in sources:
        size = _size(source)
        if size >= LARGE and stretch:
            yield stretch
            stretch, held = [], 0
        stretch.append((source, size))
        held += size
        alone = isinstance(source, Found) and (source.inside is not None or source.path is None)
        if alone or len(stretch) >= FILES or held >= BYTES:
            yield stretch
            stretch, held = [], 0
    if stretch:
        yield stretch


def _size(source: Found | Missing) -> int:
    """Bytes of a file of its own; 0 for anything else, and for what cannot be looked at."""
    if isinstance(source, Missing) or source.path is None or source.inside is not None:
        return 0
    try:
        about = source.path.stat()
    except OSError:
        return 0
    return about.st_size if S_ISREG(about.st_mode) else 0


def read_ahead() -> None:
    """Answer with what is in the files of each stretch asked for; a process's whole program."""

    def answering(redactor: Redactor) -> Callable[[tuple[str | None, list[Wanted]]], Iterator[Told]]:
        def answer(request: tuple[str | None, list[Wanted]]) -> Iterator[Told]:
            format, files = request
            for file in files:
                yield from _told(file, format, redactor)
            yield Told(end=True)

        return answer

    with fewer_collections():
        serve(answering, ())


def _told(file: Wanted, format: str | None, redactor: Redactor) -> Iterator[Told]:
    try:
        with Path(file.path).open("rb") as stream:
            source = open_source(stream, name=file.name, format=format)
            yield Told(source.importer.id)
            for batch in Feed(Cleaning(source, redactor), file.name, redactor, file.place).batches():
                yield Told(batch=batch)
    except NotRecognised as error:
        yield Told(strange=str(error), empty=error.empty)
    except OSError as error:
        yield Told(unread=error.strerror or str(error))
