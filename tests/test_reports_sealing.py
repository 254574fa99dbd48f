"""Seals: signatures in three forms, the evidence's roots and proofs, and the one file that checks a pack anywhere."""

from __future__ import annotations

import ast
import base64
import json
import os
import random
import shutil
import subprocess
import sys
from hashlib import blake2b, sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import manifest
from reports.bundle import single_file
from reports.checking.ed25519 import verify_ed25519
from reports.checking.merkle import EMPTY, PROOF_SCHEMA, Tree, follow, leaf, node, proven, source_line
from reports.checking.signatures import BadKey, canonical, pae, public_key, public_pem, statement
from reports.input import SourceEvidence
from reports.signing import Signer, SigningError, make_key, signer
from reports.verify import verify
from tests.reports_sample import build_pack, sample

# RFC 8032, 7.1: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
ORDER = 2**252 + 27742317777372353535851937790883648493
EVIDENCE = (SourceEvidence("src-a", "a.jsonl", 3, "11" * 32), SourceEvidence("src-b", "b.jsonl", 5, "22" * 32))
FORMS = {"pem": "manifest.dsse.json", "ssh": "manifest.json.sig", "minisign": "manifest.json.minisig"}


@pytest.fixture(scope="module")
def alone() -> ModuleType:
    """The pack's own verify.py, loaded as it stands in a pack."""
    made = ModuleType("verify_as_in_a_pack")
    sys.modules[made.__name__] = made
    exec(compile(single_file(), "verify.py", "exec"), made.__dict__)
    return made


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Signer]:
    """One signer of each form."""
    folder = tmp_path_factory.mktemp("keys")
    make_key(folder / "pem")
    held = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
    return {
        "pem": signer(folder / "pem"),
        "ssh": Signer("manifest.json.sig", held.public_key().public_bytes_raw(), held),
        "minisign": Signer(
            "manifest.json.minisig", held.public_key().public_bytes_raw(), held, b"\x01\x02\x03\x04\x05\x06\x07\x08"
        ),
    }


@pytest.fixture(scope="module")
def packs(keys: dict[str, Signer], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One small pack, signed in each form."""
    found = {}
    for form, key in keys.items():
        found[form] = tmp_path_factory.mktemp("packs") / form
        build_pack(sample(2, 4, evidence=EVIDENCE), found[form], ["owasp-nhi-2025"], {"csv", "json"}, signer=key)
    return found


@pytest.mark.parametrize(("key", "message", "made"), VECTORS)
def test_signatures_of_the_standard_are_recognised(key: str, message: str, made: str) -> None:
    given = bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(made)
    assert verify_ed25519(*given)
    assert not verify_ed25519(given[0], given[1] + b"x", given[2])
    later = int.from_bytes(given[2][32:], "little") + ORDER
    assert not verify_ed25519(given[0], given[1], given[2][:32] + later.to_bytes(32, "little"))
    assert not verify_ed25519(b"\x01" + bytes(31), given[1], given[2]) and not verify_ed25519(b"", b"", b"")


@settings(max_examples=15, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=80), place=st.integers(0, 511))
def test_it_agrees_with_the_library_and_refuses_each_flipped_bit(seed: bytes, message: bytes, place: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key, made = private.public_key().public_bytes_raw(), private.sign(message)
    assert verify_ed25519(key, message, made)
    changed = bytearray(made)
    changed[place // 8] ^= 1 << place % 8
    assert not verify_ed25519(key, message, bytes(changed))


def whole(leaves: list[bytes]) -> bytes:
    """RFC 6962's own definition, recursively."""
    if len(leaves) < 2:
        return leaf(leaves[0]) if leaves else EMPTY
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node(whole(leaves[:half]), whole(leaves[half:]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=4), max_size=40), st.data())
def test_the_tree_is_that_of_the_standard_and_its_paths_lead_to_the_root(leaves: list[bytes], data: Any) -> None:
    tree = Tree(range(len(leaves)))
    plain = Tree()
    for one in leaves:
        tree.add(one)
        plain.add(one)
    root = tree.root()
    assert root == plain.root() == whole(leaves)
    if not leaves:
        return
    at = data.draw(st.integers(0, len(leaves) - 1))
    size, path = len(leaves), tree.paths[at]
    assert follow(leaves[at], at, size, path) == root
    assert follow(leaves[at] + b"x", at, size, path) != root
    assert follow(leaves[at], at, size, [*path, root]) is None
    assert follow(leaves[at], size, size, path) is None
    if path:
        assert follow(leaves[at], at, size, path[:-1]) is None


