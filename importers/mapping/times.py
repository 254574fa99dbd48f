"""How a mapping reads a time: by its own spelling, else by a format of `strptime`; a stated zone is that of times without one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial

from importers.shared.fields import moment
from lang.yamlread import Node
from model.words import Clock

Moment = tuple[int | None, Clock]
ReadTime = Callable[[object], Moment]

MEMBERS = ("unit", "format", "zone")
_UNITS = ("s", "ms", "us", "ns")
_PROBE = datetime(2026, 11, 29, 21, 5, 9, tzinfo=UTC)
_FRACTION = re.compile(r"(?<=[.,]\d{6})\d{1,3}(?!\d)")
_OFFSET = re.compile(r"[+-]\d\d:?\d\d")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 100


def time_reader(members: Mapping[str, Node]) -> ReadTime:
    """What reads a value as `unit`, `format` and `zone` say; raises YamlError where they do not tell a moment."""
    unit = members["unit"].choice(_UNITS) if "unit" in members else ""
    read: ReadTime = partial(moment, unit=unit)
    if "format" in members:
        if unit:
            raise members["unit"].error("unit: of a number; a text of a `format` has none")
        read = partial(_by_formats, _formats(members["format"]))
    return partial(_in_zone, read, _zone(members["zone"])) if "zone" in members else read


def _formats(node: Node) -> tuple[str, ...]:
    formats = node.texts()
    for one in formats:
        if "%Z" in one:
            raise node.error(
                "format: names of zones mean several things, as %Z reads them; write the name as it stands and say `zone`"
            )
        try:
            told = datetime.strptime(_PROBE.strftime(one), one)
        except ValueError as error:
            raise node.error(f"format: {one!r} is no format of strptime: {error}") from error
        if told.date() != _PROBE.date():
            raise node.error(f"format: {one!r} does not tell year, month and day")
    if not formats:
        raise node.error('format: needs one format of strptime or a list of them, e.g. "%d/%m/%Y %H:%M:%S"')
    return formats


def _zone(node: Node) -> tzinfo:
    name = node.text()
    if _OFFSET.fullmatch(name):
        found = datetime.strptime(name, "%z").tzinfo
        assert found is not None
        return found
    # Few mappings name a zone, and every import loads this module.
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        # Not found, no path below the folder of zones, and the folder of several.
        raise node.error(f"zone: {name!r} is no time zone known here; write one like Europe/Berlin, UTC or +01:00") from error


def _by_formats(formats: tuple[str, ...], value: object) -> Moment:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None, Clock.ORDER_ONLY
    said = _FRACTION.sub("", value.strip())
    for one in formats:
        try:
            told = datetime.strptime(said, one)
        except (ValueError, OverflowError):
            continue
        return _micros(told.replace(tzinfo=told.tzinfo or UTC), Clock.EXACT if told.tzinfo else Clock.ZONE_ASSUMED)
    return None, Clock.ORDER_ONLY


def _in_zone(read: ReadTime, zone: tzinfo, value: object) -> Moment:
    """What states no zone is of this one. An hour that the clocks showed twice, or left out, is flagged as before."""
    at, clock = read(value)
    if at is None or clock is not Clock.ZONE_ASSUMED:
        return at, clock
    local = (_EPOCH + timedelta(microseconds=at)).replace(tzinfo=zone)
    certain = local.utcoffset() == local.replace(fold=1).utcoffset()
    return _micros(local, Clock.EXACT if certain else Clock.ZONE_ASSUMED)


def _micros(told: datetime, clock: Clock) -> Moment:
    try:
        at = (told - _EPOCH) // timedelta(microseconds=1)
    except OverflowError:
        return None, Clock.ORDER_ONLY
    return (at, clock) if at >= 0 else (None, Clock.ORDER_ONLY)
