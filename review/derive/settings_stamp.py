"""What derived rows rest on besides the records, as one digest: where it differs, they are derived again."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from chains.detections import registry
from model.org import Org
from review import locations
from review.derive.enforced import Policies
from review.errors import RemitError
from review.workspace import Workspace

BUILT = 7
"""Counts up when tasks are put together in another way: what a store has derived is then derived again."""

_BUILT_WITH, _ORGANISATION = "built_with", "built_organisation"


def settings_stamp(work: Workspace) -> str:
    """What derived rows rest on besides the records: the organisation file, the policies it names, the detections' versions, one's
    own detections as they stand, and the way tasks are built."""
    versions = ",".join(f"{one.id}={one.version}" for one in registry().values())
    own = "".join(f",{one.id}={one.digest}" for one in work.own.detections)
    stamp = f"{versions}{own}{Policies(work.store, work.facts).stamp}{BUILT}"
    body = msgspec.json.encode(work.organisation) + stamp.encode()
    return sha256(body).hexdigest()


def keep_stamps(work: Workspace) -> str | None:
    """Keep what derived rows are built with from now on; where they were built with other things, a sentence that says so, else None.

    The sentence is "" where nothing was ever built.
    """
    store, stamp, organisation = work.store, settings_stamp(work), _organisation_stamp(work)
    held, before = store.get_meta(_BUILT_WITH), store.get_meta(_ORGANISATION)
    if before != organisation:
        store.set_meta(_ORGANISATION, organisation)
    if held == stamp:
        return None
    if held is not None:
        store.clear_derived()
    store.set_meta(_BUILT_WITH, stamp)
    if held is None:
        return ""
    changed = (
        "the organisation file is"
        if before is not None and before != organisation
        else "detections, policies in force or Remit's version are"
    )
    return f"{changed} not what this store's tasks were built with before: all of them are built again"


def require_organisation(work: Workspace) -> None:
    """Raises RemitError where a shared store's tasks were built with an organisation file and none is named here.

    They would all be built again without owners and environments, and be of no team, because one of several importers was not told;
    a report would speak of half. Beside a SQLite file `org.yaml` is found by its place, so that its absence is somebody's wish.
    """
    if work.org_path is None and locations.is_url(work.location) and work.store.get_meta(_ORGANISATION):
        raise RemitError(
            "the tasks of this store were built with an organisation file and none is named here, so all would be worked out anew "
            "without owners, environments and aliases; name the same file with --org, REMIT_ORG or `org` of the settings file (an "
            "empty one to do without)"
        )


def _organisation_stamp(work: Workspace) -> str:
    """Digest of what the organisation file says, "" where it says nothing."""
    said = work.organisation
    return sha256(msgspec.json.encode(said)).hexdigest() if said != Org() else ""
