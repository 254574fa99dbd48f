"""What a large document is made of, in files in place of memory, for whoever goes over it piece by piece."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import msgspec

_BUFFER = 1 << 18
_DECODE = msgspec.json.Decoder().decode


class Shelf:
    """The findings of a document in a file that `reports.canonical.write_lines` wrote, decoded anew for each pass."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[dict[str, Any]]:
        with self._path.open("rb") as file:
            yield from map(_DECODE, file)


class Drawer:
    """Encoded values in an unnamed file of a folder, by the number of their putting there."""

    def __init__(self, folder: Path) -> None:
        self._file = TemporaryFile("w+b", buffering=_BUFFER, dir=folder)  # noqa: SIM115  it ends with the drawer
        self._ends = array("Q", [0])

    def put(self, value: bytes | msgspec.Raw) -> int:
        """Keep a value; its number."""
        self._ends.append(self._ends[-1] + self._file.write(value))
        return len(self._ends) - 2

    def take(self, numbers: Iterable[int]) -> Iterator[msgspec.Raw]:
        """The values of these numbers."""
        for number in numbers:
            start, end = self._ends[number], self._ends[number + 1]
            self._file.seek(start)
            yield msgspec.Raw(self._file.read(end - start))
