"""Durations and timestamps: whole microseconds, read from their texts and taken apart again, as CEL does it.

Bounds are those of CEL's engines: what 64 bits of nanoseconds hold for a duration, about 292 years, and the years 1 to
9999, UTC, for a timestamp.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

SECOND = 1_000_000
MAX_SPAN = ((1 << 63) - 1) // 1000
MAX_SECONDS = MAX_SPAN // SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {
    "h": Fraction(3600 * SECOND), "m": Fraction(60 * SECOND), "s": Fraction(SECOND), "ms": Fraction(1000),
    "us": Fraction(1), "µs": Fraction(1), "ns": Fraction(1, 1000),
}  # fmt: skip
_PART = re.compile(r"([0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(h|ms|m|us|µs|ns|s)")
_SPAN = re.compile(rf"([-+]?)((?:{_PART.pattern})+|0)\Z")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|([-+])([0-9]{2}):([0-9]{2}))\Z"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T00:00:00Z)?\Z")


def micros_of(moment: datetime) -> int:
    """Microseconds since the epoch."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


FIRST = micros_of(datetime(1, 1, 1, tzinfo=UTC))
LAST = micros_of(datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))


def moment_of(micros: int) -> datetime:
    """The time of a timestamp within bounds."""
    return _EPOCH + timedelta(microseconds=micros)


def parse_span(text: str) -> int:
    """A duration as CEL writes it: `1h30m`, `-1.5s`, `0`; raises ValueError that says what is wrong."""
    found = _SPAN.match(text)
    if found is None:
        days = re.fullmatch(r"([0-9]{1,6})d", text)
        hint = f'; write "{int(days.group(1)) * 24}h"' if days else ', e.g. "1h30m"; units: h, m, s, ms, us'
        raise ValueError(f"not a duration{hint}")
    total = sum((Fraction(f"0{n}") * _UNITS[unit] for n, unit in _PART.findall(found.group(2))), Fraction(0))
    if total.denominator != 1:
        raise ValueError("a duration is counted in whole microseconds")
    if total > MAX_SPAN:
        raise ValueError("a duration is at most 292 years")
    return -int(total) if found.group(1) == "-" else int(total)


def parse_time(text: str) -> int:
    """A timestamp as CEL writes it: `2026-03-01T00:00:00Z`; raises ValueError that says what is wrong."""
    found = _TIME.match(text)
    if found is None:
        hint = f'; write "{text}T00:00:00Z"' if _DAY.match(text) else ', e.g. "2026-03-01T00:00:00Z"'
        raise ValueError(f"not a timestamp{hint}")
    year, month, day, hour, minute, second = (int(found.group(n)) for n in range(1, 7))
    fraction = (found.group(7) or "").ljust(6, "0")
    if fraction[6:].strip("0"):
        raise ValueError("a timestamp is counted in whole microseconds")
    try:
        moment = datetime(year, month, day, hour, minute, second, int(fraction[:6]), UTC)
    except ValueError as error:
        raise ValueError(f"not a timestamp: {error}") from None
    away = int(found.group(9) or 0) * 60 + int(found.group(10) or 0)
    micros = micros_of(moment) - (-1 if found.group(8) == "-" else 1) * away * 60 * SECOND
    if away >= 24 * 60 or not FIRST <= micros <= LAST:
        raise ValueError("a timestamp lies in the years 1 to 9999")
    return micros


def parse_day(text: str) -> int | None:
    """The beginning of a day, UTC, from `2026-03-01`; None where the text is none."""
    if not _DAY.match(text):
        return None
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return (day.toordinal() - _EPOCH.toordinal()) * 86_400 * SECOND


def day_of(micros: int) -> str:
    """`2026-03-01` for a timestamp within bounds."""
    return moment_of(micros).date().isoformat()
