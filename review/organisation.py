"""The organisation file and the folder of own detections: found, read, and complained of with line and column."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from review import locations
from review.errors import RemitError

if TYPE_CHECKING:
    from chains.facts import OrgFacts


def organisation(location: str, named: str | None) -> OrgFacts:
    """What the organisation file says; raises RemitError with line and column where it is wrong."""
    from chains.facts import OrgFacts
    from model.org import Org

    text = organisation_text(location, named)
    if not text:
        return OrgFacts(Org())
    from chains.org import load
    from lang.yamlread import YamlError

    try:
        return OrgFacts(load(text))
    except YamlError as error:
        raise RemitError(f"{locations.org_file(location, named)}: {error}") from error


def own_folder(named: str | None) -> Path | None:
    """The folder of own detections; raises RemitError where one is named that is none."""
    folder = locations.detections_dir(named)
    if folder is not None and not folder.is_dir():
        raise RemitError(f"there is no folder of detections at {folder}")
    return folder


def frameworks_folder(named: str | None) -> Path | None:
    """The folder of own catalogues, crosswalks and overrides; raises RemitError where one is named that is none."""
    folder = locations.frameworks_dir(named)
    if folder is not None and not folder.is_dir():
        raise RemitError(f"there is no folder of frameworks at {folder}")
    return folder


def organisation_text(location: str, named: str | None) -> str:
    path = locations.org_file(location, named)
    if path is None:
        return ""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise RemitError(f"cannot read the organisation file {path}: {reason}") from error


def organisation_schema() -> dict[str, Any]:
    """The published JSON Schema of `org.yaml`."""
    from chains.org import org_schema

    return org_schema()


def validate_organisation(location: str, named: str | None) -> str:
    """ "valid" or "absent"; raises RemitError with line and column where the file is wrong."""
    if not organisation_text(location, named):
        return "absent"
    organisation(location, named)
    return "valid"
