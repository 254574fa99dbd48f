"""Signing off: a signature is about one report, and neither about other evidence nor about a report that no one named."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from reports.input import SourceEvidence
from reports.sections.review import status
from reports.wording import BY_ITS_TEXT, ELSEWHERE
from review.judge.verdicts import give_verdict
from review.pack.attesting import sign_off
from review.pack.pack_wish import PackWish
from review.pack.packs import pack_input, write_pack
from review.pack.report_choices import Period
from review.pack.report_room import Room
from review.pack.sign_offs import sign, sign_off_state
from review.workspace import Workspace
from tests.reports_sample import finding
from tests.test_review_verdicts import work as work


def test_a_sign_off_signs_the_report_it_was_about_and_no_other(work: Workspace, tmp_path: Path) -> None:
    one, two = "owasp-asi-2026", "owasp-nhi-2025"
    state = sign_off_state(work, Room(work, Period()), [one, two])
    sign(work, state, "read it all")

    def told(name: str, **more: object) -> tuple[str, bool | None, str]:
        out = tmp_path / name
        write_pack(work, out, PackWish(only=("json", "markdown", "html"), **more))  # type: ignore[arg-type]
        report = json.loads((out / "report.json").read_bytes())
        (signed,) = report["sign_off"]["signed"]
        assert all(
            (ELSEWHERE in (out / page).read_text()) is (signed["covers"] is False) for page in ("report.md", "report.html")
        )
        return report["cover"]["status"], signed["covers"], signed["text"]

    status, covers, text = told("same", frameworks=(one,))
    assert (status, covers) == ("signed off by a reviewer", True) and text.endswith("read it all")
    other = "draft; what was signed off is another report than this one (section 9)"
    assert told("framework", frameworks=(one, "nist-csf-2.0"))[:2] == (other, False)
    assert told("period", frameworks=(one,), start=1)[:2] == (other, False)
    sign_off(work, "by its text alone")
    assert [s.about is None for s in pack_input(work, None, None, None).sign_offs] == [False, True]


def test_a_sign_off_does_not_sign_evidence_that_came_after_it(work: Workspace) -> None:
    sign(work, sign_off_state(work, Room(work, Period()), ["owasp-asi-2026"]))
    give_verdict(work, "task-1", "within-remit", "a drill")
    given = pack_input(work, None, None, None)
    kept = [work.library.framework("owasp-asi-2026")]
    assert status(given, kept) == "signed off by a reviewer", "a review goes on after its evidence ended"
    more = SourceEvidence("src-late", "late.jsonl", 1, "ab" * 32)
    late = msgspec.structs.replace(given, evidence=(*given.evidence, more))
    found = msgspec.structs.replace(given, findings=(*given.findings, finding("GOV-01", 1, 1)))
    unreviewed = msgspec.structs.replace(given, findings=(*given.findings, finding("HUM-03", 1, 1)))
    assert status(unreviewed, kept) == "signed off by a reviewer"
    for other in (late, found):
        assert status(other, kept) == "draft; what was signed off is another report than this one (section 9)"


def test_words_that_name_no_report_sign_none(work: Workspace, tmp_path: Path) -> None:
    sign_off(work, "all looked at")
    write_pack(work, tmp_path / "p", PackWish(only=("json", "markdown", "html")))
    report = json.loads((tmp_path / "p" / "report.json").read_bytes())
    assert report["cover"]["status"].startswith("draft; ") and report["sign_off"]["signed"][0]["covers"] is None
    assert all(BY_ITS_TEXT in (tmp_path / "p" / page).read_text() for page in ("report.md", "report.html"))
