"""Workspace: a store, the organisation's facts and the pseudonym key, opened together for one command or one sitting."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from chains.org import OrgFacts, org_schema
from chains.org import load as load_org
from lang.redact import Redactor
from lang.yamlread import YamlError
from model.org import Org
from review import locations
from review.errors import RemitError
from review.keys import key_id, pseudonym_key
from store import Store, StoreError, open_store


@dataclass
class Workspace:
    """What a use case works on. Close it, or use it as a context manager."""

    store: Store
    location: str
    facts: OrgFacts
    org_text: str

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


def open_workspace(store: str | None, org: str | None = None, *, create: bool = False, readonly: bool = False) -> Workspace:
    """Open the named or default store with its organisation file; raises RemitError with what to do."""
    location = store or locations.default_store()
    text = organisation_text(location, org)
    try:
        facts = OrgFacts(load_org(text)) if text else OrgFacts(Org())
    except YamlError as error:
        raise RemitError(f"{locations.org_file(location, org)}: {error}") from error
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
        return Workspace(open_store(location, create=create, readonly=readonly), location, facts, text)
    except StoreError as error:
        raise RemitError(str(error)) from error


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
    text = organisation_text(location, named)
    if not text:
        return "absent"
    try:
        load_org(text)
    except YamlError as error:
        raise RemitError(f"{locations.org_file(location, named)}: {error}") from error
    return "valid"


def whoami() -> str:
    """The identity that acts: the OS user's login name."""
    try:
        import pwd

        return pwd.getpwuid(os.geteuid()).pw_name
    except (ImportError, KeyError):
        return os.environ.get("USERNAME") or "unknown"
