"""A process of our own that answers requests: asked through its standard input, it answers in parts through its standard output.

A pipe holds little, so whoever is fast waits and memory stays bounded. What is secret travels through the pipe and is never
written down. Nothing heavy is imported here: a process that needs another one starts it before it loads anything.

Where the system forks cheaply and this process has one thread, a process that opens no store begins as its copy, with every
module loaded; anywhere else Python is started anew.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn, Protocol, TypeVar

import msgspec

if sys.platform == "linux":
    import fcntl

_PIPE_BYTES = 1 << 20
_SELDOM = "import gc; gc.set_threshold(100_000); "
"""What loading modules makes stays: looking through it again and again costs a sixth of the time."""

_PACKED, _PICKLED, _FAILED = b"m", b"p", b"f"
_ENCODER = msgspec.msgpack.Encoder()


class Part(Protocol):
    """What a request is answered with, one after the other; the last has an `end`."""

    @property
    def end(self) -> object: ...


Answer = TypeVar("Answer", bound=Part)


class Process:
    """Runs a program whose own end is `serve`; started with `start`, else for the first request.

    `opens` says whether the program opens a store: such a one is never a copy. SQLite remembers in memory which locks a process
    holds: a copy of a process that has a store open would believe that they are its own, and read what is being written.
    """

    def __init__(self, program: str, greeting: object = None, *, opens: bool) -> None:
        self.greeting = greeting
        """What the program is told once, before its first request."""
        self._program = program
        self._opens = opens
        self._process: subprocess.Popen[bytes] | _Copy | None = None
        self._greeted = False

    def start(self) -> None:
        if self._process is None:
            self._process = _started(self._program) if self._opens or not _may_fork() else _Copy(self._program)
            assert self._process.stdout is not None
            _widen(self._process.stdout)

    def ask(self, request: object, decoder: msgspec.msgpack.Decoder[Answer]) -> Iterator[Answer]:
        """The parts of the answer; raises what the program could not do it for, EOFError or BrokenPipeError where it is gone."""
        ended = False
        try:
            answers = self._send(request)
            while not ended:
                part = unpacked(_received(answers), decoder)
                ended = part.end is not None
                yield part
                # It may hold a record of 64 MB, and so may the next.
                del part
        finally:
            if not ended:
                # What it still has to say of this request must not be taken for an answer to another.
                self.stop()

    def _send(self, request: object) -> IO[bytes]:
        """Send a request; where the answers come from."""
        self.start()
        assert self._process is not None
        asking, answers = self._process.stdin, self._process.stdout
        assert asking is not None and answers is not None
        for message in (request,) if self._greeted else (self.greeting, request):
            _send(asking, pickle.dumps(message))
        self._greeted = True
        return answers

    def kill(self) -> None:
        """End the process under whoever is listening to it."""
        if self._process is not None:
            self._process.kill()

    def stop(self) -> None:
        """End the process; the next request starts another."""
        process, self._process, self._greeted = self._process, None, False
        if process is not None:
            process.kill()
            process.communicate()


class _Copy:
    """This process once more, running a program; to be used like `subprocess.Popen` with both pipes."""

    def __init__(self, program: str) -> None:
        asked, asking = os.pipe()
        answers, answering = os.pipe()
        # What is buffered here would be written a second time.
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if not self._pid:
            _run(program, asked, answering)
        os.close(asked)
        os.close(answering)
        self._ended = False
        self.stdin: IO[bytes] = os.fdopen(asking, "wb")
        self.stdout: IO[bytes] = os.fdopen(answers, "rb")

    def kill(self) -> None:
        if not self._ended:
            os.kill(self._pid, signal.SIGKILL)

    def communicate(self) -> None:
        """Close the pipes and wait for the end."""
        with suppress(BrokenPipeError):
            self.stdin.close()
        self.stdout.close()
        os.waitpid(self._pid, 0)
        self._ended = True


def _run(program: str, asked: int, answering: int) -> NoReturn:
    """A copy's whole life: it keeps nothing open of what the other has, and unwinds nothing that is the other's to end."""
    try:
        # A session of its own keeps the terminal's Ctrl-C to the other process.
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(asked, 0)
        os.dup2(answering, 1)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        sys.stdin = os.fdopen(0, closefd=False)
        exec(program, {"__name__": "__main__"})  # noqa: S102  a text of ours, the one that Python started anew runs
    except BaseException:  # noqa: BLE001  whoever listens finds the pipe closed
        os._exit(1)
    os._exit(0)


def processors() -> int:
    """How many processors this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _may_fork() -> bool:
    """Whether a copy of this process can run: on Linux, where no other thread holds a lock that the copy would wait for."""
    return sys.platform == "linux" and len(list(Path("/proc/self/task").glob("*"))) == 1


def _started(program: str) -> subprocess.Popen[bytes]:
    """Python anew. Without `-P` the folder one stands in would come first among the places modules are looked for: any
    repository's own `model` or `store` would be run. A session of its own keeps the terminal's Ctrl-C to this process."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _SELDOM + program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=env,
        start_new_session=True,
    )


def _widen(pipe: IO[bytes]) -> None:
    """Have a pipe hold as much as an ordinary user may ask for, so that neither side is woken for every few pages."""
    if sys.platform == "linux":
        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def serve(answering: Callable[[Any], Callable[[Any], Iterator[Part]]], told: tuple[type[Exception], ...]) -> None:
    """Answer one request after the other until nobody asks any more, or nobody is there to hear; a process's whole program.

    `answering` makes of the greeting what answers a request; an error of the kinds `told` is raised where it was asked.
    """
    asking, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        answer = answering(_request(asking))
        while True:
            _answer(answers, answer(_request(asking)), told)
    except (EOFError, BrokenPipeError):
        # Nobody is there any more. What is still buffered for them must not be written at exit either.
        os._exit(0)


def _answer(answers: IO[bytes], parts: Iterator[Part], told: tuple[type[Exception], ...]) -> None:
    try:
        for message in map(packed, parts):
            _send(answers, message)
            del message
    except BrokenPipeError:
        raise
    except told as error:
        _send(answers, _FAILED + pickle.dumps(error))


def packed(part: Part) -> bytes | bytearray:
    message = bytearray(_PACKED)
    try:
        _ENCODER.encode_into(part, message, len(message))
        return message
    except (UnicodeEncodeError, OverflowError):
        # Lone surrogates and integers beyond 64 bits, which the store will mend.
        return _PICKLED + pickle.dumps(part)


def unpacked(data: bytes | bytearray, decoder: msgspec.msgpack.Decoder[Answer]) -> Answer:
    """What was packed, or the error that took its place raised."""
    kind, body = data[:1], memoryview(data)[1:]
    if kind == _FAILED:
        raise pickle.loads(body)  # noqa: S301  our own process wrote it
    part: Answer = decoder.decode(body) if kind == _PACKED else pickle.loads(body)  # noqa: S301
    return part


def _request(asking: IO[bytes]) -> Any:
    return pickle.loads(_received(asking))  # noqa: S301  the process that started this one wrote it


def _send(pipe: IO[bytes], data: bytes | bytearray) -> None:
    pipe.write(len(data).to_bytes(8, "big"))
    pipe.write(data)
    pipe.flush()


def _received(pipe: IO[bytes]) -> bytes:
    head = pipe.read(8)
    data = pipe.read(int.from_bytes(head, "big")) if len(head) == 8 else b""
    if not head or len(data) < int.from_bytes(head, "big"):
        raise EOFError
    return data
