"""The queue as it is listed, written to a file: CSV, JSON lines or a Markdown table, by the ending of its name."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
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


def export_view(work: Workspace, path: str, filter: str = "", sort: str = "risk", limit: int | None = None) -> Doc:
    """Write the tasks of a view to a new file: `path`, whole, and how many `tasks`. An existing file is left alone (RemitError)."""
    target = Path(path).expanduser().absolute()
    lines = WRITERS.get(target.suffix.lower())
    if lines is None:
        raise RemitError(f"{path}: name the file with one of {', '.join(WRITERS)} at its end")
    if target.exists():
        raise RemitError(f"{target} exists already; choose another name")
    rows = _Counted(each_task(work.store, filter, sort, limit))
    fresh = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with fresh.open("x", encoding="utf-8", newline="") as file:
            file.writelines(lines(rows))
        os.link(fresh, target)
    except OSError as error:
        raise RemitError(f"cannot write {target}: {error.strerror}; choose another place") from error
    finally:
        fresh.unlink(missing_ok=True)
    note_access(work, "export", {"view": filter, "sort": sort, "tasks": rows.count, "file": target.name})
    return {"path": str(target), "tasks": rows.count, "filter": filter, "sort": sort}


class _Counted:
    """Rows on their way, counted as they pass."""

    def __init__(self, rows: Iterator[Doc]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Doc]:
        for row in self._rows:
            self.count += 1
            yield row


def _csv(rows: Iterable[Doc]) -> Iterator[str]:
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n").writerow
    write(COLUMNS)
    for row in rows:
        write([safe_cell(_cell(row, name)) for name in COLUMNS])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def _jsonl(rows: Iterable[Doc]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=True, separators=(",", ":")) + "\n"


def _markdown(rows: Iterable[Doc]) -> Iterator[str]:
    shown = ("risk", "detections", "title", "agent", "principal", "repository", "started", "state", "id")
    yield f"| {' | '.join(shown)} |\n|{' --- |' * len(shown)}\n"
    for row in rows:
        yield f"| {' | '.join(_literal(_cell(row, name)) for name in shown)} |\n"


def _literal(text: str) -> str:
    """Text that Markdown and HTML read as text."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#!~&" else char for char in safe_line(text))


def _cell(row: Doc, name: str) -> str:
    value = row["review"].get("assignee") if name == "assignee" else row.get(name)
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value)


WRITERS: dict[str, Callable[[Iterable[Doc]], Iterator[str]]] = {".csv": _csv, ".jsonl": _jsonl, ".md": _markdown}
