"""Cedar text as statements and tokens with their places, so that what is wrong can be said at line and column."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)|(?P<string>"(?:\\.|[^"\\])*")|(?P<word>[A-Za-z_]\w*)|(?P<number>\d+)"""
    r"""|(?P<sign>&&|\|\||[=!<>]=|::|.)""",
    re.DOTALL,
)


class Token(msgspec.Struct, frozen=True):
    """One token; `start` and `end` are character offsets into the whole text."""

    text: str
    kind: str
    start: int
    end: int


class Statement(msgspec.Struct, frozen=True):
    """One policy as written, from its first annotation to its semicolon."""

    text: str
    tokens: tuple[Token, ...]

    @property
    def start(self) -> int:
        return self.tokens[0].start


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a Cedar text without spaces and comments; a text that is not closed is one token of kind `sign`."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "sign"
        if kind != "space":
            yield Token(match.group(), kind, match.start(), match.end())


def statements(text: str) -> list[Statement]:
    """The policies of a text: each ends at a semicolon outside of strings and comments; the last may lack its own."""
    out: list[Statement] = []
    held: list[Token] = []
    for token in tokens(text):
        held.append(token)
        if token.text == ";":
            out.append(Statement(text[held[0].start : token.end], tuple(held)))
            held = []
    if held:
        out.append(Statement(text[held[0].start : held[-1].end], tuple(held)))
    return out
