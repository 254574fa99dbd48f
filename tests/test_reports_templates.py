"""An organisation's own templates: they stand before ours, see the document alone, and say where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.errors import TemplateFault
from reports.renderers import templating
from tests.reports_sample import build_pack, sample

ASI = ["owasp-asi-2026"]


def page(tmp_path: Path, files: dict[str, str], kind: str = "html") -> str:
    """The page made with these templates."""
    folder = tmp_path / "mine"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    build_pack(sample(), tmp_path / "out", ASI, {kind}, templates=folder)
    return (tmp_path / "out" / ("report.html" if kind == "html" else "report.md")).read_text(encoding="utf-8")


def test_one_file_replaces_one_of_ours_and_is_named_in_the_report(tmp_path: Path) -> None:
    text = page(tmp_path, {"signoff.html": '<section id="signoff"><h2>9. Ours: {{ report.cover.organisation }}</h2></section>'})
    assert "9. Ours: Acme &lt;Ltd&gt;" in text and "Name and role" not in text and "10. Annexes" in text
    assert "Template <code>signoff.html</code> is the organisation's own" in text and "--templates DIR" in text


def test_ours_can_be_extended_and_a_file_of_ones_own_included(tmp_path: Path) -> None:
    own = '{% extends "remit/report.html" %}{% block letterhead %}{% include "parts/logo.html" %}{% endblock %}'
    text = page(tmp_path, {"report.html": own, "parts/logo.html": "<p>Acme Assurance</p>\n"})
    assert text.index("<p>Acme Assurance</p>") < text.index("<h1>") and "10. Annexes" in text


def test_markdown_stays_escaped(tmp_path: Path) -> None:
    assert "Acme &lt;Ltd&gt;" in page(tmp_path, {"report.md": "# {{ report.cover.organisation }}\n"}, "markdown")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n{% if %}", r"cover\.html in .*, line 2: Expected an expression"),
        ("a\nb\n{{ report.cover.nothing }}", r"cover\.html in .*, line 3: .*nothing"),
        ("{{ report.cover.organisation + 1 }}", r"cover\.html in .*, line 1: can only concatenate"),
        ("\n{{ 1 // 0 }}", r"cover\.html in .*, line 2: .*zero"),
        ("\n{% include '../../etc/passwd' %}", r"cover\.html in .*, line 2: there is no template \.\./\.\./etc/passwd"),
        ("{% include '/etc/passwd' %}", r"cover\.html in .*, line 1: there is no template /etc/passwd"),
        ("{{ report.__class__.__mro__ }}", r"cover\.html in .*, line 1: .*unsafe"),
        ("{{ charts.share.__globals__ }}", r"cover\.html in .*, line 1: .*unsafe"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", r"line 1: more than \d+ rounds"),
        ("{{ range(10 ** 9) }}", r"line 1: powers are not for templates"),
        ("{{ range(1000000) }}", r"line 1: .*too big"),
        ("{{ 'x' * 1000000000 }}", r"line 1: a product of this size"),
        ("{{ '%1000000000d' % 1 }}", r"line 1: a field of this width"),
        ("{{ 'x'.center(1000000000) }}", r"line 1: .*unsafe"),
        ("{{ 'x'|center(1000000000) }}", r"line 1: No filter named 'center'"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", r"line 1: maximum recursion"),
        ("{% set _ = report.clear() %}", r"cover\.html in .*, line 1: "),
    ],
)
def test_a_fault_names_template_and_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str) -> None:
    monkeypatch.setattr(templating, "ROUNDS", 100_000)
    with pytest.raises(TemplateFault, match=said):
        page(tmp_path, {"cover.html": text})
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateFault, match="is no folder"):
        build_pack(sample(), tmp_path / "out", ASI, templates=tmp_path / "nowhere")
    with pytest.raises(TemplateFault, match=r"replaces no template; those there are: accepted\.html, "):
        page(tmp_path, {"covr.html": "x"})
    (tmp_path / "secret").write_text("outside")
    (tmp_path / "mine" / "cover.html").symlink_to(tmp_path / "secret")
    with pytest.raises(TemplateFault, match=r"cover\.html .* is a link to a file outside"):
        build_pack(sample(), tmp_path / "out", ASI, templates=tmp_path / "mine")
    (tmp_path / "mine" / "cover.html").unlink()
    (tmp_path / "mine" / "cover.html").write_bytes(b"\xff\xfe")
    with pytest.raises(TemplateFault, match="is not UTF-8 text"):
        build_pack(sample(), tmp_path / "out", ASI, templates=tmp_path / "mine")