def proof(position: int = 2) -> tuple[dict[str, Any], tuple[SourceEvidence, ...]]:
    """A proof about one record of the first of two sources, and the sources' roots."""
    digests = [sha256(bytes([n])).digest() for n in range(5)]
    within, over = Tree([position]), Tree([0])
    for one in digests:
        within.add(one)
    roots = (SourceEvidence("src-a", "a", 5, within.root().hex()), SourceEvidence("src-b", "b", 5, "22" * 32))
    for source in roots:
        over.add(source_line(source.source, source.records, source.root))
    over.root()
    shape = {
        "schema": PROOF_SCHEMA,
        "record": {"source": "src-a", "digest": digests[position].hex(), "line": 3},
        "in_source": {"position": position, "size": 5, "path": [p.hex() for p in within.paths[position]]},
        "in_evidence": {"position": 0, "size": 2, "path": [p.hex() for p in over.paths[0]]},
    }
    return shape, roots


def test_a_proof_holds_for_its_pack_and_no_other(tmp_path: Path, packs: dict[str, Path], alone: ModuleType) -> None:
    made, roots = proof()
    build_pack(sample(1, 2, evidence=roots), tmp_path / "p", ["owasp-nhi-2025"], {"csv"})
    for check in (verify, alone.verify):
        found = check(tmp_path / "p", None, json.dumps(made).encode())
        assert found.sound and found.proof["state"] == "belongs"
        other = check(packs["pem"], None, json.dumps(made).encode())
        assert not other.sound and other.proof["state"] == "does not belong" and "another root" in other.proof["why"]
        assert other.integrity == "intact"


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p["record"].update(digest="00" * 32),
        lambda p: p["record"].update(source="src-b"),
        lambda p: p["record"].update(digest=7),
        lambda p: p["in_source"].update(position=1),
        lambda p: p["in_source"].update(position=True),
        lambda p: p["in_source"].update(size=10**30),
        lambda p: p["in_source"].update(path=["zz"]),
        lambda p: p["in_evidence"].update(path=["00" * 32] * 65),
        lambda p: p["in_evidence"].update(position=-1),
        lambda p: p.pop("in_evidence"),
        lambda p: p.update(schema="other"),
    ],
)
def test_an_altered_proof_proves_nothing(change: Any) -> None:
    made, roots = proof()
    over = Tree()
    for one in roots:
        over.add(source_line(one.source, one.records, one.root))
    root = over.root().hex()
    assert proven(made) == (root, "")
    change(made)
    assert proven(made)[0] != root


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"a":1,"a":2}', b'{"schema":"remit-proof/1"}'])
def test_what_is_no_proof_is_said_to_be_none(packs: dict[str, Path], data: bytes) -> None:
    found = verify(packs["pem"], None, data)
    assert found.proof is not None and found.proof["why"] and not found.sound


@pytest.mark.parametrize("form", FORMS)
def test_a_signed_pack_is_valid_to_the_key_and_untrusted_without(
    form: str, packs: dict[str, Path], keys: dict[str, Signer]
) -> None:
    pack, key = packs[form], keys[form].public
    free, known, other = verify(pack), verify(pack, key), verify(pack, bytes.fromhex(VECTORS[0][0]))
    assert (free.signature.state, free.sound) == ("untrusted", True)
    assert (known.signature.state, known.signature.file, known.sound) == ("valid", FORMS[form], True)
    assert (other.signature.state, other.integrity, other.sound) == ("untrusted", "intact", False)


