"""What a pack encloses for whoever checks it: the evidence's roots, the check itself as one file, and a page that explains both."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import rfc8785

from reports.bundle import NAME, single_file
from reports.checking.merkle import EVIDENCE_SCHEMA, evidence_root
from reports.input import SourceEvidence
from reports.text import neutral
from reports.verify import EVIDENCE

EXPLAINED = "VERIFY.md"


def evidence(sources: Iterable[SourceEvidence]) -> dict[str, Any]:
    """`evidence.json`: the root and number of records of each source, by id, and one root over the sources."""
    held = tuple(sources)
    lines = [
        {"source": str(neutral(one.source)), "name": str(neutral(one.name)), "records": one.records, "root": one.root}
        for one in sorted(held, key=lambda one: one.source)
    ]
    return {
        "schema": EVIDENCE_SCHEMA,
        "records": sum(one.records for one in held),
        "root": evidence_root(lines).hex(),
        "sources": lines,
    }


def write(folder: Path, roots: dict[str, Any]) -> dict[str, int]:
    """Write the three files; their names, none of which holds records that are counted."""
    (folder / EVIDENCE).write_bytes(rfc8785.dumps(roots))
    (folder / NAME).write_bytes(single_file().encode("utf-8"))
    (folder / EXPLAINED).write_bytes(files("reports").joinpath("enclosed", EXPLAINED).read_bytes())
    return {EVIDENCE: -1, NAME: -1, EXPLAINED: -1}
