"""Catalogues, crosswalk and vocabulary: every id exists, labels of other spellings resolve, bad files are told of with their line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from chains.detections import registry
from reports.catalogue import framework, frameworks
from reports.crosswalk import controls_of, load
from reports.errors import UnknownName
from reports.labels import plain
from reports.library import library, shipped
from reports.vocabulary import vocabulary

resolve = shipped().resolve
SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "frameworks"


def test_all_fifteen_editions_are_found_by_listing() -> None:
    found = {f.id: f for f in frameworks()}
    assert len(found) == 15
    assert {"owasp-asi-2026", "owasp-nhi-2025", "nist-ai-rmf-1.0", "owasp-llm-2025", "owasp-llm-2026"} <= set(found)
    assert sum(len(f.items) for f in found.values()) == 589
    assert all(f.attribution and f.edition and f.licence for f in found.values())


def test_the_package_carries_the_catalogues_unchanged() -> None:
    if not SHARED.is_dir():
        pytest.skip("no framework data beside this checkout (../shared/frameworks)")
    ours = Path(__file__).resolve().parent.parent / "reports" / "frameworks"
    for path in SHARED.glob("*.yaml"):
        assert (ours / path.name).read_bytes() == path.read_bytes(), path.name


def test_items_carry_what_their_catalogue_counts() -> None:
    rmf = framework("nist-ai-rmf-1.0")
    assert (len(rmf.items), len(rmf.assessable)) == (95, 72)
    assert len(framework("iso-42001-annex-a-titles").assessable) == 38
    assert len(framework("nist-csf-2.0").assessable) == 106


@pytest.mark.parametrize(
    ("label", "catalogue", "ids"),
    [
        ("A2", "owasp-asi-2026", ("ASI02",)),
        ("NHI-03", "owasp-nhi-2025", ("NHI7:2025", "NHI5:2025")),
        ("ASI02:2026", "owasp-asi-2026", ("ASI02",)),
        ("AC-02(09)", "nist-sp800-53r5-selected", ("AC-2(9)",)),
        ("ac-2.9", "nist-sp800-53r5-selected", ("AC-2(9)",)),
        ("AC-02 (9)", "nist-sp800-53r5-selected", ("AC-2(9)",)),
        ("NHI7-2025", "owasp-nhi-2025", ("NHI7:2025",)),
        ("nhi-5", "owasp-nhi-2025", ("NHI5:2025",)),
        ("LLM6:2025", "owasp-llm-2025", ("LLM06:2025",)),
        ("govern-1.1", "nist-ai-rmf-1.0", ("GOVERN 1.1",)),
        ("pr.aa-5", "nist-csf-2.0", ("PR.AA-05",)),
    ],
)
def test_labels_of_other_spellings_resolve(label: str, catalogue: str, ids: tuple[str, ...]) -> None:
    found = resolve(label)
    assert (found.framework, found.ids) == (catalogue, ids)
    assert found.correction
    assert resolve(label, catalogue).ids == ids


def test_given_labels_print_their_correction() -> None:
    assert 'No OWASP publication found uses "A2"' in resolve("A2").correction
    assert "NHI3:2025 is Vulnerable Third-Party NHI" in resolve("NHI-03").correction
    govern = resolve("GOVERN", "nist-ai-rmf-1.0")
    assert govern.ids[0] == "GOVERN 1.4" and len(govern.ids) == 7
    assert govern.correction == "The guidance gives no subcategory."
    assert resolve("ASI02").correction == ""


def test_unknown_names_say_what_is_near() -> None:
    with pytest.raises(UnknownName, match="owasp-asi-2026"):
        framework("owasp-asi-2025")
    with pytest.raises(UnknownName, match=r"more than one framework fits 'owasp-llm': owasp-llm-2025, owasp-llm-2026$"):
        framework("owasp-llm")
    with pytest.raises(UnknownName, match="ASI0"):
        resolve("ASI99", "owasp-asi-2026")
    with pytest.raises(UnknownName, match=r"give the framework too.*LLM06:2025 of owasp-llm-2025"):
        resolve("LLM06")
    assert resolve("LLM06", "owasp-llm-2026").ids == ("LLM06:2026",)


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("owasp-asi", "owasp-asi-2026"),
        ("asi", "owasp-asi-2026"),
        ("NHI", "owasp-nhi-2025"),
        ("OWASP LLM 2025", "owasp-llm-2025"),
        ("csf", "nist-csf-2.0"),
        ("800-53", "nist-sp800-53r5-selected"),
        ("SP 800-207", "nist-sp800-207"),
        ("AI RMF", "nist-ai-rmf-1.0"),
        ("soc2", "soc2-tsc-2017-selected"),
        ("eu ai act", "eu-ai-act-2024-1689-selected"),
        ("ISO/IEC 42001", "iso-42001-annex-a-titles"),
        ("maestro", "csa-maestro-2025"),
    ],
)
def test_short_names_of_frameworks(name: str, id: str) -> None:
    assert framework(name).id == id


def test_frameworks_are_selected_by_labels_of_their_controls() -> None:
    chosen, asked = shipped().select(["A2", "nhi", "AC-02(09)", "ASI01", "LLM06:2025"])
    ids = ["owasp-asi-2026", "owasp-nhi-2025", "nist-sp800-53r5-selected", "owasp-llm-2025"]
    assert [f.id for f in chosen] == ids
    assert [(one.label, one.ids, bool(one.correction)) for one in asked] == [
        ("A2", ("ASI02",), True),
        ("AC-02(09)", ("AC-2(9)",), True),
        ("ASI01", ("ASI01",), False),
        ("LLM06:2025", ("LLM06:2025",), False),
    ]
    printed = shipped().reading(asked=asked).references_of("nist-sp800-53r5-selected")
    assert [(r.label, r.resolves_to, r.correction) for r in printed] == [("AC-02(09)", ("AC-2(9)",), "published as AC-2(9)")]
    assert len(shipped().select(["all"])[0]) == 15
    with pytest.raises(
        UnknownName, match=r"more than one holds 'LLM06': LLM06:2025 of owasp-llm-2025, LLM06:2026 of owasp-llm-2026$"
    ):
        shipped().select(["LLM06"])


def test_no_two_entries_of_a_catalogue_are_one_label() -> None:
    for catalogue in frameworks():
        labels = [plain(item.id) for item in catalogue.items]
        assert len(set(labels)) == len(labels), catalogue.id
        assert all(catalogue.find(item.id) == (item.id,) for item in catalogue.items)
        assert all(catalogue.find(i.padded_label or i.id) == (i.id,) for i in catalogue.items)


def test_every_mapped_id_exists_in_its_edition_and_every_detection_has_a_mapping() -> None:
    known = {f.id: set(f.by_id) for f in frameworks()}
    crosswalk = load()
    assert set(registry()) <= set(crosswalk.detections)
    for row in crosswalk.detections.values():
        assert row.mappings, row.id
        for name, ids in row.mappings.items():
            assert set(ids) <= known[name], (row.id, name)
    for name, controls in crosswalk.evidence.items():
        assert set(controls) <= known[name]
        for control, evidence in controls.items():
            assert evidence.shows and evidence.does_not_show, (name, control)
            assert set(evidence.detections) <= set(crosswalk.detections_of(name, control)), (name, control)
    for name, reasons in crosswalk.not_assessable.items():
        assert set(reasons) <= known[name]
        assert all(not crosswalk.detections_of(name, control) for control in reasons)


def test_controls_of_names_framework_and_id() -> None:
    found = controls_of("GOV-02")
    assert {"framework": "owasp-asi-2026", "id": "ASI10"} in found
    assert controls_of("NO-99") == []


def test_every_detection_has_its_needs_and_every_role_names_real_articles() -> None:
    words = vocabulary()
    assert set(words.detections) == set(load().detections)
    for name, rule in words.needs_classification.items():
        bound = {i for ids in rule.roles.values() for i in ids}
        assert bound <= set(framework(name).by_id)
    assert set(words.populations) >= {n.population for n in words.detections.values()}


def _catalogue(**changes: object) -> str:
    body: dict[str, object] = {
        "catalogue_schema": 1,
        "id": "house-rules",
        "edition": "7",
        "title": "House rules",
        "publisher": "Acme",
        "attribution": "Acme house rules",
        "published": "2026-01-02",
        "items": [{"id": "H1", "title": "Ask first"}, {"id": "H2", "title": "Clean up"}],
    }
    return yaml.safe_dump(body | changes)


def test_a_folder_adds_catalogues_and_its_own_reading(tmp_path: Path) -> None:
    (tmp_path / "house-7.yaml").write_text(_catalogue())
    (tmp_path / "reading.yaml").write_text(
        yaml.safe_dump(
            {
                "crosswalk_schema": 1,
                "detections": [{"id": "GOV-01", "mappings": {"house-7": ["H1"], "owasp-asi-2026": ["ASI10"]}}],
                "control_evidence": {"house-7": {"H1": {"level": "direct", "shows": "asking", "does_not_show": "manners"}}},
                "not_assessable": {"house-7": [{"reason": "no broom logs", "ids": ["H2"]}]},
            }
        )
    )
    own = library(tmp_path)
    assert own.problems == ()
    assert own.framework("house-7").title == "House rules" and own.resolve("h-01").ids == ("H1",)
    assert own.crosswalk.detections_of("house-7", "H1") == ("GOV-01",)
    assert own.crosswalk.detections["GOV-01"].mappings["owasp-asi-2026"] == ("ASI10",)
    assert own.crosswalk.detections["GOV-01"].title == "Ungoverned action"
    assert own.crosswalk.not_assessable["house-7"]["H2"] == "no broom logs"
    assert load().detections["GOV-01"].mappings["owasp-asi-2026"] == ("ASI02", "ASI10")


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("a: &x [1]\nb: *x\ncatalogue_schema: 1\n", 2, "aliases are not accepted"),
        ("catalogue_schema: [", 2, "expected"),
        (_catalogue(catalogue_schema=2), 2, "catalogue_schema 2"),
        (_catalogue(items=[{"id": "H1"}]), 6, r"missing field `title` in items\[1\]"),
        (_catalogue(items=[{"id": "H1", "title": "a"}, {"id": "H1", "title": "b"}]), 8, "occurs twice"),
        (_catalogue(aliases={"X": "H9"}), 2, "no item of this catalogue"),
        ("catalogue_schema: " + "[" * 3000, 1, "nested deeper"),
        ("title: House rules\n", 1, "nobody knows what it is"),
        (
            "crosswalk_schema: 1\ndetections:\n- id: GOV-01\n  mappings:\n    owasp-asi-2026:\n    - ASI77\n",
            6,
            "'ASI77' is no entry",
        ),
        ("crosswalk_schema: 1\ndetections:\n- id: GOV-01\n  mappings:\n    none-2020: [X]\n", 5, "no catalogue 'none-2020'"),
        (
            "crosswalk_schema: 1\ncontrol_evidence:\n  owasp-asi-2026:\n    ASI01:\n      level: direct\n      shows: a\n",
            4,
            "missing field `does_not_show` in control_evidence.owasp-asi-2026.ASI01",
        ),
        (
            "crosswalk_schema: 1\ndetections: [{id: GOV-01, mappings: {owasp-asi-2026: [ASI01]}}]\n"
            "not_assessable:\n  owasp-asi-2026:\n  - {reason: no logs, ids: [ASI01]}\n",
            5,
            "called not assessable and mapped",
        ),
    ],
)
def test_a_bad_file_is_one_sentence_and_takes_nothing_with_it(tmp_path: Path, text: str, line: int, word: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    (tmp_path / "house-7.yml").write_text(_catalogue())
    found = library(tmp_path)
    (problem,) = found.problems
    assert problem.startswith(f"bad.yaml: line {line}") and "\n" not in problem
    assert re.search(word, problem), problem
    assert len(found.frameworks) == 16 and found.framework("house-7").edition == "7"
    assert found.crosswalk == load()


def test_an_edition_of_tomorrow_needs_no_code(tmp_path: Path) -> None:
    items = [{"id": "LLM01:2031", "title": "Prompts", "same_risk_in_2026": "LLM01:2026"}, {"id": "LLM02:2031", "title": "New"}]
    (tmp_path / "owasp-llm-2031.yaml").write_text(_catalogue(id="owasp-llm", edition="2031", kind="risk list", items=items))
    found = library(tmp_path).framework("llm 2031")
    assert found.reading == "threats" and found.find("llm-1") == ("LLM01:2031",)
    assert found.by_id["LLM01:2031"].same == {"2026": "LLM01:2026"}


def test_a_file_that_is_not_text_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_bytes(b"\x00\xff")
    (problem,) = library(tmp_path, [tmp_path / "absent.yaml"]).problems[:1]
    assert (
        problem.startswith("bad.yaml: ")
        and "absent.yaml: cannot be read" in library(None, [tmp_path / "absent.yaml"]).problems[0]
    )
