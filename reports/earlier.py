"""Earlier reports, as folders, ZIP files or `report.json` alone, read to be compared with."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from reports.checking.folder import MANIFEST, REPORT
from reports.errors import PackError
from reports.zipped import unpacked

MOST_BYTES = 512 << 20


class Altered(PackError):
    """The report is not the one that the pack's own manifest lists."""


class Earlier(msgspec.Struct, frozen=True):
    """A report by the name of its folder or file, the SHA-256 of its `report.json`, and its document."""

    name: str
    sha256: str
    document: dict[str, Any]


def read_report(path: Path) -> Earlier:
    """The report of a pack or in a `report.json`; raises PackError, and Altered where it is not what the manifest lists."""
    if path.is_dir():
        return _of_folder(path, path)
    if not path.is_file():
        raise PackError(f"there is no pack or report at {path}")
    try:
        with path.open("rb") as file:
            zipped = file.read(4) == b"PK\x03\x04"
    except OSError as error:
        raise PackError(f"cannot read {path}: {error.strerror or error}") from error
    if not zipped:
        return _decode(_bytes(path, path), path)
    with unpacked(path) as folder:
        return _of_folder(folder, path)


def _of_folder(folder: Path, named: Path) -> Earlier:
    if not (folder / REPORT).is_file():
        raise PackError(f"{named} holds no {REPORT}; a pack made with `--only` needs json among its formats to be compared")
    data = _bytes(folder / REPORT, named)
    if (folder / MANIFEST).is_file():
        listed = _listed(_bytes(folder / MANIFEST, named))
        if listed is None or listed != sha256(data).hexdigest():
            raise Altered(f"{REPORT} of {named} is not the one its manifest lists; `remit verify {named}` says more")
    return _decode(data, named)


def _listed(data: bytes) -> str | None:
    """The SHA-256 that a manifest lists for report.json; None where it lists none."""
    try:
        files = msgspec.json.decode(data)["files"]
        return next((str(one["sha256"]) for one in files if one["path"] == REPORT), None)
    except (msgspec.DecodeError, KeyError, TypeError, RecursionError):
        return None


def _bytes(path: Path, named: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise PackError(f"cannot read {path.name} of {named}: {error.strerror or error}") from error
    if len(data) > MOST_BYTES:
        raise PackError(f"{path.name} of {named} is larger than any report")
    return data


def _decode(data: bytes, named: Path) -> Earlier:
    try:
        body = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise PackError(f"the report of {named} is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise PackError(f"the report of {named} is no JSON object")
    return Earlier(named.resolve().name, sha256(data).hexdigest(), body)
