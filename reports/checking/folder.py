"""The folder of a pack as it lies on a disk, taken to be hostile: no path leaves it, no link is followed, each file is read once."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from reports.checking.stated import stated_in

MANIFEST = "manifest.json"
REPORT = "report.json"
REPORT_LIMIT = 512 * 1024 * 1024
_BLOCK = 1 << 20
_SPARE = 64 * 1024 * 1024


@dataclass
class Line:
    """One file of a pack: its place, digest, size and number of records (None for a file that holds none)."""

    path: str
    sha256: str
    bytes: int
    records: int | None

    def entry(self) -> dict[str, Any]:
        """The line as a manifest holds it."""
        known: dict[str, Any] = {"path": self.path, "sha256": self.sha256, "bytes": self.bytes}
        return known if self.records is None else {**known, "records": self.records}


class Pack:
    """What lies in the folder; each file is read once, and only when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._measured: dict[str, Line | None] = {}
        self._stated: tuple[int, dict[str, Any]] | None = None
        self.present = frozenset(_walk(folder))

    def actual(self) -> list[Line]:
        """Every plain file by its name."""
        return [line for name in sorted(self.present) if (line := self.measure(name)) is not None]

    def size(self, name: str) -> int | None:
        """The bytes of a plain file, unread; None for anything else."""
        file = open_plain(self._folder, name) if name in self.present else None
        if file is None:
            return None
        with file:
            return os.fstat(file.fileno()).st_size

    def read(self, name: str, limit: int) -> bytes | None:
        """A plain file's content, and one byte more than `limit` where it holds more than that; None for anything else."""
        file = open_plain(self._folder, name) if name in self.present else None
        if file is None:
            return None
        try:
            with file:
                return file.read(limit + 1)
        except OSError:
            return None

    def measure(self, name: str, claimed: int | None = None) -> Line | None:
        """What a file really is; None for anything but a plain file that can be read.

        One much larger than `claimed` is not read: its size alone tells that it is another.
        """
        if claimed is not None and (size := self.size(name)) is not None and size > claimed + _SPARE:
            return Line(name, "", size, None)
        if name not in self._measured:
            self._measured[name] = self._read(name) if name in self.present else None
        return self._measured[name]

    def _read(self, name: str) -> Line | None:
        file = open_plain(self._folder, name)
        if file is None:
            return None
        digest, size, rows = sha256(), 0, _counter(name)
        try:
            with file:
                while block := file.read(_BLOCK):
                    digest.update(block)
                    size += len(block)
                    if rows is not None:
                        rows.feed(block)
        except OSError:
            return None
        records = rows.rows() if rows is not None else None
        if name == REPORT:
            records = self.stated()[0]
        return Line(name, digest.hexdigest(), size, records)

    def stated(self) -> tuple[int, dict[str, Any]]:
        """How many findings report.json holds and how many records it says each table has."""
        if self._stated is None:
            size = self.size(REPORT)
            file = open_plain(self._folder, REPORT) if size is not None and size <= REPORT_LIMIT else None
            if file is None:
                return 0, {}
            with file:
                self._stated = stated_in(file)
        return self._stated


def open_plain(folder: Path, name: str) -> BinaryIO | None:
    """A regular file inside the folder, no link followed on the way; None where there is none."""
    place = folder
    parts = name.split("/")
    try:
        for part in parts[:-1]:
            place = place / part
            if not stat.S_ISDIR(os.lstat(place).st_mode):
                return None
        place = place / parts[-1]
        if not stat.S_ISREG(os.lstat(place).st_mode):
            return None
        return place.open("rb")
    except (OSError, ValueError):
        return None


def _walk(folder: Path) -> Iterator[str]:
    """Every entry below the folder by its relative path; links are named, never followed, and of folders those that hold nothing."""
    pending = [""]
    while pending:
        prefix, bare = pending.pop(), True
        try:
            with os.scandir(folder / prefix) as entries:
                for entry in entries:
                    bare = False
                    name = f"{prefix}{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(f"{name}/")
                    else:
                        yield name
            if bare and prefix:
                yield prefix
        except OSError:
            yield prefix.rstrip("/")


class RecordCounter:
    """Counts the records of a CSV file by line ends outside quotes, in one pass and constant memory."""

    def __init__(self) -> None:
        self._ends = 0
        self._quoted = False
        self._open = False

    def feed(self, block: bytes) -> None:
        for position, part in enumerate(block.split(b'"')):
            if position:
                self._quoted = not self._quoted
                self._open = True
            if part and not self._quoted:
                self._ends += part.count(b"\n")
                self._open = not part.endswith(b"\n")
            elif part:
                self._open = True

    def rows(self) -> int:
        """Records without the header; a last record without a line end counts."""
        return max(0, self._ends + self._open - 1)


class LineCounter:
    """Counts the records of JSON lines; a last one without a line end counts."""

    def __init__(self) -> None:
        self._ends = 0
        self._last = b"\n"

    def feed(self, block: bytes) -> None:
        self._ends += block.count(b"\n")
        self._last = block[-1:] or self._last

    def rows(self) -> int:
        return self._ends + (self._last != b"\n")


def _counter(name: str) -> RecordCounter | LineCounter | None:
    """What counts the records of a table by its name, None for a file that is none."""
    if name.endswith(".csv"):
        return RecordCounter()
    return LineCounter() if name.endswith(".jsonl") else None


def shown(name: str) -> str:
    """A file name as text; bytes that are no UTF-8 are spelled out."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
