"""`keygen`, `report --sign|--redact`, `prove`, `verify --key|--proof|--store` keep their contract."""

from __future__ import annotations

import json
import shutil
import sqlite3
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import rfc8785
import zstandard

from reports import manifest
from review.pack.restating import told
from review.show.filters import moment
from review.workspace import open_workspace
from tests.cli_contract import VERIFIED
from tests.running import Day, fits, ok, refused, run, surroundings

pytestmark = pytest.mark.usefixtures("alone")

FRAMEWORK = ("--framework", "owasp-nhi-2025")


@pytest.fixture(scope="module")
def signed(day: Day, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key pair, a store in which a finding was judged, and the pack signed over it."""
    folder = tmp_path_factory.mktemp("signed")
    source = sqlite3.connect(str(day.store))
    source.execute("VACUUM INTO ?", (str(folder / "s.db"),))
    source.close()
    with surroundings(folder):
        ok("keygen", folder / "key")
        finding = next(f["id"] for f in day.json("findings") if not f["blind_spot"])
        ok("--store", folder / "s.db", "review", finding, "--verdict", "outside-remit", "--reason", "no mandate")
        ok(
            "--store",
            folder / "s.db",
            "report",
            "--out",
            folder / "p",
            *FRAMEWORK,
            "--only",
            "csv,json",
            "--sign",
            folder / "key",
        )
    return folder


def test_a_signed_pack_is_valid_with_the_key_and_the_same_as_its_store(signed: Path) -> None:
    said = ok("verify", signed / "p", "--key", signed / "key.pub", "--store", signed / "s.db", "--json").json
    fits(said, VERIFIED)
    assert (said["integrity"], said["signature"]["state"], said["store"]["state"]) == ("intact", "valid", "same")
    assert "untrusted" not in ok("verify", signed / "p").out and "only the pack names" in ok("verify", signed / "p").out
    ok("keygen", signed / "other")
    ran = run("verify", signed / "p", "--key", signed / "other.pub", "--json")
    assert ran.code == 4 and ran.json["signature"]["state"] == "untrusted" and ran.json["integrity"] == "intact"


def test_keygen_says_what_it_made_and_never_overwrites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMIT_KEY_PASSPHRASE", "a passphrase")
    made = ok("keygen", tmp_path / "k", "--passphrase", "--json").json
    assert made["locked"] and len(made["key"]) == 64 and b"ENCRYPTED" in (tmp_path / "k").read_bytes()
    refused(run("keygen", tmp_path / "k"), 2, "not overwritten")
    monkeypatch.delenv("REMIT_KEY_PASSPHRASE")
    refused(run("keygen", tmp_path / "n", "--passphrase"), 2, "REMIT_KEY_PASSPHRASE")


def test_what_cannot_sign_or_check_is_said_in_a_sentence(signed: Path, day: Day, tmp_path: Path) -> None:
    refused(run("--store", day.store, "report", "--out", tmp_path / "p", "--sign", signed / "key.pub"), 2, "no private key")
    refused(run("--store", day.store, "report", "--out", tmp_path / "p", "--sign", tmp_path / "none"), 2, "cannot read")
    refused(run("--store", day.store, "report", "--out", tmp_path / "p", "--redact", "no-name"), 2, "nearest", "no-names")
    refused(run("verify", signed / "p", "--key", signed / "key"), 2, "private key")
    refused(run("verify", signed / "p", "--key", signed / "none"), 3, "cannot read")
    refused(run("verify", signed / "p", "--proof", signed / "none"), 3, "cannot read")
    refused(run("--store", day.store, "prove", "0" * 64), 2, "no record")
    assert not (tmp_path / "p").exists()


def test_a_record_is_proven_without_the_rest(signed: Path, tmp_path: Path) -> None:
    db = sqlite3.connect(str(signed / "s.db"))
    digests = [row[0].hex() for row in db.execute("SELECT digest FROM record ORDER BY source_id, line")]
    db.close()
    for digest in (digests[0], digests[len(digests) // 2], digests[-1]):
        ok("--store", signed / "s.db", "prove", digest, "--out", tmp_path / "proof.json")
        said = ok("verify", signed / "p", "--proof", tmp_path / "proof.json", "--json").json
        assert said["proof"]["state"] == "belongs" and said["proof"]["record"]["digest"] == digest
    text = (tmp_path / "proof.json").read_text()
    (tmp_path / "proof.json").write_text(text.replace(digest, digests[1]))
    ran = run("verify", signed / "p", "--proof", tmp_path / "proof.json", "--json")
    assert ran.code == 4 and ran.json["proof"]["state"] == "does not belong" and ran.json["integrity"] == "intact"


def body(db: sqlite3.Connection, table: str, old: bytes, new: bytes) -> str:
    """Change bytes in one row's body; the id of the row."""
    key = "seq" if table == "verdict" else "id"
    for id, held in db.execute(f"SELECT {key}, body FROM {table} ORDER BY {key}").fetchall():
        if old in bytes(held):
            db.execute(f"UPDATE {table} SET body = ? WHERE {key} = ?", (bytes(held).replace(old, new, 1), id))
            return str(id)
    raise AssertionError(f"no {table} holds {old!r}")


def verdict(db: sqlite3.Connection) -> list[str]:
    body(db, "verdict", b"no mandate", b"a mandate!")
    return ["verdicts.csv", "the review journal"]


def broken_verdict(db: sqlite3.Connection) -> list[str]:
    body(db, "verdict", b"outside-remit", b"beside-remits")
    return ["table verdict", "cannot be read", "the review journal"]


def finding(db: sqlite3.Connection) -> list[str]:
    id = body(db, "finding", b" denied ", b" agreed ")
    return ["findings.csv", id, "why"]


def finding_gone(db: sqlite3.Connection) -> list[str]:
    (id,) = db.execute("SELECT id FROM finding WHERE NOT blind_spot ORDER BY id DESC").fetchone()
    db.execute("DELETE FROM finding WHERE id = ?", (id,))
    return ["findings.csv", id, "not in the store"]


def step(db: sqlite3.Connection) -> list[str]:
    id, held = db.execute("SELECT id, body FROM step WHERE title LIKE '%git push%' ORDER BY id").fetchone()
    db.execute("UPDATE step SET body = ? WHERE id = ?", (bytes(held).replace(b"git push", b"git pull"), id))
    return ["population.csv", "git pull", "title"]


def step_unseen(db: sqlite3.Connection) -> list[str]:
    db.execute("UPDATE step SET title = 'x' WHERE id = (SELECT min(id) FROM step)")
    return ["table step"]


def record(db: sqlite3.Connection) -> list[str]:
    (id, source, line) = db.execute("SELECT id, source_id, line FROM record WHERE secrets = '' ORDER BY id").fetchone()
    db.execute("UPDATE record SET digest = zeroblob(32) WHERE id = ?", (id,))
    return ["evidence.json", source, f"line {line}"]


def raw_bytes(db: sqlite3.Connection) -> list[str]:
    block, start, name, line = db.execute(
        "SELECT block_id, block_start, name, line FROM record WHERE length > 20 ORDER BY id"
    ).fetchone()
    (held,) = db.execute("SELECT data FROM block WHERE id = ?", (block,)).fetchone()
    data = bytearray(zstandard.decompress(held))
    data[start + 15] ^= 1
    new = (sha256(bytes(data)).digest(), zstandard.compress(bytes(data)), block)
    db.execute("UPDATE block SET digest = ?, data = ? WHERE id = ?", new)
    return ["raw bytes", f"{name}:{line}"]


def journal(db: sqlite3.Connection) -> list[str]:
    db.execute("DELETE FROM journal")
    return ["the review journal"]


@pytest.mark.parametrize(
    "edit",
    [verdict, broken_verdict, finding, finding_gone, step, step_unseen, record, raw_bytes, journal],
    ids=lambda e: e.__name__,
)
def test_an_edit_of_the_database_behind_a_signed_pack_is_found_and_named(signed: Path, tmp_path: Path, edit: Any) -> None:
    shutil.copy(signed / "s.db", tmp_path / "e.db")
    db = sqlite3.connect(str(tmp_path / "e.db"))
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f'DROP TRIGGER "{name}"')
    words = edit(db)
    db.commit()
    db.close()
    ran = run("verify", signed / "p", "--key", signed / "key.pub", "--store", tmp_path / "e.db")
    assert ran.code == 4 and "signature: valid" in ran.out and "store: differs" in ran.out, ran
    for word in words:
        assert word in ran.out, (word, ran.out)
    first = ran.out.partition("store: differs from the pack\n")[2].lstrip()
    assert not first.startswith(("controls.csv", "limits.csv")), "what was edited stands before what counts it"


