"""Moments as microseconds since the epoch, UTC, and how the formats spell them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


@lru_cache(maxsize=64)
def _date(day: int) -> str:
    return datetime.fromtimestamp(day * 86400, UTC).strftime("%Y-%m-%d")


@lru_cache(maxsize=4096)
def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _base(at: int) -> tuple[str, int]:
    seconds, micros = divmod(at, SECOND)
    day, rest = divmod(seconds, 86400)
    return f"{_date(day)}T{_clock(rest)}", micros


def iso_seconds(at: int) -> str:
    return _base(at)[0] + "Z"


def iso_millis(at: int) -> str:
    base, micros = _base(at)
    return f"{base}.{micros // 1000:03d}Z"


def iso_nanos(at: int) -> str:
    base, micros = _base(at)
    return f"{base}.{micros:06d}217Z"


def aws_words(at: int) -> str:
    """`Mar 17, 2026, 9:04:00 AM`, the zoneless spelling of expiry times in CloudTrail."""
    moment_ = datetime.fromtimestamp(at // SECOND, UTC)
    hour = moment_.hour % 12 or 12
    return f"{moment_:%b} {moment_.day}, {moment_.year}, {hour}:{moment_:%M:%S} {'AM' if moment_.hour < 12 else 'PM'}"


def date_of(at: int) -> str:
    return _date(at // DAY)
