"""Checks a pack with nothing but the pack: standard library alone, no database, no network, nothing else of Remit's.

What it proves: the files are those the manifest lists, byte for byte (integrity), and every table holds as many
records as was claimed when it was written (completeness). What it does not prove: who wrote the pack; that takes a
signature over the manifest. The pack is taken to be hostile: no path leaves it, no link is followed, nothing is executed.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

MANIFEST = "manifest.json"
MANIFEST_SCHEMA = "remit-pack/1"
ROOT_PREFIX = b"remit-pack/1 root\n"
REPORT = "report.json"
_MANIFEST_LIMIT = 16 * 1024 * 1024
_REPORT_LIMIT = 512 * 1024 * 1024
_BLOCK = 1 << 20
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
_HEX = re.compile(r"[0-9a-f]{64}")


class NotAPack(ValueError):
    """The path names nothing that could be a pack; the text is one sentence to show."""


@dataclass
class Completeness:
    """Records claimed and found over all tables; `differs` names the tables where the two are not equal."""

    claimed: int = 0
    found: int = 0
    differs: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Signature:
    state: str = "absent"
    key: str = ""


@dataclass
class Verification:
    """The answer, in the shape `remit verify --json` prints. `reasons` says why a file is called altered."""

    integrity: str = "intact"
    altered: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    completeness: Completeness = field(default_factory=Completeness)
    signature: Signature = field(default_factory=Signature)
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """True for a pack that is intact and complete."""
        return self.integrity == "intact" and self.completeness.claimed == self.completeness.found

    def blame(self, path: str, reason: str) -> None:
        if path not in self.reasons:
            self.altered.append(path)
            self.reasons[path] = reason

    def as_dict(self) -> dict[str, Any]:
        """The JSON shape."""
        return {
            "integrity": self.integrity,
            "altered": self.altered,
            "extra": self.extra,
            "missing": self.missing,
            "completeness": {
                "claimed": self.completeness.claimed,
                "found": self.completeness.found,
                "differs": self.completeness.differs,
            },
            "signature": {"state": self.signature.state, "key": self.signature.key},
            "reasons": self.reasons,
        }


@dataclass
class _Line:
    path: str
    sha256: str
    bytes: int
    records: int | None

    def entry(self) -> dict[str, Any]:
        """The line as a manifest holds it."""
        known: dict[str, Any] = {"path": self.path, "sha256": self.sha256, "bytes": self.bytes}
        return known if self.records is None else {**known, "records": self.records}


def verify(path: Path) -> Verification:
    """Check the pack in a folder (or the folder of the manifest named); raises NotAPack where there is no folder."""
    folder = path.parent if path.name == MANIFEST and not path.is_dir() else path
    if not folder.is_dir():
        raise NotAPack(f"{path} is not a folder; name the folder a report was written to")
    result = Verification()
    data = _manifest_bytes(folder, result)
    if data is None:
        result.integrity = "altered"
        return result
    pack = _Pack(folder)
    lines = _manifest(data, pack, result)
    for line in lines:
        _compare(line, pack, result)
    _cross_claims(pack, lines, result)
    listed = {line.path for line in lines}
    result.extra = sorted(_shown(name) for name in pack.present if name not in listed)
    result.altered.sort()
    result.missing.sort()
    result.completeness.differs.sort(key=lambda d: str(d["path"]))
    result.reasons = dict(sorted(result.reasons.items()))
    if result.altered or result.extra or result.missing:
        result.integrity = "altered"
    return result


def _shown(name: str) -> str:
    """A file name as text; bytes that are no UTF-8 are spelled out."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


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


class _Pack:
    """What lies in the folder; each file is read once, and only when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._measured: dict[str, _Line | None] = {}
        self._body: dict[str, Any] | None = None
        self.present = frozenset(name for name in _walk(folder) if name != MANIFEST)

    def actual(self) -> list[_Line]:
        """Every plain file by its name."""
        return [line for name in sorted(self.present) if (line := self.measure(name)) is not None]

    def measure(self, name: str) -> _Line | None:
        """What a file really is; None for anything but a plain file that can be read."""
        if name not in self._measured:
            self._measured[name] = self._read(name) if name in self.present else None
        return self._measured[name]

    def _read(self, name: str) -> _Line | None:
        file = open_plain(self._folder, name)
        if file is None:
            return None
        digest, size, rows = sha256(), 0, _RecordCounter() if name.endswith(".csv") else None
        with file:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
                if rows is not None:
                    rows.feed(block)
        records = rows.rows() if rows is not None else None
        if name == REPORT:
            findings = self.report().get("findings")
            records = len(findings) if isinstance(findings, list) else 0
        return _Line(name, digest.hexdigest(), size, records)

    def report(self) -> dict[str, Any]:
        """report.json, or an empty object where there is none that can be read."""
        if self._body is None:
            self._body = {}
            file = open_plain(self._folder, REPORT)
            if file is not None:
                with file:
                    data = file.read(_REPORT_LIMIT + 1)
                try:
                    body = json.loads(data) if len(data) <= _REPORT_LIMIT else {}
                except (ValueError, RecursionError):
                    body = {}
                self._body = body if isinstance(body, dict) else {}
        return self._body


def _manifest_bytes(folder: Path, result: Verification) -> bytes | None:
    file = open_plain(folder, MANIFEST)
    if file is None:
        result.missing.append(MANIFEST)
        return None
    with file:
        data = file.read(_MANIFEST_LIMIT + 1)
    if len(data) > _MANIFEST_LIMIT:
        result.blame(MANIFEST, "larger than any manifest")
        return None
    return data


def _manifest(data: bytes, pack: _Pack, result: Verification) -> list[_Line]:
    """The manifest's lines. Where it alone was altered, which its root tells, the lines are those of the files found."""
    try:
        body = json.loads(data)
        canonical = _canonical(body)
    except (ValueError, RecursionError):
        result.blame(MANIFEST, "not canonical JSON")
        return pack.actual()
    if not isinstance(body, dict) or body.get("schema") != MANIFEST_SCHEMA or not isinstance(body.get("files"), list):
        result.blame(MANIFEST, f"not a manifest of schema {MANIFEST_SCHEMA}")
        return pack.actual()
    root = body.pop("root", None)
    if canonical != data:
        result.blame(MANIFEST, "not in canonical form")
    if root != _root(body):
        result.blame(MANIFEST, "its root does not match its content")
        actual = [line.entry() for line in pack.actual()]
        if root == _root({**body, "files": actual}):
            return pack.actual()
    return _lines(body["files"], result)


