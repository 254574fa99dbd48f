"""`report` and `verify` keep their contract."""

from __future__ import annotations

import csv
import json
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
