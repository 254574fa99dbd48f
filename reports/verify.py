"""Checks a pack with nothing but the pack: standard library alone, no database, no network, nothing else of Remit's.

What it proves: the files are those the manifest lists, byte for byte (integrity), and every table holds as many
records as was claimed when it was written (completeness). Who wrote it, only a signature shows, checked against a public
key that the reader has from elsewhere. The pack is taken to be hostile: no path leaves it, no link is followed, nothing
is executed. `reports.bundle` makes the pack's own verify.py of this module and those it imports.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from reports.checking.folder import MANIFEST, REPORT, Line, Pack, shown
from reports.checking.merkle import EVIDENCE_SCHEMA, evidence_root, proven
from reports.checking.signatures import (
    SIGNATURE_FILES,
    SIGNATURE_LIMIT,
    Signed,
    canonical,
    key_id,
    read_signature,
    strict_json,
)

MANIFEST_SCHEMA = "remit-pack/1"
ROOT_PREFIX = b"remit-pack/1 root\n"
EVIDENCE = "evidence.json"
_MANIFEST_LIMIT = 16 * 1024 * 1024
_EVIDENCE_LIMIT = 64 * 1024 * 1024
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
    """`valid` against a key that was given; `untrusted` where only the pack itself names the key; `invalid`; `absent`.

    `key` is the fingerprint of the key that signed, `file` where the signature lies, `why` what is wrong with it.
    """

    state: str = "absent"
    key: str = ""
    file: str = ""
    why: str = ""
    wanted: bool = False


@dataclass
class Verification:
    """The answer, in the shape `remit verify --json` prints. `reasons` says why a file is called altered."""

    integrity: str = "intact"
    altered: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    completeness: Completeness = field(default_factory=Completeness)
    signature: Signature = field(default_factory=Signature)
    proof: dict[str, Any] | None = None
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """True for a pack that is intact and complete, not wrongly signed, and signed with the key where one was given."""
        whole = self.integrity == "intact" and self.completeness.claimed == self.completeness.found
        signed = self.signature.state == "valid" if self.signature.wanted else self.signature.state != "invalid"
        return whole and signed and (self.proof is None or self.proof["state"] == "belongs")

    def blame(self, path: str, reason: str) -> None:
        if path not in self.reasons:
            self.altered.append(path)
            self.reasons[path] = reason

    def as_dict(self) -> dict[str, Any]:
        """The JSON shape."""
        proof = {} if self.proof is None else {"proof": self.proof}
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
            "signature": {
                "state": self.signature.state,
                "key": self.signature.key,
                "file": self.signature.file,
                "why": self.signature.why,
            },
            "reasons": self.reasons,
            **proof,
        }


def verify(path: Path, key: bytes | None = None, proof: bytes | None = None) -> Verification:
    """Check the pack in a folder (or the folder of the manifest named); raises NotAPack where there is no folder.

    `key` is the Ed25519 public key (32 bytes) that must have signed it, `proof` a file of `remit prove` about one record.
    """
    folder = path.parent if path.name == MANIFEST and not path.is_dir() else path
    if not folder.is_dir():
        raise NotAPack(f"{path} is not a folder; name the folder a report was written to")
    result = Verification()
    result.signature.wanted = key is not None
    pack = Pack(folder)
    data = pack.read(MANIFEST, _MANIFEST_LIMIT)
    if data is None or len(data) > _MANIFEST_LIMIT:
        if data is not None or MANIFEST in pack.present:
            result.blame(MANIFEST, "not a plain file that can be read" if data is None else "larger than any manifest")
        else:
            result.missing.append(MANIFEST)
        result.integrity = "altered"
        if proof is not None:
            result.proof = _proof(proof, None)
        return result
    body, lines = _manifest(data, pack, result)
    signatures = _signatures(data, body, pack, key, result)
    for line in lines:
        _compare(line, pack, result)
    _cross_claims(pack, lines, result)
    root = _evidence(body, lines, pack, result)
    if proof is not None:
        result.proof = _proof(proof, root)
    listed = {line.path for line in lines} | signatures | {MANIFEST}
    result.extra = sorted(shown(name) for name in pack.present if name not in listed)
    result.altered.sort()
    result.missing = sorted(set(result.missing))
    result.completeness.differs.sort(key=lambda d: str(d["path"]))
    result.reasons = dict(sorted(result.reasons.items()))
    if result.altered or result.extra or result.missing:
        result.integrity = "altered"
    return result


def foreign(folder: Path) -> list[str]:
    """What lies in a pack's folder beside the files its manifest names and its signatures; these are not read."""
    pack, result = Pack(folder), Verification()
    data = pack.read(MANIFEST, _MANIFEST_LIMIT)
    if data is None or len(data) > _MANIFEST_LIMIT:
        return []
    body, lines = _manifest(data, pack, result)
    listed = {line.path for line in lines} | _signatures(data, body, pack, None, result) | {MANIFEST}
    return sorted(shown(name) for name in pack.present if name not in listed)


