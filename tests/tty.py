"""Remit in a real pseudo-terminal: its whole byte stream, and what of it steers a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.running import ROOT

PATIENCE = 120
"""Seconds until a terminal that says nothing more counts as hanging."""

SEQUENCE = re.compile(
    rb"\x1b(?:"
    rb"\[[0-?]*[ -/]*[@-~]"  # CSI
    rb"|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC, DCS, SOS, PM, APC
    rb"|[ -/]*[0-~]"
    rb")"
)
"""An escape sequence of any kind, as ECMA-48 delimits them."""

# The last one is the shape of the mouse pointer, which the screen library sets.
MODES = re.compile(
    rb"\x1b\[\?(?:7|25|1000|1002|1003|1004|1006|1015|1016|1049|2004|2026|2031|2048)[hl]|\x1b\[\?(?:2026|2048)\$p|\x1b\[[<>=?]\d*u|\x1b\]22;[a-z]*\x07"
)
PLAIN = re.compile(rb"\x1b\[(?:[0-9;]*m|\d*;?\d*H|[0-9]*[JK]|c|6n|\?1;2c|>q)")


class Terminal:
    """A child on a pseudo-terminal; `screen` has every byte it wrote."""

    def __init__(self, pid: int, fd: int) -> None:
        self.pid, self.fd = pid, fd
        self.written = b""

    def press(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    def until(self, wanted: bytes, *, after: int = 0) -> None:
        """Read until it has written something; fails where it ends or says nothing more."""
        while wanted not in self.written[after:]:
            assert self._read(), f"it ended before it wrote {wanted!r}: {self.written[-400:]!r}"

    def end(self) -> int:
        """Read to the end; the exit code, that of a signal negative."""
        while self._read():
            pass
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def hang_up(self) -> int:
        """Take the terminal away, as closing its window does, and wait for the end; the exit code, that of a signal negative."""
        with os.fdopen(os.pidfd_open(self.pid)) as ended, open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), self.fd)
            ready, _, _ = select.select([ended], [], [], PATIENCE)
        assert ready, "it lives on without a terminal"
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def _read(self) -> bool:
        ready, _, _ = select.select([self.fd], [], [], PATIENCE)
        assert ready, f"it hangs after {self.written[-200:]!r}"
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:  # On Linux the end of a pseudo-terminal is an error.
            return False
        self.written += data
        return bool(data)


@contextmanager
def terminal(
    *arguments: str | Path, size: tuple[int, int] = (120, 40), script: str = "", **environment: str
) -> Iterator[Terminal]:
    """`remit` on a terminal of this size; the environment is the test's own with what is given.

    With a `script` a shell with job control runs that, with the command as its "$@".
    """
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        given = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLORTERM", "COLUMNS", "LINES")}
        given |= {"TERM": "xterm-256color"} | environment
        os.chdir(ROOT)
        command = [sys.executable, "-m", "cli.main", *map(str, arguments)]
        command = ["bash", "-m", "-c", script, "bash", *command] if script else command
        os.execvpe(command[0], command, given)
    child = Terminal(pid, fd)
    try:
        yield child
    finally:
        if child.pid:
            os.kill(child.pid, signal.SIGKILL)
            os.waitpid(child.pid, 0)
        os.close(fd)


def steering(stream: bytes) -> set[bytes]:
    """Every sequence of a stream that does more than colour, place the cursor or switch a mode the dashboard needs."""
    return {found for found in SEQUENCE.findall(stream) if not MODES.fullmatch(found) and not PLAIN.fullmatch(found)}


def text(stream: bytes) -> str:
    """What is left of a stream without its sequences."""
    return SEQUENCE.sub(b"", stream).decode("utf-8", "strict")


def colours(stream: bytes) -> set[bytes]:
    """Every parameter of SGR sequences that sets a colour other than the default."""
    found: set[bytes] = set()
    for parameters in re.findall(rb"\x1b\[([0-9;:]*)m", stream):
        for one in parameters.replace(b":", b";").split(b";"):
            if one and (30 <= int(one) <= 38 or 40 <= int(one) <= 48 or 90 <= int(one) <= 107):
                found.add(parameters)
    return found
