"""CSV tables: UTF-8, RFC 4180, one header row, times in UTC, stable order, no cell a spreadsheet takes for a formula."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from reports import columns
from reports.input import StepRow
from reports.renderers.base import Document
from reports.text import PLAIN, cell, when

CELL_IDS = 500
_HELD = 500
"""Rows written at once."""
_NO = ("no", "yes")
QUOTE, DOUBLED = '"', '""'


_ODD = re.compile(f",[^,{re.escape(''.join(sorted(PLAIN)))}]")
"""Where a cell behind the first one begins with what may be a formula."""


def _text(value: Any) -> str:
    """One value as a cell: lists joined by `; `, maps as `name=value`, booleans as yes and no."""
    if type(value) is str:
        return cell(value) if value else value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list | tuple):
        return cell("; ".join(map(str, value)))
    if isinstance(value, dict):
        return cell("; ".join(f"{k}={v}" for k, v in value.items()))
    return cell(str(value))


def _line(cells: Iterable[str]) -> str:
    """A row as RFC 4180 has it, as the `csv` module writes it at five times the price."""
    return ",".join([f'"{c.replace(QUOTE, DOUBLED)}"' if "," in c or QUOTE in c or "\n" in c or "\r" in c else c for c in cells])


def _plain_line(texts: Sequence[str]) -> str:
    """The row of these texts as cells; told at once where none of them is anything but plain, which is most rows."""
    line = ",".join(texts)
    plain = line.isascii() and line.isprintable() and '"' not in line and line.count(",") == len(texts) - 1
    if plain and (line[:1] in PLAIN or line[:1] == ",") and _ODD.search(line) is None:
        return line
    return _line(map(cell, texts))


class _Lines:
    """A CSV file, written some hundred rows at a time."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self._file = path.open("wb")
        self._held = [_line(header)]
        self.rows = 0

    def add(self, cells: Iterable[str]) -> None:
        """One row of cells as they are to be written."""
        self._add(_line(cells))

    def tell(self, texts: Sequence[str]) -> None:
        """One row of texts that become cells."""
        self._add(_plain_line(texts))

    def _add(self, line: str) -> None:
        self._held.append(line)
        self.rows += 1
        if len(self._held) >= _HELD:
            self._flush()

    def close(self) -> int:
        self._flush()
        self._file.close()
        return self.rows

    def _flush(self) -> None:
        self._held.append("")
        self._file.write("\r\n".join(self._held).encode("utf-8"))
        self._held.clear()


