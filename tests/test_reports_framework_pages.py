"""The pages of docs/frameworks are what the catalogues say; our own prose never claims what logs cannot show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.framework_pages import FOLDER, pages
from reports import wording
from reports.catalogue import frameworks
from reports.crosswalk import load
from reports.library import library, shipped
from reports.vocabulary import vocabulary
from review.pack.framework_pages import page_document

ROOT = Path(__file__).resolve().parent.parent
CLAIMS = re.compile(r"\b(compliant|certified|passed)\b", re.IGNORECASE)


def test_the_pages_are_up_to_date() -> None:
    made = pages()
    assert {path.name for path in FOLDER.glob("*.md")} == set(made)
    for name, text in made.items():
        assert (FOLDER / name).read_text("utf-8") == text, f"{name}: run `make frameworks-doc`"


def test_every_entry_has_its_two_sentences_or_a_reason() -> None:
    for catalogue in frameworks():
        for item in page_document(shipped(), catalogue)["items"]:
            if item["heading"]:
                assert not item["detections"], item["id"]
            elif item["not_assessable"] is None:
                assert item["detections"] and item["shows"] and item["does_not_show"] and item["level"], (
                    catalogue.id,
                    item["id"],
                )


def test_our_own_prose_claims_nothing() -> None:
    quoted = {text for f in frameworks() for item in f.items for text in (item.title, item.statement)}
    quoted.add('never "SOC 2 compliant"')
    crosswalk = load()
    told = [
        text for controls in crosswalk.evidence.values() for one in controls.values() for text in (one.shows, one.does_not_show)
    ]
    told += [reason for reasons in crosswalk.not_assessable.values() for reason in reasons.values()]
    told += [row.relevance.threat + row.relevance.control + row.title for row in crosswalk.detections.values()]
    told += [term.title for term in vocabulary().terms.values()]
    told += [*wording.LINKING, *wording.VERIFY, wording.MAPPING_NOTE, wording.STATEMENT, *(m.meaning for m in wording.MEANINGS)]
    told += [path.read_text("utf-8") for path in sorted((ROOT / "reports" / "templates").iterdir()) if path.is_file()]
    told += [(ROOT / "docs" / "frameworks.md").read_text("utf-8"), *pages().values()]
    for text in told:
        for title in quoted if CLAIMS.search(text) else ():
            text = text.replace(title, "")
        assert not CLAIMS.search(text), CLAIMS.search(text)


EXAMPLES = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "frameworks.md").read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("left_out", [None, "a"])
def test_the_examples_of_the_manual_work_together(tmp_path: Path, left_out: str | None) -> None:
    for name, text in zip(("house-rules-2027", "crosswalk", "text", "reading"), EXAMPLES, strict=True):
        (tmp_path / f"{name}.yaml").write_text(text)
    if left_out:
        (tmp_path / f"{left_out}.yaml").write_text("catalogue_schema: 1\n")
    found = library(tmp_path)
    assert len(found.problems) == bool(left_out), found.problems
    house = {item["id"]: item for item in page_document(found, found.framework("house rules"))["items"]}
    assert house["H1"]["detections"] == ["BND-03"] and house["H2"]["not_assessable"] == "no log tells who sent whom"
    assert found.resolve("HR-ASK").ids == ("H1",)
    assert len(found.overrides) == 1 and found.framework("soc2").overlay
