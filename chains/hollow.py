"""Identifiers that identify nothing: what a program writes where it has none."""

from __future__ import annotations

import re
from functools import lru_cache

from model.event import Key
from model.words import KeyRole

_WORDS = frozenset({"-", "nil", "none", "null", "undefined", "unknown", "nan", "n/a", "na", "not-set", "not set", "no-session"})
_WRAPPED = re.compile(r"[\[<({](.*)[\])>}]")
_BLANK = re.compile(r"(?:0[0-]{7,}|f[f-]{15,})", re.IGNORECASE)
"""The id of no trace, no span and no UUID: nothing but zeros; or its opposite, nothing but ones."""


def hollow(key: Key) -> bool:
    """Whether a key's value says that there was no identifier: all who write it would otherwise seem to be one."""
    return key.role is not KeyRole.MATCH and _says_none(key.value)


@lru_cache(maxsize=4096)
def _says_none(text: str) -> bool:
    value = text.strip()
    if len(value) > 40:
        return False
    wrapped = _WRAPPED.fullmatch(value)
    return (wrapped.group(1) if wrapped else value).strip().casefold() in _WORDS or not value or bool(_BLANK.fullmatch(value))
