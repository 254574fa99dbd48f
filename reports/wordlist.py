"""Replacing many words in a text in one pass, whatever their case."""

from __future__ import annotations

from collections.abc import Mapping

from ahocorasick_rs import AhoCorasick

_SHORT = 6


class Wordlist:
    """Words with what stands in their place. Of overlapping words the first, then the longest, is taken.

    A word of fewer than six characters counts only where no letter or digit touches it; a longer one counts anywhere.
    """

    def __init__(self, words: Mapping[str, str]) -> None:
        found: dict[str, str] = {}
        for word in sorted(words):
            if word:
                found.setdefault(lowered(word), words[word])
        self._words = list(found)
        self._instead = list(found.values())
        self._search = AhoCorasick(self._words) if self._words else None

    def replace(self, text: str) -> str:
        if self._search is None or not text:
            return text
        small = lowered(text)
        hits = self._search.find_matches_as_indexes(small, overlapping=True)
        if not hits:
            return text
        parts, done = [], 0
        for word, start, end in sorted(hits, key=lambda hit: (hit[1], -hit[2])):
            if start >= done and (end - start >= _SHORT or _alone(small, start, end)):
                parts += [text[done:start], self._instead[word]]
                done = end
        return "".join((*parts, text[done:]))


def lowered(text: str) -> str:
    """In small letters and of the same length, so that a place in one is the same place in the other."""
    small = text.lower()
    return small if len(small) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _alone(text: str, start: int, end: int) -> bool:
    return not (start and text[start - 1].isalnum()) and not (end < len(text) and text[end].isalnum())
