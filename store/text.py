"""Text as columns hold it: bounded, free of what a database refuses, and cut into the words search knows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from hashlib import blake2b, sha256

NAME_BYTES = 250
PATH_BYTES = 1_000
TALLY_BYTES = 8_000
UNKNOWN_LATE = 2**62
"""Stands for an unknown time where unknown sorts last."""
UNKNOWN_EARLY = -(2**62)
"""Stands for an unknown time where unknown sorts first."""

_TOKEN_CHARS = 40
_TOKENS = 2_000
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")
# The same words in plain ASCII, where their cases need not be parted afterwards.
_ASCII = re.compile(r"[A-Z]++[a-z0-9]*+|[a-z0-9]++")
_REFUSED = re.compile("[\x00\ud800-\udfff]")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_HASHES: dict[str, int] = {}
_HASHES_KEPT = 20_000


def clean(text: str, size: int = NAME_BYTES) -> str:
    """Text fit for an indexed column: at most `size` bytes of UTF-8, without NUL and lone surrogates (which become U+FFFD)."""
    if len(text) > size:
        text = text[:size]
    if text.isascii():
        return text.replace("\x00", "\ufffd") if "\x00" in text else text
    if _broken(text):
        text = "".join("\ufffd" if char == "\x00" or "\ud800" <= char <= "\udfff" else char for char in text)
    data = text.encode()
    return text if len(data) <= size else data[:size].decode("utf-8", "ignore")


def _broken(text: str) -> bool:
    return _REFUSED.search(text) is not None


def tally(words: Collection[str]) -> str:
    """How often each word occurs, as a column holds it: `word*count`, blank-separated and sorted."""
    counts = sorted(Counter(words).items()) if words else ()
    return clean(" ".join(f"{word}*{count}" for word, count in counts), TALLY_BYTES)


def counted(text: str) -> dict[str, int]:
    """What `tally` made, as counts."""
    parts = (part.rpartition("*") for part in text.split())
    return {word: int(count) for word, _, count in parts if word and count.isdigit()}


def instant(at: int | None) -> int | None:
    """A time that fits its column, else unknown."""
    return at if at is not None and UNKNOWN_EARLY < at < UNKNOWN_LATE else None


def key_hash(name: str) -> int:
    """64 bits that stand for a key's `kind:value` in the index; readers compare the full name afterwards."""
    found = _HASHES.get(name)
    if found is None:
        if len(_HASHES) >= _HASHES_KEPT:
            _HASHES.clear()
        data = blake2b(bounded_name(name).encode(), digest_size=8).digest()
        found = _HASHES[name] = int.from_bytes(data, "big", signed=True)
    return found


def bounded_name(name: str) -> str:
    """A key's name as a column holds it: itself, or its kind and digest where it is too long or not storable."""
    if len(name) <= NAME_BYTES and clean(name) == name:
        return name
    kind = clean(name.partition(":")[0], 40)
    return f"{kind}:#{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()}"


def distinct(text: str) -> str:
    """Text as a column of a primary key holds it: what had to be cut or changed carries a digest, so that no two become one."""
    held = clean(text, NAME_BYTES)
    return (
        held
        if held == text
        else f"{clean(text, NAME_BYTES - 20)} #{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
    )


def words(text: str) -> list[str]:
    """The tokens search knows: runs of letters and digits, lower case, camelCase parted, ideographs one by one."""
    if text.isascii():
        return [part[:_TOKEN_CHARS] for part in map(str.lower, _ASCII.findall(text)[:_TOKENS])]
    found: list[str] = []
    for match in _WORD.finditer(text):
        for part in _CAMEL.split(match.group()):
            found.append(part[:_TOKEN_CHARS].lower())
            if len(found) >= _TOKENS:
                return found
    return found


def phrases(pieces: Sequence[str]) -> list[list[str]]:
    """A query's pieces as phrases: the tokens of each adjacent, the last a prefix; all must occur."""
    return [tokens for piece in pieces[:32] if (tokens := words(piece))]


def day(at: int) -> str:
    """The day (UTC) of a time in microseconds."""
    return datetime.fromtimestamp(at // 1_000_000, UTC).date().isoformat()
