"""The pages on detections say what the code of this version says."""

from __future__ import annotations

import pytest

from benchmarks.detections_pages import FOLDER, OWN, own_page, pages
from chains.detections import registry
from reports.crosswalk import load as load_crosswalk

AGAIN = "run `make detections-doc`"
MADE = pages()


@pytest.mark.parametrize("name", MADE)
def test_a_page_is_up_to_date(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == MADE[name], AGAIN


def test_there_are_no_other_pages() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(MADE), AGAIN
    assert set(MADE) == {f"{id}.md" for id in registry()} | {"README.md"}


def test_the_attributes_of_own_detections_are_up_to_date() -> None:
    text = OWN.read_text("utf-8")
    assert own_page(text) == text, AGAIN


@pytest.mark.parametrize("id", registry())
def test_a_page_shows_a_chain_that_is_seen_and_one_that_is_not(id: str) -> None:
    page = MADE[f"{id}.md"]
    for part in ("**Seen: ", "**Not seen: ", "\n> ", "## Limits", "## Parameters", "## Controls", "## What it cannot judge"):
        assert part in page
    speaks = id in load_crosswalk().detections
    assert ("None stated." not in page.partition("## Controls")[2].partition("##")[0]) is speaks