def _actual(pack: Pack) -> list[Line]:
    return [line for line in pack.actual() if line.path != MANIFEST and line.path not in SIGNATURE_FILES]


def _manifest(data: bytes, pack: Pack, result: Verification) -> tuple[dict[str, Any], list[Line]]:
    """The manifest and its lines. Where it alone was altered, which its root tells, the lines are those of the files found."""
    try:
        body = strict_json(data)
        written = canonical(body)
    except (ValueError, RecursionError) as error:
        twice = "an object in it names a key twice" if "twice" in str(error) else "not canonical JSON"
        result.blame(MANIFEST, twice)
        return {}, _actual(pack)
    if not isinstance(body, dict) or body.get("schema") != MANIFEST_SCHEMA or not isinstance(body.get("files"), list):
        result.blame(MANIFEST, f"not a manifest of schema {MANIFEST_SCHEMA}")
        return {}, _actual(pack)
    bare = {name: value for name, value in body.items() if name != "root"}
    if written != data:
        result.blame(MANIFEST, "not in canonical form")
    if body.get("root") != _root(bare):
        result.blame(MANIFEST, "its root does not match its content")
        actual = _actual(pack)
        if body.get("root") == _root({**bare, "files": [line.entry() for line in actual]}):
            return body, actual
    return body, _lines(body["files"], result)


def _root(body: dict[str, Any]) -> str:
    return sha256(ROOT_PREFIX + canonical(body)).hexdigest()


def _signatures(data: bytes, body: dict[str, Any], pack: Pack, key: bytes | None, result: Verification) -> set[str]:
    """Check what signs the manifest; the names of the signature files that belong to the pack.

    The pack's own manifest names its signer, so that a signature taken away is missed and an altered one found by anybody.
    Another signature belongs to it only where the key that was given made it.
    """
    present = [name for name in SIGNATURE_FILES if name in pack.present]
    told = result.signature
    if MANIFEST in result.reasons:
        # What is signed is another manifest; which of the two changed is not the signature's to say.
        told.state, told.file = ("invalid", present[0]) if present else ("absent", "")
        told.why = "the manifest it was made over was altered" if present else ""
        return set(present)
    named, signer = _signer(body, result)
    own: set[str] = set()
    keys = tuple(one for one in (key, signer) if one)
    for name in present:
        content = pack.read(name, SIGNATURE_LIMIT)
        read = Signed(False, why="not a plain file that can be read")
        if content is not None:
            read = read_signature(name, content, data, body, keys)
        if name == named and read.good and read.key != signer:
            read = Signed(False, read.key, "made with another key than the manifest names")
        if name != named and not (read.good and read.key == key):
            continue
        own.add(name)
        if told.state not in ("valid", "invalid") or not read.good:
            told.state = "invalid" if not read.good else "valid" if read.key == key else "untrusted"
            told.file, told.key, told.why = name, key_id(read.key) if read.key else "", read.why
        if not read.good:
            result.blame(MANIFEST if read.statement is not None else name, read.why)
    if named and named not in pack.present:
        result.missing.append(named)
        told.why = "the manifest names a signature that is not there"
    return own


