"""The pseudonym key: it turns secrets into join values and never enters a store."""

from __future__ import annotations

import binascii
import os
import secrets
from hashlib import sha256
from pathlib import Path

from review import locations
from review.errors import RemitError

ENV = "REMIT_PSEUDONYM_KEY"


def pseudonym_key() -> bytes:
    """The team's key from `REMIT_PSEUDONYM_KEY` (hex, at least 16 bytes), else this installation's, made on first use."""
    if text := os.environ.get(ENV, "").strip():
        return _parse(text, f"the environment variable {ENV}")
    path = locations.key_file()
    try:
        return _parse(path.read_text("ascii").strip(), str(path))
    except FileNotFoundError:
        return _create(path)
    except (OSError, UnicodeDecodeError) as error:
        raise RemitError(f"cannot read the pseudonym key {path}: {error}; restore it or set {ENV}") from error


def key_id(key: bytes) -> str:
    """What a store remembers of its key: enough to refuse another, not enough to find it."""
    return sha256(b"remit pseudonym key id\0" + key).hexdigest()[:16]


def _parse(text: str, where: str) -> bytes:
    try:
        key = binascii.unhexlify(text)
    except (binascii.Error, ValueError) as error:
        raise RemitError(f"the pseudonym key in {where} is not hexadecimal; give at least 32 hex digits") from error
    if len(key) < 16:
        raise RemitError(f"the pseudonym key in {where} is too short; give at least 32 hex digits")
    return key


def _create(path: Path) -> bytes:
    key = secrets.token_bytes(32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _parse(path.read_text("ascii").strip(), str(path))
    except OSError as error:
        raise RemitError(f"cannot write the pseudonym key {path}: {error.strerror}; set {ENV} instead") from error
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(key.hex() + "\n")
    return key
