"""report.pdf opens, is tagged, says what the report says, and is the same bytes twice."""

from __future__ import annotations

import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from reports.errors import PackError
from reports.input import Attestation
from reports.renderers.pdf import RENDERER, legible, shown
from tests.reports_sample import DAY, FRAMEWORKS, build_pack, finding, sample

needs_typst = pytest.mark.skipif(find_spec("typst") is None, reason="needs the extra `pdf`")
NASTY = "#panic() $x$ *b* @ref <label> `raw` \\u{41} \u6f22\u5b57 \U0001f600 \u202e" + "x" * 5000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pdf") / "out"
    rows = (finding("BND-05", 1, 7, why=NASTY, title=NASTY), *sample().findings)
    build_pack(sample(findings=rows, organisation=NASTY), out, FRAMEWORKS, {"json", "pdf"})
    return out


@needs_typst
def test_it_opens_is_tagged_and_holds_the_text(folder: Path) -> None:
    pypdf = pytest.importorskip("pypdf")
    reader = pypdf.PdfReader(folder / "report.pdf")
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == "en" and "/StructTreeRoot" in root
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data()
    assert reader.metadata is not None and reader.metadata["/CreationDate"].startswith("D:20260602")
    text = " ".join("".join(page.extract_text() for page in reader.pages[:4]).split())
    for word in ("1. Cover", "10. Annexes", "What could not be known", "OWASP Top 10 for Agentic Applications 2026", "find-"):
        assert word in text, word
    assert "#panic()" in text and "[U+6F22]" in text and "more characters" in text
    end = " ".join("".join(page.extract_text() for page in reader.pages[-2:]).split())
    assert "Changes since the last report • No earlier report was given to compare with." in end
    figures = json.loads((folder / "report.json").read_bytes())["figures"]
    assert f"{figures['steps']} steps in {figures['tasks']} tasks" in text


@needs_typst
def test_the_same_document_gives_the_same_bytes_in_any_zone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = json.loads((folder / "report.json").read_bytes())
    document["cover"]["as_of"] = "2026-08-09T13:15:25.483841Z"  # So long a word is broken.
    made = []
    for zone in ("UTC", "Pacific/Kiritimati"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        place = tmp_path / zone / "pack"
        place.mkdir(parents=True)
        RENDERER.render(document, place)
        made.append((place / "report.pdf").read_bytes())
    monkeypatch.undo()
    time.tzset()
    assert made[0] == made[1]


@needs_typst
def test_every_character_held_to_be_legible_has_a_glyph(folder: Path, tmp_path: Path) -> None:
    document = json.loads((folder / "report.json").read_bytes())
    every = "".join(chr(c) for c in range(0x20, 0x3000) if legible(chr(c)) == chr(c))
    assert len(every) > 1500
    document["summary"]["limits"] = [every[n : n + 500] for n in range(0, len(every), 500)]
    assert RENDERER.render(document, tmp_path) == {"report.pdf": -1}


def test_it_is_made_only_when_asked_for(tmp_path: Path) -> None:
    made = build_pack(sample(), tmp_path / "usual", ["owasp-asi-2026"])
    assert "report.pdf" not in [f["path"] for f in made["files"]]


def test_without_the_extra_one_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(PackError, match=r"a PDF needs the extra `pdf`: pip install 'remit\[pdf\]'"):
        build_pack(sample(), tmp_path / "out", ["owasp-asi-2026"], also=("pdf",))
    assert not (tmp_path / "out").exists()


@needs_typst
def test_an_attestation_that_ran_out_says_so(tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf")
    given = Attestation("owasp-asi-2026", "ASI02", "dana", DAY, "Read in May.", "GRC-12", DAY + 1, True)
    build_pack(sample(1, 2, attestations=(given,)), tmp_path / "p", ["owasp-asi-2026"], {"pdf"})
    text = " ".join("".join(page.extract_text() for page in pypdf.PdfReader(tmp_path / "p" / "report.pdf").pages).split())
    assert "(dana, name as stated, 2026-06-" in text and "; rests on GRC-12; ran out 2026-06-" in text


def test_long_words_get_places_to_break_and_digests_stay_whole() -> None:
    digest = "0123456789abcdef" * 4
    assert legible(digest) == digest and legible("find-280c2b47c0951ce2eb38") == "find-280c2b47c0951ce2eb38"
    assert legible("principal:dockhand@vendor.example") == "principal:\u200bdockhand@\u200bvendor.\u200bexample"
    assert max(map(len, legible("y" * 900).split("\u200b"))) == 20


def test_it_shows_no_more_than_readers_turn_pages_for(tmp_path: Path) -> None:
    rows = tuple(finding("CRED-08", i, i % 20) for i in range(300))
    build_pack(sample(findings=rows), tmp_path / "out", ["owasp-asi-2026"], {"json"})
    cut = shown(json.loads((tmp_path / "out" / "report.json").read_bytes()))
    assert len(cut["findings"]) == cut["shown_findings"] == 200 and cut["figures"]["findings"] == 300
