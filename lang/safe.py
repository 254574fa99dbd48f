"""Foreign text made fit to be shown: what could steer a terminal, a screen or a spreadsheet becomes visible instead.

Nothing is removed silently: a control character turns into its control picture, an invisible or reordering one into
`\\uXXXX`, a flood of combining marks into a count. Markup of a screen library is not this module's concern: whoever
draws hands text over as text, never as markup.
"""

from __future__ import annotations

import re
from unicodedata import category

from lang.cells import cut_middle, cut_names, seen

MARKS_KEPT = 3
"""Combining marks kept on one base character; more than any living orthography stacks."""

_TAB = "    "
_BREAK = "\u240a"
# Letters and marks that Unicode calls printable although they show nothing.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
_RUNS = re.compile(r"[ -~]+|.", re.DOTALL)
"""What needs no look, in runs as long as they are, and every other character by itself."""
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_FORMULA = re.compile(r"^[\s'\"]*[=+\-@＝＋－＠|%\t\r]")
_NUMBER = re.compile(r"^[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?%?$")


def safe_line(text: str, width: int | None = None) -> str:
    """One line of harmless text; with a width in at most so many terminal cells, names of places cut in their middles first."""
    shown = _harmless(text if width is None else seen(text, width))
    return shown if width is None else cut_names(shown, width)


def safe_ends(text: str, width: int) -> str:
    """One line of harmless text in `width` cells that is one name as a whole, blanks and all: cut in its middle."""
    return cut_middle(_harmless(seen(text, width)), width)


def _harmless(text: str) -> str:
    return text if text.isascii() and text.isprintable() else _neutral(text, keep_lines=False)


def safe_text(text: str) -> str:
    """Harmless text that keeps its lines; tabs become four spaces, CRLF becomes LF."""
    if text.isascii() and text.isprintable():
        return text
    return _neutral(text.replace("\r\n", "\n"), keep_lines=True)


def safe_row(text: str) -> str:
    """One line among others that are told of evidence: what breaks a line in a name becomes visible, tabs become four spaces.

    A name that could break its line would tell the reader what the next one tells, and nobody had said it.
    """
    return safe_text(text).replace("\n", _BREAK)


def safe_cell(text: str) -> str:
    """One harmless CSV cell: a single line that no spreadsheet takes for a formula.

    A cell that a spreadsheet would evaluate (it begins with = + - @ or a tab, full-width forms and leading blanks or
    quotes included) gets an apostrophe before it; a plain number stays a number.
    """
    shown = safe_line(text)
    if _NUMBER.match(shown):
        return shown
    return "'" + shown if _FORMULA.match(text) or _FORMULA.match(shown) else shown


def _neutral(text: str, keep_lines: bool) -> str:
    out: list[str] = []
    marks = 0
    for char in _RUNS.findall(text):
        if " " <= char[0] <= "~":
            marks = _end_flood(out, marks)
            out.append(char)
            continue
        if category(char) in ("Mn", "Me") and char not in _BLANK and not _SELECTORS.match(char):
            marks += 1
            if marks <= MARKS_KEPT:
                out.append(char)
            continue
        previous_marks, marks = marks, _end_flood(out, marks)
        if char == "\n" and keep_lines:
            out.append(char)
        elif char == "\t" and keep_lines:
            out.append(_TAB)
        elif char == "\ufe0f" and not previous_marks and out and len(out[-1]) == 1 and out[-1] > "\u203b":
            # One emoji selector after an emoji is ordinary writing; anywhere else a selector may carry hidden data.
            out.append(char)
        else:
            out.append(_visible(char))
    _end_flood(out, marks)
    return "".join(out)


def _end_flood(out: list[str], marks: int) -> int:
    if marks > MARKS_KEPT:
        out.append(f"⟨+{marks - MARKS_KEPT} marks⟩")
    return 0


def _visible(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if code < 0xA0:
        return f"\\x{code:02x}"
    if char == "\u00a0" or category(char) in ("Zs", "Co"):
        return " " if category(char) == "Zs" else char
    if char in _BLANK or not char.isprintable() or _SELECTORS.match(char):
        return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
    return char
