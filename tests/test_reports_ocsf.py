"""OCSF: the classes' required fields are there, no event says that anything passed, and every id is found again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from reports.catalogue import frameworks
from reports.exchange import OCSF_VERSIONS, Exchange
from reports.input import PackInput
from reports.renderers.ocsf import CONTROL_IDS
from reports.verify import verify
from tests.reports_sample import build_pack, classified, finding, sample
from tests.test_reports_oscal import STORES

# The schema's own requirements for the classes and for the objects used here (required, one of, values of enumerations).
EVENT = {"activity_id", "category_uid", "class_uid", "finding_info", "metadata", "severity_id", "time", "type_uid"}
REQUIRED = {
    2003: EVENT | {"compliance"},
    2004: EVENT,
    "metadata": {"product", "version"},
    "product": {"name", "vendor_name"},
    "finding_info": {"uid", "title"},
    "analytic": {"type_id"},
    "compliance": {"standards"},
}
ONE_OF = {
    "analytic": {"name", "uid"},
    "compliance": {"control", "checks"},
    "evidences": {"actor", "data", "file", "user"},
    "actor": {"app_name", "user"},
    "user": {"name", "uid", "account"},
    "resources": {"name", "uid"},
}
VALUES = {
    "activity_id": {1, 2, 3},
    "severity_id": {0, 1, 2, 3, 4, 5, 6, 99},
    "status_id": {0, 1, 2, 3, 4, 5, 6, 99},
    "type_id": {0, 1, 2, 3, 4, 99},
    "category_uid": {2},
}


def lines(state: PackInput, out: Path) -> dict[str, list[dict[str, Any]]]:
    """The events of both files over every framework."""
    manifest = build_pack(state, out, [f.id for f in frameworks()], {"ocsf", "json"})
    assert verify(out).sound
    claimed = {f["path"]: f.get("records") for f in manifest["files"]}
    found = {}
    for path in sorted(out.glob("ocsf/*.jsonl")):
        parts = path.read_bytes().splitlines(keepends=True)
        found[path.stem] = [json.loads(part) for part in parts]
        assert b"".join(rfc8785.dumps(event) + b"\n" for event in found[path.stem]) == path.read_bytes()
        assert claimed[f"ocsf/{path.name}"] == len(parts)
    return found


def check(value: Any, kind: Any) -> None:
    """Hold an object against the tables, and whatever is in it."""
    assert REQUIRED.get(kind, set()) <= set(value), kind
    assert kind not in ONE_OF or ONE_OF[kind] & set(value), kind
    for name, inner in value.items():
        assert name not in VALUES or inner in VALUES[name], (name, inner)
        if name != "unmapped" and isinstance(inner, dict):
            check(inner, name)
        elif isinstance(inner, list):
            for one in inner:
                if isinstance(one, dict):
                    check(one, name)


@pytest.mark.parametrize("store", STORES)
def test_required_fields_are_there_for_every_store(tmp_path: Path, store: str) -> None:
    events = lines(STORES[store](), tmp_path / "out")
    assert set(events) == {"detection-findings", "compliance-findings"}
    assert bool(events["detection-findings"]) is (store != "empty")
    seen = set()
    for event in (e for file in events.values() for e in file):
        check(event, event["class_uid"])
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert isinstance(event["time"], int)
        assert event.get("compliance", {}).get("status_id") != 1 and event.get("compliance", {}).get("status") != "Pass"
        seen.add(event["metadata"]["uid"])
    assert len(seen) == sum(map(len, events.values()))


def test_one_event_per_finding_and_one_per_control_with_its_result_and_counts(tmp_path: Path) -> None:
    events = lines(sample(classifications=classified()), tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_bytes())
    findings = {f["id"]: f for f in report["findings"]}
    assert [e["finding_info"]["uid"] for e in events["detection-findings"]] == list(findings)
    controls = {f"{s['id']}:{c['id']}": c for s in report["frameworks"] for c in s["controls"]}
    assert [e["metadata"]["uid"] for e in events["compliance-findings"]] == list(controls)
    ranks = {"low": 2, "medium": 3, "high": 4, "critical": 5}
    for event in events["compliance-findings"]:
        control, said = controls[event["metadata"]["uid"]], event["unmapped"]
        word = "Fail" if control["open"] else "Accepted exception" if control["accepted"] else control["result"]
        assert (event["compliance"]["control"], event["compliance"]["status"]) == (control["id"], word)
        counts = ("open", "accepted", "dismissed", "blind_spots", "cannot_judge", "population", "findings", "result", "lacking")
        assert {name: said[name] for name in counts} == {name: control[name] for name in counts}
        standing = [findings[id] for id in control["findings"] if findings[id]["group"] in ("open", "accepted")]
        assert event["severity_id"] == max((ranks[f["severity"]] for f in standing), default=1)
        assert said["findings_left_out"] == 0
    words = {
        findings[e["finding_info"]["uid"]]["state"]: (e["status_id"], e["activity_id"]) for e in events["detection-findings"]
    }
    assert words == {
        "confirmed": (2, 1),
        "open": (1, 1),
        "accepted": (99, 1),
        "reopened": (1, 1),
        "blind-spot": (99, 1),
        "false-positive": (3, 3),
    }
    first = events["detection-findings"][0]
    assert first["evidences"][0]["actor"] == {"app_name": "claude-code", "user": {"name": "dana@acme.example", "type_id": 0}}
    assert first["evidences"][0]["data"]["line"] == findings[first["finding_info"]["uid"]]["evidence"][0]["line"]
    assert {e["is_alert"] for e in events["detection-findings"] if e["status"] in ("Blind spot", "Suppressed")} == {False}


@pytest.mark.parametrize("version", OCSF_VERSIONS)
def test_the_version_is_as_set(tmp_path: Path, version: str) -> None:
    events = lines(sample(2, 8, exchange=Exchange(ocsf_version=version)), tmp_path / "out")
    assert {e["metadata"]["version"] for file in events.values() for e in file} == {version}


def test_a_control_of_many_findings_names_some_and_counts_the_rest(tmp_path: Path) -> None:
    many = tuple(finding("CRED-08", 0, n) for n in range(CONTROL_IDS + 7))
    events = lines(sample(1, 3, findings=many, exceptions=(), verdicts=()), tmp_path / "out")
    full = [e["unmapped"] for e in events["compliance-findings"] if e["unmapped"]["open"]]
    assert full and {(len(u["findings"]), u["findings_left_out"], u["open"]) for u in full} == {(100, 7, 107)}


def test_a_line_that_is_taken_away_is_missed(tmp_path: Path) -> None:
    lines(sample(2, 8), tmp_path / "out")
    path = tmp_path / "out" / "ocsf" / "detection-findings.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    result = verify(tmp_path / "out")
    assert result.altered == ["ocsf/detection-findings.jsonl"]
    assert result.completeness.differs == [{"path": "ocsf/detection-findings.jsonl", "claimed": 8, "found": 7}]
