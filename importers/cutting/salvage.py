"""What can still be read of text that is not quite JSON: values a decoder refuses, and whole records on a broken line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from importers.cutting.scanner import balanced, fault
from model.event import RawRecord

# A text that has no end goes to the end of the data: its escaped quotes are no beginnings, or the work were quadratic.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|-?Infinity|NaN', re.DOTALL)
_SURROGATES = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\\\|\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_BEGIN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|\{', re.DOTALL)
_OBJECT = re.compile(rb'\{\s*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"\s*+:|\})', re.DOTALL)
_ATTEMPTS = 64
_SCANNED = 2 << 20


class RepairedRecord(RawRecord, kw_only=True):
    """A record whose `data` could be decoded only after a repair, named by `repair`."""

    repair: str = ""


def repaired(data: bytes) -> tuple[bytes, str] | None:
    """The bytes with what decoders refuse replaced, and what that was; None where nothing helps.

    Invalid UTF-8 and lone surrogates become U+FFFD; NaN and the infinities, which some writers log, become null.
    """
    what = []
    fixed = data
    try:
        data.decode()
    except UnicodeDecodeError:
        fixed = data.decode("utf-8", "replace").encode()
        what.append("invalid UTF-8")
    if b"\\ud" in fixed or b"\\uD" in fixed or b"NaN" in fixed or b"Infinity" in fixed:
        changed = _TOKEN.sub(_token, fixed)
        if changed != fixed:
            what.append("values that are not JSON")
            fixed = changed
    return (fixed, " and ".join(what)) if what and fault(fixed) is None else None


def _token(match: re.Match[bytes]) -> bytes:
    token = match.group()
    if token[:1] != b'"':
        return b"null"
    return _SURROGATES.sub(_pair, token) if b"\\ud" in token or b"\\uD" in token else token


def _pair(match: re.Match[bytes]) -> bytes:
    found = match.group()
    return rb"\ufffd" if len(found) == 6 else found


def whole_parts(line: bytes) -> Iterator[tuple[int, bytes]]:
    """Whole objects on a line that as a whole is none, each with its place: records glued together or to a cut-off one.

    A complete object *inside* a cut-off record is not taken for a record: what stands between `:`, `[` or `,` and
    `,`, `]` or `}` belongs to the record that was cut. Linear in the line's length: at most 64 beginnings are tried,
    and fewer once much was looked at in vain.
    """
    at = tried = 0
    spare = 2 * len(line) + _SCANNED
    while True:
        for begin in _beginnings(line, at):
            if _OBJECT.match(line, begin) is None:
                continue
            tried += 1
            length = _object_length(line, begin)
            if length and line[begin + length : begin + length + 32].lstrip()[:1] not in (b",", b"]", b"}", b":"):
                yield begin, line[begin : begin + length]
                at = begin + length
                break
            spare -= len(line) - begin
            if tried >= _ATTEMPTS or spare < 0:
                return
        else:
            return


def _beginnings(line: bytes, at: int) -> Iterator[int]:
    """Where an object may begin; within a text only where the text ends in a brace, which is how glue looks."""
    if line[at : at + 1] == b"{":
        yield at
        at += 1
    for match in _BEGIN.finditer(line, at):
        end = match.end()
        if line[end - 1] == 0x7B:
            if line[max(at, end - 32) : end - 1].rstrip()[-1:] not in (b":", b"[", b",", b"{"):
                yield end - 1
        elif end - match.start() > 2 and line[end - 2 : end] == b'{"':
            yield end - 2


def _object_length(line: bytes, begin: int) -> int:
    """Length of the whole object that begins here, 0 if there is none."""
    end, _ = balanced(line, begin)
    return end - begin if end > 0 and fault(memoryview(line)[begin:end]) is None else 0
