"""Records that are searched in pieces: what is found there is what is found in the whole, and what is told of it is bounded."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

import lang.redact
from lang.redact import MOST_TOLD, Redactor

PIECE = 1 << 20
REDACTOR = Redactor(b"k" * 32)
KEY = (
    "-----BEGIN EC PRIVATE KEY-----\n"
    + "\n".join(["MHcCAQEEIBkQ7x1Vb3c9fJd5aL2wq8ZtYy4Rr6Ss0UuNnMmKkHhGg1Tt2Pp3Ww"] * 30)
    + "\n-----END EC PRIVATE KEY-----"
)
SECRETS = (KEY, "password=Tr0ub4dor-and-3-more", "https://ann:Sw0rdf1sh-7@db.example/x")


@pytest.mark.parametrize("before", [-3, 0, 1, 9, 40, 900, 2_100])
def test_a_secret_across_two_pieces_goes_as_in_the_whole(before: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = ""
    for edge, secret in enumerate(SECRETS, 1):
        text += ("lorem ipsum " * PIECE)[: edge * PIECE - before - len(text) - 1] + " " + secret + "\n"
    text += "dolor sit amet\n" * 9_000
    for data, is_json in ((text.encode(), False), (json.dumps({"a": text}).encode(), True)):
        pieces = REDACTOR.redact(data, is_json)
        with monkeypatch.context() as patch:
            patch.setattr(lang.redact, "_WHOLE", len(data))
            assert REDACTOR.redact(data, is_json) == pieces
        assert len(pieces.secrets) == len(SECRETS)
        assert not any(part in pieces.data for part in (b"MHcCAQEE", b"Tr0ub4dor", b"Sw0rdf1sh"))


def test_a_list_of_passwords_goes_whole_and_is_told_in_part() -> None:
    made = [f"password=Qx{n:05}vB7zLm" for n in range(MOST_TOLD + 900)]
    found = REDACTOR.redact("\n".join(made).encode(), json=False)
    assert b"vB7zLm" not in found.data
    assert found.data.count(b"REDACTED.password.") == len(made)
    assert len(found.secrets) == MOST_TOLD


def test_a_large_listing_of_cluster_secrets_goes_whole() -> None:
    made = [b64encode(f"Qx{n:05}vB7zLm".encode()).decode() for n in range(3_000)]
    items = [{"metadata": {"name": f"s{n}", "note": "lorem ipsum " * 80}, "data": {"pw": one}} for n, one in enumerate(made)]
    about = {"verb": "list", "objectRef": {"resource": "secrets"}, "responseObject": {"kind": "SecretList", "items": items}}
    for record in (about, {"log": json.dumps(about)}, {"log": json.dumps(about).replace('"', "\\u0022")}):
        data = json.dumps(record).replace("\\\\u0022", "\\u0022").encode()
        assert not any(one.encode() in REDACTOR.redact(data).data for one in made[::250] + made[-1:])
    other = json.dumps({"objectRef": {"resource": "configmaps"}, "responseObject": {"items": items}}).encode()
    assert REDACTOR.redact(other).data == other


def test_what_a_secret_store_wrote_in_clear_goes_however_far_from_what_tells_it_is_one() -> None:
    held = {f"member-{n}": f"Qx{n:05}vB7zLm" for n in range(20)}
    request = {"operation": "update", "path": "kv/data/x", "mount_type": "kv", "remote_address": "10.0.0.1"}
    filler = {"note": "lorem ipsum " * 200_000}
    record = json.dumps({"request": request, "filler": filler, "response": {"data": held}}).encode()
    assert b"vB7zLm" not in REDACTOR.redact(record).data
