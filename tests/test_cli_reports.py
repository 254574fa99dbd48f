"""`report` and `verify` keep their contract."""

from __future__ import annotations

import csv
import json
import signal
from pathlib import Path

import pytest

from tests.cli_contract import (
    VERIFIED,
)
from tests.running import (
    Day,
    fits,
    ok,
    run,
)

pytestmark = pytest.mark.usefixtures("alone")


def test_a_report_is_the_same_bytes_twice_and_verifies_without_a_store(
    day: Day, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packs = [tmp_path / "one", tmp_path / "two"]
    for pack in packs:
        manifest = ok("--store", day.store, "report", "--out", pack, "--json").json
        assert manifest["files"]
    names = sorted(path.relative_to(packs[0]).as_posix() for path in packs[0].rglob("*") if path.is_file())
    assert {"report.html", "report.md", "report.json", "findings.csv", "population.csv", "controls.csv", "sources.csv",
            "manifest.json"} <= set(names)  # fmt: skip
    for name in names:
        assert (packs[0] / name).read_bytes() == (packs[1] / name).read_bytes(), name
    monkeypatch.setenv("REMIT_STORE", str(tmp_path / "nowhere" / "no.db"))
    said = ok("verify", packs[0], "--json").json
    fits(said, VERIFIED)
    assert said["integrity"] == "intact" and said["completeness"]["claimed"] == said["completeness"]["found"] > 0


def test_a_report_keeps_to_the_asked_for_frameworks_period_and_forms(day: Day, tmp_path: Path) -> None:
    ok("--store", day.store, "report", "--out", tmp_path / "p", "--framework", "owasp-asi-2026", "--only", "json,md",
       "--from", "2026-03-17T12:00:00Z", "--to", "2026-03-18")  # fmt: skip
    names = {path.name for path in (tmp_path / "p").iterdir()}
    assert {"report.json", "report.md"} <= names and "report.html" not in names
    text = (tmp_path / "p" / "report.md").read_text("utf-8")
    assert "ASI01" in text and "GOVERN 1" not in text


def test_a_period_in_which_nothing_lies_is_said_to_be_one(day: Day, tmp_path: Path) -> None:
    asked = ("--framework", "owasp-asi-2026", "--only", "json,csv", "--from", "2999-01-01")
    ran = run("--store", day.store, "report", "--out", tmp_path / "p", *asked)
    assert ran.code == 0 and "no step lies within the period" in ran.err
    report = json.loads((tmp_path / "p" / "report.json").read_bytes())
    assert report["summary"]["limits"][0] == "No step of any task lies within the period and moment of this report."
    words = {c["result"] for f in report["frameworks"] for c in f["controls"]}
    assert words == {"insufficient evidence"}, "silence about nothing is no answer"


def test_machine_formats_are_as_set_and_the_pack_says_how(day: Day, tmp_path: Path) -> None:
    settings = ["--oscal-version", "1.2.1", "--import-ap", "plans/ap.json", "--system-id", "SYS 7", "--ocsf-version", "1.5.0"]
    chosen = ["--framework", "nist-csf-2.0", "--only", "json,oscal,ocsf,sarif"]
    ok("--store", day.store, "report", "--out", tmp_path / "p", *chosen, *settings)
    body = json.loads((tmp_path / "p" / "oscal" / "assessment-results-nist-csf-2.0.json").read_bytes())["assessment-results"]
    assert (body["import-ap"]["href"], body["metadata"]["oscal-version"]) == ("plans/ap.json", "1.2.1")
    plan = json.loads((tmp_path / "p" / "oscal" / "plan-of-action.json").read_bytes())["plan-of-action-and-milestones"]
    assert plan["system-id"] == {"id": "SYS 7"} and len(plan["poam-items"]) > 10
    event = json.loads((tmp_path / "p" / "ocsf" / "compliance-findings.jsonl").read_bytes().splitlines()[0])
    assert event["metadata"]["version"] == "1.5.0"
    assert json.loads((tmp_path / "p" / "findings.sarif").read_bytes())["runs"][0]["results"]
    rerun = json.loads((tmp_path / "p" / "report.json").read_bytes())["annexes"]["rerun"]
    assert "--oscal-version 1.2.1" in rerun and "--system-id 'SYS 7'" in rerun and "--ocsf-version 1.5.0" in rerun
    for wrong in (["--oscal-version", "2.0.0"], ["--ocsf-version", "1"], ["--import-ap", "a plan"]):
        ran = run("--store", day.store, "report", "--out", tmp_path / "q", *wrong)
        assert ran.code == 2 and "Traceback" not in ran.err and not (tmp_path / "q").exists()


def test_findings_in_the_pack_are_the_stores(day: Day, tmp_path: Path) -> None:
    ok("--store", day.store, "report", "--out", tmp_path / "p")
    with (tmp_path / "p" / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    (column,) = (name for name in rows[0] if name in ("id", "finding", "finding_id"))
    packed = {row[column] for row in rows}
    assert {row["id"] for row in day.json("findings") if not row["blind_spot"]} <= packed


@pytest.mark.parametrize("harm", ["altered", "missing", "extra", "manifest"])
def test_a_touched_pack_is_code_4(day: Day, tmp_path: Path, harm: str) -> None:
    pack = tmp_path / "p"
    ok("--store", day.store, "report", "--out", pack)
    victim = pack / ("manifest.json" if harm == "manifest" else "findings.csv")
    if harm == "missing":
        victim.unlink()
    elif harm == "extra":
        (pack / "more.csv").write_text("x\n")
    else:
        data = bytearray(victim.read_bytes())
        data[len(data) // 2] ^= 1
        victim.write_bytes(data)
    ran = run("verify", pack, "--json")
    assert ran.code == 4
    said = ran.json
    fits(said, VERIFIED)
    assert said["integrity"] == "altered"
    if harm != "manifest":
        assert said[harm] == ["more.csv" if harm == "extra" else "findings.csv"]


def test_frameworks_by_label_by_name_and_by_edition() -> None:
    said = ok("frameworks", "A2", "--json")
    assert [item["id"] for item in said.json["items"]] == ["ASI02"] and "A2 is ASI02" in said.err
    listed = ok("frameworks", "--json").json
    assert len(listed) == 15 and all(row["mapped"] <= row["assessable"] <= row["items"] for row in listed)
    rows = ok("frameworks", "compare", "owasp-llm-2026", "owasp-llm-2025", "--json").json["rows"]
    assert {(r["old"], r["new"]) for r in rows} >= {("LLM06:2025", "LLM03:2026")}
    assert "AC-2(9)" in ok("frameworks", "ac-2.9", "--plain").out
    for wrong in (["frameworks", "LLM06"], ["frameworks", "compare", "asi", "nhi"], ["frameworks", "compare", "asi"]):
        assert run(*wrong).code == 2


def test_a_report_by_labels_prints_corrections_and_the_file_it_could_not_use(day: Day, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "bad.yaml").write_text("override_schema: 1\nframeworks: {}\n")
    (tmp_path / "own" / "house-7.yaml").write_text(
        "catalogue_schema: 1\nid: house\nedition: '7'\ntitle: House rules\npublisher: Acme\nattribution: Acme\n"
        "items: [{id: H1, title: Ask first}]\n"
    )
    asked = ("report", "--out", tmp_path / "pack", "--only", "json", "--framework", "NHI-03,house", "--framework", "AC-02(09)")
    said = run("--store", day.store, "--frameworks-dir", tmp_path / "own", *asked)
    assert said.code == 3 and "bad.yaml: line 1: missing field `by`" in said.err
    assert "NHI-03 is NHI7:2025 Long-Lived Secrets, NHI5:2025" in said.err
    report = json.loads((tmp_path / "pack" / "report.json").read_bytes())
    sections = {section["id"]: section for section in report["frameworks"]}
    assert list(sections) == ["owasp-nhi-2025", "house-7", "nist-sp800-53r5-selected"]
    labels = sections["nist-sp800-53r5-selected"]["given_labels"]
    assert [(g["given"], g["published"]) for g in labels] == [("AC-02(09)", ["AC-2(9)"])]
    assert any("bad.yaml" in told for told in report["annexes"]["configuration"].values())


@pytest.mark.parametrize("name", ["pack", "pack.zip"])
def test_an_end_that_is_asked_for_leaves_nothing_of_a_pack(
    day: Day, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from review.pack import packs

    def asked(*_: object) -> None:
        assert any(path.name == "population.csv" for path in tmp_path.rglob("*")), "something of it is there by now"
        signal.raise_signal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(packs, "finish", asked)
    ran = run("--store", day.store, "report", "--out", tmp_path / name, "--only", "csv")
    assert ran.code == 130 and "interrupted" in ran.err
    assert list(tmp_path.iterdir()) == [] and signal.getsignal(signal.SIGTERM) == before
