"""Two reports beside each other: what differs is named with its reason, and what one of them lacks is not guessed."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from model.review import ExceptionRecord, Remedy, Verdict
from model.words import Severity, VerdictWord
from reports.compared_words import SAME, sentences
from reports.comparing import compare
from reports.difference import Comparison
from reports.earlier import Altered, read_report
from reports.errors import PackError
from reports.input import PackInput
from reports.zipped import unpacked, write_zip
from review.errors import RemitError
from review.pack.pack_diff import chosen_thresholds, crossed
from tests.reports_sample import DAY, FRAMEWORKS, HOUR, build_pack, delivered, finding, findings, sample, sources
from tests.running import run

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """Makes the report of a state and gives its document."""

    def make(frameworks: list[str] = FRAMEWORKS, /, since: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        out = tmp_path_factory.mktemp("made") / "pack"
        build_pack(_state(**changes), out, frameworks, {"json"}, since=since)
        return read_report(out).document

    return make


def _state(**changes: Any) -> PackInput:
    return sample(12, 20, **changes)


@pytest.fixture(scope="module")
def before(made: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return made()


def test_the_same_state_differs_in_nothing(before: dict[str, Any], made: Callable[..., dict[str, Any]]) -> None:
    found = compare(before, made())
    assert found.same
    assert sentences(found) == [SAME]


def test_a_new_finding_moves_its_controls_and_says_which_source_told_of_it(
    before: dict[str, Any], made: Callable[..., dict[str, Any]]
) -> None:
    found = compare(before, made(findings=(*findings(), finding("SUP-02", 8, 3, Severity.CRITICAL))))
    (one,) = found.new_findings
    assert (one.detection, one.severity, one.group, one.why) == ("SUP-02", "critical", "open", "it was not found then")
    moved = {(c.framework, c.id): c for c in found.controls}
    assert moved
    assert all(c.direction == "worse" and one.id in c.why[0] and "claude-code/session.jsonl" in c.why[0] for c in moved.values())
    assert found.figures["findings.open"][1] == found.figures["findings.open"][0] + 1
    assert crossed(found, ["new-critical", "worse-control", "source-gone", "any"]) == ["new-critical", "worse-control", "any"]
    back = compare(made(findings=(*findings(), finding("SUP-02", 8, 3, Severity.CRITICAL))), before)
    assert [g.why for g in back.gone_findings] == ["it was not found again"]
    assert {c.direction for c in back.controls} == {"better"}
    assert not crossed(back, ["new-critical", "new-high", "new-finding", "worse-control"])


def test_a_new_blind_spot_is_not_told_as_a_new_finding(before: dict[str, Any]) -> None:
    after = deepcopy(before)
    section = next(f for f in after["frameworks"] if any(c["blind_spots"] for c in f["controls"]))
    control = next(c for c in section["controls"] if c["blind_spots"])
    spot = next(f for f in after["findings"] if f["group"] == "blind-spot" and f["id"] in control["findings"])
    control["findings"] = [*control["findings"], "blind-new"]
    control["open"] += 1
    after["findings"].append(spot | {"id": "blind-new"})
    (moved,) = compare(before, after).controls
    assert any("new blind spots: blind-new" in why for why in moved.why) and not any(
        "findings: blind-new" in why for why in moved.why
    )


def test_a_source_that_is_gone_makes_no_result_better(before: dict[str, Any], made: Callable[..., dict[str, Any]]) -> None:
    left = tuple(s for s in sources() if s.id != "src-vault")
    found = compare(before, made(sources=left, delivered=tuple(d for d in delivered() if d.source != "src-vault")))
    assert found.sources.gone == ["vault/audit.log (src-vault)"]
    assert {c.direction for c in found.controls} <= {"less known", "worse"}
    lost = [c for c in found.controls if c.new == "insufficient evidence"]
    assert lost
    assert all(any("vault/audit.log" in why for why in c.why) for c in lost)
    assert crossed(found, ["worse-control", "source-gone"]) == ["worse-control", "source-gone"]


def test_a_source_that_has_grown_is_named_with_what_grew(before: dict[str, Any], made: Callable[..., dict[str, Any]]) -> None:
    grown = tuple(replace(s, read=s.read + 10, accepted=s.accepted + 10) if s.id == "src-opa" else s for s in sources())
    (one,) = compare(before, made(sources=grown)).sources.changed
    assert one.name == "opa/decisions.json (src-opa)"
    assert one.changed == {"read": (104, 114), "accepted": (100, 110)}


def test_a_verdict_and_an_accepted_risk_change_where_findings_stand(
    before: dict[str, Any], made: Callable[..., dict[str, Any]]
) -> None:
    rows, given = findings(), sample()
    said = Verdict(rows[4].finding.id, "finding", VerdictWord.FALSE_POSITIVE, "a test", "kim", DAY + 23 * HOUR)
    risk = ExceptionRecord(rows[1].finding.id, "lee", "SEC-1", DAY + 90 * HOUR, "known", "lee", DAY + 22 * HOUR)
    found = compare(before, made(verdicts=(*given.verdicts, said), exceptions=(*given.exceptions, risk)))
    states = {c.id: c.changed["state"] for c in found.changed_findings}
    assert states == {rows[4].finding.id: ("open", "false-positive"), rows[1].finding.id: ("open", "accepted")}
    assert found.reviewers.added == ["kim"]
    assert any(w.startswith("findings judged otherwise: ") for c in found.controls for w in c.why)


def test_a_remedy_is_told_by_what_of_it_changed(before: dict[str, Any], made: Callable[..., dict[str, Any]]) -> None:
    first, second, third, *_ = (row.finding.id for row in findings())
    left = tuple(one for one in sample().remedies if one.finding not in (first, second, third))
    at = DAY + 22 * HOUR
    owned = Remedy(first, "", "no limit was set", "dana", DAY + 3 * HOUR, "", "lee", DAY + 21 * HOUR)
    due = Remedy(second, "", "", "kim", DAY + 90 * HOUR, "", "lee", at)
    done = Remedy(first, "", "no limit was set", "dana", DAY + 3 * HOUR, "PR 90", "kim", at)
    old, new = made(remedies=(*left, owned)), made(remedies=(*left, done, due))
    found = compare(old, new)
    changed = {one.id: one.changed for one in found.changed_findings}
    assert set(changed) == {first, second} and all(set(one) == {"remedy"} for one in changed.values())
    was, now = changed[first]["remedy"]
    assert (was["closure"], now["closure"], was["overdue"], now["overdue"]) == ("", "PR 90", True, False)
    told = {id: next(one for one in sentences(found) if id in one) for id in changed}
    assert "remedy: " in told[first] and "by from lee to kim, closure from none to PR 90, overdue from yes to no" in told[first]
    assert "dana" not in told[first] and "no limit" not in told[first]
    assert "remedy from none to (" in told[second] and "due 2026-06-04T18:00:00Z, owner kim)" in told[second]
    assert crossed(found, ["overdue"]) == [] and crossed(compare(new, old), ["overdue"]) == ["overdue"]
    (taken,) = compare(new, made(remedies=(*left, done))).changed_findings
    assert taken.id == second and taken.changed["remedy"][1] is None


def test_what_the_two_do_not_share_is_named_first(before: dict[str, Any], made: Callable[..., dict[str, Any]]) -> None:
    other = made(["owasp-asi-2026", "owasp-llm-2026"], start=DAY + 8 * HOUR, end=DAY + 30 * HOUR, configuration={"x": "1"})
    old = made(["owasp-asi-2026", "owasp-llm-2025"])
    found = compare(old, other)
    told = {(b.what, b.name): (b.old, b.new) for b in found.basis}
    assert told[("edition", "owasp-llm")] == ("owasp-llm-2025", "owasp-llm-2026")
    assert {"beginning of the period", "end of the period", "configuration"} <= {what for what, _ in told}
    assert not any(c.framework.startswith("owasp-llm") for c in found.controls)
    assert ("framework", "owasp-nhi") in {(b.what, b.name) for b in compare(before, old).basis}
    assert sentences(found)[0].startswith("Not made alike")


def test_a_finding_outside_the_other_period_is_not_called_new_or_solved(
    before: dict[str, Any], made: Callable[..., dict[str, Any]]
) -> None:
    late = finding("SUP-02", 8, 3, at=DAY + 30 * HOUR)
    wide = made(findings=(*findings(), late), end=DAY + 48 * HOUR, as_of=DAY + 48 * HOUR)
    assert [f.why for f in compare(before, wide).new_findings] == ["it lies after the period of the old report"]
    assert [f.why for f in compare(wide, before).gone_findings] == ["it lies after the period of the new report"]


def test_another_schema_and_missing_parts_are_named_and_nothing_is_made_up(before: dict[str, Any]) -> None:
    other = deepcopy(before)
    other["schema_version"] = 99
    del other["method"], other["figures"]
    other["findings"] = [{"id": 7, "severity": None}, "hostile", None]
    other["frameworks"] = {"no": "list"}
    found = compare(before, other)
    assert ("schema version", "1", "99") in {(b.what, b.old, b.new) for b in found.basis}
    assert len(found.gone_findings) == len(before["findings"])
    assert not found.controls
    with pytest.raises(PackError, match="no Remit report"):
        compare(before, {"schema": "other"})


def test_the_annexe_of_a_report_says_the_same(before: dict[str, Any], made: Callable[..., dict[str, Any]]) -> None:
    more = (*findings(), finding("SUP-02", 8, 3, Severity.CRITICAL))
    with_annexe = made(since=before, findings=more)
    told = with_annexe["annexes"]["changes"]
    found = compare(before, made(findings=more))
    assert told["sentences"] == sentences(found)
    assert [f["id"] for f in told["comparison"]["new_findings"]] == [f.id for f in found.new_findings]


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An older pack as a folder and a newer one with a critical finding as a ZIP file."""
    folder = tmp_path_factory.mktemp("packs")
    build_pack(_state(), folder / "old", ["owasp-asi-2026"], {"json", "csv"})
    build_pack(_state(findings=(*findings(), finding("SUP-02", 8, 3, Severity.CRITICAL))), folder / "n", ["owasp-asi-2026"])
    write_zip(folder / "n", folder / "new.zip")
    return folder / "old", folder / "new.zip"


