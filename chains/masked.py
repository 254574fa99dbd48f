"""Identifiers of which a log shows only a part, and what may still be joined over them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from model.event import Event, Key
from model.words import KeyRole

MASKED = "masked"
"""The kind of a key whose identifier is hidden; its value says what is seen of it and of whom."""

ENOUGH = 8
"""So many visible letters and digits tell identifiers apart although the rest is hidden."""

_HIDDEN = re.compile(r"\*+|•+|…+|\.{3,}|[xX]{4,}|#{4,}")
_WORD = re.compile(
    r"[\[<({]*(?:redacted|hidden|masked|filtered|sanitized|removed|omitted|elided|obfuscated)(?:_\w+)?[\])>}]*", re.IGNORECASE
)
_PREFIX = re.compile(r"(?:AKIA|ASIA|AROA|AIDA|sk-(?:ant-)?|gh[a-z]_|github_pat_|glpat-|hv[bsr]\.|xox[a-z]-)")
"""What every identifier of one kind begins with: it tells none apart."""

_DIGESTS = frozenset({"secret"})
_OF = " of "


def masked(value: str) -> bool:
    """Whether so much of an identifier is hidden that two which read alike may be two."""
    if _WORD.fullmatch(value):
        return True
    if not _HIDDEN.search(value):
        return False
    visible = _HIDDEN.sub("", _PREFIX.sub("", value, count=1))
    return sum(char.isalnum() for char in visible) < ENOUGH


def with_masks(event: Event) -> tuple[Key, ...]:
    """The event's keys, its masked credentials narrowed to one session, else to one principal, else to this record.

    Beside a full name of the same credential a masked one adds nothing, and of what it was obtained with it proves nothing.
    """
    hidden = [key for key in event.keys if key.role in (KeyRole.CREDENTIAL, KeyRole.VIA) and _is_masked(key)]
    if not hidden:
        return event.keys
    kept = tuple(key for key in event.keys if key not in hidden)
    if any(key.role is KeyRole.CREDENTIAL for key in kept):
        return kept
    scope = event.first_key(KeyRole.SCOPE)
    whose = scope.name if scope else event.principal.name if event.principal else event.record
    narrowed = [Key(k.role, MASKED, f"{k.name}{_OF}{whose}") for k in hidden if k.role is KeyRole.CREDENTIAL]
    return kept + tuple(dict.fromkeys(narrowed))


def _is_masked(key: Key) -> bool:
    return key.kind != MASKED and key.kind not in _DIGESTS and masked(key.value)


def shown_part(name: str) -> str:
    """`kind:value` as the log shows it, of the name of a masked key; "" for any other name."""
    return name.removeprefix(f"{MASKED}:").partition(_OF)[0] if name.startswith(f"{MASKED}:") else ""


def fitting(name: str, others: Iterable[str]) -> list[str]:
    """Which full names (`kind:value`) a masked one may stand for: nothing that is seen of it speaks against them."""
    kind, _, seen = shown_part(name).partition(":")
    if not seen or _WORD.fullmatch(seen):
        return []
    pattern = re.compile(".+".join(re.escape(part) for part in _HIDDEN.split(seen)))
    return [other for other in others if other.startswith(f"{kind}:") and pattern.fullmatch(other[len(kind) + 1 :])]
