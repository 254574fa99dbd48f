"""Canonical JSON of large documents, quickly, and without holding them whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

_BUFFER = 1 << 20
_AT_ONCE = 16
"""Items that are encoded and written together."""
_ENCODER = msgspec.json.Encoder(order="sorted")
_GAP = b"\x01"
"""Stands where something belongs that comes later; no JSON text holds that byte."""


def canonical(value: Any) -> bytes:
    """RFC 8785 of plain values as `reports.text.neutral` leaves them, or whose keys are ASCII and whose numbers are whole.

    For such values sorted compact JSON is the canonical form; `rfc8785` itself takes ten times as long.
    """
    return _ENCODER.encode(value)


class Gap:
    """Stands in a `Frame` for a value that differs each time, by its name."""

    def __init__(self, name: str) -> None:
        self.name = name


class Frame:
    """A canonical text that is the same each time but for its gaps: encoded once, then filled with values encoded already."""

    def __init__(self, value: Any) -> None:
        self._names: list[str] = []
        self._text = (
            msgspec.json.Encoder(order="sorted", enc_hook=self._gap).encode(value).replace(b"%", b"%%").replace(_GAP, b"%b")
        )

    def _gap(self, value: Any) -> msgspec.Raw:
        if not isinstance(value, Gap):
            raise TypeError(f"{type(value).__name__} has no place in a document")
        self._names.append(value.name)
        return msgspec.Raw(_GAP)

    def filled(self, values: dict[str, bytes]) -> msgspec.Raw:
        """The text with a canonical value in each gap."""
        return msgspec.Raw(self._text % tuple([values[name] for name in self._names]))


class Streamed:
    """A list within a document whose items are made, encoded and written a few at a time; each is of plain values."""

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
            between = b"["
            for part in _parts(one.items):
                file.write(between)
                file.write(memoryview(_ENCODER.encode(part))[1:-1])
                between = b","
            file.write(b"[]" if between == b"[" else b"]")
            file.write(after)


def write_lines(path: Path, items: Iterable[Any]) -> int:
    """Write JSON lines, each encoded as `canonical` does it; returns how many."""
    count = 0
    with path.open("wb", buffering=_BUFFER) as file:
        for part in _parts(items):
            file.write(_ENCODER.encode_lines(part))
            count += len(part)
    return count


def _parts(items: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(items)
    while part := list(islice(left, _AT_ONCE)):
        yield part
