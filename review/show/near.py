"""What to say after an id that names nothing."""

from __future__ import annotations

from collections.abc import Collection

from review.workspace import Workspace


def nearest(work: Workspace, id: str, kinds: Collection[str] = ()) -> str:
    """The ids it may have been meant for, "" where none is like it."""
    near = [f"{kind} {one}" for kind, one in work.store.nearest(id) if not kinds or kind in kinds]
    return f"; did you mean {' or '.join(near)}?" if near else ""
