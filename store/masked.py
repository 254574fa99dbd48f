"""A store's location as it may be shown: whatever in it is a password left out, however it was written."""

from __future__ import annotations

import re

_NAMED = re.compile(r"(?i)((?:password|secret) ?= ?)(?:'[^']*'|[^&\s]*)")
"""A password that stands under its name, in the query of an address or in a connection string of libpq."""

_CONNINFO = re.compile(r"(?i) ?(?:(?:host|hostaddr|port|dbname|user|password|service|sslmode) ?=|postgres(?:ql)?:?/)")
_HEAD = re.compile(r"[\w+.]*:?//|postgres(?:ql)?:?/")


def shown(location: str) -> str:
    """A path as it is; an address, also one that is written wrong, without its password."""
    masked = _NAMED.sub(r"\1***", location)
    head = _HEAD.match(masked)
    if head is None or "@" not in masked:
        return masked
    who, _, where = masked[head.end() :].rpartition("@")
    return f"{head[0]}{who.partition(':')[0]}@{where}"


def is_miswritten(location: str) -> bool:
    """Whether a location is no path, but a connection string of libpq (`host=db dbname=remit`) or an address short of a sign."""
    return "://" not in location and _CONNINFO.match(location) is not None
