"""Foreign text is shown, never obeyed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lang.safe import MARKS_KEPT, cell_width, safe_cell, safe_ends, safe_line, safe_text

HOSTILE = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from("\x1b\x9b\x07\r\n\t\u202e\u2066\u200b\u200d\ufeff\u2028\u0085\u0301\ufe0f\U000e0041\u3164=+-@漢🚀"),
    )
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred", "␛[31mred"),
        ("a\nb\tc\rd", "a␊b␉c␍d"),
        ("\x7f\x9b1m", "␡\\x9b1m"),
        ("user\u202etxt.exe", "user\\u202etxt.exe"),
        ("pay\u200bments", "pay\\u200bments"),
        ("a\u2028b\u0085c", "a\\u2028b\\x85c"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("caf\u00e9 e\u0301 漢字 🚀", "caf\u00e9 e\u0301 漢字 🚀"),
        ("x" + "\u0301" * 50, "x" + "\u0301" * 3 + "⟨+47 marks⟩"),
        ("\udc80", "\\udc80"),
        ("blank\u3164", "blank\\u3164"),
    ],
)
def test_lines(text: str, shown: str) -> None:
    assert safe_line(text) == shown


def test_text_keeps_its_lines() -> None:
    assert safe_text("a\r\n\tb\x1b[2J\nc") == "a\n    b␛[2J\nc"


@given(HOSTILE)
def test_nothing_harmful_is_left(text: str) -> None:
    for shown, allowed in ((safe_line(text), ""), (safe_text(text), "\n"), (safe_cell(text), "")):
        run = 0
        for char in shown:
            assert char in allowed or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp", "Cn")
            run = run + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
            assert run <= MARKS_KEPT + 1


@given(HOSTILE)
def test_safe_text_is_safe_already(text: str) -> None:
    assert safe_line(safe_line(text)) == safe_line(text)


@given(HOSTILE, st.integers(0, 30))
def test_a_line_fits_its_width(text: str, width: int) -> None:
    shown = safe_line(text, width)
    assert cell_width(shown) <= width
    if cell_width(safe_line(text)) <= width and len(text) < width:
        assert shown == safe_line(text)


def test_long_text_is_cut_without_being_read_whole() -> None:
    assert safe_line("a" * 10_000_000, 5) == "aaaa…"
    assert safe_line("漢字漢字", 5) == "漢字…"


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd|x", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "|x", "\n=1", '"=1'])
def test_formulas_are_guarded(text: str) -> None:
    assert safe_cell(text).startswith("'")


@pytest.mark.parametrize("text", ["-5", "+3.25", "-1e9", "12%", "acme/payments", "a=b", ""])
def test_other_cells_stay(text: str) -> None:
    assert safe_cell(text) == text


@given(st.text(max_size=80), st.integers(3, 40))
def test_what_is_cut_in_its_middle_keeps_its_end_and_its_width(text: str, width: int) -> None:
    shown, whole = safe_ends(text, width), safe_line(text)
    assert cell_width(shown) <= width
    assert shown == whole or (cell_width(whole) > width and "…" in shown)
    if whole.isascii() and len(whole) > width:
        assert whole.endswith(shown.rpartition("…")[2]) and len(shown) == width


def test_the_ends_of_a_file_name_are_told() -> None:
    assert safe_ends("rollout-2026-11-22T23-23-57-01a20592.jsonl", 20) == "rollo…01a20592.jsonl"
