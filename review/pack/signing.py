"""Keys for signing packs: made for the user, read for one signature, kept in no store."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from reports.checking.signatures import BadKey, key_id, public_key
from reports.signing import Signer, SigningError, make_key, signer
from review.documents import Doc
from review.errors import RemitError, UnreadableError

PASSPHRASE = "REMIT_KEY_PASSPHRASE"
_LIMIT = 64 * 1024


def signing_key(path: Path, ask: Callable[[str], str] | None = None) -> Signer:
    """The key in a file; a passphrase comes from `REMIT_KEY_PASSPHRASE`, else from `ask`, which is shown a question."""

    def asked() -> bytes | None:
        given = os.environ.get(PASSPHRASE, "")
        if not given and ask is not None:
            given = ask(f"Passphrase of {path}: ")
        return given.encode("utf-8", "surrogateescape") or None

    try:
        return signer(path, asked)
    except SigningError as error:
        raise RemitError(str(error)) from error


def new_key(path: Path, passphrase: str = "") -> Doc:
    """Make a key pair: a private file that only its owner may read, and the public half beside it, `.pub`."""
    try:
        beside, key = make_key(path, passphrase.encode("utf-8", "surrogateescape") or None)
    except SigningError as error:
        raise RemitError(str(error)) from error
    return {"private": str(path), "public": str(beside), "key": key_id(key), "locked": bool(passphrase)}


def read_public(path: Path) -> bytes:
    """The public key in a file, in any of the forms that people have one in."""
    try:
        with path.open("rb") as file:
            text = file.read(_LIMIT).decode("utf-8", "replace")
    except OSError as error:
        raise UnreadableError(f"cannot read the key {path}: {error.strerror or error}") from error
    try:
        return public_key(text)
    except BadKey as error:
        raise RemitError(f"{path}: {error}") from error
