"""Workspace: a store, the organisation's facts and the pseudonym key, opened together for one command or one sitting."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from chains.facts import OrgFacts
from lang.redact import Redactor
from model.org import Org
from review import locations
from review.errors import RemitError
from review.keys import key_id, pseudonym_key
from review.organisation import frameworks_folder, organisation, own_folder
from store import Store, StoreError, open_store

if TYPE_CHECKING:
    from reports.library import Library
    from review.own import Own


@dataclass
class Workspace:
    """What a use case works on. Close it, or use it as a context manager."""

    store: Store
    location: str
    facts: OrgFacts
    org_path: Path | None = None
    detections_dir: Path | None = None
    frameworks_dir: Path | None = None
    overrides: tuple[Path, ...] = ()
    shown: dict[str, str] = field(default_factory=dict)
    """The state (`review.state.seen`) in which this sitting last showed a thing, by id; a command shows nothing first."""

    @cached_property
    def own(self) -> Own:
        """The organisation's own detections; read when first asked for."""
        from review.own import load_own

        named = self.organisation.own_detections
        return load_own(self.detections_dir, named, self.org_path.parent if self.org_path else None)

    @cached_property
    def library(self) -> Library:
        """The frameworks with the organisation's own files over them; read when first asked for."""
        from reports.library import library

        return library(self.frameworks_dir, self.overrides)

    @cached_property
    def redactor(self) -> Redactor:
        key = pseudonym_key()
        try:
            self.store.bind_key(key_id(key))
        except StoreError as error:
            raise RemitError(str(error)) from error
        return Redactor(key)

    @cached_property
    def identity(self) -> str:
        """Who acts: the role a PostgreSQL store is open as, else the OS user."""
        return self.store.identity() or whoami()

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
    store: str | None,
    org: str | None = None,
    *,
    detections: str | None = None,
    frameworks: str | None = None,
    overrides: Sequence[str] = (),
    create: bool = False,
    readonly: bool = False,
) -> Workspace:
    """Open the named or default store with its organisation file, own detections and frameworks; raises RemitError with what to do."""
    location = store or locations.default_store()
    facts = organisation(location, org)
    folder = own_folder(detections)
    catalogues = frameworks_folder(frameworks)
    if not locations.is_url(location) and not locations.is_miswritten(location):
        path = Path(location)
        if create:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise RemitError(f"cannot create the folder {path.parent}: {error.strerror}") from error
        elif not path.exists():
            raise RemitError(
                f"there is no store at {locations.shown(location)}; import logs with `remit import PATH`, or try `remit demo`"
            )
    try:
        return Workspace(
            open_store(location, create=create, readonly=readonly),
            location,
            facts,
            locations.org_file(location, org),
            folder,
            catalogues,
            tuple(Path(one) for one in overrides),
        )
    except StoreError as error:
        raise RemitError(str(error)) from error


def whoami() -> str:
    """The identity that acts: the OS user's login name."""
    try:
        import pwd

        return pwd.getpwuid(os.geteuid()).pw_name
    except (ImportError, KeyError):
        return os.environ.get("USERNAME") or "unknown"
