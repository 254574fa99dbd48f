"""`remit controls` and `remit sign-off`: the report room without a screen, in every form."""

from __future__ import annotations

from pathlib import Path

import pytest

from review.pack.report_words import RESULTS
from tests.running import Day, ok, refused, run

pytestmark = pytest.mark.usefixtures("alone")

ASI = "owasp-asi-2026"


def test_controls_are_listed_in_every_form_with_the_same_figures(day: Day) -> None:
    rows = day.json("controls", "--framework", f"{ASI},nist-csf-2.0")
    assert {row["framework"] for row in rows} == {ASI, "nist-csf-2.0"} and {row["result"] for row in rows} <= set(RESULTS)
    plain = ok("--store", day.store, "controls", "--framework", f"{ASI},nist-csf-2.0", "--plain").out.splitlines()
    table = ok("--store", day.store, "controls", "--framework", f"{ASI},nist-csf-2.0", "--csv").out.splitlines()
    assert len(plain) == len(table) - 1 == len(rows)
    for number, (row, line) in enumerate(zip(rows, plain, strict=True), 1):
        assert line.startswith(f"{number}. {row['framework']} {row['id']}") and row["word"] in line
        assert f"{row['open']:,} open" in line or not row["open"]
    some = day.json("controls", "--framework", "nist-csf-2.0", "--result", "insufficient")
    assert some and {row["result"] for row in some} == {"insufficient evidence"}


def test_one_control_is_told_whole_by_any_of_its_labels(day: Day) -> None:
    one = day.json("controls", "A2", "--framework", ASI)
    assert one["id"] == "ASI02" and {f["id"] for f in one["exceptions"]} == set(one["findings"])
    told = ok("--store", day.store, "controls", "ASI02", "--framework", ASI, "--plain").out
    for word in (one["shows"], one["does_not_show"], "population", one["exceptions"][0]["id"]):
        assert word in told


def test_a_period_narrows_what_is_looked_over(day: Day) -> None:
    whole, part = (
        sum(row["open"] for row in day.json("controls", "--framework", ASI, *some))
        for some in ((), ("--from", "2026-03-17T14:00Z"))
    )
    assert 0 < part < whole


def test_what_is_wrong_is_one_sentence(day: Day) -> None:
    for words, said in (
        (("controls", "--result", "fine"), "choose one of exceptions found"),
        (("controls", "--framework", "owasp-asi-2O26"), "owasp-asi-2026"),
        (("controls", "ASI99", "--framework", ASI), "has no control 'ASI99'"),
        (("controls", "--from", "2026-06-02", "--to", "2026-06-01"), "ends before it begins"),
        (("sign-off", "--as-of", "soon"), "is not a time"),
    ):
        refused(run("--store", day.store, *words), 2, said)


def test_a_sign_off_is_shown_first_and_recorded_with_its_words(day: Day, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "mine")
    before = mine.json("sign-off", "--framework", ASI)
    assert (
        before["signed"] == []
        and before["unreviewed"] == before["findings"] > 0
        and before["separation"].startswith("unenforced")
    )
    assert mine.json("journal") == []
    task = next(row for row in mine.json("tasks") if row["principal"])
    ok("--store", mine.store, "review", task["id"], "--verdict", "within-remit", "--reason", "r", "--reviewer", task["principal"])
    told = ok("--store", mine.store, "sign-off", "--framework", ASI, "--text", "third quarter").out
    assert f"{task['principal']} judged task {task['id']} within-remit; its agent acted for them" in told
    (given,) = mine.json("sign-off")["signed"]
    assert given["text"].startswith("I have read") and ASI in given["text"] and given["text"].endswith("third quarter")
    assert (mine.json("journal")[-1]["what"], mine.json("journal")[-1]["about"]) == ("attestation", "sign-off")
