"""Check a pack: no store, no organisation file, nothing but the pack itself."""

from __future__ import annotations

from pathlib import Path

import msgspec

from reports import verify
from review.documents import Doc
from review.errors import UnreadableError


def verify_pack(path: Path) -> Doc:
    """The contract's `verify` document; raises UnreadableError where there is no pack to look at."""
    if not path.exists():
        raise UnreadableError(f"there is no pack at {path}")
    shape: Doc = msgspec.to_builtins(verify(path))
    return shape
