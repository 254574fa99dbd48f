"""How a source of JSON is built, told by its beginning: lines, a list, an envelope, values glued or printed over several lines."""

from __future__ import annotations

import re
from typing import NamedTuple

from importers.cutting.envelope import REPEATED, envelope_key
from importers.cutting.origin import CHUNK
from importers.cutting.salvage import repaired
from importers.cutting.scanner import Window, balanced, fault
from model.evidence import FULL_RECORD

JSON_LIST = re.compile(rb'\[\s*+[{\["\]]')

# Records of parts that are read one by one where the whole is too large to be read in full: what such a one begins with, and the member
# that holds the parts.
_OF_PARTS = ((re.compile(rb'\{\s*+"schema_version"\s*+:\s*+"ATIF-'), "steps"),)
_FIRST_LINE = 8 << 20
_LINES_WEIGHED = 2000


class Layout(NamedTuple):
    """`key` is the member of an envelope that holds the records; `mixed` says that text between records is the source's habit."""

    key: str | None = None
    list: bool = False
    glued: bool = False
    pretty: bool = False
    mixed: bool = False


def layout_of(window: Window) -> Layout:
    """How the source that begins at the window's place is built; nothing is stepped over."""
    if (key := _parts_of(window)) is not None:
        return Layout(key)
    found = _brackets(window)
    return found._replace(mixed=found.pretty or _is_mixed(window))


def _parts_of(window: Window) -> str | None:
    """The member that holds the parts of a first record of more than 4 MB, where it is one that is made of them."""
    key = next((key for begin, key in _OF_PARTS if begin.match(window.buf, window.pos)), None)
    while key is not None and len(window.buf) - window.pos <= FULL_RECORD:
        if not window.fill():
            return None
    if key is None or 0 <= balanced(window.buf, window.pos)[0] <= window.pos + FULL_RECORD:
        return None
    return key


def _brackets(window: Window) -> Layout:
    if window.buf[window.pos] not in b"{[":
        return Layout()
    key = _whole_key(window) if window.buf[window.pos] == 0x7B else None
    while (end := window.buf.find(b"\n", window.pos)) < 0 and key is None:
        if len(window.buf) - window.pos >= _FIRST_LINE or not window.fill():
            break
    while end >= 0 and not window.buf[end:].strip():
        behind = end - window.pos
        if not window.fill():
            break
        end = window.pos + behind
    line = window.buf[window.pos : end if end >= 0 else len(window.buf)].strip()
    rest = window.buf[end:].strip() if end >= 0 else b""
    whole = fault(line) is None or repaired(line) is not None
    if line[:1] == b"[":
        return Layout(list=bool(JSON_LIST.match(window.buf, window.pos)) and not (whole and rest[:1] == b"["))
    key = _whole_key(window)
    if key is not None or whole:
        return Layout(key)
    first, _ = balanced(line, 0)
    glued = not rest and first > 0 and line[first:].lstrip()[:1] == b"{"
    return Layout(glued=glued, pretty=line[-1:] in (b"{", b"[", b",", b":"))


def _whole_key(window: Window) -> str | None:
    """The member that holds the records, where the source's first object is an envelope.

    An object that others follow is a record like them, but for the envelopes known to be written one after another.
    """
    key = envelope_key(window.buf, window.pos)
    if key is None or key in REPEATED:
        return key
    end, _ = balanced(window.buf, window.pos)
    if end < 0:
        return key
    while not window.buf[end:].strip():
        behind = end - window.pos
        if not window.fill():
            return key
        end = window.pos + behind
    return None


def _is_mixed(window: Window) -> bool:
    """Whether text between the records is this source's habit (a console's log) and not a broken record."""
    text = json = 0
    first_is_text = False
    for line in window.buf[window.pos : window.pos + CHUNK].split(b"\n")[:_LINES_WEIGHED]:
        stripped = line.strip()
        if not stripped:
            continue
        if stripped[:1] == b"{" or JSON_LIST.match(stripped) or b'{"' in stripped:
            json += 1
        else:
            text += 1
            first_is_text = first_is_text or json == 0
    return text >= 2 and (first_is_text or text * 2 >= json)
