"""Merkle trees as RFC 6962 (2.1) builds them: one root over many records, and a short proof that a record is among them.

A leaf is SHA-256(0x00 ‖ data), a node SHA-256(0x01 ‖ left ‖ right). Per source the leaves are the SHA-256 digests of its
records in order (line, index, offset); over the sources they are canonical JSON lines of id, number of records and root.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

EVIDENCE_SCHEMA = "remit-evidence/1"
PROOF_SCHEMA = "remit-proof/1"
EMPTY = sha256(b"").digest()
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DEEPEST = 64


def leaf(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """A root over leaves that come one by one, in memory that grows with the logarithm of their number.

    With `wanted` (positions from 0) it also keeps the audit path of those leaves; `paths` has them once the root is asked for.
    """

    def __init__(self, wanted: Iterable[int] = ()) -> None:
        self.size = 0
        self.paths: dict[int, list[bytes]] = {position: [] for position in wanted}
        self._peaks: list[bytes] = []
        self._under: list[list[int]] = []
        """Of each peak, the wanted leaves below it."""

    def add(self, data: bytes) -> None:
        if not self.paths:
            top, peaks = sha256(b"\x00" + data).digest(), self._peaks
            self.size += 1
            merges = self.size
            while not merges & 1:
                top = sha256(b"\x01" + peaks.pop() + top).digest()
                merges >>= 1
            peaks.append(top)
            return
        top, below = sha256(b"\x00" + data).digest(), [self.size] if self.size in self.paths else []
        self.size += 1
        merges = self.size
        while not merges & 1:
            top, below = self._joined(self._peaks.pop(), self._under.pop(), top, below)
            merges >>= 1
        self._peaks.append(top)
        self._under.append(below)

    def _joined(self, left: bytes, lefts: list[int], right: bytes, rights: list[int]) -> tuple[bytes, list[int]]:
        for position in lefts:
            self.paths[position].append(right)
        for position in rights:
            self.paths[position].append(left)
        return sha256(b"\x01" + left + right).digest(), lefts + rights

    def root(self) -> bytes:
        """The root over all leaves; nothing may be added afterwards."""
        if not self._peaks:
            return EMPTY
        under = self._under or [[] for _ in self._peaks]
        while len(self._peaks) > 1:
            right, rights = self._peaks.pop(), under.pop()
            left, lefts = self._peaks.pop(), under.pop()
            top, below = self._joined(left, lefts, right, rights)
            self._peaks.append(top)
            under.append(below)
        return self._peaks[0]


def follow(data: bytes, position: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that an audit path leads to (RFC 9162, 2.1.3.2), or None where the path does not fit the place."""
    if not 0 <= position < size:
        return None
    at, last, found = position, size - 1, leaf(data)
    for other in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            found = node(other, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node(found, other)
        at, last = at >> 1, last >> 1
    return found if last == 0 else None


def source_line(source: str, records: int, root: str) -> bytes:
    """What stands for one source in the tree over all sources."""
    return json.dumps(
        {"records": records, "root": root, "source": source}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode("utf-8", "backslashreplace")


def evidence_root(sources: Iterable[Any]) -> bytes:
    """The root over sources as `evidence.json` lists them: objects with `source`, `records` and `root`."""
    tree = Tree()
    for one in sources:
        tree.add(source_line(one["source"], one["records"], one["root"]))
    return tree.root()


def proven(proof: object) -> tuple[str, str]:
    """(root, "") that a proof leads to, or ("", what is wrong with it)."""
    if not isinstance(proof, dict) or proof.get("schema") != PROOF_SCHEMA:
        return "", f"it is no proof of schema {PROOF_SCHEMA}"
    record, within, over = proof.get("record"), proof.get("in_source"), proof.get("in_evidence")
    if not isinstance(record, dict) or not isinstance(within, dict) or not isinstance(over, dict):
        return "", "it lacks the record or one of its two paths"
    digest, source = record.get("digest"), record.get("source")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest) or not isinstance(source, str):
        return "", "its record has no SHA-256 digest or no source"
    steps = [_steps(part) for part in (within, over)]
    if steps[0] is None or steps[1] is None:
        return "", "a path in it is malformed"
    inner = follow(bytes.fromhex(digest), within["position"], within["size"], steps[0])
    if inner is None:
        return "", "the path within the source does not fit the record's place"
    outer = follow(source_line(source, within["size"], inner.hex()), over["position"], over["size"], steps[1])
    if outer is None:
        return "", "the path over the sources does not fit the source's place"
    return outer.hex(), ""


def _steps(part: Any) -> list[bytes] | None:
    path = part.get("path")
    if not isinstance(path, list) or len(path) > _DEEPEST:
        return None
    if not all(isinstance(one, str) and _DIGEST.fullmatch(one) for one in path):
        return None
    if any(isinstance(part.get(name), bool) or not isinstance(part.get(name), int) for name in ("position", "size")):
        return None
    return [bytes.fromhex(one) for one in path]
