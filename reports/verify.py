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


def verify(path: Path) -> Verification:
    """Check the pack in a folder (or the folder of the manifest named); raises NotAPack where there is no folder."""
    folder = path.parent if path.name == MANIFEST and not path.is_dir() else path
    if not folder.is_dir():
        raise NotAPack(f"{path} is not a folder; name the folder a report was written to")
    result = Verification()
    lines = _manifest(folder, result)
    listed = {line.path for line in lines}
    for line in lines:
        _check(folder, line, result)
    _cross_claims(folder, lines, result)
    result.extra = sorted(name for name in _walk(folder) if name not in listed and name != MANIFEST)
    result.altered.sort()
    result.missing.sort()
    result.completeness.differs.sort(key=lambda d: str(d["path"]))
    result.reasons = dict(sorted(result.reasons.items()))
    if result.altered or result.extra or result.missing:
        result.integrity = "altered"
    return result


def _open(folder: Path, name: str) -> BinaryIO | None:
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


def _manifest(folder: Path, result: Verification) -> list[_Line]:
    file = _open(folder, MANIFEST)
    if file is None:
        result.missing.append(MANIFEST)
        return []
    with file:
        data = file.read(_MANIFEST_LIMIT + 1)
    if len(data) > _MANIFEST_LIMIT:
        result.blame(MANIFEST, "larger than any manifest")
        return []
    try:
        body = json.loads(data)
        canonical = _canonical(body)
    except (ValueError, RecursionError, UnicodeError):
        result.blame(MANIFEST, "not canonical JSON")
        return []
    if not isinstance(body, dict) or body.get("schema") != MANIFEST_SCHEMA or not isinstance(body.get("files"), list):
        result.blame(MANIFEST, f"not a manifest of schema {MANIFEST_SCHEMA}")
        return []
    root = body.pop("root", None)
    if canonical != data:
        result.blame(MANIFEST, "not in canonical form")
    elif root != sha256(ROOT_PREFIX + _canonical(body)).hexdigest():
        result.blame(MANIFEST, "its root does not match its content")
    return _lines(body["files"], result)


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
    if not isinstance(path, str) or len(path) > 1000 or path == MANIFEST:
        return None
    if not all(_SEGMENT.fullmatch(part) for part in path.split("/")):
        return None
    if not isinstance(digest, str) or not _HEX.fullmatch(digest) or not _count(size):
        return None
    if records is not None and not _count(records):
        return None
    return _Line(path, digest, size if isinstance(size, int) else 0, records)


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _check(folder: Path, line: _Line, result: Verification) -> None:
    file = _open(folder, line.path)
    if file is None:
        if os.path.lexists(folder / line.path):
            result.blame(line.path, "not a plain file")
        else:
            result.missing.append(line.path)
        if line.records is not None:
            _count_up(result, line.path, line.records, 0)
        return
    digest, size, records = sha256(), 0, _RecordCounter()
    table = line.records is not None and line.path.endswith(".csv")
    with file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
            if table:
                records.feed(block)
    if size != line.bytes:
        result.blame(line.path, f"{size} bytes where the manifest says {line.bytes}")
    elif digest.hexdigest() != line.sha256:
        result.blame(line.path, "its SHA-256 is not the manifest's")
    if line.records is not None:
        _count_up(result, line.path, line.records, records.rows() if table else _findings(folder, line.path))


def _count_up(result: Verification, path: str, claimed: int, found: int) -> None:
    """Add one table to the sums; a second claim on the same table replaces a lower first one."""
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


def _report(folder: Path, path: str) -> dict[str, Any]:
    file = _open(folder, path)
    if file is None:
        return {}
    with file:
        data = file.read(_REPORT_LIMIT + 1)
    try:
        body = json.loads(data) if len(data) <= _REPORT_LIMIT else {}
    except (ValueError, RecursionError, UnicodeError):
        return {}
    return body if isinstance(body, dict) else {}


def _findings(folder: Path, path: str) -> int:
    findings = _report(folder, path).get("findings")
    return len(findings) if isinstance(findings, list) else 0


def _cross_claims(folder: Path, lines: list[_Line], result: Verification) -> None:
    """Hold the manifest's counts against those report.json states, so that both must be rewritten to hide a record."""
    by_path = {line.path: line for line in lines}
    if REPORT not in by_path:
        return
    claims = _report(folder, REPORT).get("records")
    if not isinstance(claims, dict):
        return
    for path, claimed in sorted(claims.items(), key=lambda pair: str(pair[0])):
        if not _count(claimed) or not isinstance(path, str):
            continue
        line = by_path.get(path)
        stated = line.records if line is not None and line.records is not None else 0
        if line is None and path not in result.missing and all(_SEGMENT.fullmatch(p) for p in path.split("/")):
            result.missing.append(path)
        if claimed != stated:
            result.completeness.claimed += max(0, claimed - stated)
            result.completeness.differs.append({"path": path, "claimed": claimed, "found": stated})
            if claimed < stated:
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