def test_two_cells_are_shown_where_they_part() -> None:
    ids = [f"find-{n:04d}" for n in range(100)]
    result = {"state": "different", "total": 1, "differences": [], "not_held": []}
    result["differences"] = [
        {
            "where": "controls.csv",
            "what": "changed",
            "row": "x",
            "columns": {"a": ["; ".join(ids), "; ".join(ids[:60])], "b": ["1", "2"]},
        }
    ]
    line = told(result)[1]
    assert "find-0059; find-0060; find-" in line and "find-0059' now" in line and "find-0010" not in line
    assert "b: '1' in the pack, '2' now" in line


def test_a_redacted_pack_is_the_same_as_its_store_and_keeps_its_counts(signed: Path, tmp_path: Path) -> None:
    ok("--store", signed / "s.db", "report", "--out", tmp_path / "p", *FRAMEWORK, "--only", "csv", "--redact", "hashes-only")
    said = ok("verify", tmp_path / "p", "--store", signed / "s.db", "--json").json
    whole = ok("verify", signed / "p", "--json").json
    assert said["store"]["state"] == "same"
    findings = [len((p / "findings.csv").read_text().splitlines()) for p in (tmp_path / "p", signed / "p")]
    assert findings[0] == findings[1] and whole["integrity"] == "intact"


