"""Identifiers that identify nothing: what a program writes where it has none."""

from __future__ import annotations

import re

from model.event import Key
from model.words import KeyRole

_WORDS = frozenset({"-", "nil", "none", "null", "undefined", "unknown", "nan", "n/a", "na", "not-set", "not set", "no-session"})
_WRAPPED = re.compile(r"[\[<({](.*)[\])>}]")
_BLANK = re.compile(r"(?:0[0-]{7,}|f[f-]{15,})", re.IGNORECASE)
"""The id of no trace, no span and no UUID: nothing but zeros; or its opposite, nothing but ones."""


def hollow(key: Key) -> bool:
    """Whether a key's value says that there was no identifier: all who write it would otherwise seem to be one."""
    if key.role is KeyRole.MATCH:
        return False
    value = key.value.strip()
    if len(value) > 40:
        return False
    wrapped = _WRAPPED.fullmatch(value)
    return (wrapped.group(1) if wrapped else value).strip().casefold() in _WORDS or not value or bool(_BLANK.fullmatch(value))
