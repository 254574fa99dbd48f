"""Check a pack: no store, no organisation file, nothing but the pack itself."""

from __future__ import annotations

from pathlib import Path

from reports.verify import NotAPack, verify
from review.documents import Doc
from review.errors import UnreadableError


def verify_pack(path: Path) -> Doc:
    """The contract's `verify` document; raises UnreadableError where there is no pack to look at."""
    if not path.exists():
        raise UnreadableError(f"there is no pack at {path}")
    try:
        return dict(verify(path).as_dict())
    except NotAPack as error:
        raise UnreadableError(str(error)) from error
