"""Replacing many words in a text in one pass, whatever their case."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator, Mapping

from ahocorasick_rs import AhoCorasick, MatchKind

_SHORT = 6
_HEAD = 200
"""How much of a word is searched for: to prepare a search for a word without end takes longer than linear time."""
_SURROGATES = re.compile("[\ud800-\udfff]")


class Wordlist:
    """Words with what stands in their place. Of overlapping words the first, then the longest, is taken, and what another one covers
    beyond it goes as well.

    A word of fewer than six characters counts only where no letter or digit touches it; a longer one counts anywhere. One of more
    than 200 counts from its first 200 on, and as far as the text goes on like it. Takes time linear in the text.
    """

    def __init__(self, words: Mapping[str, str]) -> None:
        self._instead: dict[str, str] = {}
        for word in sorted(words):
            if word:
                self._instead.setdefault(lowered(word), words[word])
        heads: dict[str, list[str]] = {}
        for word in sorted(self._instead):
            heads.setdefault(word[:_HEAD], []).append(word)
        # Only short words are searched for with overlaps: of long ones hundreds could end at one place.
        self._short = [head for head in heads if len(head) < _SHORT]
        self._long = [family for head, family in heads.items() if len(head) >= _SHORT]
        self._short_search = AhoCorasick(self._short) if self._short else None
        long_heads = [family[0][:_HEAD] for family in self._long]
        self._long_search = AhoCorasick(long_heads, matchkind=MatchKind.LeftmostLongest) if long_heads else None

    def replace(self, text: str) -> str:
        if not self._instead or not text:
            return text
        small = lowered(text)
        hits = sorted(self._hits(small))
        if not hits:
            return text
        parts, done = [], 0
        for start, minus_end, family in hits:
            if -minus_end > done:
                word, end = _longest(family, small, start, -minus_end)
                parts += [text[done:start], self._instead[word]]
                done = end
        return "".join((*parts, text[done:]))

    def _hits(self, small: str) -> Iterator[tuple[int, int, list[str]]]:
        """(start, -end, words that begin so), in no order."""
        if self._short_search is not None:
            for n, start, end in self._short_search.find_matches_as_indexes(small, overlapping=True):
                if _alone(small, start, end):
                    yield start, -end, [self._short[n]]
        if self._long_search is not None:
            for n, start, end in self._long_search.find_matches_as_indexes(small):
                yield start, -end, self._long[n]


def lowered(text: str) -> str:
    """In small letters and of the same length, so that a place in one is the same place in the other; without lone surrogates."""
    small = text.lower()
    if len(small) != len(text):
        small = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return small if small.isascii() else _SURROGATES.sub("\ufffd", small)


def _alone(text: str, start: int, end: int) -> bool:
    return not (start and text[start - 1].isalnum()) and not (end < len(text) and text[end].isalnum())


def _longest(family: list[str], text: str, start: int, end: int) -> tuple[str, int]:
    """Of sorted words with one head the one that the text follows furthest, and where it stops doing so."""
    if len(family) == 1 and len(family[0]) == end - start:
        return family[0], end
    rest = text[start : start + max(map(len, family))]
    place = bisect(family, rest)
    near = family[max(0, place - 1) : place + 1]
    word = max(near, key=lambda w: _alike(w, rest))
    return word, start + _alike(word, rest)


def _alike(one: str, other: str) -> int:
    """How many characters two texts have in common from their beginnings on."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