@pytest.mark.parametrize("form", FORMS)
def test_any_flipped_byte_of_a_signed_pack_names_its_file(
    form: str, packs: dict[str, Path], keys: dict[str, Signer], alone: ModuleType, tmp_path: Path
) -> None:
    pack, chance = Path(shutil.copytree(packs[form], tmp_path / "p")), random.Random(11)
    for path in sorted(pack.iterdir()):
        data = path.read_bytes()
        own = path.name in (FORMS[form], "manifest.json")
        for place in chance.sample(range(len(data)), min(len(data), 14 if own else 2)):
            path.write_bytes(data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :])
            for check in (verify, alone.verify):
                found = check(pack)
                assert (found.altered, found.missing, found.extra) == ([path.name], [], []), (path.name, place, found.reasons)
                assert not found.sound and found.reasons[path.name]
                assert not own or found.signature.state == "invalid"
        path.write_bytes(data)
    assert verify(pack, keys[form].public).sound


def test_a_rewritten_manifest_is_not_the_signed_one(packs: dict[str, Path], keys: dict[str, Signer], tmp_path: Path) -> None:
    pack = Path(shutil.copytree(packs["pem"], tmp_path / "p"))
    body = json.loads((pack / "manifest.json").read_bytes())
    (pack / "findings.csv").write_bytes((pack / "findings.csv").read_bytes().replace(b"high", b"low!"))
    for line in body["files"]:
        if line["path"] == "findings.csv":
            line["sha256"] = sha256((pack / "findings.csv").read_bytes()).hexdigest()
    body.pop("root")
    (pack / "manifest.json").write_bytes(rfc8785.dumps(manifest.seal(body)))
    found = verify(pack)
    assert found.altered == ["manifest.json"] and found.signature.state == "invalid"
    (pack / "manifest.dsse.json").unlink()
    assert verify(pack).missing == ["manifest.dsse.json"]
    body.pop("signer")
    (pack / "manifest.json").write_bytes(rfc8785.dumps(manifest.seal(body)))
    stripped = verify(pack, keys["pem"].public)
    assert (stripped.integrity, stripped.signature.state, stripped.sound) == ("intact", "absent", False)


def test_a_signature_added_later_belongs_only_to_whoever_has_its_key(
    packs: dict[str, Path], keys: dict[str, Signer], tmp_path: Path
) -> None:
    pack = Path(shutil.copytree(packs["pem"], tmp_path / "p"))
    data = (pack / "manifest.json").read_bytes()
    (pack / "manifest.json.sig").write_bytes(keys["ssh"].sign(data, json.loads(data)))
    assert verify(pack).extra == ["manifest.json.sig"]
    assert verify(pack, keys["ssh"].public).sound


@pytest.mark.parametrize("kind", [b"ED", b"Ed"], ids=["hashed", "older"])
def test_what_minisign_itself_adds_is_read_whatever_its_first_line_says(
    kind: bytes, packs: dict[str, Path], tmp_path: Path, alone: ModuleType
) -> None:
    """Written as minisign's own manual has it."""
    pack = Path(shutil.copytree(packs["pem"], tmp_path / "p"))
    data, held = (pack / "manifest.json").read_bytes(), Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)
    made = held.sign(data if kind == b"Ed" else blake2b(data).digest())

    def write(word: str) -> None:
        lines = ["untrusted comment: signature from minisign secret key", base64.b64encode(kind + b"8 digits" + made).decode()]
        lines += [f"trusted comment: {word}", base64.b64encode(held.sign(made + b"timestamp:1772")).decode()]
        (pack / "manifest.json.minisig").write_text("\n".join(lines) + ("\n" if kind == b"ED" else ""))

    write("timestamp:1772")
    key = held.public_key().public_bytes_raw()
    for checked in (verify(pack, key), alone.verify(pack, key)):
        assert checked.sound and (checked.signature.state, checked.signature.file) == ("valid", "manifest.json.minisig")
    assert verify(pack).extra == ["manifest.json.minisig"]
    write("timestamp:1773")
    assert not verify(pack, key).sound


