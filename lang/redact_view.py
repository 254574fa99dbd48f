"""A record as a secret scanner should read it: characters written as escapes put back, every place traceable.

JSON lets any character be written as `\\u0041`, and some encoders write `/` as `\\/`. A string that itself holds JSON
doubles the backslashes. The view replaces such escapes of printable characters, at any depth, and keeps a map back to
the bytes they came from, so that a span found in the view is replaced as whole escapes in the record.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

ESCAPES = (b"\\u00", b"\\/", b"&quot;", b"&apos;")
"""What every escape of a printable character begins with, behind any further backslashes; XML's quotes, as event logs write them."""

# From the beginning of a run of backslashes alone: trying each of a hundred thousand as the first takes seconds.
_ESCAPE = re.compile(rb"(?<!\\)(\\++)(?:u00([2-7][0-9A-Fa-f])|/)|&(?:quot|apos);")
_XML = {b"&quot;": b'"', b"&apos;": b"'"}
_RUN = re.compile(rb"\\+")
_CODE = re.compile(rb"\\u([0-9A-Fa-f]{4})")


class View:
    """Bytes with their escapes put back, and where each stretch of them lies in the original."""

    __slots__ = ("_ends", "_raw_ends", "_raw_starts", "_starts", "data")

    def __init__(self, raw: bytes) -> None:
        parts: list[bytes] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._raw_starts: list[int] = []
        self._raw_ends: list[int] = []
        done = length = 0
        for match in _ESCAPE.finditer(raw):
            code = match.group(2)
            char = bytes((int(code, 16),)) if code else _XML.get(match.group(), b"/")
            if char == b"\x7f":
                continue
            if char in b"\"\\'":
                # A quote stays an escaped quote: it must never look like the end of the string it stands in.
                char = (match.group(1) or b"\\") + char
            begin, end = match.span()
            parts += (raw[done:begin], char)
            length += begin - done
            self._starts.append(length)
            length += len(char)
            self._ends.append(length)
            self._raw_starts.append(begin)
            self._raw_ends.append(end)
            done = end
        parts.append(raw[done:])
        self.data = b"".join(parts)

    def raw_span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original that a span of the view stands for, widened to whole escapes."""
        return self._raw(start, False), self._raw(end, True)

    def _raw(self, position: int, is_end: bool) -> int:
        index = bisect_left(self._ends, position) if is_end else bisect_right(self._ends, position)
        if index < len(self._starts) and (self._starts[index] < position or (not is_end and self._starts[index] == position)):
            return self._raw_ends[index] if is_end else self._raw_starts[index]
        if index == 0:
            return position
        return self._raw_ends[index - 1] + position - self._ends[index - 1]


def has_escapes(raw: bytes) -> bool:
    """Whether a record in which one of `ESCAPES` stands holds escapes of printable characters."""
    return _ESCAPE.search(raw) is not None


def plain(value: bytes) -> bytes:
    """A secret's own characters, whatever depth of escaping it was written in, so that equal secrets are equal bytes."""
    if b"\\" not in value:
        return value
    value = _RUN.sub(rb"\\", value)
    value = _CODE.sub(lambda m: chr(int(m.group(1), 16)).encode("utf-8", "surrogatepass"), value)
    for escaped, char in ((b'\\"', b'"'), (b"\\'", b"'"), (b"\\/", b"/"), (b"\\n", b"\n"), (b"\\r", b"\r"), (b"\\t", b"\t")):
        value = value.replace(escaped, char)
    return value
