"""Two more processes that read a large file while this one stores what they give: one cleans its records, one parses them.

Each of the three holds its own interpreter, so that redacting, parsing and storing share all processors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

import msgspec

from importers.base import placed
from importers.registry import importer_named
from lang.redact import Redactor
from review.collecting import fewer_collections
from review.errors import RemitError
from review.intake.cleaning import TOLD, Pack, Request, Unpacked
from review.intake.feed import Batch, Feed
from review.processes import Process, serve

LARGE = 8 << 20
"""Bytes from which starting processes pays."""

BATCH = msgspec.msgpack.Decoder(Batch)
_PACK = msgspec.msgpack.Decoder(Pack)
_CLEANING = "from review.intake.cleaning import clean; clean()"
# The second is started before anything is loaded: both load at once.
_PARSING = (
    f"from review.processes import Process; cleaning = Process({_CLEANING!r}, opens=False); cleaning.start(); "
    "from review.intake.helper import parse; parse(cleaning)"
)


class Helper:
    """The processes, started for the first file that wants them and ended with the import."""

    def __init__(self, redactor: Redactor) -> None:
        self._parsing = Process(_PARSING, redactor, opens=False)

    def wanted(self, path: Path) -> bool:
        """Whether a file is large enough."""
        return path.stat().st_size >= LARGE

    def batches(self, path: Path, name: str, format: str) -> Iterator[Batch]:
        """A file's batches; raises OSError and NotRecognised as reading it here would, RemitError where a process is gone."""
        try:
            yield from self._parsing.ask((str(path), name, format), BATCH)
        except (EOFError, BrokenPipeError) as error:
            raise gone(name) from error

    def __enter__(self) -> Helper:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._parsing.stop()


def gone(name: str) -> RemitError:
    """What is said of a file whose reading process is there no more."""
    return RemitError(f"reading {name} stopped: the process that reads it is gone; import again to go on")


def parse(cleaning: Process) -> None:
    """Answer with the batches of each file asked for, whose records another process cleans; a process's whole program."""

    def answering(redactor: Redactor) -> Callable[[Request], Iterator[Batch]]:
        cleaning.greeting = redactor

        def answer(request: Request) -> Iterator[Batch]:
            path, name, format = request
            place = placed(str(Path(path).resolve()), name)
            importer = importer_named(format)
            assert importer is not None
            return Feed(Unpacked(importer, cleaning.ask(request, _PACK)), name, redactor, place).batches()

        return answer

    with fewer_collections():
        serve(answering, TOLD)
