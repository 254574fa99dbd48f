"""A source's original bytes: counted, hashed, decompressed and brought to UTF-8 while they stream by."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zlib
from collections import deque
from collections.abc import Iterator
from hashlib import sha256
from typing import IO, BinaryIO, Protocol, cast

CHUNK = 1 << 18
BOMB_RATIO = 200
BOMB_FLOOR = 64 << 20
_XZ_MEMORY = 256 << 20
_ZSTD_WINDOW = 128 << 20
_ZSTD_FEED = 1 << 10
# The mark of UTF-32, low byte first, begins with that of UTF-16: wider encodings are tried before.
_WIDE = (
    ("utf-32-le", codecs.BOM_UTF32_LE, 4),
    ("utf-32-be", codecs.BOM_UTF32_BE, 4),
    ("utf-16-le", codecs.BOM_UTF16_LE, 2),
    ("utf-16-be", codecs.BOM_UTF16_BE, 2),
)
"""Encodings whose characters take several bytes: their byte order mark, and the width of an ASCII character."""
_ASCII = frozenset(b"\t\n\r" + bytes(range(0x20, 0x7F)))
_TOLD_BY = 8
"""Bytes by which the encoding of a text is told: two characters of the widest."""

_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError)


class Damaged(ValueError):
    """The bytes cannot be read any further; the text says why."""


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Made(io.RawIOBase):
    """A stream of records made from a file of another kind; `stored` is that file's own digest and size.

    What is read are the `parts`, one after the other; where they end with Damaged, what was whole before it comes first.
    """

    stored: tuple[str, int]

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._held, self._at = b"", 0
        self._damage: Damaged | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        size = CHUNK if size is None or size < 0 else size
        if len(self._held) - self._at < size and self._damage is None:
            held = [self._held[self._at :]]
            missing = size - len(held[0])
            try:
                while missing > 0 and (part := next(self._parts, b"")):
                    held.append(part)
                    missing -= len(part)
            except Damaged as error:
                self._damage = error
            self._held, self._at = b"".join(held), 0
        if self._damage is not None and self._at >= len(self._held):
            raise self._damage
        data = self._held[self._at : self._at + size]
        self._at += len(data)
        return data


class Prefix:
    """The first bytes of a stream, hashed; `size` is less than was asked for where the stream is shorter."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.hash = sha256()
        self.size = 0
        while self.size < size and (data := stream.read(min(size - self.size, 4 * CHUNK))):
            self.hash.update(data)
            self.size += len(data)


class Counted:
    """The stream as it is stored, hashed and counted as it is read; `peek` looks ahead once, at the start."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._ahead = b""
        self._hash = sha256()
        self._hashed_ahead = 0
        self.bytes = 0

    def peek(self, size: int) -> bytes:
        while len(self._ahead) < size:
            more = self._stream.read(size - len(self._ahead))
            if not more:
                break
            self._ahead += more
        return self._ahead

    def read(self, size: int = -1) -> bytes:
        if self._ahead:
            size = len(self._ahead) if size < 0 else size
            data, self._ahead = self._ahead[:size], self._ahead[size:]
        else:
            data = self._stream.read(CHUNK if size < 0 else size) or b""
        self._hash.update(data[self._hashed_ahead :] if self._hashed_ahead else data)
        self._hashed_ahead = max(0, self._hashed_ahead - len(data))
        self.bytes += len(data)
        return data

    def restart(self, offset: int, prefix: Prefix) -> None:
        """Read on from `offset`, which lies within a prefix whose digest is known."""
        self._stream.seek(offset)
        self._ahead = b""
        self._hash = prefix.hash.copy()
        self._hashed_ahead = prefix.size - offset
        self.bytes = offset

    def drain(self) -> None:
        while self.read(CHUNK):
            pass

    @property
    def sha256(self) -> str:
        return self._stream.stored[0] if isinstance(self._stream, Made) else self._hash.hexdigest()

    @property
    def size(self) -> int:
        """Bytes of the file itself."""
        return self._stream.stored[1] if isinstance(self._stream, Made) else self.bytes


class Origin:
    """Decompressed UTF-8 text of a source, in chunks; raises Damaged where the bytes end unexpectedly or explode.

    gzip, bzip2, xz and zstd are known by their first bytes. More than 200 bytes out of each byte in, beyond the
    first 64 MB, is taken for a decompression bomb. UTF-16 and UTF-32 are read where a byte order mark says so,
    or where the text begins with two of their ASCII characters.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.raw = Counted(stream)
        self.compression, self._input = _opened(self.raw)
        self._out = 0
        self._wide: _Wide | None = None
        self._started = False

    @property
    def plain(self) -> bool:
        """Whether the text is the stored bytes themselves, so that an offset in one is an offset in the other."""
        return not self.compression and self._wide is None

    def read(self, size: int) -> bytes:
        """The next at most `size` bytes (before any change of encoding), b"" at the end."""
        while True:
            data = self._decompressed(size)
            if not self._started:
                while len(data) < _TOLD_BY and (more := self._decompressed(_TOLD_BY - len(data))):
                    data += more
                self._started = True
                if (told := _wide_of(data)) is not None:
                    codec, begins = told
                    self._wide = _Wide(codec, begins)
                    data = data[begins:]
            if self._wide is None:
                return data
            text = self._wide.decode(data)
            if text or not data:
                return text

    def offset(self, position: int) -> int:
        """The byte offset in the decompressed source of an offset in the UTF-8 text; ask in rising order."""
        return position if self._wide is None else self._wide.offset(position)

    def _decompressed(self, size: int) -> bytes:
        if not self.compression:
            return self._input.read(size)
        try:
            data = self._input.read(size)
        except _BROKEN as error:
            raise Damaged(f"the {self.compression} data is damaged or cut off after {self._out} bytes: {error}") from error
        self._out += len(data)
        if self._out > BOMB_FLOOR and self._out > BOMB_RATIO * max(self.raw.bytes, 1):
            raise Damaged(f"decompression stopped after {self._out} bytes: more than {BOMB_RATIO} times what was read")
        return data


