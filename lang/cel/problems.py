"""What is wrong with a condition, where, and what is nearest to what was meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong with a condition. `start` and `end` are character offsets into its text, `end` exclusive."""

    start: int
    end: int
    code: str
    message: str
    severity: Literal["error", "warning"] = "error"


class CelError(ValueError):
    """Raised where a condition must be right and is not; `problems` lists everything that is wrong with it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(p.message for p in problems))
        self.problems = problems


def nearest(word: str, candidates: Iterable[str]) -> str:
    """The candidate a person most likely meant by `word`, "" if none is near; ties go to the first in order."""
    if len(word) > 200:
        return ""
    names = sorted(candidates)
    by_lower = {name.lower(): name for name in reversed(names)}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else ""


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """`; did you mean ...?` ready to be appended to a message, or ""."""
    near = nearest(word, candidates)
    return f"; did you mean `{near}`?" if near else ""
