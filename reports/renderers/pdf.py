"""report.pdf: the report as tagged PDF, produced as PDF/UA-1 by typst (extra `pdf`), made only when it is asked for.

Values go in as data, never as markup. Only typefaces that typst brings are used and the date is the as-of moment, so the
same document gives the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from model.words import ResultWord
from reports import wording
from reports.errors import PackError
from reports.renderers.base import Document
from reports.renderers.figures import SEVERITIES
from reports.renderers.templating import setting
from reports.text import excerpt

SHOWN = {"findings": 200, "rows": 300, "evidence": 10}
LONGEST = 1000
_UNCOVERED = re.compile(
    "[^\n\x20-\x7e\u00a1-\u00ac\u00ae-\u024f\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u03ff\u0400-\u0482\u048a-\u04ff\u1e00-\u1eff"
    "\u2010-\u2015\u2018-\u201e\u2020-\u2022\u2026\u20ac\u2190-\u22ff\u2500-\u25ff]"
)
"""What typst's own typefaces cannot show; PDF/UA does not allow a missing glyph."""
_LONG = re.compile(r"\S{27,}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
"""Words that no column holds; ids and digests are shorter or have a line of their own, and stay whole for copying."""
_BREAKS = re.compile(r"([/:@._=,;-]|[^/:@._=,;\s-]{20})(?=\S)")
_OUTSIDE = (ResultWord.NOT_ASSESSABLE.value, ResultWord.NOT_IN_SCOPE.value)


def legible(value: str) -> str:
    """Text that the typefaces can show and lines can hold: other characters as code points, long words with places to break."""
    return _LONG.sub(_broken, _glyphs(value))


def _glyphs(value: str) -> str:
    return _UNCOVERED.sub(lambda m: f"[U+{ord(m.group()):04X}]", excerpt(value, LONGEST))


def _broken(word: re.Match[str]) -> str:
    return word.group() if _DIGEST.fullmatch(word.group()) else _BREAKS.sub("\\1\u200b", word.group())


def _tree(value: Any) -> Any:
    if isinstance(value, str):
        return legible(value)
    if isinstance(value, list):
        return [_tree(v) for v in value]
    if isinstance(value, dict):
        return {_glyphs(k): _tree(v) for k, v in value.items()}
    return value


def _framework(section: dict[str, Any]) -> dict[str, Any]:
    controls = [
        {**c, "size": ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in c["population"].items())}
        for c in section["controls"]
    ]
    return {
        **section,
        "controls": [],
        "headings": {},
        "assessed": [c for c in controls if c["result"] not in _OUTSIDE],
        "unassessed": [c for c in controls if c["result"] in _OUTSIDE],
    }


def shown(document: Document) -> Document:
    """What the PDF prints of a report: as many rows as a reader turns pages for, with the totals beside them."""
    rows = SHOWN["rows"]
    real = [f for f in document["findings"] if f["group"] != "blind-spot"]
    coverage, method, annexes = document["coverage"], document["method"], document["annexes"]
    detectors = [
        {**d, "settings": "; ".join(f"{n.replace('_', ' ')}: {setting(v)}" for n, v in d["params"].items()) or "none"}
        for d in method["detectors"]
    ]
    cut: Document = {
        name: document[name]
        for name in (
            "cover",
            "summary",
            "left_off",
            "trends",
            "credential_ages",
            "samples",
            "figures",
            "records",
            "digests",
            "schema_version",
        )
    }
    cut |= {
        "title": f"Governance review of coding agents: {document['cover']['organisation'] or 'organisation not named'}",
        "coverage": {
            "expected": coverage["expected"][:rows],
            "limits": coverage["limits"][:rows],
            "sources": coverage["sources"][:rows],
            "points": [{**p, "gaps": p["gaps"][:5], "bar": []} for p in coverage["points"][:rows]],
        },
        "method": {**method, "detectors": detectors},
        "frameworks": [_framework(f) for f in document["frameworks"]],
        "findings": [{**f, "evidence": f["evidence"][: SHOWN["evidence"]]} for f in real[: SHOWN["findings"]]],
        "shown_findings": min(len(real), SHOWN["findings"]),
        "excepted": [f for f in document["findings"] if f["exception"]][:rows],
        "remedied": [f for f in document["findings"] if f["remedy"]][:rows],
        "sign_off": {**document["sign_off"], "self_reviews": document["sign_off"]["self_reviews"][:rows]},
        "annexes": {
            **annexes,
            "policies": annexes["policies"][:rows],
            "changes": {"sentences": annexes["changes"]["sentences"][:rows]},
        },
        "redaction": document["redaction"],
    }
    made = _tree(cut)
    assert isinstance(made, dict), "a dict stays one"
    return made


def _compiler() -> tuple[Callable[..., Any], type[Exception]]:
    """What sets a PDF, and what it raises."""
    try:
        import typst
    except ImportError:
        raise PackError("a PDF needs the extra `pdf`: pip install 'remit[pdf]'; every other format does without") from None
    return typst.compile, typst.TypstError


class Pdf:
    """Needs the extra `pdf`; raises PackError with what to install where it is absent."""

    id = "pdf"
    title = "PDF (tagged, for print)"
    order = 40
    on_request = True

    def population(self, folder: Path) -> None:
        _compiler()

    def render(self, document: Document, folder: Path) -> dict[str, int]:
        as_of = document["cover"]["as_of"]
        if not as_of[:4].isdigit():
            raise PackError(f"a PDF needs an as-of moment within the calendar; this one is {as_of or 'not stated'}")
        moment = datetime.fromisoformat(as_of).astimezone(UTC).replace(microsecond=0)
        fixed = {
            "day": [moment.year, moment.month, moment.day],
            "severities": SEVERITIES,
            "words": [word.value for word in ResultWord],
            "shares": wording.SHARES,
            "states": wording.STATES,
            "elsewhere": wording.ELSEWHERE,
            "by_its_text": wording.BY_ITS_TEXT,
        }
        compile, fault = _compiler()
        try:
            compile(
                files("reports").joinpath("templates").joinpath("report.typ").read_bytes(),
                output=str(folder / "report.pdf"),
                root=str(folder),
                format="pdf",
                pdf_standards="ua-1",
                ignore_system_fonts=True,
                timestamp=moment,
                sys_inputs={"report": json.dumps(shown(document), sort_keys=True), "fixed": json.dumps(fixed)},
            )
        except fault as error:
            raise PackError(f"the PDF cannot be set ({excerpt(str(error), 200)}); every other format does without it") from error
        return {"report.pdf": -1}


RENDERER = Pdf()
