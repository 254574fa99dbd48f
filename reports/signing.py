"""Signing a manifest with a key of the user's: the key is read for one signature and kept nowhere.

Which form the signature has, the key file says: a PEM key (`remit keygen`, openssl) gives an in-toto statement in a DSSE
envelope, an OpenSSH key an SSH signature, a minisign key a minisign file. All are Ed25519.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b, scrypt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.checking.signatures import (
    DSSE,
    MINISIGN,
    SSH,
    canonical,
    dsse,
    minisigned,
    pae,
    public_pem,
    ssh_armoured,
    ssh_message,
    statement,
)
from reports.errors import ReportError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Asked = Callable[[], bytes | None]
"""Gives the passphrase of a key file that has one; None where there is none to give."""

_LIMIT = 64 * 1024
_SCRYPT_MEMORY = 2**31 - 1


class SigningError(ReportError):
    """A key that cannot be read, written or used; the text is one sentence to show."""


@dataclass(frozen=True)
class Signer:
    """A private key ready to sign: `file` is the signature's name in the pack, `number` a minisign key's own."""

    file: str
    public: bytes
    _private: Ed25519PrivateKey
    number: bytes = b""

    def named(self) -> dict[str, str]:
        """What the manifest says of its signer."""
        number = {"number": self.number.hex()} if self.number else {}
        return {"file": self.file, "key": self.public.hex(), **number}

    def sign(self, manifest: bytes, body: dict[str, Any]) -> bytes:
        """The signature file over a finished manifest; the same key and manifest give the same bytes."""
        if self.file == SSH:
            return ssh_armoured(self.public, self._private.sign(ssh_message(manifest)))
        if self.file == MINISIGN:
            made = self._private.sign(blake2b(manifest).digest())
            comment = f"remit pack {body['root']}"
            return minisigned(self.number, made, comment, self._private.sign(made + comment.encode("ascii")))
        payload = canonical(statement(manifest, body))
        return dsse(payload, self.public, self._private.sign(pae(payload)))


def signer(path: Path, asked: Asked = lambda: None) -> Signer:
    """The key in a file; raises SigningError where it is none, needs a passphrase that was not given, or is not Ed25519."""
    try:
        with path.open("rb") as file:
            data = file.read(_LIMIT + 1)
    except OSError as error:
        raise SigningError(f"cannot read the signing key {path}: {error.strerror or error}") from error
    if data.startswith(b"untrusted comment:"):
        number, seed = _minisign_seed(path, data, asked)
        return _signer(MINISIGN, seed, number)
    ssh = data.lstrip().startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----")
    return _signer(SSH if ssh else DSSE, _seed(path, data, ssh, asked))


def make_key(path: Path, passphrase: bytes | None = None) -> tuple[Path, bytes]:
    """Write a new private key (PEM, PKCS 8, mode 0600) and its public half beside it; the public file and the public key.

    Neither file may be there already. The key is nobody's but the user's: it is in no store and cannot be brought back.
    """
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    beside = path.with_name(path.name + ".pub")
    if beside.exists() or beside.is_symlink():
        raise SigningError(f"{beside} is there already and is not overwritten; name another file")
    private = Ed25519PrivateKey.generate()
    lock = form.BestAvailableEncryption(passphrase) if passphrase else form.NoEncryption()
    public = private.public_key().public_bytes_raw()
    _write_new(path, private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, lock), 0o600)
    try:
        _write_new(beside, public_pem(public).encode("ascii"), 0o644)
    except SigningError:
        path.unlink(missing_ok=True)
        raise
    return beside, public


def _write_new(path: Path, data: bytes, mode: int) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise SigningError(f"{path} is there already and is not overwritten; name another file") from error
    except OSError as error:
        raise SigningError(f"cannot write {path}: {error.strerror or error}") from error
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def _signer(file: str, seed: bytes, number: bytes = b"") -> Signer:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.from_private_bytes(seed)
    return Signer(file, private.public_key().public_bytes_raw(), private, number)


def _seed(path: Path, data: bytes, ssh: bool, asked: Asked) -> bytes:
    """The secret of a PEM or OpenSSH file."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    load: Callable[[bytes, bytes | None], Any] = load_ssh_private_key if ssh else load_pem_private_key
    try:
        try:
            private = load(data, None)
        except TypeError:
            private = load(data, _passphrase(path, asked))
    except SigningError:
        raise
    except UnsupportedAlgorithm as error:
        raise SigningError(
            f"{path} is locked in a way that is not supported here; sign manifest.json with `ssh-keygen -Y sign -n file`"
        ) from error
    except ValueError as error:
        locked = b"ENCRYPTED" in data or "password" in str(error).casefold() or "passphrase" in str(error).casefold()
        reason = "the passphrase is wrong or the file is damaged" if locked else "it holds no private key"
        raise SigningError(f"cannot use {path} to sign: {reason}; make one with `remit keygen FILE`") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise SigningError(f"{path} holds another kind of key; only Ed25519 is used, make one with `remit keygen FILE`")
    return private.private_bytes_raw()


def _passphrase(path: Path, asked: Asked) -> bytes:
    given = asked()
    if not given:
        raise SigningError(f"{path} is locked with a passphrase and none was given; set REMIT_KEY_PASSPHRASE or use a terminal")
    return given


def _minisign_seed(path: Path, data: bytes, asked: Asked) -> tuple[bytes, bytes]:
    """(key number, secret) of a minisign secret key file, opened with scrypt where it is locked."""
    bad = SigningError(f"cannot use {path} to sign: it is no minisign secret key")
    try:
        blob = base64.b64decode(data.decode("utf-8").splitlines()[1], validate=True)
    except (ValueError, IndexError) as error:
        raise bad from error
    if len(blob) != 158 or blob[:2] != b"Ed" or blob[4:6] != b"B2":
        raise bad
    secret = blob[54:]
    if blob[2:4] == b"Sc":
        n, p = _scrypt_cost(int.from_bytes(blob[38:46], "little"), int.from_bytes(blob[46:54], "little"))
        try:
            stream = scrypt(_passphrase(path, asked), salt=blob[6:38], n=n, r=8, p=p, maxmem=_SCRYPT_MEMORY, dklen=104)
        except (ValueError, MemoryError) as error:
            raise SigningError(f"{path} asks for more memory to be unlocked than can be given") from error
        secret = bytes(a ^ b for a, b in zip(secret, stream, strict=True))
    number, pair, check = secret[:8], secret[8:72], secret[72:]
    if blake2b(b"Ed" + number + pair, digest_size=32).digest() != check and (blob[2:4] == b"Sc" or any(check)):
        raise SigningError(f"cannot use {path} to sign: the passphrase is wrong or the file is damaged")
    return number, pair[:32]


def _scrypt_cost(operations: int, memory: int) -> tuple[int, int]:
    """scrypt's N and p as libsodium picks them for these limits, with r = 8."""
    operations = max(operations, 32768)
    narrow = operations < memory // 32
    most = operations // 32 if narrow else memory // 1024
    power = next((k for k in range(1, 63) if 1 << k > most // 2), 62)
    p = 1 if narrow else min(operations // 4 >> power, 0x3FFFFFFF) // 8
    return 1 << power, max(1, p)
