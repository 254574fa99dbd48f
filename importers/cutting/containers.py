"""Cuts a source into records: lines, lists, envelopes, documents one after another, and JSON within text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256

from importers.cutting.envelope import REPEATED, action_line, envelope
from importers.cutting.layout import JSON_LIST, layout_of
from importers.cutting.origin import CHUNK, Origin
from importers.cutting.salvage import RepairedRecord, repaired, whole_parts
from importers.cutting.scanner import MAX_DEPTH, MAX_RECORD, Broken, Oversize, Restart, Window, balanced, fault, is_utf8
from importers.cutting.strange import unpacked
from model.event import RawRecord, Reject
from model.evidence import FULL_RECORD

TEXT = "text, not a JSON record"
TRUNCATED_LINE = "truncated last line (the file may still be growing)"
TRUNCATED = "truncated last record (the file may still be growing)"
TRUNCATED_LIST = "the list has no end (the file may still be growing)"
GROWING = frozenset({TRUNCATED_LINE, TRUNCATED, TRUNCATED_LIST})
"""Why the end of a source could not be read where its writer may not be done."""

_WASTE_FLOOR = 256 << 20
_HEAD_AHEAD = 16 << 20
_FIRST_KEY = re.compile(rb'\{\s*+"[^"\\]{0,200}+"')
_PREFIX_TRIES = 3

Item = RawRecord | Reject


class HeadRecord(RawRecord):
    """What stands beside the list of an envelope: the context its elements are told in, given before them.

    `data` is the envelope with its list empty. Members behind the list are part of it where they begin within the first
    16 MB. Only importers that say `reads_heads` see it; for the others an envelope is packaging.
    """


class NotRecognised(ValueError):
    """The source is refused as a whole; the text says what it looks like. `empty` where it holds nothing at all to read."""

    def __init__(self, reason: str, empty: bool = False) -> None:
        super().__init__(reason)
        self.empty = empty


def begun(origin: Origin) -> Window:
    """A window at the first byte that says something; raises NotRecognised for what is empty or binary."""
    window = Window(origin)
    if not window.skip_space():
        raise NotRecognised(window.damage or ("it is empty" if origin.raw.bytes == 0 else "the file holds only blank lines"))
    if b"\0" in window.buf[window.pos : window.pos + CHUNK]:
        raise NotRecognised(unpacked(window.buf[window.pos :]) or "binary data, not a log of records")
    return window


def is_json(window: Window) -> bool:
    """Whether a source begins as JSON does, so that it can be no text log."""
    return window.buf[window.pos] == 0x7B or JSON_LIST.match(window.buf, window.pos) is not None


class Cutter:
    """The JSON records of one source, in its order; `noise_lines` counts the text lines between them, `repaired` the repairs.

    Memory stays within a few times the longest record, however long the source. `by_name` says that the records are the members
    of the source's object; `key` is its member that holds them, None where it is a record itself (`whole` says that it is).
    """

    def __init__(self, window: Window, by_name: bool = False, whole: bool = False) -> None:
        self.noise_lines = 0
        self.repaired = 0
        self._window = window
        self._index = 0
        self.key, self._list, self._glued, self._pretty, self._mixed = layout_of(window)
        if whole:
            self.key = None
        self._by_name = by_name
        self._prefixed = False
        self._wasted = 0
        self._signature = b""
        self._begin = (0, 1, self._prefixed, 0, 0, 0)

    def items(self) -> Iterator[Item]:
        """Every record and every reject, once."""
        window = self._window
        while window.skip_space():
            self._begin = self._here()
            byte = window.buf[window.pos]
            if byte == 0x7B and self._by_name:
                yield from self._elements(0x7D)
            elif byte == 0x7B and (end := action_line(window.buf, window.pos)):
                self.noise_lines += 1
                window.pos = end
            elif byte == 0x7B:
                found = envelope(window.buf, window.pos, self.key) if self.key is not None else None
                if found and found[0] == self.key:
                    if found[0] not in REPEATED:
                        yield from self._head(found[1] - window.pos)
                    yield from self._envelope(found[0])
                elif self._list or self._glued or self.key is not None:
                    yield from self._document()
                elif (record := self._whole_line()) is not None:
                    yield record
                else:
                    yield from self._line()
            elif byte == 0x5B and self._list:
                yield from self._elements()
            elif byte == 0x5B and JSON_LIST.match(window.buf, window.pos):
                yield from self._line()
            else:
                yield from self._text()
        if window.damage:
            yield Reject(window.line, None, window.offset, window.damage)

    # Reading on

    def _here(self) -> tuple[int, int, bool, int, int, int]:
        window = self._window
        return window.position, window.line, self._prefixed, self._wasted, self.noise_lines, self.repaired

    def place(self, *, end: bool) -> Restart | None:
        """Where the line now read begins, or with `end` what follows it; None inside a list, an envelope or glued values."""
        if self._list or self.key is not None or self._glued or self._pretty or self._by_name:
            return None
        offset, line, *counted = self._here() if end else self._begin
        return Restart(offset, line, (self._mixed, *counted))

    def restart(self, place: Restart) -> bool:
        """Be what a cutter was that came to this place; False where the source's beginning is now seen otherwise."""
        numbers = [int(one) for one in place.cutter if isinstance(one, int)]
        if self.place(end=True) is None or len(numbers) != 5 or numbers[0] != self._mixed:
            return False
        _, prefixed, self._wasted, self.noise_lines, self.repaired = numbers
        self._prefixed = bool(prefixed)
        self._window.restart(place.offset, place.line)
        return True

    # Lines

    def _whole_line(self) -> Item | None:
        """The record of a line that lies in the buffer and is exactly one value, as nearly all do; None for any other."""
        window = self._window
        end = window.buf.find(b"\n", window.pos)
        if not 0 <= end <= window.pos + MAX_RECORD:
            return None
        data = window.buf[window.pos : end]
        if data[-1:] in b"\r \t":
            data = data.rstrip()
        if fault(data) is not None:
            return None
        line, offset = window.line, window.offset
        window.pos = end
        return self._record(data, line, offset, None, valid=True)

    def _line(self) -> Iterator[Item]:
        """What begins at an opening bracket in a source of lines: one record, or a record printed over several lines."""
        window = self._window
        line, offset = window.line, window.offset
        try:
            length = window.line_length()
        except Oversize as error:
            yield Reject(line, None, offset, str(error))
            return
        data = window.buf[window.pos : window.pos + length]
        if data[-1:] in b"\r \t":
            data = data.rstrip()
        reason = fault(data)
        if reason is None:
            window.pos += length
            yield self._record(data, line, offset, None, valid=True)
            return
        broken = Broken(reason)
        if self._spare():
            try:
                size = window.value_length()
            except Broken as error:
                self._wasted += max(0, window.scanned - length)
                broken = error if error.cut else broken
            else:
                value = window.buf[window.pos : window.pos + size]
                rest = window.buf[window.pos + size : window.pos + length].strip()
                if size > length or rest in (b"", b","):
                    window.advance(size if size > length else length)
                    yield self._record(value, line, offset, None)
                    return
        yield from self._broken_line(data, length, line, offset, broken)

    def _broken_line(self, data: bytes, length: int, line: int, offset: int, broken: Broken) -> Iterator[Item]:
        window = self._window
        mended = repaired(data)
        if mended is not None:
            window.pos += length
            yield self._record(data, line, offset, None)
            return
        parts = list(whole_parts(data))
        start = window.pos
        if parts:
            yield _reject(data, line, None, offset, "several records on one line, or a cut-off one before a whole one")
            placed: list[tuple[bytes, int]] = []
            for at, part in parts:
                window.pos = start + at
                placed.append((part, window.offset))
            window.pos = start + length
            for part, at in placed:
                yield self._record(part, line, at, None)
            return
        last = window.ended and not window.buf[window.pos + length :].strip()
        if self._pretty and not last:
            yield from self._skip_record(line, offset, broken)
            return
        window.pos += length
        yield _reject(data, line, None, offset, TRUNCATED_LINE if last and broken.cut else f"not valid JSON: {broken}")

    def _skip_record(self, line: int, offset: int, broken: Broken) -> Iterator[Item]:
        """Over a broken record of several lines, to the next line that begins with a brace."""
        more = self._window.find(b"\n{")
        yield Reject(line, None, offset, TRUNCATED if broken.cut and not more else f"not valid JSON: {broken}")

    def _text(self) -> Iterator[Item]:
        """A line that begins with text: a record behind a prefix, or noise."""
        window = self._window
        line, offset, start = window.line, window.offset, window.pos
        try:
            length = window.line_length()
        except Oversize as error:
            yield Reject(line, None, offset, str(error))
            return
        start = window.pos
        data = window.buf[start : start + length].rstrip()
        at = -1
        for _ in range(_PREFIX_TRIES):
            at = data.find(b'{"', at + 1)
            if at < 0:
                break
            tail = data[at:]
            if tail[-2:] == b"}]" and b"[" in data[:at] and fault(tail[:-1]) is None:
                # A time and what was told then, as a list.
                tail = tail[:-1]
            if fault(tail) is None or repaired(tail) is not None:
                self._prefixed = True
                window.pos = start + at
                offset = window.offset
                window.pos = start + length
                yield self._record(tail, line, offset, None)
                return
        window.pos = start + length
        at = data.find(b'{"')
        if self._prefixed and at >= 0:
            last = window.ended and not window.buf[window.pos :].strip()
            yield _reject(data, line, None, offset, TRUNCATED_LINE if last else f"not valid JSON: {fault(data[at:])}")
        elif self._mixed:
            self.noise_lines += 1
        else:
            yield _reject(data, line, None, offset, TEXT)

    # Documents

    def _document(self) -> Iterator[Item]:
        """One value of a source of values that follow each other without line ends."""
        window = self._window
        line, offset = window.line, window.offset
        try:
            size = window.value_length(skip=True)
        except Oversize as error:
            yield Reject(line, None, offset, str(error))
        except Broken as error:
            yield from self._resync(line, None, offset, error)
        else:
            data = window.buf[window.pos : window.pos + size]
            window.advance(size)
            yield self._record(data, line, offset, None)

    def _elements(self, close: int = 0x5D) -> Iterator[Item]:
        """The elements of the list that begins here; of an object, which another byte closes, its members."""
        window = self._window
        window.advance(1)
        named = close != 0x7D
        # A list of texts is one of lines.
        texts = named and window.skip_space() and window.buf[window.pos] == 0x22
        while window.skip_space():
            byte = window.buf[window.pos]
            if byte == close:
                window.pos += 1
                return
            if byte == 0x2C or (byte == 0x3A and close == 0x7D):
                named = close != 0x7D or byte == 0x3A
                window.pos += 1
                continue
            name = not named and byte == 0x22
            self._index += not name
            line, offset, index = window.line, window.offset, self._index
            try:
                size = window.value_length(skip=True) if byte in b"{[" else window.token_length()
            except Oversize as error:
                yield Reject(line, index, offset, str(error))
            except Broken as error:
                yield from self._resync(line, index, offset, error)
                if not window.skip_space():
                    return
            else:
                data = window.buf[window.pos : window.pos + size]
                window.advance(size)
                if byte in b"{[":
                    yield self._record(data, line, offset, index)
                elif texts and byte == 0x22 and fault(data) is None and is_utf8(data):
                    yield RawRecord(b'{"line":' + data + b"}", line, offset, index, data)
                elif not name:
                    yield _reject(data, line, index, offset, "an element that is no object")
        if not window.damage:
            yield Reject(window.line, self._index + 1, window.offset, TRUNCATED_LIST)

    def _head(self, begin: int) -> Iterator[Item]:
        """The members beside the list that begins `begin` bytes further on, if there are any."""
        window = self._window
        while (end := balanced(window.buf, window.pos)[0]) < 0 and len(window.buf) - window.pos < _HEAD_AHEAD:
            if not window.fill():
                break
        own = window.buf[window.pos : window.pos + begin]
        rest = window.buf[balanced(window.buf, window.pos + begin)[0] : end] if end >= 0 else b"}"
        data = own + b"[]" + rest
        if own.count(b'"') <= 2 and rest.strip() == b"}":
            return
        if fault(data) is not None or not (data.isascii() or is_utf8(data)):
            mended = repaired(data)
            if mended is None:
                return
            data = mended[0]
        if balanced(data, 0)[1] > MAX_DEPTH:
            return
        yield HeadRecord(data, window.line, window.offset)

    def _envelope(self, key: str) -> Iterator[Item]:
        """The list under `key` of the object that begins here; the other members are stepped over."""
        window = self._window
        window.advance(1)
        name = ""
        while window.skip_space():
            byte = window.buf[window.pos]
            line, offset = window.line, window.offset
            if byte == 0x7D:
                window.pos += 1
                return
            if byte in b",:":
                window.pos += 1
                continue
            try:
                if byte == 0x5B and name == key:
                    yield from self._elements()
                    name = ""
                elif byte in b"{[":
                    window.advance(window.value_length(skip=True))
                else:
                    size = window.token_length()
                    name = window.buf[window.pos + 1 : window.pos + size - 1].decode("utf-8", "replace")
                    window.advance(size)
            except Oversize:
                continue
            except Broken as error:
                yield Reject(line, None, offset, f"the envelope of the list is broken: {error}")
                window.skip_line()
                return

    def _resync(self, line: int, index: int | None, offset: int, broken: Broken) -> Iterator[Item]:
        """Over a broken element to the next that begins as the others do; the end of the source where none does."""
        window = self._window
        self._wasted += window.scanned
        if self._signature and self._spare() and window.find(self._signature):
            yield Reject(line, index, offset, f"not valid JSON: {broken}")
            return
        while window.fill() or window.pos < len(window.buf):
            window.advance(len(window.buf) - window.pos)
        yield Reject(line, index, offset, TRUNCATED if broken.cut else f"not valid JSON from here on: {broken}")

    def _spare(self) -> bool:
        """Whether the bytes scanned in vain are still in proportion: what keeps hostile input linear."""
        return self._wasted <= _WASTE_FLOOR

    def _record(self, data: bytes, line: int, offset: int, index: int | None, *, valid: bool = False) -> Item:
        """A record of bytes that decode, behind which the window stands; what was repaired keeps its own bytes beside."""
        if len(data) > FULL_RECORD:
            self._window.let_go()
        reason = None if valid else fault(data)
        if reason is not None or not (data.isascii() or is_utf8(data)):
            mended = repaired(data)
            if mended is None:
                return _reject(data, line, index, offset, f"not valid JSON: {reason}")
            self.repaired += 1
            return RepairedRecord(data=mended[0], line=line, offset=offset, index=index, original=data, repair=mended[1])
        if len(data) > 2 * MAX_DEPTH and data.count(b"{") + data.count(b"[") > MAX_DEPTH and balanced(data, 0)[1] > MAX_DEPTH:
            return _reject(data, line, index, offset, f"nested deeper than {MAX_DEPTH}")
        if not self._signature and (self._list or self.key or self._glued or self._by_name):
            key = _FIRST_KEY.match(data)
            self._signature = key.group() if key else b""
        return RawRecord(data, line, offset, index)


def _reject(data: bytes, line: int, index: int | None, offset: int, reason: str) -> Reject:
    return Reject(line, index, offset, reason, sha256(data).hexdigest())
