"""Evidence roots and proofs: one number that stands for every imported record, and a short file that shows one record to be among them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import rfc8785

from model.event import RecordRef
from reports.checking.merkle import PROOF_SCHEMA, Tree, source_line
from reports.input import SourceEvidence
from review.documents import Doc
from review.errors import RemitError
from review.show.known import Known
from review.workspace import Workspace

_HEX = re.compile(r"[0-9a-f]{6,64}")


def evidence_roots(work: Workspace, until: int | None = None) -> Iterator[SourceEvidence]:
    """Of every source the number of its records and the root over their digests, by id; without records logged after `until`."""
    for source in sorted(work.store.sources(until), key=lambda one: one.id):
        tree = Tree()
        for _, digest in work.store.record_digests(source.id, until):
            tree.add(digest)
        yield SourceEvidence(source.id, source.name, tree.size, tree.root().hex())


def prove(work: Workspace, name: str, as_of: int | None = None) -> Doc:
    """The proof that a record belongs to the evidence of this store; `name` is its id or the beginning of its digest.

    It fits packs made as of the same moment (None: the last evidence); raises RemitError for a record that was logged later.
    """
    until = Known(work, as_of).until if as_of is not None else None
    record = _record(work, name)
    ref = record[1]
    wanted = bytes.fromhex(ref.digest)
    pairs = work.store.record_digests(ref.source, until)
    place = next((n for n, pair in enumerate(pairs) if pair == (record[0], wanted)), None)
    if place is None:
        raise RemitError(f"record {name.strip()[:70]} was logged after that moment, so no pack as of then holds it")
    within = Tree([place])
    for _, digest in work.store.record_digests(ref.source, until):
        within.add(digest)
    within.root()
    roots = list(evidence_roots(work, until))
    at = next(n for n, one in enumerate(roots) if one.source == ref.source)
    over = Tree([at])
    for one in roots:
        over.add(source_line(one.source, one.records, one.root))
    root = over.root()
    return {
        "schema": PROOF_SCHEMA,
        "record": {
            "source": ref.source,
            "name": ref.name,
            "line": ref.line,
            "index": ref.index,
            "offset": ref.offset,
            "digest": ref.digest,
        },
        "in_source": _path(within, place),
        "in_evidence": _path(over, at),
        "root": root.hex(),
    }


def _path(tree: Tree, position: int) -> Doc:
    return {"position": position, "size": tree.size, "path": [one.hex() for one in tree.paths[position]]}


def _record(work: Workspace, name: str) -> tuple[str, RecordRef]:
    text = name.strip()
    lowered = text.lower()
    prefix = lowered if _HEX.fullmatch(lowered) else ""
    rows = work.store.records(work.store.record_by_digest(prefix) if prefix else [text])
    found = [(id, ref) for id, row in rows.items() for ref in (row.ref, *row.variants) if ref.digest.startswith(prefix)]
    if not found:
        raise RemitError(f"there is no record {text[:70]!r}; give a record's id or the first hex digits of its digest")
    if len({ref.digest for _, ref in found}) > 1 and prefix:
        raise RemitError(f"{text[:70]} begins the digests of {len(found)} records or more; give more digits")
    return min(found, key=lambda one: (one[1].source, one[1].line, one[1].index or 0, one[1].offset, one[0]))


def write_proof(path: Path, proof: Doc) -> None:
    """Write a proof to a file as canonical JSON."""
    try:
        path.write_bytes(rfc8785.dumps(proof))
    except OSError as error:
        raise RemitError(f"cannot write {path}: {error.strerror or error}") from error