def _signer(body: dict[str, Any], result: Verification) -> tuple[str, bytes]:
    """The signature file and the public key that the manifest names, or two empty values."""
    signer = body.get("signer")
    if signer is None:
        return "", b""
    file, key = (signer.get("file"), signer.get("key")) if isinstance(signer, dict) else (None, None)
    if file not in SIGNATURE_FILES or not isinstance(key, str) or not _HEX.fullmatch(key):
        result.blame(MANIFEST, "names a signer that cannot be one")
        return "", b""
    return file, bytes.fromhex(key)


def _evidence(body: dict[str, Any], lines: list[Line], pack: Pack, result: Verification) -> str | None:
    """The evidence's root, agreed on by evidence.json, its own lines and the manifest; None where there is none."""
    stated = body.get("evidence")
    if not any(line.path == EVIDENCE for line in lines):
        if stated is not None:
            result.missing.append(EVIDENCE)
        return None
    if EVIDENCE in result.reasons:
        return None
    data = pack.read(EVIDENCE, _EVIDENCE_LIMIT)
    if data is None:
        return None
    try:
        held = strict_json(data)
        if held["schema"] != EVIDENCE_SCHEMA:
            raise ValueError("another schema")
        root = evidence_root(held["sources"]).hex()
        counted = sum(one["records"] for one in held["sources"])
        if (held["root"], held["records"]) != (root, counted):
            result.blame(EVIDENCE, "its root or its number of records is not that of its sources")
        elif stated != {"records": counted, "root": root, "sources": len(held["sources"])}:
            result.blame(MANIFEST, f"states another evidence root than {EVIDENCE}")
        else:
            return root
    except (ValueError, KeyError, TypeError, RecursionError):
        result.blame(EVIDENCE, f"not evidence roots of schema {EVIDENCE_SCHEMA}")
    return None


def _proof(data: bytes, root: str | None) -> dict[str, Any]:
    """Whether the record a proof speaks of belongs to the evidence this pack was made from."""
    try:
        proof = strict_json(data)
    except (ValueError, RecursionError):
        return {"state": "does not belong", "record": None, "why": "the proof is not JSON"}
    found, why = proven(proof)
    record = None if why else {name: proof["record"].get(name) for name in ("source", "line", "index", "digest")}
    if not why and root is None:
        why = "the pack states no evidence root that could be relied on"
    elif not why and found != root:
        why = "it leads to another root than this pack's: the record is not in the evidence, or the evidence has changed since"
    return {"state": "does not belong" if why else "belongs", "record": record, "why": why}


_AS_LONG_AS = {
    "ocsf/compliance-findings.jsonl": "controls.csv",
    "ocsf/detection-findings.jsonl": "findings.csv",
    REPORT: "findings.csv",
}
"""Files with a record for each row of a table, of which report.json states the length."""


def _lines(files: list[Any], result: Verification) -> list[Line]:
    lines: dict[str, Line] = {}
    for item in files:
        line = _line(item)
        if line is None:
            result.blame(MANIFEST, "holds an entry that is not a file of the pack")
        elif line.path in lines:
            result.blame(MANIFEST, "lists a file twice")
        else:
            lines[line.path] = line
    return list(lines.values())


def _line(item: object) -> Line | None:
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
    return Line(path, digest, size if isinstance(size, int) else 0, records)


def inside(path: str) -> bool:
    """True for a relative path of plain names that cannot leave the pack, the manifest itself left out."""
    return (
        len(path) <= 1000
        and path not in (MANIFEST, *SIGNATURE_FILES)
        and all(_SEGMENT.fullmatch(part) for part in path.split("/"))
    )


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _compare(line: Line, pack: Pack, result: Verification) -> None:
    actual = pack.measure(line.path, line.bytes)
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


def _cross_claims(pack: Pack, lines: list[Line], result: Verification) -> None:
    """Hold the manifest's counts against those report.json states, so that both must be rewritten to hide a record."""
    by_path = {line.path: line for line in lines}
    claims = dict(pack.stated()[1]) if REPORT in by_path else {}
    for path, table in _AS_LONG_AS.items():
        if path in by_path and table in claims:
            claims.setdefault(path, claims[table])
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
