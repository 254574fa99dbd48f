"""A second process that reads, redacts and parses a large file while this one stores what it gives.

Parsing holds the interpreter and SQLite has one writer, so the two share two processors well. Requests go out through
the process's standard input and batches come back in order through its standard output; a pipe holds little, so a fast
reader waits and memory stays bounded. The key travels through the pipe and is never written down.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import msgspec

from importers import NotRecognised, open_source
from lang.redact import Redactor
from review.collecting import fewer_collections
from review.errors import RemitError
from review.feed import Batch, Feed

LARGE = 8 << 20
"""Bytes from which starting a process pays."""

_BATCH = msgspec.msgpack.Decoder(Batch)
_PACKED, _PICKLED, _FAILED = b"m", b"p", b"f"
_PROGRAM = "import gc; gc.set_threshold(100_000); from review.helper import serve; serve()"


class Helper:
    """The process, started for the first file that wants it and ended with the import."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._process: subprocess.Popen[bytes] | None = None

    def wanted(self, path: Path) -> bool:
        """Whether a file is large enough."""
        return path.stat().st_size >= LARGE

    def batches(self, path: Path, name: str, format: str) -> Iterator[Batch]:
        """A file's batches; raises OSError and NotRecognised as reading it here would, RemitError where the process is gone."""
        ended = False
        try:
            answers = self._ask((str(path), name, format))
            while not ended:
                batch = _unpacked(_received(answers))
                ended = batch.end is not None
                yield batch
        except (EOFError, BrokenPipeError) as error:
            raise RemitError(f"reading {name} stopped: the process that reads it is gone; import again to go on") from error
        finally:
            if not ended:
                # What it still has to say of this file must not be taken for an answer about another.
                self._stop()

    def _ask(self, request: tuple[str, str, str]) -> IO[bytes]:
        """Send a request; where the answers come from."""
        first = self._process is None
        if self._process is None:
            # Not by fork, which would copy the locks of other threads, nor by starting the main program anew. Without
            # `-P` the folder one stands in would come first among the places modules are looked for: any repository's
            # own `model` or `store` would be run. A session of its own keeps the terminal's Ctrl-C to this process.
            env = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=env,
                start_new_session=True,
            )
        asking, answers = self._process.stdin, self._process.stdout
        assert asking is not None and answers is not None
        for message in (self._redactor, request) if first else (request,):
            _send(asking, pickle.dumps(message))
        return answers

    def __enter__(self) -> Helper:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    def _stop(self) -> None:
        """End the process; the next file that wants one starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def serve() -> None:
    """Answer with the batches of each file asked for, until nobody asks any more; the process's whole program."""
    asking, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        with fewer_collections():
            redactor = _request(asking)
            while True:
                _answer(answers, redactor, *_request(asking))
    except (EOFError, BrokenPipeError):
        # Nobody is there any more. What is still buffered for them must not be written at exit either.
        os._exit(0)


def _answer(answers: IO[bytes], redactor: Redactor, path: str, name: str, format: str) -> None:
    try:
        with Path(path).open("rb") as stream:
            for batch in Feed(open_source(stream, name=name, format=format), name, redactor).batches():
                _send(answers, _packed(batch))
    except BrokenPipeError:
        raise
    except (OSError, NotRecognised) as error:
        _send(answers, _FAILED + pickle.dumps(error))


def _packed(batch: Batch) -> bytes:
    try:
        return _PACKED + msgspec.msgpack.encode(batch)
    except (UnicodeEncodeError, OverflowError):
        # Lone surrogates and integers beyond 64 bits, which the store will mend.
        return _PICKLED + pickle.dumps(batch)


def _unpacked(data: bytes) -> Batch:
    """The batch, or the error that took its place raised."""
    kind, body = data[:1], memoryview(data)[1:]
    if kind == _FAILED:
        raise pickle.loads(body)  # noqa: S301  our own process wrote it
    batch: Batch = _BATCH.decode(body) if kind == _PACKED else pickle.loads(body)  # noqa: S301
    return batch


def _request(asking: IO[bytes]) -> Any:
    return pickle.loads(_received(asking))  # noqa: S301  the process that started this one wrote it


def _send(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(len(data).to_bytes(8, "big"))
    pipe.write(data)
    pipe.flush()


def _received(pipe: IO[bytes]) -> bytes:
    head = pipe.read(8)
    data = pipe.read(int.from_bytes(head, "big")) if len(head) == 8 else b""
    if not head or len(data) < int.from_bytes(head, "big"):
        raise EOFError
    return data
