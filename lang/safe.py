"""Foreign text made fit to be shown: what could steer a terminal, a screen or a spreadsheet becomes visible instead.

Nothing is removed silently: a control character turns into its control picture, an invisible or reordering one into
`\\uXXXX`, a flood of combining marks into a count. Markup of a screen library is not this module's concern: whoever
draws hands text over as text, never as markup.
"""

from __future__ import annotations

import re
from unicodedata import category, combining, east_asian_width

MARKS_KEPT = 3
"""Combining marks kept on one base character; more than any living orthography stacks."""

_TAB = "    "
_ELLIPSIS = "…"
# Letters and marks that Unicode calls printable although they show nothing.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_FORMULA = re.compile(r"^[\s'\"]*[=+\-@＝＋－＠|%\t\r]")
_NUMBER = re.compile(r"^[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?%?$")


def safe_line(text: str, width: int | None = None) -> str:
    """One line of harmless text, cut to `width` terminal cells with an ellipsis where a width is given."""
    if width is not None and len(text) > 16 * max(width, 1) + 64:
        # A cell needs at most one base and its marks, so what lies beyond can never be shown.
        text = text[: 16 * max(width, 1) + 64] + _ELLIPSIS
    shown = text if text.isascii() and text.isprintable() else _neutral(text, keep_lines=False)
    return shown if width is None else _cut(shown, width)


def safe_ends(text: str, width: int) -> str:
    """One line of harmless text in `width` cells, cut in its middle: of file names the end tells more than the beginning."""
    shown = safe_line(text)
    if cell_width(shown) <= width:
        return shown
    begin = _cut(shown, max(width // 3, 1))
    room, end = width - cell_width(begin), len(shown)
    while end > 0 and (room := room - _cells(shown[end - 1])) >= 0:
        end -= 1
    return begin + shown[end:]


def safe_text(text: str) -> str:
    """Harmless text that keeps its lines; tabs become four spaces, CRLF becomes LF."""
    if text.isascii() and text.isprintable():
        return text
    return _neutral(text.replace("\r\n", "\n"), keep_lines=True)


def safe_cell(text: str) -> str:
    """One harmless CSV cell: a single line that no spreadsheet takes for a formula.

    A cell that a spreadsheet would evaluate (it begins with = + - @ or a tab, full-width forms and leading blanks or
    quotes included) gets an apostrophe before it; a plain number stays a number.
    """
    shown = safe_line(text)
    if _NUMBER.match(shown):
        return shown
    return "'" + shown if _FORMULA.match(text) or _FORMULA.match(shown) else shown


def cell_width(text: str) -> int:
    """How many terminal cells a text takes that has been through `safe_line`."""
    if text.isascii():
        return len(text)
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if char < "\u0300":
        return 1
    if combining(char) or category(char) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def _cut(text: str, width: int) -> str:
    if cell_width(text) <= width:
        return text
    if width <= 0:
        return ""
    taken = 0
    for position, char in enumerate(text):
        taken += _cells(char)
        if taken > width - 1:
            return text[:position] + _ELLIPSIS
    return text


def _neutral(text: str, keep_lines: bool) -> str:
    out: list[str] = []
    marks = 0
    for char in text:
        if " " <= char <= "~":
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
