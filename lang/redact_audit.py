"""The command lines in records of the kernel's audit, as they were typed: argument by argument, those with a blank or a quote in hex."""

from __future__ import annotations

from typing import NamedTuple

from lang.late import late

KEYWORDS = (b"EXECVE", b"PROCTITLE", b"USER_CMD", b"TTY", b'argc"', b"argc=", b'proctitle"', b"proctitle=")
"""What a record that holds a command line has before it; the kernel's own log has numbers for its types."""

_NEXT = b"audit("
_STAMP = 40
_REACH = 65536
_FIELD = late(rb"""(?<![\w.-])(a\d{1,4}|proctitle|cmd|data)(\[\d{1,4}\])?(?:\\*")?[=:]\s?(?:\\*")?([^\s"'\\,{}]++)""")
_HEX = late(rb"(?:[0-9A-F]{2}){2,}")


class Typed(NamedTuple):
    """What was typed, and where each of its bytes lies, with one more place for the end."""

    line: bytes
    lies: list[int]


def typed(data: bytes, start: int) -> tuple[Typed, int]:
    """The command line of the record in which such a word begins here, and where the record ends; nothing without its stamp near by."""
    stamp = data.find(_NEXT, start, start + _STAMP)
    if stamp < 0 and data.find(_NEXT, max(0, start - _STAMP * 2), start) < 0:
        return Typed(b"", []), 0
    following = data.find(_NEXT, max(start, stamp + 1), start + _REACH)
    until = following if following >= 0 else min(len(data), start + _REACH)
    line, lies = bytearray(), list[int]()
    for field in _FIELD.finditer(data, start, until):
        value, (begin, end) = field.group(3), field.span(3)
        clear = text_of(value)
        step = 1 if clear is None else 2
        if line and field.group(2) in (None, b"[0]"):
            line += b" " if field.group(1)[:1] == b"a" else b"\n"
        elif lies:
            # A long argument goes on in the next of its pieces.
            lies.pop()
        line += value if clear is None else clear
        lies += [*range(begin, end, step), end]
    return Typed(bytes(line), lies), until


def text_of(value: bytes) -> bytes | None:
    """The text behind a value that was written in hex; None where it was not, which is so of all that needs no quotes."""
    if not _HEX.fullmatch(value):
        return None
    clear = bytes.fromhex(value.decode())
    if all(0x20 < byte < 0x7F and byte != 0x22 for byte in clear):
        return None
    return clear.replace(b"\0", b" ")