@pytest.mark.parametrize("name", sorted(FORMS.values()))
@pytest.mark.parametrize(
    "data", [b"", b"{}", b"\xff" * 50, b"[" * 100_000, b"-----BEGIN SSH SIGNATURE-----\n\n", b'{"signatures":[1]}']
)
def test_a_garbage_signature_is_named(packs: dict[str, Path], tmp_path: Path, name: str, data: bytes) -> None:
    form = next(form for form, file in FORMS.items() if file == name)
    pack = Path(shutil.copytree(packs[form], tmp_path / "p"))
    (pack / name).write_bytes(data)
    assert verify(pack).altered == [name]
    (pack / name).unlink()
    (pack / name).symlink_to(pack / "manifest.json")
    assert verify(pack).altered == [name]


@pytest.mark.parametrize("signed", [7, [], {}, {"file": "../x", "key": "00" * 32}, {"file": "manifest.json.sig", "key": "zz"}])
def test_a_signer_that_cannot_be_one_is_the_manifests_fault(packs: dict[str, Path], tmp_path: Path, signed: Any) -> None:
    pack = Path(shutil.copytree(packs["pem"], tmp_path / "p"))
    body = json.loads((pack / "manifest.json").read_bytes())
    body.pop("root")
    (pack / "manifest.json").write_bytes(rfc8785.dumps(manifest.seal({**body, "signer": signed})))
    assert "manifest.json" in verify(pack).altered


def test_evidence_roots_that_do_not_add_up_are_named(packs: dict[str, Path], tmp_path: Path) -> None:
    pack = Path(shutil.copytree(packs["pem"], tmp_path / "p"))
    held = json.loads((pack / "evidence.json").read_bytes())
    held["sources"][0]["records"] += 1
    data = rfc8785.dumps(held)
    (pack / "evidence.json").write_bytes(data)
    body = json.loads((pack / "manifest.json").read_bytes())
    for line in body["files"]:
        if line["path"] == "evidence.json":
            line |= {"sha256": sha256(data).hexdigest(), "bytes": len(data)}
    body = {name: value for name, value in body.items() if name not in ("root", "signer")}
    (pack / "manifest.json").write_bytes(rfc8785.dumps(manifest.seal(body)))
    (pack / "manifest.dsse.json").unlink()
    assert verify(pack).altered == ["evidence.json"]


