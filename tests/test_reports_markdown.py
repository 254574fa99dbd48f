"""report.md shows foreign text and obeys none of it, read by a Markdown parser with tables and linking of addresses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from reports.input import SourceRow
from reports.text import markdown
from tests.reports_sample import FRAMEWORKS, build_pack, finding, sample

READ = MarkdownIt("gfm-like")
NASTY = [
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/p.png)",
    "[click](javascript:alert(1))",
    "see https://evil.example/x and www.evil.example or mallory@evil.example, ftp://evil.example",
    "mailto:x@evil.example",
    "`code` ``two`` ~~gone~~ **bold** __bold__ *i* $x^2$",
    "| a | b |",
    "---",
    "=====",
    "# heading",
    "- item",
    "+ item",
    "1. item",
    "12) item",
    "> quote",
    "    indented",
    "[x]: https://evil.example",
    "&lt;b&gt; &#60;i&#62;",
    "\\[x](y) \\",
    "line\n\n# heading\r\n- item",
]


@pytest.mark.parametrize("text", NASTY)
def test_a_value_is_one_paragraph_of_text(text: str) -> None:
    tokens = READ.parse(markdown(text))
    assert [t.type for t in tokens] == ["paragraph_open", "inline", "paragraph_close"], markdown(text)
    kinds = {child.type for child in tokens[1].children or ()}
    assert kinds <= {"text", "text_special"}, markdown(text)
    assert "".join(c.content for c in tokens[1].children or ()) == re.sub(r"\n", " ", text.replace("\r", "\u240d")).strip()


def test_a_report_of_such_values_keeps_its_headings_tables_and_nothing_else(tmp_path: Path) -> None:
    wide = " ".join(NASTY)
    rows = tuple(finding("BND-05", i, i, why=text, title=text, task=text) for i, text in enumerate([*NASTY, wide]))
    state = sample(
        organisation=wide,
        findings=rows,
        sources=tuple(SourceRow(f"s{i}", text, text, note=text) for i, text in enumerate(NASTY)),
        configuration=dict.fromkeys(NASTY, wide),
    )
    build_pack(state, tmp_path / "out", FRAMEWORKS, {"markdown"})
    tokens = READ.parse((tmp_path / "out" / "report.md").read_text(encoding="utf-8"))
    inline = {child.type for t in tokens if t.type == "inline" for child in t.children or ()}
    assert inline <= {"text", "text_special", "softbreak", "strong_open", "strong_close", "code_inline"}
    assert not {t.type for t in tokens} & {"html_block", "code_block", "fence", "hr", "lheading_open"}
    tops = [t.map for t in tokens if t.type == "heading_open" and t.tag == "h2"]
    assert len(tops) == 10
