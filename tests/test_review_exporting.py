"""Events and requests as Parquet by day: the schema, the same bytes from any order of import, and only what changed written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lang.cel.requests import project, writable
from model.request import FIELD, FIELDS
from model.words import KeyRole
from review.derive.building import build
from review.errors import RemitError
from review.intake.importing import import_logs
from review.stores import exporting, upkeep
from review.stores.exporting import export_parquet
from review.stores.lake import COLUMNS, KINDS, TYPES, column_of
from review.workspace import Workspace, open_workspace
from store import lake

pa = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
import pyarrow.parquet as pq  # noqa: E402

SAMPLE = Path(__file__).parent.parent / "sample_data"


def logs() -> list[str]:
    return [str(path) for path in sorted(SAMPLE.iterdir()) if path.suffix in (".jsonl", ".ndjson", ".json", ".log")]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lake") / "remit.db"
    with open_workspace(str(path), create=True) as work:
        import_logs(work, logs())
        build(work)
    return path


@pytest.fixture
def work(store: Path) -> Iterator[Workspace]:
    with open_workspace(str(store)) as opened:
        yield opened


def files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*.parquet"))}


def read(root: Path, kind: str) -> list[dict[str, Any]]:
    return [row for path in sorted((root / kind).rglob("*.parquet")) for row in pq.ParquetFile(path).read().to_pylist()]


def test_every_event_and_request_is_there_as_the_schema_says(work: Workspace, tmp_path: Path) -> None:
    done = export_parquet(work, str(tmp_path / "out"))
    counts = work.store.counts()
    rows = {kind: read(tmp_path / "out", kind) for kind in KINDS}
    assert done["rows"] == {kind: len(rows[kind]) for kind in KINDS}
    assert len(rows["events"]) == counts["events"] > 500
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    for kind in KINDS:
        assert list(rows[kind][0]) == [column.name for column in COLUMNS[kind]] == list(manifest["columns"][kind])

    first = rows["events"][0]
    assert first["at"].tzinfo is not None and rows["events"] == sorted(rows["events"], key=lambda row: (row["at"], row["event"]))
    held = {event.id: event for id in work.store.task_ids() for event in work.store.events_of_task(id)}
    placed = [row for row in rows["events"] if row["task"]]
    assert {row["event"] for row in placed} == set(held)
    for row in placed:
        event = held[row["event"]]
        assert (row["kind"], row["point"], row["verb"]) == (
            event.kind.value,
            event.point,
            event.verb.value if event.verb.value != "unknown" else None,
        )
        assert len(row["keys"]) == sum(key.role is not KeyRole.MATCH for key in event.keys)
        assert len(row["digest"]) == 64 and row["line"] >= 1

    requests = {(row["task"], row["step"]): row for row in rows["requests"]}
    asked = list(work.store.requests())
    assert len(asked) == len(requests)
    for one in asked:
        row, stated = requests[one.task, one.step], project(one.request)
        assert row["recorded"] == (one.recorded if one.recorded in ("allow", "ask", "deny") else None)
        for field in FIELDS:
            said = row[column_of(field.name)]
            wanted = None if field.name not in stated else writable(FIELD[field.name], stated[field.name])
            assert (str(said) if field.type == "timestamp" and said is not None else said) == wanted, field.name
    assert any(entry.what == "export" for entry in work.store.journal(journal="access"))


def test_a_store_of_postgresql_gives_the_same_files_and_lines(postgresql_url: str, sqlite_url: str, tmp_path: Path) -> None:
    few = [path for path in logs() if "claude-code-4" in path or path.endswith("ci-events.ndjson")]
    told = []
    for url in (sqlite_url, postgresql_url):
        root = tmp_path / str(len(told))
        with open_workspace(url) as work:
            import_logs(work, few)
            build(work)
            done = export_parquet(work, str(root))
            told.append((files(root), list(upkeep.export(work)), done["rows"]))
            assert export_parquet(work, str(root))["written"] == 0, "what is there already is written by neither"
    assert told[0] == told[1]
    assert len(told[0][0]) > 1 and len(told[0][1]) > 20


def test_bytes_depend_on_no_order_of_import_and_a_second_export_writes_nothing(
    work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_parquet(work, str(tmp_path / "one"))
    with open_workspace(str(tmp_path / "other.db"), create=True) as other:
        import_logs(other, logs()[::-1])
        build(other)
        monkeypatch.setattr(lake, "SPAN_ROWS", 100)  # and on no size of a span
        export_parquet(other, str(tmp_path / "two"))
    assert files(tmp_path / "one") == files(tmp_path / "two")

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "one").rglob("*") if path.is_file()}
    again = export_parquet(work, str(tmp_path / "one"))
    assert again["written"] == 0 and again["unchanged"] == len(files(tmp_path / "one"))
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "one").rglob("*") if path.is_file()}


def test_a_day_that_changed_was_cut_off_or_is_gone(work: Workspace, tmp_path: Path) -> None:
    root = tmp_path / "out"
    export_parquet(work, str(root))
    whole = files(root)
    name = next(iter(whole))
    (root / name).write_bytes(b"cut off")
    manifest = json.loads((root / "manifest.json").read_text())
    (root / "events" / "day=1999-01-01").mkdir()
    (root / "events" / "day=1999-01-01" / "part-0000.parquet").write_bytes(b"of a day the store has no longer")
    manifest["files"]["events/day=1999-01-01/part-0000.parquet"] = {}
    (root / "manifest.json").write_text(json.dumps(manifest))
    done = export_parquet(work, str(root), start="2026-01-01")
    assert (done["written"], done["removed"]) == (1, 0)
    done = export_parquet(work, str(root))
    assert (done["written"], done["removed"]) == (0, 1)
    assert files(root) == whole and not (root / "events" / "day=1999-01-01").exists()


def test_spans_kinds_and_long_days(work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert export_parquet(work, str(tmp_path / "a"), start="2030-01-01")["rows"] == {"events": 0, "requests": 0}
    monkeypatch.setattr(exporting, "GROUP_ROWS", 50)
    monkeypatch.setattr(exporting, "PART_ROWS", 120)
    done = export_parquet(work, str(tmp_path / "b"), ("events",))
    assert done["rows"]["requests"] == 0 and not (tmp_path / "b" / "requests").exists()
    parts = sorted((tmp_path / "b").rglob("*.parquet"))
    assert len(parts) > 5 and all(pq.read_metadata(path).num_rows <= 120 for path in parts)
    assert sum(pq.read_metadata(path).num_rows for path in parts) == work.store.counts()["events"]


@pytest.mark.parametrize(
    "manifest",
    [None, "{}", '{"format":"remit-lake","version":1,"files":{"../../x":{}}}', '{"format":"remit-lake","version":9,"files":{}}'],
)
def test_a_folder_that_holds_something_else_is_left_alone(work: Workspace, tmp_path: Path, manifest: str | None) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(RemitError, match="choose"):
        export_parquet(work, str(tmp_path))
    with pytest.raises(RemitError, match="no day"):
        export_parquet(work, str(tmp_path / "new"), start="yesterday")


def test_what_was_exported_is_read_back_as_it_was(work: Workspace, tmp_path: Path) -> None:
    export_parquet(work, str(tmp_path / "out"))
    with open_workspace(str(tmp_path / "back.db"), create=True) as back:
        report = import_logs(back, [str(tmp_path / "out" / "events")])
        assert report.skipped == [] and report.rejected == 0
        build(back)
        export_parquet(back, str(tmp_path / "again"))
        own = ("event", "record", "source", "name", "line", "index", "offset", "digest", "format", "task")

        def said(root: Path) -> list[str]:
            rows = read(root, "events")
            return sorted(
                json.dumps({name: row[name] for name in row if name not in own}, default=str, sort_keys=True) for row in rows
            )

        assert said(tmp_path / "out") == said(tmp_path / "again")
        assert back.store.counts()["tasks"] == work.store.counts()["tasks"]


def test_the_page_lists_every_column() -> None:
    page = (Path(__file__).parent.parent / "docs" / "lake.md").read_text()
    for kind in KINDS:
        part = page.partition(f"schema `{kind}/1`")[2].partition("\n### ")[0]
        rows = [f"| `{column.name}` | {TYPES[column.type]} | {column.doc} |" for column in COLUMNS[kind]]
        assert [line for line in part.splitlines() if line.startswith("| `")] == rows
