"""A dashboard in a pseudo terminal of 120x40: when it draws, and what it costs."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from store.errors import StoreError
from store.fast import FastQueue

PATIENCE = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
PAGE_DOWN = b"\x1b[6~"
QUEUE = b"2"


def current(store: str) -> str:
    """A store that is there and of this program's schema: to bring up another would be measured with everything else. Raises SystemExit."""
    try:
        FastQueue(store).close()
    except StoreError as error:
        raise SystemExit(str(error)) from error
    return store


@contextmanager
def compiled(store: str) -> Iterator[None]:
    """Have every module a dashboard loads compiled beforehand, in a folder of the run's own: where none may be kept each start compiles all."""
    with tempfile.TemporaryDirectory(prefix="remit-compiled-") as folder:
        os.environ |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder}
        with Sitting(store):
            pass
        yield


class Sitting:
    """One `remit`, started and brought to its queue by a key typed at the first frame. Seconds are from the start of the process."""

    def __init__(self, store: str, words: Sequence[str] = ()) -> None:
        """`words` start another program that opens the dashboard over the store."""
        words = words or [str(Path(sys.executable).with_name("remit")), "--store", store]
        self.begin = time.perf_counter()
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="40")
            os.execv(words[0], list(words))
        fcntl.ioctl(self.screen, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        drawn = self._until(b"remit", b" ")
        self.first_frame = time.perf_counter() - self.begin
        os.write(self.screen, QUEUE)
        drawn = self._until("▶".encode(), drawn=drawn)
        self.first_rows = time.perf_counter() - self.begin
        self._until(b"seen by", drawn=drawn)
        self.answered = time.perf_counter() - self.begin
        self._quiet(3.0)

    def pages(self, count: int) -> tuple[list[float], float]:
        """Page down so often: seconds until each was drawn, and processor seconds of one."""
        before = self._cpu()
        waits = []
        for _ in range(count):
            waits.append(self.key(PAGE_DOWN))
        return waits, (self._cpu() - before) / count

    def key(self, key: bytes) -> float:
        """Seconds until a key was drawn; no more is read than comes in the moment after it."""
        begin = time.perf_counter()
        os.write(self.screen, key)
        if not self._drawn(PATIENCE):
            raise SystemExit(f"nothing was drawn for {PATIENCE:.0f} s after a key, or the dashboard has ended")
        waited = time.perf_counter() - begin
        self._quiet(0.15)
        return waited

    def end(self) -> None:
        """Have the dashboard end in order, and wait until it has."""
        os.kill(self.pid, signal.SIGTERM)
        end = time.perf_counter() + PATIENCE
        while self.pid and time.perf_counter() < end:
            self._quiet(0.05)
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                self.pid = 0

    def idle(self, seconds: float) -> float:
        """Processor seconds while nobody touches it."""
        self._quiet(2.0)
        before = self._cpu()
        self._quiet(seconds, whole=True)
        return self._cpu() - before

    def memory(self) -> int:
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE

    def __enter__(self) -> Sitting:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.screen)

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def _drawn(self, seconds: float) -> bytes:
        try:
            return os.read(self.screen, 1 << 16) if select.select([self.screen], [], [], seconds)[0] else b""
        except OSError:
            # Nobody draws any more.
            return b""

    def _until(self, *wanted: bytes, drawn: bytes = b"") -> bytes:
        """Read until all of this was drawn, by now or from here on; returns what was."""
        while not all(part in drawn for part in wanted):
            if time.perf_counter() - self.begin > PATIENCE:
                raise SystemExit(f"{wanted!r} was not drawn within {PATIENCE:.0f} s")
            drawn += self._drawn(0.5)
        return drawn

    def _quiet(self, seconds: float, *, whole: bool = False) -> None:
        """Read what is drawn until nothing was for so long; with `whole`, for exactly so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if self._drawn(left) and not whole:
                end = time.perf_counter() + seconds
