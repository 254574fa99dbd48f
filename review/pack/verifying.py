"""Check a pack: no store, no organisation file, nothing but the pack itself and what the reader brings to it."""

from __future__ import annotations

from pathlib import Path

from reports.checking.command import told
from reports.errors import PackError
from reports.verify import NotAPack, verify
from reports.zipped import is_zipped, unpacked
from review.documents import Doc
from review.errors import UnreadableError
from review.pack.signing import read_public

__all__ = ["told", "verify_pack"]

_PROOF_LIMIT = 1 << 20


def verify_pack(path: Path, *, key: Path | None = None, proof: Path | None = None) -> tuple[Doc, bool]:
    """The contract's `verify` document and whether the pack is sound; raises UnreadableError where there is no pack to look at.

    `key` is a file with the public key that must have signed it, `proof` one that `remit prove` wrote.
    """
    if not path.exists():
        raise UnreadableError(f"there is no pack at {path}")
    public = read_public(key) if key is not None else None
    held = _proof(proof) if proof is not None else None
    try:
        if is_zipped(path):
            with unpacked(path) as folder:
                result = verify(folder, public, held)
        else:
            result = verify(path, public, held)
    except (NotAPack, PackError) as error:
        raise UnreadableError(str(error)) from error
    return dict(result.as_dict()), result.sound


def _proof(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_PROOF_LIMIT)
    except OSError as error:
        raise UnreadableError(f"cannot read the proof {path}: {error.strerror or error}") from error