def _wide_of(begun: bytes) -> tuple[str, int] | None:
    """Which UTF-16 or UTF-32 a text is in, by its mark or by where the zeros of its first two characters are, and how long the mark is."""
    for codec, mark, _ in _WIDE:
        if begun.startswith(mark):
            return codec, len(mark)
    for codec, _, width in _WIDE:
        two = begun[: 2 * width]
        at = 0 if codec.endswith("le") else width - 1
        ascii = two[at::width]
        if len(two) == 2 * width and two.count(0) == 2 * (width - 1) and all(one in _ASCII for one in ascii):
            return codec, 0
    return None


def _opened(raw: Counted) -> tuple[str, _Readable]:
    magic = raw.peek(6)
    binary = cast("IO[bytes]", raw)
    if magic[:2] == b"\x1f\x8b":
        return "gzip", _Promptly(gzip.GzipFile(fileobj=binary, mode="rb"))
    if magic[:3] == b"BZh":
        return "bzip2", _Promptly(bz2.BZ2File(binary))
    if magic == b"\xfd7zXZ\x00":
        return "xz", _Xz(raw)
    if magic[:4] == b"\x28\xb5\x2f\xfd":
        return "zstd", _Zstd(raw)
    return "", raw


class _Promptly:
    """What a decompressing file has so far: its `read` would drop that where the data breaks off."""

    def __init__(self, file: gzip.GzipFile | bz2.BZ2File) -> None:
        self._file = file

    def read(self, size: int, /) -> bytes:
        return self._file.read1(size)


class _Zstd:
    """zstd frames one after another; the library is loaded only where a source needs it."""

    def __init__(self, raw: Counted) -> None:
        import zstandard

        self._raw = raw
        self._error = zstandard.ZstdError
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._frame = self._decompressor.decompressobj()
        self._fed = False

    def read(self, size: int, /) -> bytes:
        # A decompressor takes no bound on what it gives: little is fed at once, so that 1 kB gives 32 MB at most.
        while True:
            rest = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof and self._fed:
                self._frame = self._decompressor.decompressobj()
                self._fed = False
            fed = rest or self._raw.read(_ZSTD_FEED)
            if not fed:
                if self._fed:
                    raise EOFError("the last frame has no end")
                return b""
            try:
                data = self._frame.decompress(fed)
            except self._error as error:
                raise ValueError(str(error)) from error
            self._fed = True
            if data:
                return data


class _Xz:
    """xz streams one after another, with a bound on the dictionary, which LZMAFile does not offer."""

    def __init__(self, raw: Counted) -> None:
        self._raw = raw
        self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        while True:
            if self._decoder.eof:
                rest = self._decoder.unused_data.lstrip(b"\0")
                while not rest:
                    more = self._raw.read(CHUNK)
                    if not more:
                        return b""
                    rest = more.lstrip(b"\0")
                self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
                self._rest = rest
            fed = self._rest
            if not fed and self._decoder.needs_input:
                fed = self._raw.read(CHUNK)
                if not fed:
                    raise EOFError("the last stream has no end")
            self._rest = b""
            data = self._decoder.decompress(fed, size)
            if data:
                return data


class _Wide:
    """UTF-16 or UTF-32 to UTF-8 that remembers, for the bytes still in flight, where each came from."""

    def __init__(self, codec: str, begins: int) -> None:
        self._codec = codec
        self._decoder = codecs.getincrementaldecoder(self._codec)(errors="replace")
        self._chunks: deque[tuple[int, int, bytes]] = deque()
        self._utf8, self._own = 0, begins

    def decode(self, data: bytes) -> bytes:
        text = self._decoder.decode(data, final=not data)
        out = text.encode("utf-8", "replace")
        if out:
            self._chunks.append((self._utf8, self._own, out))
            self._utf8 += len(out)
            self._own += len(text.encode(self._codec, "replace"))
        return out

    def offset(self, position: int) -> int:
        while len(self._chunks) > 1 and self._chunks[1][0] <= position:
            self._chunks.popleft()
        if not self._chunks:
            return self._own
        utf8, own, chunk = self._chunks[0]
        return own + len(chunk[: position - utf8].decode("utf-8", "ignore").encode(self._codec))
