"""Canonical JSON of large documents, quickly, and without holding them whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

_BUFFER = 1 << 20
_ENCODER = msgspec.json.Encoder(order="sorted")
_GAP = b"\x01"
"""Stands where a streamed list belongs; no JSON text holds that byte."""


def canonical(value: Any) -> bytes:
    """RFC 8785 of plain values as `reports.text.neutral` leaves them, or whose keys are ASCII and whose numbers are whole.

    For such values sorted compact JSON is the canonical form; `rfc8785` itself takes ten times as long.
    """
    return _ENCODER.encode(value)


class Streamed:
    """A list within a document whose items are made, encoded and written one after another; each is of plain values."""

    def __init__(self, items: Iterable[Any]) -> None:
        self.items = items


def write_canonical(path: Path, document: Any) -> None:
    """Write a document as `canonical` encodes it; lists that are `Streamed` are never held whole."""
    lists: list[Streamed] = []

    def gap(value: Any) -> msgspec.Raw:
        if not isinstance(value, Streamed):
            raise TypeError(f"{type(value).__name__} has no place in a document")
        lists.append(value)
        return msgspec.Raw(_GAP)

    texts = msgspec.json.Encoder(order="sorted", enc_hook=gap).encode(document).split(_GAP)
    with path.open("wb", buffering=_BUFFER) as file:
        file.write(texts[0])
        for one, after in zip(lists, texts[1:], strict=True):
            file.write(b"[")
            for n, item in enumerate(one.items):
                file.write(b"," if n else b"")
                file.write(_ENCODER.encode(item))
            file.write(b"]")
            file.write(after)


def write_lines(path: Path, items: Iterable[Any]) -> int:
    """Write JSON lines, each encoded as `canonical` does it; returns how many."""
    count = 0
    with path.open("wb", buffering=_BUFFER) as file:
        for item in items:
            file.write(_ENCODER.encode(item))
            file.write(b"\n")
            count += 1
    return count
