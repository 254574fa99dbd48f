"""Canonical JSON of large documents, quickly."""

from __future__ import annotations

from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(order="sorted")


def canonical(value: Any) -> bytes:
    """RFC 8785 of plain values as `reports.text.neutral` leaves them, or whose keys are ASCII and whose numbers are whole.

    For such values sorted compact JSON is the canonical form; `rfc8785` itself takes ten times as long.
    """
    return _ENCODER.encode(value)
