"""What was written down as text: a JSON object as it is, behind a few words, or in base64 (gzipped too), as queues and functions carry it;
a line of plain text in base64.
"""

from __future__ import annotations

import binascii
import re
import zlib

from importers.shared.fields import decode
from model.event import BadRecord

WITHIN = 256
"""How far into a line its object begins at the most."""
MOST = 16 << 20
"""Bytes a text may unpack to; what would be more is no record."""
RATIO, FLOOR = 100, 1 << 20
"""Nor is what unpacks to so many times its own size and more than so many bytes."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_GZIP = b"\x1f\x8b"
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c\x1e\x1f]")
_REWRITTEN = 2
"""How often an object was written down as a JSON text, once more for each program that knew no better."""
_URL_SAFE = str.maketrans("-_", "+/")


def json_in(line: str) -> bytes | None:
    """The object that a text holds, None where it holds none."""
    begin = line.find("{", 0, WITHIN + 1)
    if begin < 0:
        return _unpacked(line.strip())
    if line[:begin].strip(' \t"\\') == "":
        inner: object = line
        for _ in range(_REWRITTEN):
            if not isinstance(inner, str) or inner.lstrip()[:1] != '"':
                break
            inner = _value(inner.strip().encode("utf-8", "surrogatepass"))
        return _object(inner.strip().encode("utf-8", "surrogatepass")) if isinstance(inner, str) else None
    return _object(line[begin:].strip().encode("utf-8", "surrogatepass"))


def line_in(text: str) -> str:
    """The line of plain text that a text is in base64 or as a JSON text; the text itself where it is none."""
    if text[:1] == text[-1:] == '"' and isinstance(inner := _value(text.encode("utf-8", "surrogatepass")), str):
        return inner
    data = _bytes_in(text.strip())
    if data is None or _CONTROLS.search(data) is not None:
        return text
    try:
        return data.decode()
    except UnicodeDecodeError:
        return text


def text_in(inner: object) -> str | None:
    """The carried line; the journal writes one with unprintable characters as a list of its bytes."""
    if isinstance(inner, str):
        return inner
    if isinstance(inner, list) and inner and all(type(one) is int and 0 <= one < 256 for one in inner):
        return bytes(inner).decode("utf-8", "replace")
    return None


def _unpacked(line: str) -> bytes | None:
    data = _bytes_in(line)
    return _object(data) if data is not None and data.startswith(b"{") else None


def _bytes_in(line: str) -> bytes | None:
    """The bytes that a text is in base64, unzipped where they are packed too."""
    if _BASE64.fullmatch(line) is None or len(line) > 2 * MOST:
        return None
    try:
        data = binascii.a2b_base64(line.translate(_URL_SAFE) + "=" * (-len(line) % 4), strict_mode=True)
        if data.startswith(_GZIP):
            inflate = zlib.decompressobj(31)
            data = inflate.decompress(data, min(MOST, max(FLOOR, RATIO * len(data))))
            if not inflate.eof:
                return None
    except (binascii.Error, zlib.error):
        return None
    return data.strip()


def _object(data: bytes) -> bytes | None:
    return data if isinstance(_value(data), dict) else None


def _value(data: bytes) -> object:
    try:
        return decode(data)
    except BadRecord:
        return None
