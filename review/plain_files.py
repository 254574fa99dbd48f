"""Reading one text a person names: within bounds, and without waiting for a pipe that nobody writes to."""

from __future__ import annotations

import errno
import os
import select
import stat
from typing import BinaryIO

LONGEST = 32 << 20
"""Bytes of a text that is read; policies are far smaller, and a device such as `/dev/zero` never ends."""
PATIENCE = 5.0
"""Seconds a named pipe may have no writer: what was just started may not have opened it yet."""


def read_text(path: str | os.PathLike[str], patience: float = PATIENCE) -> str:
    """The text of a file, a pipe or a device, UTF-8 whatever the locale says; raises OSError and UnicodeDecodeError."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(handle, "rb") as file:
        first = _first(handle, patience) if stat.S_ISFIFO(os.fstat(handle).st_mode) else b""
        if hasattr(os, "set_blocking"):
            os.set_blocking(handle, True)
        return text_of(file, first)


def text_of(file: BinaryIO, first: bytes = b"") -> str:
    """The text of an open file behind its `first` bytes, each line end a `\\n`; raises OSError where it is longer than is read."""
    found = first + file.read(LONGEST + 1 - len(first))
    if len(found) > LONGEST:
        raise OSError(errno.EFBIG, f"it holds more than {LONGEST:,} bytes")
    return found.decode().replace("\r\n", "\n").replace("\r", "\n")


def _first(handle: int, patience: float) -> bytes:
    """What stands ready in a pipe; raises OSError where nobody has it open for writing and nobody comes."""
    try:
        found = os.read(handle, 1 << 16)
    except BlockingIOError:  # somebody writes, nothing yet: worth waiting for
        return b""
    if not found and not select.select([handle], [], [], patience)[0]:
        raise OSError(errno.EPIPE, "it is a named pipe that nobody writes to; name a file, or `-` for standard input")
    return found
