"""What a search over one record carries along: its bytes, what was found, and how far each finder has looked."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from typing import NamedTuple

from lang import redact_judge as judge

REACH = 8192
"""How far ahead of its keyword a finder looks, in bytes."""

BLOCK = 65536
"""How far the parts of a PEM block or of a cluster secret may lie apart, in bytes."""


VALUE_OF = (
    rb"""(?:,(?:\s|\\+n){0,40}\\*["'](?i:(?:raw_|parameter)?value|val|secret)\\*["']\s?:(?:\s?\{(?:\s|\\+n){0,40}\\*"stringValue\\*"\s?:)?"""
    rb"""|\}\s?,\s?\{\s?\\*"type\\*"\s?:\s?\\*"string\\*"\s?,\s?\\*"value\\*"\s?:)"""
)
"""What stands between a name and its value where both are values themselves: a list of name/value pairs, OTLP's attributes,
OPA's AST form."""


class Found(NamedTuple):
    """A secret's span, what it is, and its own characters; `quote` where a bare JSON number must become a string."""

    start: int
    end: int
    kind: str
    label: str
    value: bytes
    usable: bool = True
    quote: bool = False


class Scan:
    """One record being searched. `json` says that an unescaped quote ends a string of the record, `typed` that this is a command line
    that stood in an address.
    """

    __slots__ = ("candidates", "data", "json", "rank", "typed")

    def __init__(self, data: bytes, json: bool, typed: bool = False) -> None:
        self.data = data
        self.json = json
        self.typed = typed
        self.rank = 0
        self.candidates: list[tuple[int, int, int, Found]] = []

    def add(self, item: Found) -> int:
        """Note a secret of the rank being tried; its end, before which the same finder need not look again."""
        self.candidates.append((self.rank, item.start, -item.end, item))
        return item.end


Finder = Callable[[Scan, int, int], int]
"""Called with the span of its keyword; answers the offset before which further keywords of its own mean nothing new."""


def decoded(value: bytes) -> bytes | None:
    """What base64 of either alphabet stands for, padded or not; None where it is no base64."""
    try:
        return b64decode(value.translate(_STANDARD).rstrip(b"=") + b"=" * (-len(value.rstrip(b"=")) % 4), validate=True)
    except (Base64Error, ValueError):
        return None


_STANDARD = bytes.maketrans(b"-_", b"+/")


def login(start: int, end: int, kind: str, label: str, value: bytes) -> Found:
    """A password found by its place; everybody's default password goes as well but is no credential."""
    return Found(start, end, kind, label, value, not judge.trivial(value))
