"""A list as it is shown, written to a file: CSV, JSON lines or a Markdown table, by the ending of its name."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lang.safe import safe_cell, safe_line
from review.errors import RemitError
from review.judge.journals import note_access
from review.show.tasks import each_task
from review.workspace import Workspace

Doc = dict[str, Any]
COLUMNS = ("id", "title", "agent", "principal", "on_behalf_of", "repository", "environment", "started", "ended", "steps", "risk",
           "detections", "vantages", "parent", "state", "assignee")  # fmt: skip
SHOWN = ("risk", "detections", "title", "agent", "principal", "repository", "started", "state", "id")
"""Columns of a Markdown table of tasks."""

Cells = Sequence[tuple[str, Callable[[Doc], str]]]
"""Columns: what stands above each, and a row's text in it."""


def export_view(work: Workspace, path: str, filter: str = "", sort: str = "risk", limit: int | None = None) -> Doc:
    """Write the tasks of a view to a new file: `path`, whole, and how many `tasks`. An existing file is left alone (RemitError)."""
    cells = {name: _column(name) for name in (*COLUMNS, *SHOWN)}
    rows = _Counted(each_task(work.store, filter, sort, limit))
    target = _write(path, rows, [cells[name] for name in COLUMNS], [cells[name] for name in SHOWN])
    note_access(work, "export", {"view": filter, "sort": sort, "tasks": rows.count, "file": target.name})
    return {"path": str(target), "tasks": rows.count, "filter": filter, "sort": sort}


def export_list(work: Workspace, path: str, name: str, rows: Sequence[Doc], shown: Cells) -> Path:
    """Write a list that is at hand to a new file and say which: in Markdown what is `shown`, else all its documents hold."""
    flat = [dict(_flat(row)) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    places = {id(row): one for row, one in zip(rows, flat, strict=True)}

    def column(name: str) -> tuple[str, Callable[[Doc], str]]:
        return name, lambda row: places[id(row)].get(name, "")

    told = [column(name) for name in names]
    target = _write(path, rows, told, shown)
    note_access(work, "export", {"list": name, "rows": len(rows), "file": target.name})
    return target


def _flat(row: Doc, lead: str = "") -> Iterator[tuple[str, str]]:
    """Names and texts of what a document holds, `records.read` of what lies one deeper; of a list of documents how many."""
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{lead}{name}.")
        elif isinstance(value, list | tuple) and any(isinstance(one, dict | list) for one in value):
            yield f"{lead}{name}", str(len(value))
        else:
            yield f"{lead}{name}", _text(value)


def _write(path: str, rows: Iterable[Doc], told: Cells, shown: Cells) -> Path:
    """Write rows to a file that was not there before, in the form its name asks for; the whole path."""
    target = Path(path).expanduser().absolute()
    lines = WRITERS.get(target.suffix.lower())
    if lines is None:
        raise RemitError(f"{path}: name the file with one of {', '.join(WRITERS)} at its end")
    if target.exists():
        raise RemitError(f"{target} exists already; choose another name")
    fresh = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with fresh.open("x", encoding="utf-8", newline="") as file:
            file.writelines(lines(rows, told, shown))
        os.link(fresh, target)
    except OSError as error:
        raise RemitError(f"cannot write {target}: {error.strerror}; choose another place") from error
    finally:
        fresh.unlink(missing_ok=True)
    return target


class _Counted:
    """Rows on their way, counted as they pass."""

    def __init__(self, rows: Iterator[Doc]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Doc]:
        for row in self._rows:
            self.count += 1
            yield row


def _csv(rows: Iterable[Doc], told: Cells, shown: Cells) -> Iterator[str]:
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n").writerow
    write([safe_cell(name) for name, _ in told])
    for row in rows:
        write([safe_cell(text(row)) for _, text in told])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def _jsonl(rows: Iterable[Doc], told: Cells, shown: Cells) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=True, separators=(",", ":"), default=str) + "\n"


def _markdown(rows: Iterable[Doc], told: Cells, shown: Cells) -> Iterator[str]:
    yield f"| {' | '.join(name for name, _ in shown)} |\n|{' --- |' * len(shown)}\n"
    for row in rows:
        yield f"| {' | '.join(_literal(text(row)) for _, text in shown)} |\n"


def _literal(text: str) -> str:
    """Text that Markdown and HTML read as text."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#!~&" else char for char in safe_line(text))


def _column(name: str) -> tuple[str, Callable[[Doc], str]]:
    return name, lambda row: _cell(row, name)


def _cell(row: Doc, name: str) -> str:
    return _text(row["review"].get("assignee") if name == "assignee" else row.get(name))


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value)


WRITERS: dict[str, Callable[[Iterable[Doc], Cells, Cells], Iterator[str]]] = {".csv": _csv, ".jsonl": _jsonl, ".md": _markdown}
