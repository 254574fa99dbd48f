"""What stands between a sign and the next one that closes it, in time that grows with the text and no faster.

A pattern with `(.*?)` in its middle reads to the end of the text once for every opening that nothing closes.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator


def enclosed(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> Iterator[tuple[re.Match[str], str]]:
    """Each opening that is closed behind it, and what stands between, none within another.

    Where the patterns have a group `tag`, an opening is closed by its own tag alone.
    """
    tagged = "tag" in opening.groupindex
    ends: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for found in closing.finditer(text):
        ends[found["tag"] if tagged else ""].append(found.span())
    at = 0
    while ends and (begun := opening.search(text, at)) is not None:
        at = begun.end()
        behind = ends.get(begun["tag"] if tagged else "", [])
        place = bisect_left(behind, (at, 0))
        if place < len(behind):
            closed, after = behind[place]
            yield begun, text[at:closed]
            at = after
