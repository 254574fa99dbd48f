"""One record read by its format; one of more than 4 MB is read with its long texts cut, and kept whole as evidence."""

from __future__ import annotations

import re

from importers.base import Reader
from importers.shared.fields import decode
from model.event import Parsed
from model.evidence import FULL_RECORD

OVERSIZE = "record of more than 4 MB"
_KEEP = 16 << 10
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_HALF = re.compile(rb"(?:(?<!\\)\\++(?:u[0-9a-fA-F]{0,3})?|[\xc0-\xff][\x80-\xbf]{0,3})$")


def read_record(reader: Reader, data: bytes) -> Parsed:
    """The events of one redacted record; raises BadRecord with the reason to print."""
    short = readable(data)
    return Parsed(type=OVERSIZE, unknown_type=OVERSIZE) if short is None else reader.read(decode(short))


def readable(data: bytes) -> bytes | None:
    """A record as it may be decoded: up to 4 MB as it is, a larger one `shortened`."""
    return data if len(data) <= FULL_RECORD else shortened(data)


def shortened(data: bytes) -> bytes | None:
    """A record of valid JSON with every text beyond 16 KB cut; None where that leaves it larger than 4 MB still."""
    parts: list[bytes] = []
    done = 0
    for match in _TEXT.finditer(data):
        start, end = match.span()
        if end - start > _KEEP:
            parts += (data[done:start], _HALF.sub(b"", data[start : start + _KEEP]), '…"'.encode())
            done = end
    parts.append(data[done:])
    short = b"".join(parts)
    return short if len(short) <= FULL_RECORD else None
