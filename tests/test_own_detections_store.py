"""Own detections in a store: found like any others, whatever the order of imports; rebuilt when they change; what is hidden is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import ORG, ok, refused, run, sample_logs, surroundings

OWN = """
detections:
  - id: ACME-PIPELINE
    title: The pipeline is changed
    severity: critical
    controls: ["owasp-asi-2026:ASI04"]
    when: action.verb == "ci.modify"
    tests:
      - {match: it is, steps: [{action.verb: ci.modify}]}
      - {not_match: it is not, steps: [{action.verb: exec}]}
  - id: ACME-UNTESTED
    title: Files are written and no test is run after
    severity: low
    when: action.verb == "file.write"
    without: {when: action.verb == "exec" && action.command.contains("test"), within: 2h}
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder with the organisation file and a folder of own detections, in surroundings of its own."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "acme.yaml").write_text(OWN)
    (tmp_path / "org.yaml").write_text(ORG.read_text("utf-8") + "\nown_detections: own\n")
    with surroundings(tmp_path):
        yield tmp_path


def found(place: Path, store: str = "s.db") -> list[tuple[str, str, bool]]:
    rows = ok("--store", place / store, "findings", "--json").json
    return sorted((r["id"], r["detection"], r["blind_spot"]) for r in rows if r["detection"].startswith("ACME-"))


def listed(place: Path) -> dict[str, dict[str, object]]:
    return {row["id"]: row for row in ok("--store", place / "s.db", "detections", "--json").json}


def test_they_are_findings_like_any_other(place: Path) -> None:
    ok("--store", place / "s.db", "import", *sample_logs())
    rows = ok("--store", place / "s.db", "findings", "--filter", "detection:ACME-PIPELINE", "--json").json
    assert rows
    assert rows[0]["controls"] == [{"framework": "owasp-asi-2026", "id": "ASI04"}]
    assert rows[0]["evidence"]
    tasks = {t["id"]: t for t in ok("--store", place / "s.db", "tasks", "--json").json}
    task = tasks[rows[0]["task"]]
    assert "ACME-PIPELINE" in task["detections"]
    assert task["risk_factors"]["ACME-PIPELINE"] == 40
    ok(
        "--store",
        place / "s.db",
        "except",
        rows[0]["id"],
        "--owner",
        "x",
        "--ticket",
        "T-1",
        "--expires",
        "2099-01-01",
        "--reason",
        "r",
    )
    ok("--store", place / "s.db", "report", "--framework", "owasp-asi-2026", "--out", place / "pack", "--only", "json,csv")
    assert "ACME-PIPELINE" in (place / "pack" / "findings.csv").read_text("utf-8")
    controls = (place / "pack" / "controls.csv").read_text("utf-8")
    assert "ACME-PIPELINE" in next(line for line in controls.splitlines() if "ASI04" in line)
    row = listed(place)["ACME-PIPELINE"]
    assert (row["source"], row["findings"], row["tasks"], row["hidden"]) == ("own", len(rows), len({r["task"] for r in rows}), 0)
    shown = ok("--store", place / "s.db", "detections", "show", "acme-pipeline").out
    assert 'action.verb == "ci.modify"' in shown


def test_the_result_depends_on_the_records_alone(place: Path) -> None:
    logs = sample_logs()
    ok("--store", place / "whole.db", "import", *logs)
    whole = found(place, "whole.db")
    assert {blind for _, detection, blind in whole if detection == "ACME-UNTESTED"} == {True, False}
    for part in (logs[60:], logs[:30], logs[30:60]):
        ok("--store", place / "s.db", "import", *part)
    assert found(place) == whole


def test_a_changed_definition_builds_again_and_ids_stay(place: Path) -> None:
    logs = sample_logs()
    ok("--store", place / "s.db", "import", *logs)
    before = found(place)
    file = place / "own" / "acme.yaml"
    file.write_text(OWN.replace("severity: critical", "severity: low").partition("  - id: ACME-UNTESTED")[0])
    ok("--store", place / "s.db", "import", logs[0])
    after = found(place)
    assert after == [row for row in before if row[1] == "ACME-PIPELINE"]
    rows = ok("--store", place / "s.db", "findings", "--filter", "detection:ACME-PIPELINE", "--json").json
    assert {row["severity"] for row in rows} == {"low"}
    file.unlink()
    ok("--store", place / "s.db", "import", logs[0])
    assert found(place) == []


