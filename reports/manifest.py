"""manifest.json: every file of a pack with its digest, size and number of records, and a root over the manifest itself."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import rfc8785

from reports.verify import MANIFEST, MANIFEST_SCHEMA, ROOT_PREFIX


def entry(path: Path, name: str, records: int) -> dict[str, Any]:
    """One file's line: `records` is left out for a file that holds none."""
    digest, size = sha256(), 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            size += len(block)
    line: dict[str, Any] = {"path": name, "sha256": digest.hexdigest(), "bytes": size}
    if records >= 0:
        line["records"] = records
    return line


def seal(body: dict[str, Any]) -> dict[str, Any]:
    """The manifest with its root: SHA-256 over a fixed prefix and the canonical JSON of everything else in it."""
    root = sha256(ROOT_PREFIX + rfc8785.dumps(body)).hexdigest()
    return {**body, "root": root}


def write(folder: Path, records: dict[str, int], about: dict[str, str]) -> dict[str, Any]:
    """Write the manifest over the named files and return it."""
    files = [entry(folder / name, name, records[name]) for name in sorted(records)]
    manifest = seal({"schema": MANIFEST_SCHEMA, "about": about, "files": files})
    (folder / MANIFEST).write_bytes(rfc8785.dumps(manifest))
    return manifest
