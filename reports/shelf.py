"""What a large document is made of, in files in place of memory, for whoever goes over it piece by piece."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import msgspec

from reports.canonical import write_lines

_BUFFER = 1 << 18
_DECODE = msgspec.json.Decoder().decode


class Shelf:
    """The findings of a document in a file, decoded anew for each pass.

    The controls that a detection speaks to are most of a finding and the same in all of them: they are kept once and shared.
    """

    def __init__(self, path: Path, controls: Mapping[str, list[str]]) -> None:
        self._path, self._controls = path, controls

    def __iter__(self) -> Iterator[dict[str, Any]]:
        with self._path.open("rb") as file:
            for finding in map(_DECODE, file):
                finding["controls"] = self._controls[finding["detection"]]
                yield finding


def shelve(path: Path, findings: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """Write findings into a file for a `Shelf`; the controls that each detection speaks to."""
    controls: dict[str, list[str]] = {}

    def lean() -> Iterator[dict[str, Any]]:
        for finding in findings:
            controls.setdefault(finding["detection"], finding["controls"])
            yield {**finding, "controls": None}

    write_lines(path, lean())
    return controls


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
