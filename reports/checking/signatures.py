"""Signatures over a manifest in the three forms a pack may carry, checked without any library.

DSSE (an in-toto Statement v1 in an envelope), SSHSIG (as `ssh-keygen -Y sign` writes it) and minisign, all with Ed25519 keys.
Each must be written in its one canonical form, so that no byte of a signature file can change unnoticed; only a minisign signature that
another program added may have the comment and the kind that program gave it.
"""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import dataclass
from hashlib import blake2b, sha256, sha512
from typing import Any

from reports.checking.ed25519 import verify_ed25519

DSSE, SSH, MINISIGN = "manifest.dsse.json", "manifest.json.sig", "manifest.json.minisig"
SIGNATURE_FILES = (DSSE, SSH, MINISIGN)
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:remit:pack:1"
PAYLOAD = "application/vnd.in-toto+json"
SSH_NAMESPACE = "file"
UNTRUSTED = "untrusted comment: signature of a Remit pack"
SIGNATURE_LIMIT = 32 * 1024 * 1024
_SPKI = bytes.fromhex("302a300506032b6570032100")
_ARMOUR = ("-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----")
_PEM = ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----")


class BadKey(ValueError):
    """A public key nobody can use; the text is one sentence to show."""


@dataclass(frozen=True)
class Signed:
    """A signature file that was read: `good` where it was made with `key` over what it must be over; `why` says what is wrong."""

    good: bool
    key: bytes = b""
    why: str = ""
    statement: dict[str, Any] | None = None


def key_id(key: bytes) -> str:
    """The fingerprint of a public key: SHA-256 over its DER form, hex, as `openssl pkey -pubin -outform DER | sha256sum` prints."""
    return sha256(_SPKI + key).hexdigest()


def public_pem(key: bytes) -> str:
    return "\n".join((_PEM[0], base64.b64encode(_SPKI + key).decode("ascii"), _PEM[1])) + "\n"


def public_key(text: str) -> bytes:
    """The 32 bytes of an Ed25519 public key given as PEM, as an OpenSSH line, as a minisign file or as 64 hex digits."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    try:
        if lines and lines[0] == _PEM[0] and lines[-1] == _PEM[1]:
            data = base64.b64decode("".join(lines[1:-1]), validate=True)
            if data[:12] == _SPKI and len(data) == 44:
                return data[12:]
        elif lines and lines[0].startswith("ssh-ed25519 "):
            data = base64.b64decode(lines[0].split()[1], validate=True)
            if len(data) == 51 and data[:19] == _ssh(b"ssh-ed25519") + struct.pack(">I", 32):
                return data[19:]
        elif lines and lines[0].startswith("untrusted comment:") and len(lines) > 1:
            return _minisign_key(lines[1])
        elif len(lines) == 1 and len(lines[0]) == 64:
            return bytes.fromhex(lines[0])
        elif len(lines) == 1 and lines[0].startswith("RW"):
            return _minisign_key(lines[0])
    except (ValueError, IndexError):
        pass
    if lines and "PRIVATE" in lines[0]:
        raise BadKey("that is a private key; give the public one")
    raise BadKey("no Ed25519 public key is in it; give one as PEM, an OpenSSH line, a minisign file or 64 hex digits")


def _minisign_key(line: str) -> bytes:
    data = base64.b64decode(line, validate=True)
    if len(data) != 42 or data[:2] != b"Ed":
        raise ValueError("not a minisign key")
    return data[10:]


def strict_json(data: bytes) -> Any:
    """JSON in which no object names a key twice; ValueError otherwise."""

    def once(pairs: Any) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            raise ValueError("an object names a key twice")
        return made

    return json.loads(data.decode("utf-8"), object_pairs_hook=once)


def canonical(value: object) -> bytes:
    """RFC 8785 for what these files hold: objects, arrays, strings and whole numbers."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def statement(manifest: bytes, body: dict[str, Any]) -> dict[str, Any]:
    """The in-toto Statement v1 about a pack: every file and the manifest by digest, and what the manifest says of the whole."""
    files = [{"digest": {"sha256": line["sha256"]}, "name": line["path"]} for line in body.get("files", ())]
    subjects = [*files, {"digest": {"sha256": sha256(manifest).hexdigest()}, "name": "manifest.json"}]
    predicate = {name: body[name] for name in ("about", "evidence", "journal", "root") if name in body}
    return {
        "_type": STATEMENT,
        "predicate": predicate,
        "predicateType": PREDICATE,
        "subject": sorted(subjects, key=lambda one: str(one["name"])),
    }


