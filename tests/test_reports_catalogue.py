"""Catalogues, crosswalk and vocabulary: every id exists, labels of other spellings resolve, bad files are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from reports.catalogue import framework, frameworks
from reports.crosswalk import controls_of, load, resolve
from reports.errors import DataError, UnknownName
from reports.vocabulary import vocabulary

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
        ("NHI7-2025", "owasp-nhi-2025", ("NHI7:2025",)),
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
    with pytest.raises(UnknownName, match="more than one edition"):
        framework("owasp-llm")
    assert framework("owasp-asi").id == "owasp-asi-2026"
    with pytest.raises(UnknownName, match="ASI0"):
        resolve("ASI99", "owasp-asi-2026")


def test_every_mapped_id_exists_in_its_edition_and_every_detection_has_a_mapping() -> None:
    known = {f.id: set(f.by_id) for f in frameworks()}
    crosswalk = load()
    assert len(crosswalk.detections) == 42
    for row in crosswalk.detections.values():
        assert row.mappings, row.id
        for name, ids in row.mappings.items():
            assert set(ids) <= known[name], (row.id, name)
    for name, controls in crosswalk.evidence.items():
        assert set(controls) <= known[name]
        for control, evidence in controls.items():
            assert evidence.shows and evidence.does_not_show, (name, control)
            assert set(evidence.detections) == set(crosswalk.detections_of(name, control)), (name, control)
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
    assert framework("house-7", tmp_path).title == "House rules"
    own = load(tmp_path)
    assert own.detections_of("house-7", "H1") == ("GOV-01",)
    assert own.detections["GOV-01"].mappings["owasp-asi-2026"] == ("ASI10",)
    assert own.detections["GOV-01"].title == "Ungoverned action"
    assert own.not_assessable["house-7"]["H2"] == "no broom logs"
    assert load().detections["GOV-01"].mappings["owasp-asi-2026"] == ("ASI02", "ASI10")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a: &x [1]\nb: *x\ncatalogue_schema: 1\n", "aliases are not accepted"),
        ("catalogue_schema: [", "line"),
        (_catalogue(catalogue_schema=2), "catalogue_schema 2"),
        (_catalogue(items=[{"id": "H1"}]), "title"),
        (_catalogue(items=[{"id": "H1", "title": "a"}, {"id": "H1", "title": "b"}]), "occurs twice"),
        (_catalogue(aliases={"X": "H9"}), "no item of this catalogue"),
        ("catalogue_schema: " + "[" * 3000, "nested deeper"),
        ("\x00", "YAML"),
    ],
)
def test_a_bad_catalogue_is_refused_with_its_place(tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(DataError, match=word) as refusal:
        frameworks(tmp_path)
    assert "bad.yaml" in str(refusal.value)


def test_a_reading_that_maps_to_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "reading.yaml").write_text(
        yaml.safe_dump({"crosswalk_schema": 1, "detections": [{"id": "GOV-01", "mappings": {"owasp-asi-2026": ["ASI77"]}}]})
    )
    with pytest.raises(DataError, match="ASI77"):
        load(tmp_path)
