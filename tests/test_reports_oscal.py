"""OSCAL: valid against the published schema, references resolve, ids are the catalogue's, and nothing is called satisfied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid5

import jsonschema_rs
import pytest
import rfc8785
from msgspec.structs import replace

from model.review import ExceptionRecord, SignedScope, Verdict
from model.words import Severity, VerdictWord
from reports.canonical import canonical
from reports.catalogue import framework
from reports.errors import ReportError
from reports.exchange import OSCAL_VERSIONS, Exchange, check
from reports.identity import ROOT, evidence_reference, stable
from reports.input import Attestation, PackInput, SignOff, SourceRow
from reports.oscal_names import oscal_names
from reports.redaction import PROFILES, Redactor
from reports.verify import verify
from reports.vocabulary import vocabulary
from tests.oscal_checks import problems, walk
from tests.reports_sample import DAY, HOUR, build_pack, finding, sample

SCHEMAS = Path(__file__).resolve().parent.parent.parent / "shared" / "schemas"
NIST = ["nist-sp800-53r5-selected", "nist-csf-2.0"]
NASTY = [
    "\ud800",
    "\x00\x01",
    "{{ insert: param, x }}",
    "a\r\nb",
    "\u2028",
    " ",
    "",
    "<script>",
    "[x](javascript:1)",
    "x" * 50_000,
]


def made(state: PackInput, out: Path, frameworks: list[str] | None = None, redact: str = "") -> dict[str, dict[str, Any]]:
    """The OSCAL files of a pack by name; what no schema sees is checked on the way."""
    redactor = Redactor(redact, state, b"k" * 32) if redact else None
    build_pack(state, out, frameworks or NIST, {"oscal"}, redactor=redactor)
    assert verify(out).sound
    files = {}
    for path in sorted(out.glob("oscal/*.json")):
        data = path.read_bytes()
        files[path.stem] = json.loads(data)
        assert data == rfc8785.dumps(files[path.stem])
    for name, document in files.items():
        stem = name.removeprefix("assessment-results-")
        names = oscal_names(framework(stem), vocabulary()) if stem != name else None
        controls = {names.control_ids[i]: names.statement_ids[i] for i in names.control_ids} if names else None
        assert problems(document, controls) == [], name
    return files


def reviewed(**changes: Any) -> PackInput:
    """The sample with everything that people may have said."""
    said: dict[str, Any] = {
        "sign_offs": (SignOff("kim", DAY + 22 * HOUR, "I read the samples.", True),),
        "attestations": (Attestation(NIST[0], "AC-6", "dana", DAY + 21 * HOUR, "Reviewed in May."),),
    }
    return sample(3, 12, **(said | changes))


def test_a_sign_off_of_another_report_is_no_statement_of_these_results(tmp_path: Path) -> None:
    about = SignedScope(tuple(NIST), 1)
    files = made(reviewed(sign_offs=(SignOff("kim", DAY, "signed the other one", about=about),)), tmp_path / "out")
    assert files and not any("signed the other one" in json.dumps(document) for document in files.values())


def test_an_attestation_says_what_it_rests_on_and_that_it_ran_out(tmp_path: Path) -> None:
    said = Attestation(NIST[0], "AC-6", "dana", DAY + 21 * HOUR, "Reviewed in May.", "GRC-12", DAY + 1, True)
    files = made(reviewed(attestations=(said,)), tmp_path / "out")
    told = [one for document in files.values() for one in documented(document, "Attestation on AC-6")]
    assert told
    for one in told:
        props = {p["name"]: p["value"] for p in one["props"]}
        assert (props["asserted"], props["evidence"], props["expired"]) == ("yes", "GRC-12", "yes") and props["expires"]


def documented(value: Any, title: str) -> list[dict[str, Any]]:
    """Every object of this title."""
    if isinstance(value, list):
        return [one for held in value for one in documented(held, title)]
    if not isinstance(value, dict):
        return []
    return ([value] if value.get("title") == title else []) + documented(list(value.values()), title)


def hostile() -> PackInput:
    rows = tuple(finding("BND-05", i % 3, i, why=text, title=text, task=text) for i, text in enumerate(NASTY))
    rows = tuple(
        replace(r, evidence=tuple(replace(e, name=NASTY[i], source=NASTY[i]) for e in r.evidence)) for i, r in enumerate(rows)
    )
    said = tuple(
        Verdict(r.finding.id, "finding", VerdictWord.OUTSIDE, text, text, DAY) for r, text in zip(rows, NASTY, strict=True)
    )
    return reviewed(
        organisation="".join(NASTY),
        system="{{ x }}",
        findings=rows,
        verdicts=said,
        exceptions=tuple(
            ExceptionRecord(r.finding.id, text, text, 10**18, text, text, -5) for r, text in zip(rows, NASTY, strict=True)
        ),
        sources=tuple(SourceRow(text, text, text, note=text, first=10**17) for text in NASTY),
        start=10**17,
        end=None,
        exchange=Exchange(system_id=" \n "),
    )


def one_finding() -> PackInput:
    return sample(1, 3, findings=(finding("CRED-08", 0, 1),), exceptions=(), verdicts=())


def without_task() -> PackInput:
    return sample(1, 3, findings=(finding("AUD-02", 0, None, Severity.LOW, task="", step=""),), tasks=())


def empty() -> PackInput:
    nothing: tuple[()] = ()
    return sample(
        steps=(), tasks=(), findings=(), credentials=(), coverage=(), sources=(), delivered=(), exceptions=nothing,
        verdicts=(), as_of=0, start=None, end=None,
    )  # fmt: skip


STORES = {f.__name__: f for f in (reviewed, hostile, one_finding, without_task, empty)}


@pytest.mark.parametrize("store", STORES)
def test_what_the_schema_does_not_see_holds_for_every_store(tmp_path: Path, store: str) -> None:
    files = made(STORES[store](), tmp_path / "out")
    whole = {"assessment-results-nist-csf-2.0", "assessment-results-nist-sp800-53r5-selected", "plan-of-action"}
    assert set(files) == (set() if store == "empty" else whole)


@pytest.mark.parametrize("profile", PROFILES)
def test_what_was_left_out_stays_out_and_the_files_hold_together(tmp_path: Path, profile: str) -> None:
    whole = made(reviewed(), tmp_path / "whole")
    files = made(reviewed(), tmp_path / "out", redact=profile)
    assert set(files) == set(whole)
    for name, document in files.items():
        text = json.dumps(document)
        assert ("lee" in text) is ("dana@acme.example" in text) is (profile == "no-prompts"), name
        assert json.dumps(whole[name]).count('"uuid"') == text.count('"uuid"')


@pytest.mark.parametrize("version", ["1.1.2", "1.2.2"])
def test_the_published_schema_takes_every_file(tmp_path: Path, version: str) -> None:
    path = SCHEMAS / "oscal_complete_schema-1.2.2.json"
    if not path.is_file():
        pytest.skip("no OSCAL schema beside this checkout (../shared/schemas)")
    validator = jsonschema_rs.validator_for(json.loads(path.read_bytes()))
    for name, store in STORES.items():
        state = store()
        state.exchange = replace(state.exchange, oscal_version=version)
        for file, document in made(state, tmp_path / name).items():
            assert [str(e) for e in validator.iter_errors(document)] == [], (name, file)
            (body,) = document.values()
            assert body["metadata"]["oscal-version"] == version
            del body["metadata"]["version"]
            assert not validator.is_valid(document)


def test_the_check_of_references_finds_what_it_is_for(tmp_path: Path) -> None:
    document = made(reviewed(), tmp_path / "out")["assessment-results-nist-csf-2.0"]
    body = document["assessment-results"]
    result = body["results"][0]
    body["import-ap"]["href"] = "#8f14e45f-ceea-467f-a0e6-ab2f9ac2b3b0"
    result["findings"][0]["target"]["status"]["state"] = "satisfied"
    result["reviewed-controls"]["control-selections"][0]["include-controls"][0]["control-id"] = "NHI7:2025"
    result["observations"][0]["props"][0]["ns"] = "other"
    found = " ".join(problems(document, {}))
    for part in ("is nowhere", "says satisfied", "is no token", "holds no control", "holds no statement", "has no namespace"):
        assert part in found


def test_findings_risks_and_the_plan_follow_the_review(tmp_path: Path) -> None:
    files = made(reviewed(), tmp_path / "out")
    result = files["assessment-results-nist-sp800-53r5-selected"]["assessment-results"]["results"][0]
    report = {c["id"]: c for c in _section(tmp_path, NIST[0])["controls"]}
    targets = {f["target"]["target-id"]: f["target"]["status"]["state"] for f in result["findings"]}
    names = oscal_names(framework(NIST[0]), vocabulary())
    assert names is not None
    assert targets == {names.statement_ids[id]: "not-satisfied" for id, c in report.items() if c["result"] == "exceptions found"}
    included = {c["control-id"] for c in result["reviewed-controls"]["control-selections"][0]["include-controls"]}
    words = ("exceptions found", "no exceptions found in the covered population")
    assert included == {names.control_ids[id] for id, c in report.items() if c["result"] in words}
    assert 0 < len(included) < len(report)
    states = {p["value"] for o in result["observations"] for p in o["props"] if p["name"] == "result"}
    assert states == {c["result"] for c in report.values()} and len(states) > 2
    plan = files["plan-of-action"]["plan-of-action-and-milestones"]
    groups = json.loads((tmp_path / "j" / "report.json").read_bytes())["findings"]
    standing = {f["id"] for f in groups if f["group"] in ("open", "accepted")}
    items = {p["value"] for i in plan["poam-items"] for p in i["props"] if p["name"] == "finding-id"}
    assert items == standing and len(plan["risks"]) == len(standing)
    accepted = [r for r in plan["risks"] if r["status"] == "deviation-approved"]
    assert [r["deadline"] for r in accepted] == ["2026-06-03T00:00:00Z"]
    assert len(accepted) == sum(f["group"] == "accepted" for f in groups) == 1
    remedied = {f["id"]: f["remedy"] for f in groups if f["remedy"] and f["id"] in standing}
    put_right = [r for r in plan["risks"] if "remediations" in r]
    assert len(put_right) == len(remedied) > 1 and accepted[0] in put_right
    (under_way,) = (r for r in put_right if r["status"] == "remediating")
    (told,) = under_way["remediations"]
    assert told["lifecycle"] == "planned" and r"\{\{ the mode" in told["description"]
    assert under_way["deadline"] == told["tasks"][0]["timing"]["on-date"]["date"] == "2026-06-01T02:00:00Z"
    (done,) = accepted[0]["remediations"]
    assert done["lifecycle"] == "completed" and {"=PR 88"} == {
        p["value"] for p in done["props"] if p["name"] == "closure-evidence"
    }


def _report(tmp_path: Path) -> dict[str, Any]:
    build_pack(reviewed(), tmp_path / "j", NIST, {"json"})
    return dict(json.loads((tmp_path / "j" / "report.json").read_bytes()))


def _section(tmp_path: Path, name: str) -> dict[str, Any]:
    return next(f for f in _report(tmp_path)["frameworks"] if f["id"] == name)


def test_evidence_names_its_source_by_hash_and_line_and_people_are_parties(tmp_path: Path) -> None:
    body = made(reviewed(), tmp_path / "out")["assessment-results-nist-csf-2.0"]["assessment-results"]
    resources = {r["uuid"]: r for r in body["back-matter"]["resources"]}
    hits = [o for o in body["results"][0]["observations"] if "finding" in o["types"]]
    evidence = hits[0]["relevant-evidence"][0]
    source = resources[evidence["href"][1:]]
    assert source["title"] == "claude-code/session.jsonl" and len(source["rlinks"][0]["hashes"][0]["value"]) == 64
    assert source["rlinks"][0]["href"] == "evidence/claude-code/session.jsonl"
    report = {f["id"]: f for f in _report(tmp_path)["findings"]}
    for hit in hits:
        said = {p["name"]: p["value"] for p in hit["props"]}
        finding = report[said["finding-id"]]
        assert [e["description"] for e in hit["relevant-evidence"]] == [f"line {e['line']}" for e in finding["evidence"]]
        assert said["evidence-digest"] == finding["evidence_digest"]
        told = resources[hit["links"][0]["href"][1:]]["props"]
        mapped = {c for p in told if p["name"] == "mapped" for c in p["value"].split(": ", 1)[1].split("; ")}
        assert told[0]["value"] == finding["detection"]
        assert mapped == {c.partition(":")[2] for c in finding["controls"]}
    blind = [f["detection"] for f in report.values() if f["group"] == "blind-spot" and any("csf" in c for c in f["controls"])]
    grouped = [o for o in body["results"][0]["observations"] if "blind-spot" in o["types"]]
    assert blind and {p["value"] for o in grouped for p in o["props"] if p["name"] == "detection"} == set(blind)
    assert sum(int(p["value"]) for o in grouped for p in o["props"] if p["name"] == "blind-spots") == len(blind)
    parties = {p["name"] for p in body["metadata"]["parties"]}
    assert {"Acme <Ltd>", "kim", "lee"} <= parties
    assert body["results"][0]["attestations"][0]["parts"][0]["prose"] == "I read the samples."
    assert body["metadata"]["last-modified"] == "2026-06-02T00:00:00Z"


def test_plans_and_the_system_are_as_set(tmp_path: Path) -> None:
    settings = Exchange(import_ap="ap.json", import_ssp="../ssp.json#x", system_id="SYS-7")
    files = made(reviewed(exchange=check(settings)), tmp_path / "out")
    assert files["assessment-results-nist-csf-2.0"]["assessment-results"]["import-ap"] == {"href": "ap.json"}
    plan = files["plan-of-action"]["plan-of-action-and-milestones"]
    assert (plan["import-ssp"], plan["system-id"]) == ({"href": "../ssp.json#x"}, {"id": "SYS-7"})
    for wrong in (
        Exchange(oscal_version="2.0.0"),
        Exchange(import_ap="a b"),
        Exchange(ocsf_version="1"),
        Exchange(import_ssp="\n"),
    ):
        with pytest.raises(ReportError):
            check(wrong)
    assert all(check(Exchange(oscal_version=v)) for v in OSCAL_VERSIONS)


def test_a_framework_without_an_oscal_catalogue_gets_no_file_but_its_ids_stand_in_the_plan(tmp_path: Path) -> None:
    files = made(reviewed(), tmp_path / "out", ["owasp-nhi-2025"])
    assert set(files) == {"plan-of-action"}
    mapped = {v["value"] for _, _, v in walk(files["plan-of-action"]) if isinstance(v, dict) and v.get("name") == "mapped"}
    assert any("NHI7:2025" in m.removeprefix("owasp-nhi-2025: ").split("; ") for m in mapped)
    assert made(empty(), tmp_path / "none", ["owasp-nhi-2025"]) == {}


def test_every_selected_control_has_a_name_in_its_publishers_catalogue() -> None:
    for id in NIST:
        catalogue = framework(id)
        names = oscal_names(catalogue, vocabulary())
        assert names is not None and set(names.control_ids) == {i.id for i in catalogue.assessable}
    assert oscal_names(framework("owasp-nhi-2025"), vocabulary()) is None


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("a/b c.jsonl", "a/b%20c.jsonl"),
        ("../../etc/passwd", "_/_/etc/passwd"),
        ("/etc/passwd", "_/etc/passwd"),
        ("file:///x", "file%3A/_/_/x"),
        ("", "_"),
        ("a?b#c\\d", "a%3Fb%23c%5Cd"),
        ("ü", "%C3%BC"),
    ],
)
def test_no_reference_to_evidence_leads_out_of_its_folder(name: str, reference: str) -> None:
    assert evidence_reference(name) == reference


def test_quick_identifiers_are_uuids_of_version_5() -> None:
    for n in range(50):
        assert stable("finding", f"ü{n}", "x") == str(uuid5(ROOT, f"finding\0ü{n}\0x"))


def test_quick_canonical_json_is_canonical_json() -> None:
    value = {
        "b": ["é\u2028\U0001f600", '"\\/\n\t\x7f', 2**53 - 1, -1, True, None, {}],
        "a-b": {"z": [], "A": "", "_": {"10": 1, "9": 2}},
    }
    assert canonical(value) == rfc8785.dumps(value)
