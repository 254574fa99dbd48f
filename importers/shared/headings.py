"""Headings of a table that tell the zone of the times below them: `TimeGenerated [UTC]`, `Date (UTC)`."""

from __future__ import annotations

import re

_UTC = re.compile(r"(?<!\s)\s*+[\[(]UTC[\])]$", re.IGNORECASE)
_CLOCK = re.compile(r"\d:\d\d")
_ZONED = re.compile(r"(?:Z|UTC|GMT|[+-]\d\d:?\d\d)\)?$", re.IGNORECASE)


def without_zone(name: str) -> str:
    """A heading without the zone that it tells of its times."""
    return _UTC.sub("", name)


def in_zone(name: str, cell: object) -> object:
    """A time with the zone that only its column's heading tells; any other cell as it is."""
    if isinstance(cell, str) and name[-1:] in ")]" and _UTC.search(name) and _CLOCK.search(cell) and not _ZONED.search(cell):
        return f"{cell} UTC"
    return cell