class _Population:
    """Writes population.csv as the steps stream by; memory does not grow with them."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._table = _Lines(path, columns.POPULATION)

    def add(self, row: StepRow) -> None:
        self._table.tell(
            (
                row.task,
                str(row.n),
                row.id,
                when(row.at) or "",
                row.verb,
                row.tool,
                row.target_class,
                row.target,
                row.owner,
                row.environment,
                row.title,
                _NO[row.covered],
                _NO[row.decided],
                row.permitted,
                row.decided_by,
                row.rule,
                row.policy,
                "; ".join(row.credentials),
                row.task_bound,
                row.transport,
                row.tool_outcome,
                row.effect,
                _NO[row.disputed],
                "; ".join(row.vantages),
                row.verdict,
                str(row.records),
            )
        )

    def close(self) -> dict[str, int]:
        return {self._name: self._table.close()}


def _some(ids: list[str]) -> list[str]:
    """Ids up to what a spreadsheet cell holds, with the number left out; findings.csv has them all."""
    return ids if len(ids) <= CELL_IDS else [*ids[:CELL_IDS], f"and {len(ids) - CELL_IDS} more"]


def _findings(document: Document) -> Iterator[Sequence[str]]:
    """The cells of columns.FINDINGS, as they are written."""
    controls: dict[str, str] = {}
    for f in document["findings"]:
        if f["detection"] not in controls:
            controls[f["detection"]] = _text(f["controls"])
        last = f["history"][-1] if f["history"] else {}
        exception, remedy = f["exception"] or {}, f["remedy"] or {}
        yield (
            cell(f["id"]),
            cell(f["detection"]),
            cell(f["title"]),
            cell(f["severity"]),
            cell(f["group"]),
            cell(f["state"]),
            cell(f["task"]),
            cell(f["step"]),
            _text(f["at"]),
            cell(f["why"]),
            *(_text(last.get(name)) for name in ("verdict", "reviewer", "at", "reason")),
            str(len(f["history"])),
            *(_text(exception.get(name)) for name in ("owner", "ticket", "expires", "expired")),
            controls[f["detection"]],
            cell("; ".join([f"{e['name']}:{e['line']} {e['digest']}" for e in f["evidence"]])),
            cell(f["evidence_digest"]),
            *(_text(remedy.get(name)) for name in ("cause", "owner", "due", "overdue", "closure", "by", "at")),
        )


def _verdicts(document: Document) -> Iterator[dict[str, Any]]:
    for f in document["findings"]:
        for n, v in enumerate(f["history"], 1):
            yield {"finding": f["id"], "n": n, **v}


def _controls(document: Document) -> Iterator[dict[str, Any]]:
    for section in document["frameworks"]:
        for c in section["controls"]:
            yield {
                "framework": section["id"],
                "edition": section["edition"],
                "id": c["id"],
                "title": c["title"],
                "kind": c["kind"],
                "parent": c["parent"],
                "given_labels": [g["given"] for g in section["given_labels"] if c["id"] in g["published"]],
                "result": c["result"],
                "word": c["word"],
                "reason": c["reason"],
                "open": c["open"],
                "accepted": c["accepted"],
                "dismissed": c["dismissed"],
                "blind_spots": c["blind_spots"],
                "cannot_judge": c["cannot_judge"],
                "population": c["population"],
                "level": c["level"],
                "shows": c["shows"],
                "does_not_show": c["does_not_show"],
                "detections_run": c["ran"],
                "detections_not_run": c["not_run"],
                "lacking": c["lacking"],
                "points": c["points"],
                "overridden": c["overridden"],
                "findings": _some(c["findings"]),
                "attestations": [_attested(a) for a in section["attestations"] if a["control"] == c["id"]],
            }


def _attested(one: dict[str, Any]) -> str:
    """What somebody states of a control, with what it rests on and until when it holds, as the pages say it."""
    said = f"{one['who']}{' (name as stated)' if one['asserted'] else ''} {one['at']}: {one['text']}"
    said += f"; rests on {one['evidence']}" if one["evidence"] else ""
    return said + (f"; {'ran out' if one['expired'] else 'holds until'} {one['expires']}" if one["expires"] else "")


def _points(document: Document) -> Iterator[dict[str, Any]]:
    for p in document["coverage"]["points"]:
        yield {
            "state": "seen",
            "point": p["point"],
            "vantage": p["vantage"],
            "scope": p["scope"],
            "decides": p["decides"],
            "from": p["start"],
            "to": p["end"],
            "records": p["records"],
            "gaps": [f"{g['start']}/{g['end']}" for g in p["gaps"]],
        }
    for e in document["coverage"]["expected"]:
        yield {
            "state": "expected, not seen",
            "point": e["id"],
            "vantage": e["vantage"],
            "scope": e["scope"],
            "decides": None,
            "from": e["since"],
            "to": None,
            "records": 0,
            "gaps": [],
        }


def _table(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    table = _Lines(path, header)
    try:
        for row in rows:
            table.add(row)
    finally:
        table.close()
    return table.rows


def _cells(header: Sequence[str], rows: Iterable[dict[str, Any]]) -> Iterator[list[str]]:
    return ([_text(row[name]) for name in header] for row in rows)


class CsvTables:
    """findings, verdicts, controls, sources, coverage, credentials and limits from the document; population from the stream."""

    id = "csv"
    title = "CSV tables"
    order = 0
    streamed = True

    def population(self, folder: Path) -> _Population:
        return _Population(folder / "population.csv")

    def render(self, document: Document, folder: Path) -> dict[str, int]:
        coverage = document["coverage"]
        tables: list[tuple[str, Sequence[str], Iterable[dict[str, Any]]]] = [
            ("controls.csv", columns.CONTROLS, _controls(document)),
            ("sources.csv", columns.SOURCES, coverage["sources"]),
            ("coverage.csv", columns.POINTS, _points(document)),
            ("credentials.csv", columns.CREDENTIALS, document["credentials"]),
            ("verdicts.csv", columns.VERDICTS, _verdicts(document)),
            ("limits.csv", columns.LIMITS, coverage["limits"]),
        ]
        made = {"findings.csv": _table(folder / "findings.csv", columns.FINDINGS, _findings(document))}
        return made | {name: _table(folder / name, header, _cells(header, rows)) for name, header, rows in tables}


RENDERER = CsvTables()