def test_the_single_file_needs_the_standard_library_alone(alone: ModuleType) -> None:
    tree = ast.parse(single_file())
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    names |= {str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= set(sys.stdlib_module_names)
    defined = [n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    defined += [t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)]
    assert len(defined) == len(set(defined)), "two parts use one name"


def test_the_packs_own_file_answers_on_its_command_line(packs: dict[str, Path], keys: dict[str, Signer], tmp_path: Path) -> None:
    pub = tmp_path / "pub"
    pub.write_text(public_pem(keys["pem"].public))
    ran = subprocess.run(
        [sys.executable, "-I", "-S", str(packs["pem"] / "verify.py"), "--key", str(pub), "--json"],
        capture_output=True,
        cwd=tmp_path,
    )
    assert ran.returncode == 0 and ran.stderr == b"", ran.stderr
    assert json.loads(ran.stdout) == verify(packs["pem"], keys["pem"].public).as_dict()
    assert not list(packs["pem"].glob("__pycache__"))


def test_its_command_ends_in_order_where_nobody_reads_on(
    alone: ModuleType, packs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "w") as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        assert alone.main([str(packs["pem"])]) == 0


def test_its_command_says_what_is_wrong(alone: ModuleType, packs: dict[str, Path], tmp_path: Path, capsys: Any) -> None:
    pack = Path(shutil.copytree(packs["pem"], tmp_path / "p"))
    (pack / "extra\x1b[31m").write_text("x")
    assert alone.main([str(pack)]) == 4
    said = capsys.readouterr().out
    assert "extra" in said and "\x1b" not in said and "untrusted" not in said
    assert alone.main([str(tmp_path / "nowhere")]) == 3
    assert alone.main([str(pack), "--key", str(pack / "report.json")]) == 2
    assert alone.main([str(pack), "--proof", str(pack / "none.json")]) == 3
    assert "Traceback" not in capsys.readouterr().err


def test_a_new_key_is_its_owners_alone_and_never_overwrites(tmp_path: Path) -> None:
    beside, key = make_key(tmp_path / "k", b"a passphrase")
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600
    assert public_key(beside.read_text()) == key == signer(tmp_path / "k", lambda: b"a passphrase").public
    held = (tmp_path / "k").read_bytes()
    for name in ("k", "j"):
        (tmp_path / "j.pub").write_text("mine")
        with pytest.raises(SigningError, match="not overwritten"):
            make_key(tmp_path / name)
    beside.unlink()
    with pytest.raises(SigningError, match="not overwritten"):
        make_key(tmp_path / "k")
    assert (tmp_path / "k").read_bytes() == held and not (tmp_path / "k.pub").exists() and not (tmp_path / "j").exists()
    for asked, word in ((lambda: None, "none was given"), (lambda: b"wrong", "passphrase is wrong")):
        with pytest.raises(SigningError, match=word):
            signer(tmp_path / "k", asked)
    (tmp_path / "text").write_text("hello")
    for name, word in (("text", "no private key"), ("nowhere", "cannot read"), ("j.pub", "no private key")):
        with pytest.raises(SigningError, match=word):
            signer(tmp_path / name)


def test_public_keys_in_every_form(keys: dict[str, Signer]) -> None:
    import base64

    key = keys["ssh"].public
    ssh = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + key).decode()
    mini = base64.b64encode(b"Ed" + b"12345678" + key).decode()
    for text in (key.hex(), public_pem(key), f"ssh-ed25519 {ssh} kim@host", f"untrusted comment: x\n{mini}\n", mini):
        assert public_key(text) == key, text
    for text in (
        "",
        "x",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "zz" * 32,
        "untrusted comment: x",
        "-----BEGIN PRIVATE KEY-----\nAA",
    ):
        with pytest.raises(BadKey):
            public_key(text)


def test_foreign_programs_verify_what_was_signed(tmp_path: Path, packs: dict[str, Path], keys: dict[str, Signer]) -> None:
    if shutil.which("ssh-keygen") is None or shutil.which("openssl") is None:
        pytest.skip("ssh-keygen or openssl is not installed")
    import base64

    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "ssh")], check=True)
    held = signer(tmp_path / "ssh")
    assert held.public == public_key((tmp_path / "ssh.pub").read_text())
    build_pack(sample(1, 2), tmp_path / "p", ["owasp-nhi-2025"], {"csv"}, signer=held)
    (tmp_path / "allowed").write_text(f"kim {(tmp_path / 'ssh.pub').read_text()}")
    data = (tmp_path / "p" / "manifest.json").read_bytes()
    asked = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        tmp_path / "allowed",
        "-I",
        "kim",
        "-n",
        "file",
        "-s",
        tmp_path / "p" / held.file,
    ]
    assert subprocess.run(asked, input=data, capture_output=True).returncode == 0
    assert subprocess.run(asked, input=data + b" ", capture_output=True).returncode != 0
    pack, key = packs["pem"], keys["pem"].public
    envelope = json.loads((pack / "manifest.dsse.json").read_bytes())
    payload = base64.b64decode(envelope["payload"])
    said = json.loads(payload)
    assert payload == canonical(
        statement((pack / "manifest.json").read_bytes(), json.loads((pack / "manifest.json").read_bytes()))
    )
    assert {s["name"] for s in said["subject"]} == {p.name for p in pack.iterdir()} - {"manifest.dsse.json"}
    assert said["predicate"]["journal"]["head"] and said["predicate"]["evidence"]["records"] == 8
    (tmp_path / "pae").write_bytes(pae(payload))
    (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    (tmp_path / "pub").write_text(public_pem(key))
    openssl = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "pub", "-rawin", "-in", "pae", "-sigfile", "sig"]
    assert subprocess.run(openssl, cwd=tmp_path, capture_output=True).returncode == 0
