"""A sliding window over a source, and the end of the JSON value that begins in it, without building the value."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder

import msgspec

from importers.cutting.origin import CHUNK, Damaged, Origin

MAX_RECORD = 64 << 20
MAX_DEPTH = 200
_READ_ON = 16 << 20

# Between two brackets a JSON text holds strings and these bytes alone (NaN and Infinity included). Anything else means
# that a string was cut: the scan stops there instead of taking the rest of the file for one record.
_RUN = re.compile(rb'(?:[\s,:0-9+\-.eEtrufalsnNIiy]++|"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+")*+')
_STEP = re.compile(_RUN.pattern + rb"([{\[]++|[}\]]++|)")
_STRING_REST = re.compile(rb'[^"\\\n]*+(?:\\.[^"\\\n]*+)*+')
# The separator stands before each text of a JSON text sequence (RFC 7464).
_SPACE = re.compile(rb"(?:[ \t\r\n\x1e]++|\xef\xbb\xbf)*+")
_QUOTE, _COMMA, _COLON, _OPEN_LIST, _OPEN = b'",:[{'
_TOO_LARGE = f"record larger than {MAX_RECORD >> 20} MB"
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^\s,:\[\]{}"]++', re.DOTALL)
_VALID = msgspec.json.Decoder(msgspec.Raw)


class Broken(ValueError):
    """What begins here is no readable value; `cut` is true where it merely lacks its end."""

    def __init__(self, reason: str, cut: bool = False) -> None:
        super().__init__(reason)
        self.cut = cut


class Oversize(ValueError):
    """The value was read over, not kept: the window already stands behind it."""


class Restart(msgspec.Struct, frozen=True, array_like=True):
    """The beginning of a line: its byte offset, its number, and what the cutter knew when it came there."""

    offset: int
    line: int
    cutter: tuple[bool | int | str | list[str], ...] = ()


def fault(data: bytes | memoryview) -> str | None:
    """Why this is not exactly one JSON value, None if it is one: a native pass that builds nothing."""
    try:
        _VALID.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return str(error)
    except RecursionError:
        return f"nested deeper than {MAX_DEPTH}"
    return None


def is_utf8(data: bytes) -> bool:
    """Whether these bytes are text, seen a piece at a time: one character beyond the first plane makes a text four times its bytes."""
    decoder = getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(data), CHUNK):
            decoder.decode(data[at : at + CHUNK], at + CHUNK >= len(data))
    except UnicodeDecodeError:
        return False
    return True


def balanced(data: bytes, at: int) -> tuple[int, int]:
    """Where the object or list that begins at `at` ends, and how deep it nests; (-1, depth) where it does not end."""
    depth = deepest = 0
    for step in _STEP.finditer(data, at):
        begin, end = step.span(1)
        if begin == end:
            break
        if data[begin] in b"{[":
            depth += end - begin
            deepest = max(deepest, depth)
        elif depth <= end - begin:
            return begin + depth, deepest
        else:
            depth -= end - begin
    return -1, deepest


class Window:
    """The part of a source in memory; `pos` is the reading place in `buf`, `line` the physical line it stands on."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self.buf = b""
        self.pos = 0
        self.line = 1
        self.ended = False
        self.damage = ""
        self.scanned = 0
        self.ends_line = True
        self._base = 0

    def restart(self, offset: int, line: int) -> None:
        """Go on from the line that begins at this offset; the origin stands there already."""
        self.buf, self.pos, self.line, self.ended, self._base = b"", 0, line, False, offset

    @property
    def position(self) -> int:
        """Byte offset of `pos` in the UTF-8 text."""
        return self._base + self.pos

    @property
    def spent(self) -> bool:
        """Whether `pos` is known to be the end of the source."""
        return self.ended and self.pos >= len(self.buf)

    @property
    def offset(self) -> int:
        """Byte offset of `pos` in the decompressed source."""
        return self._origin.offset(self._base + self.pos)

    def fill(self) -> bool:
        """Read on, doubling what is pending up to `_READ_ON`, so that no byte is scanned more than a few times; False at the end."""
        if self.ended:
            return False
        self.let_go()
        parts, missing = [self.buf], max(CHUNK, min(len(self.buf), _READ_ON))
        while missing > 0:
            try:
                data = self._origin.read(min(missing, 8 * CHUNK))
            except Damaged as error:
                self.damage, data = str(error), b""
            if not data:
                self.ended = True
                break
            self.ends_line = data[-1] == 10
            parts.append(data)
            missing -= len(data)
        self.buf = b"".join(parts)
        return len(parts) > 1

    def let_go(self) -> None:
        """Keep nothing of what lies before `pos`, which moves to 0: so large a record is in memory once while it is looked at."""
        self.buf = self.buf[self.pos :]
        self._base += self.pos
        self.pos = 0

    def advance(self, count: int) -> None:
        """Step over `count` bytes of the buffer."""
        end = self.pos + count
        self.line += self.buf.count(b"\n", self.pos, end)
        self.pos = end

    def skip_space(self) -> bool:
        """Step over white space and byte order marks; False at the end of the source."""
        buf, pos = self.buf, self.pos
        if pos + 3 < len(buf) and buf[pos] == 0x0A and buf[pos + 1] == 0x7B:
            # From one line's end to the next line's object, as nearly always.
            self.pos = pos + 1
            self.line += 1
            return True
        while True:
            self.advance(_SPACE.match(self.buf, self.pos).end() - self.pos)  # type: ignore[union-attr]
            if len(self.buf) - self.pos >= 3 or (self.pos < len(self.buf) and self.buf[self.pos] != 0xEF):
                return True
            if not self.fill():
                return self.pos < len(self.buf)

    def more(self) -> bool:
        """Step over the end of a line; False at the end of the source."""
        if self.pos < len(self.buf) and self.buf[self.pos] == 10:
            self.advance(1)
        return self.pos < len(self.buf) or self.fill()

    def line_length(self) -> int:
        """Length of what is left of the line, its end excluded; raises Oversize having stepped over the whole line."""
        searched = 0
        while True:
            end = self.buf.find(b"\n", self.pos + searched)
            searched = (end if end >= 0 else len(self.buf)) - self.pos
            if searched <= MAX_RECORD and end >= 0:
                return searched
            if searched > MAX_RECORD:
                self.skip_line()
                raise Oversize(_TOO_LARGE)
            if not self.fill():
                return searched

    def skip_line(self) -> None:
        """Step over what is left of the line, keeping nothing of it; its end stays."""
        while True:
            end = self.buf.find(b"\n", self.pos)
            self.advance((end if end >= 0 else len(self.buf)) - self.pos)
            if end >= 0 or not self.fill():
                return

    def token_length(self) -> int:
        """Length of the text, number or word that begins at `pos`; raises Broken where none does."""
        while True:
            match = _TOKEN.match(self.buf, self.pos)
            if match and (match.end() < len(self.buf) or self.ended):
                return match.end() - self.pos
            if len(self.buf) - self.pos > MAX_RECORD or not self.fill():
                match = _TOKEN.match(self.buf, self.pos)
                if match is None:
                    raise Broken("not valid JSON", cut=self.ended)
                return match.end() - self.pos

    def find(self, needle: bytes) -> bool:
        """Step to the next occurrence behind `pos`, keeping nothing on the way; False at the end of the source."""
        self.advance(min(1, len(self.buf) - self.pos))
        while True:
            at = self.buf.find(needle, self.pos)
            if at >= 0:
                self.advance(at - self.pos)
                return True
            self.advance(max(0, len(self.buf) - self.pos - len(needle) + 1))
            if not self.fill():
                self.advance(len(self.buf) - self.pos)
                return False

    def value_length(self, skip: bool = False) -> int:
        """Length of the object or list that begins at `pos`.

        Raises Broken where it has no end, is no JSON, or is larger or nested deeper than a record may be; with `skip`
        such an excessive one is stepped over, whatever its size, and raises Oversize. After Broken, `scanned` says how
        many bytes were looked at in vain.
        """
        stack = bytearray()
        deeper = 0
        excess = ""
        at = 0  # relative to pos, which fill() moves to 0
        while True:
            at = _RUN.match(self.buf, self.pos + at).end() - self.pos  # type: ignore[union-attr]
            here = self.pos + at
            if here >= len(self.buf) or self.buf[here] == _QUOTE:
                if here < len(self.buf) and self.buf.find(b"\n", here) >= 0:
                    raise self._broken(at, "a text is cut off at the end of the line", cut=True)
                if at > MAX_RECORD or len(self.buf) - self.pos > 2 * MAX_RECORD:
                    excess = excess or _TOO_LARGE
                if excess and not skip:
                    raise self._broken(at, excess)
                if excess:
                    self.advance(at)
                    at = 0
                    if self.pos < len(self.buf):
                        self._skip_string()
                        continue
                if not self.fill():
                    raise self._broken(at, "the record has no end", cut=True)
                continue
            byte = self.buf[here]
            if byte in b"{[":
                if byte == _OPEN and here > self.pos and self.buf[here - 1] == 10 and self._new_record(here, stack):
                    raise self._broken(at, "the record has no end: another begins on a later line")
                if len(stack) < MAX_DEPTH:
                    stack.append(byte)
                else:
                    deeper += 1
                    excess = excess or f"nested deeper than {MAX_DEPTH}"
                    if not skip:
                        raise self._broken(at, excess)
            elif byte in b"]}":
                if deeper:
                    deeper -= 1
                elif not stack or stack.pop() != byte - 2:
                    raise self._broken(at, "its brackets do not match")
                if not stack:
                    if at >= MAX_RECORD:
                        excess = _TOO_LARGE
                    if excess and skip:
                        self.advance(at + 1)
                        raise Oversize(excess)
                    if excess:
                        raise self._broken(at, excess)
                    return at + 1
            else:
                raise self._broken(at, "not valid JSON")
            at += 1

    def _broken(self, at: int, reason: str, cut: bool = False) -> Broken:
        self.scanned = at
        return Broken(reason, cut)

    def _new_record(self, here: int, stack: bytearray) -> bool:
        """Whether a brace at the very start of a line cannot belong to the value being read."""
        before = self.buf[max(self.pos, here - 256) : here].rstrip()[-1:]
        if not before:
            return False
        return before[0] not in (_COLON, _COMMA, _OPEN_LIST) or (before[0] == _COMMA and stack[-1:] == b"{")

    def _skip_string(self) -> None:
        """Step over a string too long to keep, however long it is."""
        self.advance(1)
        while True:
            self.advance(_STRING_REST.match(self.buf, self.pos).end() - self.pos)  # type: ignore[union-attr]
            if len(self.buf) - self.pos > 1 or (self.pos < len(self.buf) and self.buf[self.pos] == _QUOTE):
                if self.buf[self.pos] != _QUOTE:
                    raise Broken("a text is cut off at the end of the line")
                self.advance(1)
                return
            if not self.fill():
                raise Broken("the record has no end", cut=True)
