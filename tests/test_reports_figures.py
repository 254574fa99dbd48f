"""Each number of report.html is found again in the tables of its pack, and one that is wrong does not go unseen."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from reports import assemble
from reports.catalogue import frameworks
from tests.reports_figures import Page, differing, figures
from tests.reports_sample import FRAMEWORKS, build_pack, classified, sample


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("figures") / "out"
    build_pack(sample(classifications=classified()), out, [f.id for f in frameworks()])
    return out


def test_each_number_of_the_html_is_found_again_in_the_tables(pack: Path) -> None:
    assert len(figures(pack)) > 500
    assert differing(pack) == {}


def test_no_cell_of_numbers_and_no_counting_sentence_holds_a_number_without_a_mark(pack: Path) -> None:
    assert Page((pack / "report.html").read_text(encoding="utf-8")).unmarked == []
    assert Page('<p class="figures"><data>3</data> of 4</p>').unmarked == [" of 4"]


def test_a_figure_that_is_off_by_one_is_found_out(pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    true = assemble.count_figures
    wrong: set[str] = set()

    def one_more(*given: Any) -> dict[str, int]:
        made = {name: count + 1 for name, count in true(*given).items()}
        wrong.update(made)
        return made

    monkeypatch.setattr(assemble, "count_figures", one_more)
    build_pack(sample(), tmp_path / "out", FRAMEWORKS)
    assert set(differing(tmp_path / "out")) == wrong & set(figures(tmp_path / "out"))
    assert len(wrong & set(figures(tmp_path / "out"))) > 50


def test_every_single_mark_is_compared(pack: Path, tmp_path: Path) -> None:
    shutil.copytree(pack, tmp_path, dirs_exist_ok=True)
    page = (pack / "report.html").read_text(encoding="utf-8")
    mark = '<data data-figure="trend/4/steps" value="240">240</data>'
    assert mark in page
    (tmp_path / "report.html").write_text(page.replace(mark, mark.replace("240", "241")), encoding="utf-8")
    assert set(differing(tmp_path)) == {"trend/4/steps"}