OPTIONS: dict[str, tuple[str, ...]] = {
    "as-of": ("--as-of", "2026-03-17T14:00:00Z"),
    "reviewed-until": ("--reviewed-until", "2026-03-17T12:00:00Z"),
    "period": ("--from", "2026-03-17T10:00:00Z", "--to", "2026-03-17T16:00:00Z"),
    "last": ("--last", "12 hours"),
    "system": ("--system", "agents of payments", "--organisation", "Another GmbH"),
    "sample": ("--sample-seed", "seven", "--sample-size", "2"),
    "exchange": ("--oscal-version", "1.2.1", "--system-id", "SYS-1"),
    "full": ("--full", "--only", "json,csv,html"),
    "no-names": ("--redact", "no-names", "--organisation", "dana of Acme"),
    "hashes-only": ("--redact", "hashes-only", "--organisation", "Acme"),
    "zip": (),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_a_pack_made_with_an_option_is_the_same_as_its_store(signed: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / ("p.zip" if name == "zip" else "p")
    only = () if "--only" in OPTIONS[name] else ("--only", "json,csv,oscal")
    ok("--store", signed / "s.db", "report", "--out", out, *FRAMEWORK, *only, *OPTIONS[name])
    said = ok("verify", out, "--store", signed / "s.db", "--json").json
    assert said["store"] == {"state": "same", "total": 0, "differences": [], "journal": "intact", "not_held": []}


def test_a_pack_of_templates_and_an_earlier_one_names_both_by_digest_and_is_the_same_as_its_store(
    signed: Path, tmp_path: Path
) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "report.md").write_text("# Our own {{ report.method.inputs|length }}\n", "utf-8")
    report = ("--store", signed / "s.db", "report", *FRAMEWORK, "--only")
    ok(*report, "json", "--out", tmp_path / "before")
    ok(*report, "json,md", "--out", tmp_path / "p", "--templates", tmp_path / "t", "--since", tmp_path / "before")
    of_page = sha256((tmp_path / "t" / "report.md").read_bytes()).hexdigest()
    given = {
        "templates": {"name": "t", "sha256": sha256(f"{of_page}  report.md\n".encode()).hexdigest()},
        "since": {"name": "before", "sha256": sha256((tmp_path / "before" / "report.json").read_bytes()).hexdigest()},
    }
    parameters = json.loads((tmp_path / "p" / "manifest.json").read_bytes())["parameters"]
    document = json.loads((tmp_path / "p" / "report.json").read_bytes())
    assert {name: parameters[name] for name in given} == given
    assert {one.pop("what"): one for one in document["method"]["inputs"]} == given
    assert document["annexes"]["rerun"].endswith(" --only json,markdown --templates DIR --since PACK")
    assert (tmp_path / "p" / "report.md").read_text("utf-8") == "# Our own 2\n"
    assert not any(str(tmp_path).encode() in path.read_bytes() for path in (tmp_path / "p").iterdir())
    checked = ("verify", tmp_path / "p", "--store", signed / "s.db", "--json")
    said = ok(*checked).json["store"]
    assert (said["state"], [(one["files"][0], "which is not the store's" in one["why"]) for one in said["not_held"]]) == (
        "same",
        [("report.md", True), ("report.md", True)],
    )
    brought = ("--templates", tmp_path / "t", "--since", tmp_path / "before")
    said = ok(*checked, *brought).json["store"]
    assert (said["state"], said["not_held"]) == ("same", [])
    resealed(tmp_path / "p", "report.md", b"# Our own 3\n")
    assert ok(*checked).json["integrity"] == "intact"
    ran = run(*checked, *brought)
    assert ran.code == 4 and [(one["where"], one["what"]) for one in ran.json["store"]["differences"]] == [
        ("report.md", "made differently")
    ]
    (tmp_path / "t" / "report.md").write_text("# Another\n", "utf-8")
    refused(run(*checked, *brought), 2, "is not what the pack was made with")
    refused(run("verify", tmp_path / "p", *brought), 2, "--store")


def resealed(pack: Path, name: str, data: bytes) -> None:
    """Write a file of an unsigned pack anew, and the manifest over it, as a forger would."""
    (pack / name).write_bytes(data)
    body = json.loads((pack / "manifest.json").read_bytes())
    del body["root"]
    body["files"] = [
        manifest.entry(pack, name, line.get("records", -1)) if line["path"] == name else line for line in body["files"]
    ]
    (pack / "manifest.json").write_bytes(rfc8785.dumps(manifest.seal(body)))


def test_a_proof_fits_the_pack_of_an_earlier_moment(signed: Path, tmp_path: Path) -> None:
    as_of = ("--as-of", "2026-03-17T14:00:00Z")
    ok("--store", signed / "s.db", "report", "--out", tmp_path / "p", *FRAMEWORK, "--only", "csv", *as_of)
    with open_workspace(str(signed / "s.db"), readonly=True) as work:
        until = moment(as_of[1], "as of")
        early = {digest.hex() for one in work.store.sources(until) for _, digest in work.store.record_digests(one.id, until)}
        every = {digest.hex() for one in work.store.sources() for _, digest in work.store.record_digests(one.id)}
    first, later = min(early), min(every - early)
    for words, state in ((as_of, "belongs"), ((), "does not belong")):
        ok("--store", signed / "s.db", "prove", first, "--out", tmp_path / "proof", *words)
        assert run("verify", tmp_path / "p", "--proof", tmp_path / "proof", "--json").json["proof"]["state"] == state
    refused(run("--store", signed / "s.db", "prove", later, *as_of), 2, "logged after")


def test_an_export_stands_in_the_access_journal_and_a_check_does_not(signed: Path, tmp_path: Path) -> None:
    def exports() -> list[str]:
        rows = ok("--store", signed / "s.db", "journal", "--access", "--json").json
        return [row["about"] for row in rows if row["what"] == "export"]

    before = exports()
    ok("--store", signed / "s.db", "report", "--out", tmp_path / "taken", *FRAMEWORK, "--only", "csv")
    ok("verify", tmp_path / "taken", "--store", signed / "s.db")
    assert exports() == [*before, "taken"]
