"""An organisation's own files: overrides, licensed text, editions; what they change is printed and nothing else changes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from model.words import ResultWord
from reports.assessment import Assessor, Control
from reports.catalogue import framework
from reports.editions import editions, paired
from reports.errors import UnknownName
from reports.library import Library, library, shipped
from reports.tally import Tally
from reports.vocabulary import vocabulary
from tests.reports_sample import EU, build_pack, sample

OVERRIDE = """\
override_schema: 1
by: Kim Lee, internal audit
date: 2026-11-01
reason: our agents hold no memory
frameworks:
  asi:
    add_links:
      ASI09: [CRED-03]
    remove_links:
      ASI10: [GOV-02, GOV-01]
    sentences:
      asi-2:
        shows: our own words
    not_in_scope:
      ASI06: there is no memory to poison
  800-53:
    not_in_scope:
      AC-02(09): no group accounts
  eu-ai-act:
    classification: {by: the legal department, role: deployer, text: Annex III}
"""


def _assessed(known: Library, name: str) -> dict[str, Control]:
    given, tally = known.stated(sample()), Tally()
    for row in given.steps:
        tally.add(row)
    assessor = Assessor(given, tally.counts, known.reading(), vocabulary(), tally.reached)
    assert assessor.left_off(known.framework(name)) == ""
    return {c.id: c for c in assessor.assess(known.framework(name))}


@pytest.fixture
def own(tmp_path: Path) -> Library:
    (tmp_path / "own.yaml").write_text(OVERRIDE)
    found = library(tmp_path)
    assert found.problems == ()
    return found


def test_an_override_changes_what_it_says_and_the_control_says_so(own: Library) -> None:
    ours, theirs = _assessed(shipped(), "owasp-asi-2026"), _assessed(own, "owasp-asi-2026")
    assert "CRED-03" in theirs["ASI09"].ran and "CRED-03" not in ours["ASI09"].ran
    assert set(ours["ASI10"].ran) - set(theirs["ASI10"].ran) == {"GOV-01", "GOV-02"}
    assert theirs["ASI02"].shows == "our own words" and theirs["ASI02"].does_not_show == ours["ASI02"].does_not_show
    assert theirs["ASI02"].level == ours["ASI02"].level == "indicator", "own words are no stronger evidence"
    assert theirs["ASI06"].result is ResultWord.NOT_IN_SCOPE
    assert theirs["ASI06"].reason == "there is no memory to poison (taken out by Kim Lee, internal audit on 2026-11-01)"
    changed = {id: c.overridden for id, c in theirs.items() if c.overridden}
    assert changed == {
        "ASI02": ("own sentence for what the evidence shows, by Kim Lee, internal audit on 2026-11-01",),
        "ASI06": ("taken out of scope, by Kim Lee, internal audit on 2026-11-01",),
        "ASI09": ("linked to CRED-03 as well, by Kim Lee, internal audit on 2026-11-01",),
        "ASI10": ("no longer linked to GOV-02, GOV-01, by Kim Lee, internal audit on 2026-11-01",),
    }
    assert all(theirs[id] == ours[id] for id in theirs if id not in changed)
    assert _assessed(own, "800-53")["AC-2(9)"].result is ResultWord.NOT_IN_SCOPE
    assert _assessed(own, EU)["Art.12(1)"].reason == "binds the provider; stated role: deployer"


def test_every_format_prints_the_override_and_who_stands_behind_it(own: Library, tmp_path: Path) -> None:
    build_pack(sample(), tmp_path / "out", ["asi", EU], {"html", "markdown", "json", "csv"}, library=own)
    for name in ("report.html", "report.md", "report.json", "controls.csv"):
        text = (tmp_path / "out" / name).read_text("utf-8")
        assert "linked to CRED-03 as well, by Kim Lee, internal audit on 2026-11-01" in text, name
    report = json.loads((tmp_path / "out" / "report.json").read_bytes())
    assert "our agents hold no memory" in report["annexes"]["configuration"]["frameworks file own.yaml"]
    assert report["frameworks"][1]["classification"] == ["deployer, stated by the legal department: Annex III"]


@pytest.mark.parametrize(
    ("change", "line", "word"),
    [
        (("by: Kim Lee, internal audit\n", ""), 1, "missing field `by`"),
        (("by: Kim Lee, internal audit", "by: ' '"), 2, "must name who stands behind"),
        (("  asi:", "  owasp:"), 6, "more than one framework fits"),
        (("ASI09", "ASI99"), 8, "'ASI99' is no control of owasp-asi-2026"),
        (("[GOV-02, GOV-01]", "[CRED-07]"), 10, "'CRED-07' is not linked to ASI10"),
        (("shows: our own words", "show: our own words"), 13, "unknown field `show`"),
        (("there is no memory to poison", "''"), 15, "say why ASI06 is not in scope"),
        (("role: deployer", "role: user"), 20, "role is 'user'; one of provider, deployer, both"),
        (("override_schema: 1", "override_schema: 7"), 1, "override_schema 7 is not known"),
    ],
)
def test_a_wrong_override_is_left_out_whole_with_its_line(tmp_path: Path, change: tuple[str, str], line: int, word: str) -> None:
    (tmp_path / "own.yaml").write_text(OVERRIDE.replace(*change))
    found = library(None, [tmp_path / "own.yaml"])
    (problem,) = found.problems
    assert re.match(rf"own\.yaml: line {line}: ", problem) and word in problem, problem
    assert found.overrides == () and found.reading() == shipped().reading()
    assert problem in found.stated(sample()).configuration.values()


def test_a_mapped_control_is_no_longer_not_assessable(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("override_schema: 1\nby: Kim\nframeworks: {ai-rmf: {add_links: {govern-1.1: [HUM-02]}}}\n")
    assert _assessed(shipped(), "ai rmf")["GOVERN 1.1"].result is ResultWord.NOT_ASSESSABLE
    control = _assessed(library(None, [path]), "ai rmf")["GOVERN 1.1"]
    assert control.result is ResultWord.INSUFFICIENT and control.shows and control.does_not_show


def test_licensed_text_stands_where_its_owner_puts_it(tmp_path: Path) -> None:
    (tmp_path / "text.yaml").write_text(
        "overlay_schema: 1\ncatalogue: soc2\nlicence: Acme's copy, order 77\nitems:\n  cc6.1: {title: Their title, text: Their words}\n"
    )
    found = library(tmp_path)
    item = found.framework("soc2").by_id["CC6.1"]
    assert (item.title, item.licensed) == ("Their title", "Their words")
    assert framework("soc2").by_id["CC6.1"].licensed == "" and framework("soc2").overlay == ""
    build_pack(sample(), tmp_path / "out", ["soc2"], {"html", "markdown"}, library=found)
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "Their words" in page and "Acme&#39;s copy, order 77" in page
    (tmp_path / "text.yaml").write_text("overlay_schema: 1\ncatalogue: soc2\nlicence: x\nitems:\n  CC99: {title: T}\n")
    assert library(tmp_path).problems == ("text.yaml: line 5: 'CC99' is no entry of soc2-tsc-2017-selected",)


def test_editions_stand_side_by_side_by_their_own_links(tmp_path: Path) -> None:
    old, new = framework("owasp-llm-2025"), framework("owasp-llm-2026")
    pairs = paired(old, new)
    links = {item.id: item.same["2026"] for item in old.items if "2026" in item.same}
    assert {p.old: p.new for p in pairs if p.old and p.new} == links
    assert {p.old for p in pairs if p.old} == set(old.by_id) and {p.new for p in pairs if p.new} == set(new.by_id)
    assert next(p for p in pairs if p.old == "LLM06:2025").change.startswith("renumbered")
    assert editions([new, framework("asi"), old]) == [(old, new)]
    build_pack(sample(), tmp_path / "out", ["owasp-llm-2026", "owasp-llm-2025"], {"html", "json"})
    (table,) = json.loads((tmp_path / "out" / "report.json").read_bytes())["editions"]
    words = {c.id: c.word for name in (old.id, new.id) for c in _assessed(shipped(), name).values()}
    assert (table["old"], table["new"]) == (old.id, new.id)
    for row in table["rows"]:
        assert (row["old_word"], row["new_word"]) == (words.get(row["old"], ""), words.get(row["new"], ""))
    assert "Two editions side by side" in (tmp_path / "out" / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ASI99", "unknown control 'ASI99'; nearest: ASI09"),
        ("AC-99", "unknown control 'AC-99'; nearest: "),
        ("owasp-asy-2026", "unknown framework 'owasp-asy-2026'; nearest: owasp-asi-2026"),
        ("nist-cfs", "unknown framework 'nist-cfs'; nearest: nist-csf-2.0"),
    ],
)
def test_a_name_that_is_none_is_told_as_what_it_is_most_like(name: str, said: str) -> None:
    with pytest.raises(UnknownName) as caught:
        shipped().select([name])
    assert str(caught.value).startswith(said)
