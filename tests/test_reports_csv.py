"""The tables: RFC 4180, no cell that a spreadsheet would run, times in UTC, rows in an order of their own."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import msgspec
import pytest

from reports.input import Attestation, SourceRow
from reports.text import cell
from tests.reports_figures import table
from tests.reports_sample import DAY, build_pack, finding, sample, steps

FORMULAS = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|x",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\u00a0=1",
    "'=1",
    '"=1',
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1+1",
    "\uff20SUM(A1)",
    "|calc",
    "%0A=1",
]

RUN = re.compile('[\\s"]*(?:[=@\uff1d\uff0b\uff0d\uff20|%\\t\\r]|[+-](?![0-9.]+$))')
"""What a spreadsheet may take for a formula, blanks and quotes before it included."""


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_text(text: str) -> None:
    assert cell(text).startswith("'") and not re.search(r"[\t\r\n]", cell(text))


@pytest.mark.parametrize("text", ["", "plain", "-1", "+1.5", "12%", "a=b", "2026-06-01T00:00:00Z", "user@example.org"])
def test_plain_text_and_numbers_stay_as_they_are(text: str) -> None:
    assert cell(text) == text


def test_no_cell_of_any_table_is_a_formula_or_breaks_the_row(tmp_path: Path) -> None:
    nasty = [*FORMULAS, 'a,b;"c"\r\nd', "\x00"]
    rows = [msgspec.structs.replace(r, title=t, target=t, tool=t, rule=t) for r, t in zip(steps(1, 20), nasty, strict=False)]
    state = sample(
        steps=rows,
        findings=tuple(finding("BND-05", i, None, title=t, why=t) for i, t in enumerate(nasty)),
        sources=tuple(SourceRow(f"s{i}", t, t, note=t, points=(t,), reject_reasons={t: 1}) for i, t in enumerate(nasty)),
    )
    build_pack(state, tmp_path / "out", ["owasp-asi-2026"], {"csv"})
    for path in sorted((tmp_path / "out").glob("*.csv")):
        data = path.read_bytes().decode("utf-8")
        assert data.endswith("\r\n") and data.count("\n") == data.count("\r\n")
        parsed = list(csv.reader(data.splitlines()))
        assert {len(row) for row in parsed} == {len(parsed[0])}, path.name
        for row in parsed[1:]:
            for value in row:
                assert value.startswith("'") or not RUN.match(value), (path.name, value)


def test_times_are_utc_and_rows_have_an_order_that_the_input_does_not_set(tmp_path: Path) -> None:
    build_pack(sample(), tmp_path / "a", ["owasp-asi-2026"], {"csv"})
    build_pack(
        sample(findings=sample().findings[::-1], sources=sample().sources[::-1]), tmp_path / "b", ["owasp-asi-2026"], {"csv"}
    )
    for name in ("findings.csv", "sources.csv", "verdicts.csv", "population.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    for row in table(tmp_path / "a", "findings.csv"):
        for column in ("at", "reviewed_at", "exception_expires"):
            assert re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z)?", row[column])


def test_an_attestation_that_ran_out_says_so_with_what_it_rests_on(tmp_path: Path) -> None:
    given = Attestation("owasp-asi-2026", "ASI02", "dana", DAY, "Read in May.", "GRC-12", DAY + 1, True)
    again = Attestation("owasp-asi-2026", "ASI02", "kim", DAY, "Read in June.")
    build_pack(sample(1, 2, attestations=(given, again)), tmp_path / "p", ["owasp-asi-2026"], {"csv"})
    (row,) = [row for row in table(tmp_path / "p", "controls.csv") if row["id"] == "ASI02"]
    one, other = row["attestations"].split(" kim ")[0], row["attestations"].split(" kim ")[1]
    assert one.startswith(
        "dana (name as stated) 2026-06-01T00:00:00Z: Read in May.; rests on GRC-12; ran out 2026-06-01T00:00:00"
    )
    assert other == "2026-06-01T00:00:00Z: Read in June."
