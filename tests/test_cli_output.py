"""How commands print: tables that fit where they are shown, and remarks that are no data."""

from __future__ import annotations

from typing import Any

import pytest

from cli.output import emit_array, emit_json, table
from lang.cells import cell_width

ROW = {
    "name": "sessions/2026/a-long-folder/and-a-long-name.jsonl",
    "format": "claude-code",
    "records": {"read": 12, "accepted": 12, "duplicate": 0, "rejected": 0},
    "first": "2026-03-16T08:00:00.000000Z",
    "last": "2026-03-16T09:00:00.000000Z",
    "flags": "gaps",
}
COLUMNS = (
    "name",
    "format",
    "records.read",
    "records.accepted",
    "records.duplicate",
    "records.rejected",
    "first",
    "last",
    "flags",
)


def printed(capsys: pytest.CaptureFixture[str]) -> tuple[list[str], str]:
    table([ROW, ROW | {"name": "b"}], COLUMNS, "none")
    out, said = capsys.readouterr()
    return out.splitlines(), said


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_a_table_fits_and_keeps_what_tells_its_rows_apart(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines, said = printed(capsys)
    assert max(map(cell_width, lines)) <= width
    heads = lines[0].split()
    assert heads[0] == "name" and cell_width(lines[1].split()[0]) >= 20 and lines[1].split()[0].endswith(".jsonl")
    told = said.partition("room: ")[2].partition(";")[0].split(", ") if said else []
    assert sorted([*heads, *told]) == sorted(name.rpartition(".")[2] for name in COLUMNS)
    assert bool(told) == (width < 100)


def test_nothing_is_cut_or_left_out_in_a_pipe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    lines, said = printed(capsys)
    assert not said and all(str(ROW[name]) in lines[1] for name in ("name", "format", "first", "last", "flags"))


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [ROW],
        [ROW, {}, {"deep": {"er": [1, {"text": "two\nlines \u2028 and \ud800"}]}, "none": []}],
        [{"n": float("inf")}, ROW],
    ],
)
def test_rows_written_one_by_one_are_the_text_of_their_list(
    rows: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    emit_json(rows)
    whole = capsys.readouterr().out
    emit_array(iter(rows))
    assert capsys.readouterr().out == whole
