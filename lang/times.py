"""Timestamps of every spelling the formats use, read into microseconds since the epoch, UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from model.words import Clock

_ISO = re.compile(
    r"^(\d{4})[-/](\d\d)[-/](\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|z|UTC|[+-]\d\d:?\d\d|[+-]\d\d)?$"
)
_CLF = re.compile(r"^(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))? ?([+-]\d{4})?$")
# What .NET and the portals of Azure write, in the order of the reader's own language.
_LOCAL = re.compile(
    r"^(\d{1,2})([/.-])(\d{1,2})\2(\d{4}),? (\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:[ \u202f]([AP])M)? ?(Z|UTC|[+-]\d\d:?\d\d)?$",
    re.IGNORECASE,
)
# CloudTrail's digest of an event, its console's table ("March 17, 2026, 07:10:29 (UTC+00:00)"), and what agents tell their model:
# "Sunday, Sep 20, 2026, 12:31 AM (UTC+3)"; Kibana's tables: "Mar 17, 2026 @ 08:10:29.125".
_WORDED = re.compile(
    r"^(?:[A-Z][a-z]{5,8}, )?([A-Z][a-z]{2,8}) (\d{1,2}), (\d{4})(?:,| @) (\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:[ \u202f]([AP])M)?"
    r"(?: \((?:UTC|GMT)(?:([+-]\d{1,2})(?::(\d\d))?)?\))?$"
)
# What a browser's own dates are as text: "Tue Mar 17 2026 08:10:29 GMT+0100 (Central European Standard Time)".
_BROWSER = re.compile(
    r"^[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d\d) (\d{4}) (\d\d:\d\d:\d\d) (?:GMT|UTC)([+-]\d{4})?(?: \([^()]{1,60}\))?$"
)
_NAMES = "January February March April May June July August September October November December"
_MONTHS = {name: n + 1 for n, full in enumerate(_NAMES.split()) for name in (full[:3], full)}
_WHOLE = re.compile(r"^-?[0-9]{1,18}$")
_DURATION = re.compile(r"([0-9]{1,9})\s*([smhd]?)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_MIN, _MAX = 0, 253402300799_000_000


@lru_cache(maxsize=4096)
def _day(year: int, month: int, day: int) -> int | None:
    try:
        return int(datetime(year, month, day, tzinfo=UTC).timestamp())
    except ValueError:
        return None


def parse_time(value: object, unit: str = "") -> tuple[int | None, Clock]:
    """Read a timestamp; (None, ORDER_ONLY) if it is none. A time without a zone is taken as UTC and flagged.

    Numbers are epoch seconds, ms, us or ns by `unit` ("s", "ms", "us", "ns") or, without one, by magnitude.
    Also read: ISO 8601 with up to nanoseconds, `YYYY-MM-DD HH:MM:SS`, "Jul 10, 2023, 12:09:47 PM" and "March 17, 2026, 07:10:29 (UTC+00:00)"
    (CloudTrail), "Sunday, Sep 20, 2026, 12:31 AM (UTC+3)", a browser's "Tue Mar 17 2026 08:10:29 GMT+0100 (CET)", access logs'
    `10/Oct/2000:13:55:36 -0700`, Azure's `1/9/2026, 10:41:00.123 AM +01:00`, digits in a string, {seconds, nanos} and
    {epochSecond, nano}. Which of two numbers is the month is told by dots (the day comes first) or a day over 12. Where neither tells it,
    AM or PM makes it the first, flagged; without these there is no time.
    """
    if isinstance(value, bool) or value is None:
        return None, Clock.ORDER_ONLY
    if isinstance(value, int | float):
        return _number(float(value) if isinstance(value, float) else value, unit)
    if isinstance(value, dict):
        seconds, nanos = value.get("seconds", value.get("epochSecond")), value.get("nanos", value.get("nano", 0))
        if (isinstance(seconds, int) and abs(seconds) < 1 << 60) or (isinstance(seconds, str) and _WHOLE.match(seconds)):
            micros = int(seconds) * 1_000_000 + (nanos // 1000 if isinstance(nanos, int) and 0 <= nanos < 1_000_000_000 else 0)
            return _known(_bounded(micros), Clock.EXACT)
        return None, Clock.ORDER_ONLY
    if not isinstance(value, str):
        return None, Clock.ORDER_ONLY
    return _text(value.strip(), unit)


def _number(value: int | float, unit: str) -> tuple[int | None, Clock]:
    if value != value or abs(value) > 1e30:
        return None, Clock.ORDER_ONLY
    if not unit:
        size = abs(value)
        unit = "s" if size < 1e11 else "ms" if size < 1e14 else "us" if size < 1e17 else "ns"
    if isinstance(value, int):
        micros = {"s": value * 1_000_000, "ms": value * 1000, "us": value, "ns": value // 1000}[unit]
    else:
        micros = round(value * {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}[unit])
    return _known(_bounded(micros), Clock.EXACT)


@lru_cache(maxsize=4096)
def _minute(value: str) -> int | None:
    """Microseconds of a minute spelled `YYYY-MM-DDTHH:MM:`, None if it is none."""
    return _text(value + "00Z", "")[0] if len(value) == 17 else None


def _text(value: str, unit: str) -> tuple[int | None, Clock]:
    # What most logs write, `2026-03-17T10:00:00.000Z`: minutes repeat.
    if len(value) == 24 and value[-1] == "Z" and value[19] == "." and value.isascii():
        second, fraction = value[17:19], value[20:23]
        if second.isdecimal() and fraction.isdecimal() and second < "61" and (base := _minute(value[:17])) is not None:
            return _known(_bounded(base + int(second) * 1_000_000 + int(fraction) * 1000), Clock.EXACT)
    if (access := _CLF.match(value)) and (number := _MONTHS.get(access.group(2))):
        day_, _, year_, clock, fraction_, zone_ = access.groups()
        value = f"{year_}-{number:02d}-{day_}T{clock}.{fraction_ or 0}{zone_ or ''}"
    elif local := _LOCAL.match(value):
        return _local(*local.groups())
    if m := _ISO.match(value):
        year, month, day, hour, minute, second, fraction, zone = m.groups()
        base = _day(int(year), int(month), int(day))
        if base is None or int(hour or 0) > 23 or int(minute or 0) > 59 or int(second or 0) > 60:
            return None, Clock.ORDER_ONLY
        micros = (base + int(hour or 0) * 3600 + int(minute or 0) * 60 + int(second or 0)) * 1_000_000
        micros += int((fraction or "0").ljust(6, "0")[:6])
        if zone is None:
            return _known(_bounded(micros), Clock.ZONE_ASSUMED)
        if zone not in ("Z", "z", "UTC"):
            hours, minutes = int(zone[1:3]), int(zone[-2:]) if len(zone) > 3 else 0
            if hours > 23 or minutes > 59:
                return None, Clock.ORDER_ONLY
            micros -= (1 if zone[0] == "+" else -1) * (hours * 3600 + minutes * 60) * 1_000_000
        return _known(_bounded(micros), Clock.EXACT)
    if value.isascii() and value.isdigit() and len(value) <= 20:
        return _number(int(value), unit)
    if re.fullmatch(r"\d{9,12}\.\d+", value):
        return _number(float(value), unit)
    if (shown := _BROWSER.match(value)) and (number := _MONTHS.get(shown.group(1))):
        _, day_, year_, clock, zone_ = shown.groups()
        return _text(f"{year_}-{number:02d}-{day_}T{clock}{zone_ or 'Z'}", "")
    worded = _WORDED.match(value)
    return _in_words(worded, value.endswith(")")) if worded else (None, Clock.ORDER_ONLY)


def _in_words(found: re.Match[str], zoned: bool) -> tuple[int | None, Clock]:
    """A time whose month is a word, in the order, and mostly the halves of a day, that Americans write."""
    month, day, year, hour, minute, second, fraction, half, hours, minutes = found.groups()
    number = _MONTHS.get(month)
    if number is None or (half and not 1 <= int(hour) <= 12):
        return None, Clock.ORDER_ONLY
    zone = f"{hours[0]}{int(hours[1:]):02d}:{minutes or '00'}" if hours else "Z" if zoned else ""
    hour24 = int(hour) % 12 + (12 if half == "P" else 0) if half else int(hour)
    return _text(f"{year}-{number:02d}-{int(day):02d}T{hour24:02d}:{minute}:{second or '00'}.{fraction or 0}{zone}", "")


def _local(
    first: str,
    mark: str,
    second: str,
    year: str,
    hour: str,
    minute: str,
    part: str | None,
    fraction: str | None,
    half: str | None,
    zone: str | None,
) -> tuple[int | None, Clock]:
    """A time whose date begins with day or month."""
    order = (int(first), int(second))
    told = mark == "." or order[0] == order[1] or (order[0] > 12) != (order[1] > 12)
    if not (told or half) or (half and not 1 <= int(hour) <= 12):
        return None, Clock.ORDER_ONLY
    day, month = order if mark == "." or order[0] > 12 else order[::-1]
    hours = int(hour) % 12 + (12 if half in ("p", "P") else 0) if half else int(hour)
    at, clock = _text(
        f"{year}-{month:02d}-{day:02d}T{hours:02d}:{minute}:{part or '00'}.{fraction or 0}{(zone or '').upper()}", ""
    )
    return at, clock if told or at is None else Clock.ZONE_ASSUMED


def _known(at: int | None, clock: Clock) -> tuple[int | None, Clock]:
    return at, clock if at is not None else Clock.ORDER_ONLY


def _bounded(micros: int) -> int | None:
    return micros if _MIN <= micros <= _MAX else None


@lru_cache(maxsize=4096)
def _spelled(minute: int) -> str:
    """`YYYY-MM-DDTHH:MM:` of a minute since the epoch."""
    return datetime.fromtimestamp(minute * 60, UTC).isoformat()[:17]


def iso(micros: int | None) -> str | None:
    """ISO 8601 in UTC with `Z`, milliseconds or microseconds only where they are not zero; None stays None."""
    if micros is None:
        return None
    seconds, rest = divmod(micros, 1_000_000)
    minute, second = divmod(seconds, 60)
    base = f"{_spelled(minute)}{second:02d}"
    if not rest:
        return base + "Z"
    return f"{base}.{rest // 1000:03d}Z" if rest % 1000 == 0 else f"{base}.{rest:06d}Z"


def duration(text: str) -> int | None:
    """Seconds of a duration as people write it: a number of seconds, or one with s, m, h or d; None if it is none."""
    found = _DURATION.fullmatch(text.strip())
    return int(found.group(1)) * _UNITS[found.group(2)] if found else None
