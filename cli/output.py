"""How data leaves: JSON, JSON lines, CSV, plain sentences or a narrow table; notes go to stderr."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from lang.cells import cell_width, cut_names
from lang.safe import safe_cell, safe_line

Row = dict[str, Any]


def note(text: str) -> None:
    """A remark for the person, never part of the data."""
    print(f"remit: {safe_line(text)}", file=sys.stderr)


def emit_json(document: Any) -> None:
    sys.stdout.write(f"{_indented(document)}\n")


def emit_array(rows: Iterable[Row]) -> None:
    """The same text as of a list of these rows, one row in memory after the other."""
    begun = False
    for row in rows:
        sys.stdout.write(",\n  " if begun else "[\n  ")
        sys.stdout.write(_indented(row).replace("\n", "\n  "))
        begun = True
    sys.stdout.write("\n]\n" if begun else "[]\n")


def _indented(document: Any) -> str:
    # Written by one library in C and indented by another, which takes a tenth of what indenting costs the first.
    compact = json.dumps(document, ensure_ascii=True)
    try:
        return msgspec.json.format(compact, indent=2)
    except msgspec.DecodeError:
        # Infinities and half characters, which the second has no word for.
        return json.dumps(document, ensure_ascii=True, indent=2)


def emit_jsonl(rows: Iterable[Row]) -> None:
    for row in rows:
        sys.stdout.write(json.dumps(row, ensure_ascii=True, separators=(",", ":")) + "\n")


def emit_csv(rows: Iterable[Row], columns: Sequence[str]) -> None:
    out = csv.writer(sys.stdout, lineterminator="\r\n")
    out.writerow(columns)
    for row in rows:
        out.writerow([safe_cell(_flat(row.get(name))) for name in columns])


def _flat(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
        return " ".join(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def emit_rows(
    output: str | None,
    rows: Iterable[Row],
    columns: Sequence[str],
    sentence: Callable[[Row], str],
    *,
    empty: str,
) -> None:
    """A listing in the asked-for form; on a terminal and in pipes alike the default is an aligned table."""
    match output:
        case "json":
            emit_array(rows)
        case "jsonl":
            emit_jsonl(rows)
        case "csv":
            emit_csv(rows, columns)
        case "plain":
            count = 0
            for count, row in enumerate(rows, 1):
                print(f"{count}. {safe_line(sentence(row))}")
            if not count:
                print(empty)
        case _:
            table(rows, columns, empty)


LEAST, FIRST = 8, 20
"""Cells that a column keeps when room is short, and that the first one keeps."""


def table(rows: Iterable[Row], columns: Sequence[str], empty: str) -> None:
    """An aligned table no wider than the terminal: the widest columns give way first, down to their heads.

    Where that is not enough, columns that would be cut the most are left out and named. In a pipe or file nothing is cut
    unless COLUMNS says how much room there is.
    """
    cells = [[safe_line(_flat(_within(row, name))) for name in columns] for row in rows]
    if not cells:
        print(empty)
        return
    heads = [name.rpartition(".")[2] for name in columns]
    natural = [max(len(head), *(cell_width(line[i]) for line in cells)) for i, head in enumerate(heads)]
    shown = dict(enumerate(natural))
    left: list[str] = []
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        total = max(shutil.get_terminal_size((100, 24)).columns, 60)
        while not (widths := _fitted(shown, heads, total)):
            most = max((i for i in shown if i), key=lambda i: (natural[i] - max(LEAST, len(heads[i])), i))
            left.append(heads[most])
            del shown[most]
        shown = widths
    for line in [heads, *cells]:
        print("  ".join(_fit(line[i], width) for i, width in shown.items()).rstrip())
    if left:
        note(f"left out for want of room: {', '.join(left)}; a wider terminal shows them, and so does --json")


def _fitted(natural: dict[int, int], heads: Sequence[str], total: int) -> dict[int, int]:
    """Widths that fit into a line, by column; none where they cannot. The first column says which row it is and keeps the most."""
    widths = dict(natural)
    least = {i: min(width, max(LEAST if i else FIRST, len(heads[i]))) for i, width in widths.items()}
    over = sum(widths.values()) + 2 * (len(widths) - 1) - total
    for _ in range(max(over, 0)):
        wide = [i for i in widths if widths[i] > least[i]]
        if not wide:
            return {}
        widths[max(wide, key=lambda i: widths[i])] -= 1
    return widths


def _within(row: Row, name: str) -> Any:
    """A member of a row, or of the object that a dotted name leads to."""
    *path, last = name.split(".")
    for part in path:
        row = row[part]
    return row.get(last)


def _fit(text: str, width: int) -> str:
    shown = cut_names(text, width)
    return shown + " " * (width - cell_width(shown))


class Progress:
    """A line on stderr that follows long work, on a terminal only."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.live = sys.stderr.isatty()

    def __call__(self, name: str, count: int, done: int) -> None:
        if self.live:
            room = min(shutil.get_terminal_size((100, 24)).columns - 1, 100)
            text = safe_line(f"{self.what} {name}: {count:,}" + (f"  ({done} done)" if done else ""), room)
            sys.stderr.write("\r\x1b[K" + text)
            sys.stderr.flush()

    def close(self) -> None:
        if self.live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
