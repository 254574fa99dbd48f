"""Foreign text is shown, never obeyed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lang.cells import cell_width, wrapped
from lang.safe import MARKS_KEPT, safe_cell, safe_ends, safe_line, safe_row, safe_text

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


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("file.read /home/dana/src/payments/config/settings.yaml", 30, "file.read /home…/settings.yaml"),
        ("exec cat /home/dana/src/payments/config/settings.yaml | head", 40, "exec cat /home/d…ig/settings.yaml | head"),
        # The longer of two gives way first, and both as far as they must.
        ("mv src/payments/keys.py src/payments/internal/signing/keys.py", 46, "mv src/payments/keys.py src/pa…signing/keys.py"),
        ("mv /srv/one/aaaaaaaaaaaaaaaaa.txt /srv/two/bbbbbbbbbbbbbbbbbbb.txt now", 30, "mv /s…aaaa.txt /s…bbbb.txt now"),
        ("secret.read arn:aws:secretsmanager:eu-west-1:123:secret:payments-key", 34, "secret.read arn:aw…et:payments-key"),
        ("https://git.example/acme/payments/pull/4711?tab=files", 24, "https:/…l/4711?tab=files"),
        (r"file.write C:\Users\dana\Documents\work\plan.docx", 30, r"file.write C:\Us…ork\plan.docx"),
        ("file.read a_snapshot_of_all_rows_of_the_queue.json", 30, "file.read a_sna…the_queue.json"),
        # A line that loses its end all the same keeps that of the last name which is seen.
        ("`mcp.call github` acted on acme/berth-planner of the project", 41, "`mcp.call github` acted on acm…h-planner…"),
        ("`mcp.call github` acted on acme/berth-planner of the project", 34, "`mcp.call github` acted on acme/b…"),
        ("db.staging.payments.example at 2026-03-17T08:55:47.170Z", 24, "db.staging.payments.exa…"),
        # Wide characters count as two, and none is cut in half.
        ("file.read /srv/資料/設定/請求書/一覧表.json", 30, "file.read /srv/…書/一覧表.json"),
        # What is no name of a place keeps its beginning: prose, people, charts.
        ("Rotate the payments signing key in staging", 20, "Rotate the payments…"),
        ("by alexandra.konstantinopoulou@acme.example", 24, "by alexandra.konstantin…"),
        ("watched ████████████████████████████", 16, "watched ███████…"),
    ],
)
def test_a_line_too_long_keeps_the_ends_of_the_names_in_it(text: str, width: int, shown: str) -> None:
    assert safe_line(text, width) == shown


def test_the_end_of_a_name_is_kept_however_long_it_is() -> None:
    assert safe_line("file.read /" + "deep/" * 200_000 + "keys.pem", 30).endswith("/keys.pem")
    assert safe_ends("/My Documents/" * 100_000 + "the plan.docx", 20).endswith("the plan.docx")


@given(st.text("a漢字é\u0301 👍", max_size=200), st.integers(12, 60), st.sampled_from(["", "  ", " │ "]))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: int, lead: str) -> None:
    lines = wrapped(text, width, lead, "    ")
    assert all(cell_width(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join((lead + text).split())


def test_a_row_keeps_its_line_breaks_visible() -> None:
    assert safe_row("a\nb\r\nc\td") == "a␊b␊c    d"
