"""How many of something, in words."""

from __future__ import annotations


def count(number: int, what: str) -> str:
    """`1 task`, `1,204 tasks`: a number with its noun, given in the singular."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
