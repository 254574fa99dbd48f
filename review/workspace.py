"""Workspace: a store, the organisation's facts and the pseudonym key, opened together for one command or one sitting."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from chains.org import OrgFacts, org_schema
from chains.org import load as load_org
from lang.redact import Redactor
from lang.yamlread import YamlError
from model.org import Org
from review import locations
from review.errors import RemitError
from review.keys import key_id, pseudonym_key
from store import Store, StoreError, open_store

if TYPE_CHECKING:
    from review.own import Own


@dataclass
class Workspace:
    """What a use case works on. Close it, or use it as a context manager."""

    store: Store
    location: str
    facts: OrgFacts
    org_path: Path | None = None
    detections_dir: Path | None = None

    @cached_property
    def own(self) -> Own:
        """The organisation's own detections; read when first asked for."""
        from review.own import load_own

        named = self.organisation.own_detections
        return load_own(self.detections_dir, named, self.org_path.parent if self.org_path else None)

    @cached_property
    def redactor(self) -> Redactor:
        key = pseudonym_key()
        try:
            self.store.bind_key(key_id(key))
        except StoreError as error:
            raise RemitError(str(error)) from error
        return Redactor(key)

    @property
    def organisation(self) -> Org:
        return self.facts.org

    def close(self) -> None:
        self.store.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_workspace(
    store: str | None, org: str | None = None, *, detections: str | None = None, create: bool = False, readonly: bool = False
) -> Workspace:
    """Open the named or default store with its organisation file and own detections; raises RemitError with what to do."""
    location = store or locations.default_store()
    facts = organisation(location, org)
    folder = own_folder(detections)
    if not locations.is_url(location):
        path = Path(location)
        if create:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise RemitError(f"cannot create the folder {path.parent}: {error.strerror}") from error
        elif not path.exists():
            raise RemitError(f"there is no store at {location}; import logs with `remit import PATH`, or try `remit demo`")
    try:
        return Workspace(
            open_store(location, create=create, readonly=readonly), location, facts, locations.org_file(location, org), folder
        )
    except StoreError as error:
        raise RemitError(str(error)) from error


def organisation(location: str, named: str | None) -> OrgFacts:
    """What the organisation file says; raises RemitError with line and column where it is wrong."""
    text = organisation_text(location, named)
    try:
        return OrgFacts(load_org(text)) if text else OrgFacts(Org())
    except YamlError as error:
        raise RemitError(f"{locations.org_file(location, named)}: {error}") from error


def own_folder(named: str | None) -> Path | None:
    """The folder of own detections; raises RemitError where one is named that is none."""
    folder = locations.detections_dir(named)
    if folder is not None and not folder.is_dir():
        raise RemitError(f"there is no folder of detections at {folder}")
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
    return org_schema()


def validate_organisation(location: str, named: str | None) -> str:
    """ "valid" or "absent"; raises RemitError with line and column where the file is wrong."""
    if not organisation_text(location, named):
        return "absent"
    organisation(location, named)
    return "valid"


def whoami() -> str:
    """The identity that acts: the OS user's login name."""
    try:
        import pwd

        return pwd.getpwuid(os.geteuid()).pw_name
    except (ImportError, KeyError):
        return os.environ.get("USERNAME") or "unknown"
