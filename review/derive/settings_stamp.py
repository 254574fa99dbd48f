"""What derived rows rest on besides the records, as one digest: where it differs, they are derived again."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from chains.detections import registry
from review.derive.enforced import Policies
from review.workspace import Workspace

BUILT = 3
"""Counts up when tasks are put together in another way: what a store has derived is then derived again."""


def settings_stamp(work: Workspace) -> str:
    """What derived rows rest on besides the records: the organisation file, the policies it names, the detections' versions, one's
    own detections as they stand, and the way tasks are built."""
    versions = ",".join(f"{one.id}={one.version}" for one in registry().values())
    own = "".join(f",{one.id}={one.digest}" for one in work.own.detections)
    stamp = f"{versions}{own}{Policies(work.store, work.facts).stamp}{BUILT}"
    body = msgspec.json.encode(work.organisation) + stamp.encode()
    return sha256(body).hexdigest()
