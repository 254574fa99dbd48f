"""manifest.json: every file of a pack with its digest, size and number of records, and a root over the manifest itself."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import rfc8785

from reports.checking.folder import MANIFEST, open_plain
from reports.errors import PackError
from reports.signing import Signer
from reports.verify import MANIFEST_SCHEMA, ROOT_PREFIX, inside


def entry(folder: Path, name: str, records: int) -> dict[str, Any]:
    """One file's line, `name` with `/` between its parts: `records` (-1) is left out for a file that holds none.

    Raises PackError for what no reader of the pack would take: a path that leaves the folder, a link, no plain file.
    """
    digest, size = sha256(), 0
    file = open_plain(folder, name) if inside(name) else None
    if file is None:
        raise PackError(f"{name!r} is no plain file inside the pack; a format may write nothing else")
    with file:
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


def tables_digest(entries: dict[str, dict[str, Any]]) -> str:
    """One digest over the tables beside the manifest, as `sha256sum *.csv | sha256sum` gives it; "" without any."""
    tables = [name for name in sorted(entries) if name.endswith(".csv") and "/" not in name]
    lines = "".join(f"{entries[name]['sha256']}  {name}\n" for name in tables)
    return sha256(lines.encode("ascii")).hexdigest() if lines else ""


def write(
    folder: Path,
    entries: dict[str, dict[str, Any]],
    about: dict[str, Any],
    signer: Signer | None = None,
) -> dict[str, Any]:
    """Write the manifest over the files described, signed where there is a signer, and return it.

    `about` are the manifest's other parts: what the pack is about, the evidence's root, the journal's head, the parameters.
    """
    body = {"schema": MANIFEST_SCHEMA, **about, "files": [entries[name] for name in sorted(entries)]}
    manifest = seal(body if signer is None else {**body, "signer": signer.named()})
    data = rfc8785.dumps(manifest)
    (folder / MANIFEST).write_bytes(data)
    if signer is not None:
        (folder / signer.file).write_bytes(signer.sign(data, manifest))
    return manifest