def test_the_command_compares_folders_files_and_archives_and_keeps_its_exit_codes(packs: tuple[Path, Path]) -> None:
    old, new = packs
    said = run("report", "diff", old, new, "--json")
    assert said.code == 0
    assert [f["detection"] for f in said.json["new_findings"]] == ["SUP-02"]
    assert not said.json["same"] and said.json["crossed"] == []
    assert run("report", "diff", old / "report.json", new, "--fail-on", "new-critical,worse_control").code == 1
    assert run("report", "diff", old, old, "--fail-on", "any").code == 0
    plain = run("report", "diff", old, new, "--plain")
    assert plain.out.startswith("1. New finding")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["diff", "nowhere", "nowhere"], 3, "no pack or report at nowhere"),
        (["diff", "one"], 2, "report diff OLD NEW"),
        (["diff", "a", "b", "--fail-on", "new-critcal"], 2, "did you mean new-critical"),
        ([], 2, "needs --out"),
    ],
)
def test_a_wrong_call_is_one_sentence(words: list[str], code: int, said: str) -> None:
    ran = run("report", *words)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err and ran.err.count("\n") == 1


def test_a_pack_that_was_altered_is_not_compared(packs: tuple[Path, Path], tmp_path: Path) -> None:
    with unpacked(packs[1]) as folder:
        data = (folder / "report.json").read_bytes()
        (folder / "report.json").write_bytes(data.replace(b"SUP-02", b"SUP-03"))
        with pytest.raises(Altered, match="not the one its manifest lists"):
            read_report(folder)
        ran = run("report", "diff", packs[0], folder)
    assert ran.code == 4
    (tmp_path / "broken").write_text("{")
    with pytest.raises(PackError, match="not JSON"):
        read_report(tmp_path / "broken")


def test_thresholds_are_names_of_a_closed_list() -> None:
    assert chosen_thresholds("any, new_high") == ["any", "new-high"]
    with pytest.raises(RemitError, match="source-gone"):
        chosen_thresholds("sources-gone")


def test_every_difference_is_plain_json(before: dict[str, Any], made: Callable[..., dict[str, Any]]) -> None:
    import msgspec

    found = compare(before, made(findings=()))
    assert msgspec.convert(json.loads(msgspec.json.encode(found)), Comparison) == found
