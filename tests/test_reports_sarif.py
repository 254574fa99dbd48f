"""SARIF: valid against its schema, locations lie in the evidence, and what was accepted is suppressed with its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import rfc8785

from lang.sarif import message
from reports.catalogue import frameworks
from reports.input import PackInput
from tests.reports_sample import build_pack, sample
from tests.test_reports_oscal import SCHEMAS, STORES


def run(state: PackInput, out: Path, chosen: list[str] | None = None) -> dict[str, Any]:
    build_pack(state, out, chosen or [f.id for f in frameworks()], {"sarif", "json"})
    data = (out / "findings.sarif").read_bytes()
    log = json.loads(data)
    assert data == rfc8785.dumps(log)
    (one,) = log["runs"]
    return dict(one)


def test_the_published_schema_takes_every_store(tmp_path: Path) -> None:
    path = SCHEMAS / "sarif-schema-2.1.0.json"
    if not path.is_file():
        pytest.skip("no SARIF schema beside this checkout (../shared/schemas)")
    validator = jsonschema_rs.validator_for(json.loads(path.read_bytes()))
    for name, store in STORES.items():
        run(store(), tmp_path / name)
        log = json.loads((tmp_path / name / "findings.sarif").read_bytes())
        assert [str(e) for e in validator.iter_errors(log)] == [], name
        log["runs"][0]["results"].append({"kind": "odd"})
        assert not validator.is_valid(log)


@pytest.mark.parametrize("store", STORES)
def test_every_index_and_identifier_is_found_again(tmp_path: Path, store: str) -> None:
    one = run(STORES[store](), tmp_path / "out")
    rules, taxonomies = one["tool"]["driver"]["rules"], one["taxonomies"]
    assert [t["guid"] for t in taxonomies] == [t["guid"] for t in one["tool"]["driver"]["supportedTaxonomies"]]
    for rule in rules:
        for target in (r["target"] for r in rule.get("relationships", [])):
            assert taxonomies[target["toolComponent"]["index"]]["taxa"][target["index"]]["id"] == target["id"]
    for result in one["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert isinstance(result["suppressions"], list)
        for place in (*result.get("locations", ()), *result.get("relatedLocations", ())):
            artifact = place["physicalLocation"]["artifactLocation"]
            assert artifact["uriBaseId"] in one["originalUriBaseIds"]
            assert ".." not in artifact["uri"].split("/") and not artifact["uri"].startswith("/")
            if "index" in artifact:
                assert one["artifacts"][artifact["index"]]["location"]["uri"] == artifact["uri"]


def test_results_follow_the_review(tmp_path: Path) -> None:
    one = run(sample(), tmp_path / "out", ["owasp-nhi-2025"])
    findings = {f["id"]: f for f in json.loads((tmp_path / "out" / "report.json").read_bytes())["findings"]}
    results = {r["partialFingerprints"]["remitFinding/v1"]: r for r in one["results"]}
    assert list(results) == list(findings)
    for id, result in results.items():
        finding = findings[id]
        assert bool(result["suppressions"]) is (finding["group"] in ("accepted", "dismissed"))
        blind = finding["group"] == "blind-spot"
        assert (result["kind"], result["level"] == "none") == (("open", True) if blind else ("fail", False))
        line = result["locations"][0]["physicalLocation"]["region"]["startLine"]
        assert line == finding["evidence"][0]["line"]
    (accepted,) = (r for id, r in results.items() if findings[id]["group"] == "accepted")
    assert "SEC-9: test key only" in accepted["suppressions"][0]["justification"]
    assert one["artifacts"][0]["hashes"]["sha-256"] and one["artifacts"][0]["length"] == 10_000
    related = {t["target"]["id"] for r in one["tool"]["driver"]["rules"] if r["id"] == "CRED-08" for t in r["relationships"]}
    cred = next(f for f in findings.values() if f["detection"] == "CRED-08")
    assert related == {c.removeprefix("owasp-nhi-2025:") for c in cred["controls"]}


@pytest.mark.parametrize(
    ("text", "shown"),
    [("[x](javascript:1)", r"\[x\](javascript:1)"), ("a[0] (b)", "a[0] (b)"), (r"\[x](y)", r"\\\[x\](y)"), ("a\nb", "a␊b")],
)
def test_no_message_becomes_a_link(text: str, shown: str) -> None:
    assert message(text) == {"text": shown}