def _root(body: dict[str, Any]) -> str:
    return sha256(ROOT_PREFIX + _canonical(body)).hexdigest()


def _canonical(value: object) -> bytes:
    """RFC 8785 for what a manifest holds: objects, arrays, strings and whole numbers."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def _lines(files: list[Any], result: Verification) -> list[_Line]:
    lines: dict[str, _Line] = {}
    for item in files:
        line = _line(item)
        if line is None:
            result.blame(MANIFEST, "holds an entry that is not a file of the pack")
        elif line.path in lines:
            result.blame(MANIFEST, "lists a file twice")
        else:
            lines[line.path] = line
    return list(lines.values())


def _line(item: object) -> _Line | None:
    """One entry, or None where it is malformed or names a path outside the pack."""
    if not isinstance(item, dict):
        return None
    path, digest, size, records = item.get("path"), item.get("sha256"), item.get("bytes"), item.get("records")
    if not isinstance(path, str) or not inside(path):
        return None
    if not isinstance(digest, str) or not _HEX.fullmatch(digest) or not _count(size):
        return None
    if records is not None and not _count(records):
        return None
    return _Line(path, digest, size if isinstance(size, int) else 0, records)


def inside(path: str) -> bool:
    """True for a relative path of plain names that cannot leave the pack, the manifest itself left out."""
    return len(path) <= 1000 and path != MANIFEST and all(_SEGMENT.fullmatch(part) for part in path.split("/"))


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _compare(line: _Line, pack: _Pack, result: Verification) -> None:
    actual = pack.measure(line.path)
    if actual is None:
        if line.path in pack.present:
            result.blame(line.path, "not a plain file that can be read")
        else:
            result.missing.append(line.path)
    elif actual.bytes != line.bytes:
        result.blame(line.path, f"{actual.bytes} bytes where the manifest says {line.bytes}")
    elif actual.sha256 != line.sha256:
        result.blame(line.path, "its SHA-256 is not the manifest's")
    if line.records is not None:
        _count_up(result, line.path, line.records, (actual.records or 0) if actual is not None else 0)


def _count_up(result: Verification, path: str, claimed: int, found: int) -> None:
    """Add one table to the sums."""
    done = result.completeness
    done.claimed += claimed
    done.found += found
    if claimed != found:
        done.differs.append({"path": path, "claimed": claimed, "found": found})


class _RecordCounter:
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


def _cross_claims(pack: _Pack, lines: list[_Line], result: Verification) -> None:
    """Hold the manifest's counts against those report.json states, so that both must be rewritten to hide a record."""
    by_path = {line.path: line for line in lines}
    claims = pack.report().get("records") if REPORT in by_path else None
    if not isinstance(claims, dict):
        return
    for path, claimed in sorted(claims.items()):
        if not _count(claimed) or not inside(path):
            continue
        line = by_path.get(path)
        stated = line.records if line is not None and line.records is not None else 0
        if line is None:
            result.missing.append(path)
        if claimed > stated:
            result.completeness.claimed += claimed - stated
            result.completeness.differs.append({"path": path, "claimed": claimed, "found": stated})
        elif claimed < stated:
            result.blame(MANIFEST, "claims more records than report.json")


def _walk(folder: Path) -> Iterator[str]:
    """Every entry below the folder by its relative path; links are named, never followed."""
    pending = [""]
    while pending:
        prefix = pending.pop()
        try:
            with os.scandir(folder / prefix) as entries:
                for entry in entries:
                    name = f"{prefix}{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(f"{name}/")
                    else:
                        yield name
        except OSError:
            yield prefix.rstrip("/")
