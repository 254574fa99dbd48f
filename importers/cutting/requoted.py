"""Text that was quoted once more as a whole on its way here: lines as JSON texts (`jq` without `-r`), columns as databases copy them out."""

from __future__ import annotations

import re
from collections.abc import Callable

from importers.cutting.scanner import fault
from importers.shared.fields import decode
from model.event import BadRecord

Shape = Callable[[dict[str, object]], dict[str, object]]

_LINES = 50
_COLUMNS = 100
_COPY = re.compile(rb"^COPY \S.{0,2000} FROM stdin;\r?$", re.MULTILINE)
_ESCAPES = re.compile(rb"\\[\\']")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}


def requoted(head: bytes) -> Shape | None:
    """What takes the quoting off the texts of a framed record, where all of a source that begins so is quoted once more; else None."""
    lines = [line.strip() for line in head.split(b"\n")[: _LINES + 1]]
    lines = [line for line in lines[: max(1, len(lines) - 1)] if line]
    if lines and all(line[:1] == line[-1:] == b'"' and fault(line) is None for line in lines):
        return of_json
    return _of_copy if _ESCAPES.search(head) and (_COPY.search(head) is not None or _is_copied(lines)) else None


def _is_copied(lines: list[bytes]) -> bool:
    """Whether the objects at the ends of lines are JSON without their doubled backslashes, and some of them not with these."""
    mended = 0
    for line in lines:
        begin = line.find(b"{")
        if begin < 0 or b"\\" not in line:
            continue
        as_it_is = fault(line[begin:]) is None
        without = fault(_plain(line[begin:].decode("utf-8", "replace")).encode()) is None
        if as_it_is and not without:
            return False
        # An apostrophe behind a backslash is a careless program's too, where no column says otherwise.
        mended += without and not as_it_is and (b"\\\\" in line or b"\t" in line)
    return mended > 0


def _plain(text: str) -> str:
    return _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), text)


def of_json(record: dict[str, object]) -> dict[str, object]:
    """A line that is a JSON text as the line it stands for."""
    return {name: _told(cell) if isinstance(cell, str) else cell for name, cell in record.items()}


def _told(cell: str) -> str:
    try:
        inner = decode(cell.strip().encode("utf-8", "surrogatepass"))
    except BadRecord:
        return cell
    return inner if isinstance(inner, str) else cell


def _of_copy(record: dict[str, object]) -> dict[str, object]:
    return {name: _plain(cell) if isinstance(cell, str) else cell for name, cell in record.items()}


def tabbed(head: bytes) -> bool:
    """Whether the lines of a source that begins so have columns between tabs, as many in each."""
    lines = [line for line in head.split(b"\n")[:_LINES] if line.strip()]
    counts = {line.count(b"\t") for line in lines[: max(1, len(lines) - 1)]}
    return len(counts) == 1 and 0 < counts.pop() <= _COLUMNS


def by_tabs(record: dict[str, object]) -> dict[str, object]:
    """A line's columns, called by their place."""
    line = record.get("line")
    return {f"column_{place}": cell for place, cell in enumerate(line.split("\t"), 1)} if isinstance(line, str) else record
