"""A credential's life drawn as one line, with a mark for everything that happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import log1p
from typing import Any

from lang.times import parse_time
from tui import format

Doc = dict[str, Any]

LATE, ELSEWHERE = "late", "elsewhere"
MARKS = {
    LATE: ("U", "used after an end"),
    "revoked": ("X", "revoked"),
    "task ended": ("┃", "task end"),
    "issued": ("I", "issued"),
    ELSEWHERE: ("o", "used by another task"),
    "expired": ("E", "expired"),
    "expires": ("E", "to expire"),
    "exposed": ("!", "in clear"),
    "renewed": ("R", "renewed"),
    "requested": ("r", "requested"),
    "used": ("u", "used"),
}
"""Mark and word of each, the one that wins a cell before those it covers."""

ALIVE, UNSURE, OVER = "━", "┄", "·"
_ENDS = ("revoked", "expired", "expires")
_LEAST = 24


def draw(stages: Sequence[Doc], width: int, owner: str | None = None) -> list[str]:
    """Times at both ends, the line, and what its marks mean; nothing where fewer than two moments are known.

    The longer two moments lie apart the farther they are drawn, but hours not as much farther than seconds as they are.
    `owner` is the task it was issued to.
    """
    known = [
        (at, _name(one, owner), one["at"])
        for one in stages
        if (at := parse_time(one["at"])[0] if one["at"] else None) is not None
    ]
    if len({at for at, _, _ in known}) < 2 or width < _LEAST:
        return []
    known.sort(key=lambda one: one[0])
    places = _places([at for at, _, _ in known], width)
    born = next((p for (_, name, _), p in zip(known, places, strict=True) if name == "issued"), None)
    died = next((p for (_, name, _), p in zip(known, places, strict=True) if name in _ENDS), width)
    cells = [
        UNSURE if born is None and x < died else OVER if x > died or (born is not None and x < born) else ALIVE
        for x in range(width)
    ]
    order = list(MARKS)
    for (_, name, _), place in sorted(zip(known, places, strict=True), key=lambda pair: -order.index(pair[0][1])):
        cells[place] = MARKS[name][0]
    names = [name for name in order if any(name == one for _, one, _ in known)]
    legend = "  ".join(dict.fromkeys(f"{MARKS[name][0]} {MARKS[name][1]}" for name in names))
    unborn = f"  {UNSURE} issuance not seen" if born is None else ""
    return [_ends(known[0][2], known[-1][2], width), "".join(cells), legend + unborn]


def _name(stage: Doc, owner: str | None) -> str:
    if stage["what"] == "used" and not stage["late"] and owner and stage["task"] not in (None, owner):
        return ELSEWHERE
    return LATE if stage["late"] else str(stage["what"])


def _places(times: Sequence[int], width: int) -> list[int]:
    """A cell for each time, in order; different times share one only where there are more of them than cells."""
    gaps = [log1p(max(after - before, 0) / 1_000_000) for before, after in pairwise(times)]
    total = sum(gaps) or 1.0
    found = [0]
    reached = 0.0
    for gap in gaps:
        reached += gap
        found.append(round(reached / total * (width - 1)))
    for n in range(1, len(found)):
        if times[n] != times[n - 1]:
            found[n] = min(max(found[n], found[n - 1] + 1), width - 1)
    last = width - 1
    for n in range(len(found) - 1, -1, -1):
        found[n] = min(found[n], last)
        if n and times[n] != times[n - 1]:
            last = max(found[n] - 1, 0)
    return found


def _ends(first: str, last: str, width: int) -> str:
    same = first[:10] == last[:10]
    left = f"{first[:10]} {format.clock(first)}"
    right = format.clock(last) if same else f"{last[:10]} {format.clock(last)}"
    return left + " " * max(width - len(left) - len(right), 1) + right
