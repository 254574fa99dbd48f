"""Charts in characters: pure functions, each readable without colour and beside its number."""

from __future__ import annotations

from collections.abc import Sequence

EIGHTHS = " ▏▎▍▌▋▊▉█"
LEVELS = "▁▂▃▄▅▆▇█"
NOTHING, SILENT, OUTSIDE, FOLD = "·", "▒", "·", "┆"


def bar(part: float | None, cells: int) -> str:
    """A share from 0 to 1 as a bar of exactly `cells`, in eighths of a cell; dots where there is nothing to share.

    What is above zero is never drawn as nothing, and what is below one never as all.
    """
    if part is None:
        return NOTHING * cells
    eighths = round(min(max(part, 0.0), 1.0) * cells * 8)
    if part > 0:
        eighths = max(eighths, 1)
    if part < 1:
        eighths = min(eighths, max(cells * 8 - 1, 0))
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (EIGHTHS[rest] if rest else "")).ljust(cells)


def sparkline(values: Sequence[int | float | None], most: float | None = None) -> str:
    """One character a value, against the largest of them or `most`: a dot for nothing or unknown, else one of eight heights."""
    top = max((value for value in values if value), default=0.0) if most is None else most
    return "".join(_level(value / top) if value and top else NOTHING for value in values)


def heat(parts: Sequence[float | None], cells: int = 1) -> str:
    """A strip of shares, `cells` wide each: eight heights, ▒ for silence within one's time, a dot outside it."""
    return "".join((OUTSIDE if part is None else SILENT if part == 0 else _level(part)) * cells for part in parts)


def counts(values: Sequence[int]) -> str:
    """Small whole numbers as digits, for charts of few: a dot for none, + from ten on."""
    return "".join(NOTHING if not value else str(value) if value < 10 else "+" for value in values)


def folded(strip: str, adjacent: Sequence[bool], cells: int = 1) -> str:
    """A strip with a fold before each period that does not follow the one before it."""
    pieces = [strip[place : place + cells] for place in range(0, len(strip), cells)]
    return "".join(("" if beside else FOLD) + piece for piece, beside in zip(pieces, adjacent, strict=True))


def change(number: int | None) -> str:
    """What came or went since: `▲2`, `▼1`, `=`; nothing where it is not known."""
    if number is None:
        return ""
    return f"▲{number:,}" if number > 0 else f"▼{-number:,}" if number < 0 else "="


def _level(part: float) -> str:
    return LEVELS[min(max(int(part * len(LEVELS) - 1e-9), 0), len(LEVELS) - 1)]