def pae(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is really signed."""
    kind = PAYLOAD.encode("ascii")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def dsse(payload: bytes, key: bytes, signature: bytes) -> bytes:
    """The envelope's bytes."""
    one = {"keyid": key_id(key), "sig": base64.b64encode(signature).decode("ascii")}
    return canonical({"payload": base64.b64encode(payload).decode("ascii"), "payloadType": PAYLOAD, "signatures": [one]})


def ssh_message(manifest: bytes) -> bytes:
    """What an SSH signature is made over (OpenSSH's PROTOCOL.sshsig)."""
    return b"SSHSIG" + _ssh(SSH_NAMESPACE.encode("ascii")) + _ssh(b"") + _ssh(b"sha512") + _ssh(sha512(manifest).digest())


def ssh_armoured(key: bytes, signature: bytes) -> bytes:
    """The signature file as `ssh-keygen -Y sign` writes it."""
    blob = b"SSHSIG" + struct.pack(">I", 1) + _ssh(_ssh(b"ssh-ed25519") + _ssh(key))
    blob += _ssh(SSH_NAMESPACE.encode("ascii")) + _ssh(b"") + _ssh(b"sha512") + _ssh(_ssh(b"ssh-ed25519") + _ssh(signature))
    text = base64.b64encode(blob).decode("ascii")
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    return ("\n".join((_ARMOUR[0], *lines, _ARMOUR[1])) + "\n").encode("ascii")


def minisigned(
    number: bytes, signature: bytes, comment: str, sealed: bytes, kind: bytes = b"ED", untrusted: str = UNTRUSTED
) -> bytes:
    """A minisign file: the signature over BLAKE2b-512 of the manifest (kind `Ed`: over itself), and the one over it and its comment."""
    first = base64.b64encode(kind + number + signature).decode("ascii")
    lines = (untrusted, first, f"trusted comment: {comment}", _b64(sealed))
    return ("\n".join(lines) + "\n").encode("utf-8")


def read_signature(name: str, data: bytes, manifest: bytes, body: dict[str, Any], keys: tuple[bytes, ...]) -> Signed:
    """Check one signature file against a manifest; `keys` are the public keys that may have made it."""
    if len(data) > SIGNATURE_LIMIT:
        return Signed(False, why="larger than any signature")
    try:
        if name == DSSE:
            return _read_dsse(data, manifest, body, keys)
        if name == SSH:
            return _read_ssh(data, manifest)
        return _read_minisign(data, manifest, body, keys)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, struct.error, RecursionError):
        return Signed(False, why="it cannot be read as what its name says")


def _read_dsse(data: bytes, manifest: bytes, body: dict[str, Any], keys: tuple[bytes, ...]) -> Signed:
    envelope = strict_json(data)
    (one,) = envelope["signatures"]
    payload, made = base64.b64decode(envelope["payload"], validate=True), base64.b64decode(one["sig"], validate=True)
    key = next((k for k in keys if key_id(k) == one["keyid"]), b"")
    if not key:
        return Signed(False, why=f"made with a key that was not given ({str(one['keyid'])[:16]})")
    if dsse(payload, key, made) != data:
        return Signed(False, key, "not in canonical form")
    if not verify_ed25519(key, pae(payload), made):
        return Signed(False, key, "the signature is not that key's over this statement")
    said = strict_json(payload)
    if said != statement(manifest, body):
        return Signed(False, key, "what was signed is not this manifest", said)
    return Signed(True, key, statement=said)


def _read_ssh(data: bytes, manifest: bytes) -> Signed:
    lines = data.decode("ascii").splitlines()
    blob = base64.b64decode("".join(lines[1:-1]), validate=True)
    if blob[:6] != b"SSHSIG":
        raise ValueError("no SSH signature")
    parts, at = [], 10
    while at < len(blob):
        (size,) = struct.unpack(">I", blob[at : at + 4])
        parts.append(blob[at + 4 : at + 4 + size])
        at += 4 + size
    key, made = parts[0][-32:], parts[-1][-64:]
    if ssh_armoured(key, made) != data:
        return Signed(False, why=f"not an Ed25519 signature for the namespace {SSH_NAMESPACE!r} as ssh-keygen writes it")
    if not verify_ed25519(key, ssh_message(manifest), made):
        return Signed(False, key, "the signature is not that key's over this manifest")
    return Signed(True, key)


def _read_minisign(data: bytes, manifest: bytes, body: dict[str, Any], keys: tuple[bytes, ...]) -> Signed:
    lines = data.decode("utf-8").split("\n")
    first, sealed = base64.b64decode(lines[1], validate=True), base64.b64decode(lines[3], validate=True)
    comment = lines[2][len("trusted comment: ") :]
    signer = body.get("signer") or {}
    number = signer.get("number", first[2:10].hex())
    kind, untrusted, told = b"ED", UNTRUSTED, data
    if signer.get("file") != MINISIGN and first[:2] in (b"ED", b"Ed") and lines[0].startswith("untrusted comment: "):
        # Added by another program: no signature covers its first line, older ones sign the file itself, and some leave the last line open.
        kind, untrusted, number, told = first[:2], lines[0], first[2:10].hex(), data.rstrip(b"\n") + b"\n"
    if minisigned(bytes.fromhex(number), first[10:], comment, sealed, kind, untrusted) != told:
        return Signed(False, why="not a minisign signature in the form written here")
    message = manifest if kind == b"Ed" else blake2b(manifest).digest()
    for key in keys:
        if verify_ed25519(key, message, first[10:]):
            good = verify_ed25519(key, first[10:] + comment.encode("utf-8"), sealed)
            return Signed(good, key, "" if good else "its trusted comment was altered")
    return Signed(False, why="the signature is not over this manifest with a key that was given")


def _ssh(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