def test_a_bad_file_loses_nothing_else(place: Path) -> None:
    (place / "own" / "bad.yaml").write_text("detections:\n  - {id: ACME-X, title: x, severity: low, when: action.verb = 1}\n")
    (place / "own" / "worse.yml").write_bytes(b"\xff\xfe\x00")
    (place / "own" / "zz.yaml").write_text(OWN)
    ran = ok("--store", place / "s.db", "import", *sample_logs()[:3])
    told = ran.err.splitlines()
    assert any("bad.yaml:2:" in line for line in told)
    assert any("worse.yml" in line and "UTF-8" in line for line in told)
    assert sum("already defined" in line for line in told) == 2
    assert {"ACME-PIPELINE", "ACME-UNTESTED"} <= set(listed(place))
    tested = run("detections", "test", place / "own" / "bad.yaml", place / "own" / "acme.yaml", "--json")
    assert tested.code == 2
    assert [one["ok"] for one in tested.json["files"]] == [False, True]


def test_controls_of_own_catalogues_are_known_where_they_are_named(tmp_path: Path) -> None:
    (tmp_path / "house-7.yaml").write_text(
        "catalogue_schema: 1\nid: house\nedition: '7'\ntitle: House rules\npublisher: Acme\nattribution: Acme\n"
        "items: [{id: H1, title: Ask first}]\n"
    )
    file = tmp_path / "acme.yml"
    file.write_text(
        "detections:\n  - {id: ACME-1, title: t, severity: low, when: 'action.verb == \"exec\"', controls: ['house-7:H1']}\n"
    )
    alone = run("detections", "test", file, "--json").json["files"][0]["diagnostics"]
    assert any("house-7" in one["message"] for one in alone)
    (tmp_path / "own").mkdir()
    (tmp_path / "house-7.yaml").rename(tmp_path / "own" / "house-7.yaml")
    known = run("--frameworks-dir", tmp_path / "own", "detections", "test", file, "--json").json["files"][0]["diagnostics"]
    assert not any("house-7" in one["message"] for one in known)
    file.write_text(file.read_text().replace("house-7:H1", "house-7:H2"))
    wrong = run("--override", tmp_path / "own" / "house-7.yaml", "detections", "test", file, "--json").json["files"][0]
    assert any("H2" in one["message"] for one in wrong["diagnostics"])


def test_a_failing_test_is_told_with_its_line(place: Path) -> None:
    file = place / "own" / "acme.yaml"
    file.write_text(
        OWN.replace("{not_match: it is not, steps: [{action.verb: exec}]}", "{match: never, steps: [{action.verb: exec}]}")
    )
    ran = run("--org", place / "org.yaml", "detections", "test")
    assert ran.code == 1
    assert "acme.yaml:10: ACME-PIPELINE, match 'never': the steps are not seen" in ran.out


def test_what_an_exclusion_hides_is_counted_and_shown_everywhere(place: Path) -> None:
    org = place / "org.yaml"
    ok("--store", place / "s.db", "import", *sample_logs())
    rows = ok("--store", place / "s.db", "findings", "--filter", "detection:SUP-02", "--json").json
    assert len(rows) > 1
    settings = json.dumps({"exclude": [{"reason": "pipelines are reviewed", "when": 'action.verb == "ci.modify"'}]})
    org.write_text(org.read_text("utf-8") + f"\ndetections: {{SUP-02: {settings}, CRED-08: {{enabled: false}}, NOPE-1: {{}}}}\n")
    ok("--store", place / "s.db", "import", sample_logs()[0])
    left = ok("--store", place / "s.db", "findings", "--filter", "detection:SUP-02", "--json").json
    hidden = len(rows) - len(left)
    assert hidden > 0
    row = listed(place)["SUP-02"]
    assert (row["findings"], row["hidden"], row["hidden_by"]) == (len(left), hidden, {"pipelines are reviewed": hidden})
    assert [e["hides"] for e in row["exclusions"]] == [hidden]
    assert "NOPE-1" in ok("--store", place / "s.db", "detections").err
    gone = next(r for r in rows if r["id"] not in {one["id"] for one in left})
    assert ok("--store", place / "s.db", "show", gone["task"], "--json").json["task"]["not_reported"]["SUP-02"]
    assert "Not reported: " in ok("--store", place / "s.db", "show", gone["task"]).out
    ok("--store", place / "s.db", "report", "--framework", "owasp-asi-2026", "--out", place / "pack")
    assert f"not reported,SUP-02: pipelines are reviewed,{hidden}" in (place / "pack" / "limits.csv").read_text("utf-8")
    method = json.loads((place / "pack" / "report.json").read_text("utf-8"))["method"]
    assert "CRED-08" in method["not_run"]
    assert "CRED-08" not in {d["id"] for d in method["detectors"]}


def test_detections_are_listed_before_anything_is_imported(place: Path) -> None:
    rows = ok("--org", place / "org.yaml", "detections", "--json").json
    assert {"GOV-01", "ACME-PIPELINE"} <= {row["id"] for row in rows}
    assert {row["findings"] for row in rows} == {None}
    refused(run("detections", "show", "GOVV-01"), 2, "GOV-01")
    refused(run("--detections", place / "nowhere", "detections"), 2, "nowhere")
    refused(run("detections", "test"), 2, "own-detections")
