"""Syslog as it travels over TCP, kept as it came: before each message its length, behind it nothing (RFC 6587, octet counting)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from importers.cutting.scanner import Oversize, Window

_COUNT = re.compile(rb"([1-9]\d{0,6}) (?=<\d{1,3}>)")
_LONGEST_COUNT = 16
_MAX_MESSAGE = 4 << 20


def is_counted(head: bytes) -> bool:
    """Whether a source begins with counted messages of which one follows the other at once."""
    first = _COUNT.match(head)
    if first is None:
        return False
    end = first.end() + int(first[1])
    # Messages that end with their line are lines like any others.
    return head[end - 1 : end] != b"\n" and (len(head) == end or _COUNT.match(head, end) is not None)


def counted_lines(head: bytes) -> Iterator[bytes]:
    """The messages that lie in the beginning of a source as a whole."""
    at = 0
    while (count := _COUNT.match(head, at)) is not None and count.end() + int(count[1]) <= len(head):
        at = count.end() + int(count[1])
        yield head[count.end() : at]


def counted_rows(window: Window) -> Iterator[tuple[int, int, bytes | None]]:
    """Every message with its place; where no count stands the line goes on, and None stands for what is too long."""
    while _reach(window, 1):
        line, offset = window.line, window.offset
        _reach(window, _LONGEST_COUNT)
        count = _COUNT.match(window.buf, window.pos)
        if count is None or int(count[1]) > _MAX_MESSAGE:
            try:
                length = window.line_length()
            except Oversize:
                yield line, offset, None
                continue
            if row := window.buf[window.pos : window.pos + length].strip():
                yield line, offset, row
            window.advance(length)
            window.more()
            continue
        window.advance(count.end() - window.pos)
        length = int(count[1])
        _reach(window, length)
        yield line, offset, window.buf[window.pos : window.pos + length]
        window.advance(min(length, len(window.buf) - window.pos))


def _reach(window: Window, length: int) -> bool:
    """Have so many bytes in memory; False where the source ends before."""
    while len(window.buf) - window.pos < length:
        if not window.fill():
            return False
    return True
