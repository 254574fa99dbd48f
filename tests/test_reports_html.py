"""report.html as parsers and browsers take it: valid, accessible, small by default and whole with `full`."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import html5lib
import pytest

from benchmarks.report_check import AXE, VIEWS, accessibility, cache, chromium
from model.review import Verdict
from model.words import VerdictWord
from reports.catalogue import frameworks
from reports.input import SourceRow
from reports.renderers import html
from tests.reports_figures import Page
from tests.reports_sample import FRAMEWORKS, build_pack, classified, finding, sample

HOSTILE = "</title></style><script>alert(1)</script> &amp; <!-- ]]> \x00 \ud800 \u2028 \" ' ` <svg onload=x>"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """All frameworks; texts that try to break out; the whole population; an empty store."""
    out = tmp_path_factory.mktemp("pages")
    build_pack(sample(classifications=classified()), out / "all", [f.id for f in frameworks()], {"html"})
    rows = tuple(finding("BND-05", i, i, why=HOSTILE, title=HOSTILE, task=HOSTILE) for i in range(3))
    hostile = sample(
        organisation=HOSTILE,
        system=HOSTILE,
        findings=rows,
        sources=(SourceRow("s", HOSTILE, HOSTILE, note=HOSTILE, points=(HOSTILE,), reject_reasons={HOSTILE: 1}),),
        verdicts=(Verdict(rows[0].finding.id, "finding", VerdictWord.OUTSIDE, HOSTILE, HOSTILE, 1),),
        configuration={HOSTILE: HOSTILE},
    )
    build_pack(hostile, out / "hostile", FRAMEWORKS, {"html"})
    build_pack(sample(), out / "full", FRAMEWORKS, {"html", "csv"}, full=True)
    none = ("steps", "tasks", "findings", "credentials", "coverage", "sources", "delivered", "exceptions", "verdicts")
    build_pack(sample(**dict.fromkeys(none, ())), out / "empty", FRAMEWORKS, {"html"})
    return [out / name / "report.html" for name in ("all", "hostile", "full", "empty")]


def test_each_page_is_html_without_a_parse_error(pages: list[Path]) -> None:
    for page in pages:
        html5lib.HTMLParser(strict=True).parse(page.read_text(encoding="utf-8"))
    with pytest.raises(html5lib.html5parser.ParseError):
        html5lib.HTMLParser(strict=True).parse("<!DOCTYPE html><title>x</title><p></b>")


def test_headings_skip_no_level_and_every_region_has_a_name(pages: list[Path]) -> None:
    for path in pages:
        page = Page(path.read_text(encoding="utf-8"))
        levels = [int(tag[1]) for tag in page.order if tag in ("h1", "h2", "h3", "h4")]
        assert levels[0] == 1 and all(b <= a + 1 for a, b in pairwise(levels)), path.parent.name
        assert page.targets <= set(page.ids), path.parent.name
        assert len(page.ids) == len(set(page.ids)), path.parent.name


def test_full_holds_every_step_and_says_that_nothing_is_left_out(pages: list[Path]) -> None:
    full, usual = pages[2], pages[0].read_text(encoding="utf-8")
    text = full.read_text(encoding="utf-8")
    with (full.parent / "population.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    table = text[text.index('id="population"') :]
    assert len(rows) == 240 and all(f"<code>{row['step']}</code>" in table for row in rows)
    assert table.count('scope="rowgroup"') == 12
    assert "Nothing: every finding stands in section 6" in text
    assert 'id="population"' not in usual and "The population of" in usual
    assert {p.name for p in full.parent.iterdir() if p.suffix == ".html"} == {"report.html"}
    assert not [p for p in full.parent.iterdir() if p.name.startswith(".")]


def test_a_page_that_would_be_too_large_shows_less_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "LARGEST", 400_000)
    rows = tuple(finding("BND-05", i, 1, why="word " * 80, task="t" * 1500) for i in range(150))
    build_pack(sample(findings=rows), tmp_path / "out", FRAMEWORKS, {"html"})
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert len(text.encode()) <= 400_000
    shown = text.count("<article")
    assert 0 < shown < 150 and f"The {shown} most severe of 150 are shown" in text


@pytest.mark.skipif(not chromium(), reason="no Chromium is installed (Debian: apt-get install chromium)")
@pytest.mark.skipif(not (cache() / AXE).is_file(), reason="axe-core is not there; `make report-check` fetches it")
def test_axe_finds_nothing_to_object_to(tmp_path: Path) -> None:
    build_pack(sample(3, 4), tmp_path / "out", ["owasp-asi-2026"], {"html"})
    page = tmp_path / "out" / "report.html"
    assert accessibility([page], cache() / AXE, chromium(), VIEWS[:1]) == []
    poor = tmp_path / "poor.html"
    poor.write_text("<!DOCTYPE html><title>x</title><img src='y'>", encoding="utf-8")
    assert any("image-alt" in objection for objection in accessibility([poor], cache() / AXE, chromium(), VIEWS[:1]))
