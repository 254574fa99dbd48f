"""What a reader remembers of a file that may be of any size: the latest, in bounded memory.

What is told twice is told twice soon, and what answers a call comes after it: forgetting the oldest costs least.
"""

from __future__ import annotations

from itertools import islice
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def remember(held: dict[K, V], key: K, value: V, most: int) -> None:
    """Hold a value under its key; where `most` are held already, the older half of them is forgotten first.

    A dictionary and no class of its own: a kept reader's memory is plain values (`importers.bookmark`).
    """
    if len(held) >= most and key not in held:
        for old in list(islice(held, (most + 1) // 2)):
            del held[old]
    held[key] = value
