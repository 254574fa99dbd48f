"""Labels as people write them: the same control is `AC-2(9)`, `AC-02(09)` and `ac-2.9` to three publishers."""

from __future__ import annotations

import re

LONGEST = 200
_PART = re.compile(r"[0-9]+|[a-z]+")

Plain = tuple[str, ...]


def plain(label: str) -> Plain:
    """The words and numbers of a label, without case, padding zeros and punctuation."""
    return tuple(part.lstrip("0") or "0" if part.isdigit() else part for part in _PART.findall(label[:LONGEST].casefold()))


def unedited(label: str, edition: str) -> Plain:
    """A label's words and numbers without the edition at its end, where it says one: `LLM06:2025` is (llm, 6)."""
    parts, end = plain(label), plain(edition)
    return parts[: -len(end)] if end and len(parts) > len(end) and parts[-len(end) :] == end else parts
