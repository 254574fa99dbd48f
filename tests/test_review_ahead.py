"""Files that come next are read by a second process, and nothing about the result shows it."""

from __future__ import annotations

import gzip
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lang.redact import Redactor
from review.intake import ahead
from review.intake.importing import Settings, import_sources
from review.intake.walking import walk
from review.workspace import open_workspace
from tests.running import KEY, ORG, SAMPLE, ok, refused, run, surroundings

pytestmark = pytest.mark.usefixtures("alone")

LOGS = [
    *sorted(SAMPLE.glob("claude-code-*.jsonl"), key=lambda path: -path.stat().st_size)[:4],
    SAMPLE / "cloudtrail-staging.json",
    SAMPLE / "vault-audit.log",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Logs with all that may lie between them: what is empty, strange, broken, packed, in an archive, or may not be read."""
    logs = tmp_path / "logs"
    logs.mkdir()
    for number, path in enumerate(LOGS):
        (logs / f"{number}-{path.name}").write_bytes(path.read_bytes())
    lines = LOGS[0].read_bytes().splitlines(keepends=True)
    (logs / "0-broken.jsonl").write_bytes(b"".join([*lines[:5], b'{"type": "user", "x": \n', *lines[5:], b'{"type": "us']))
    (logs / "1-empty.jsonl").write_bytes(b"")
    (logs / "2-strange.txt").write_text("a letter to nobody\n")
    (logs / "3-packed.jsonl.gz").write_bytes(gzip.compress(LOGS[1].read_bytes()))
    (logs / "4-cut.jsonl.gz").write_bytes(gzip.compress(LOGS[2].read_bytes())[:-40])
    with zipfile.ZipFile(logs / "4-more.zip", "w") as archive:
        archive.writestr("one.jsonl", LOGS[2].read_bytes())
    os.mkfifo(logs / "5-pipe")
    return logs


def content(store: Path) -> str:
    return ok("--store", store, "--org", ORG, "store", "export").out + ok("--store", store, "sources", "--json").out


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that the other process reads, however few there are."""
    names: list[str] = []
    asked = ahead.Ahead._asked

    def heard(self: ahead.Ahead, files: list[ahead.Wanted]) -> Iterator[ahead.Told]:
        names.extend(file.name for file in files)
        return asked(self, files)

    monkeypatch.setattr(ahead, "WORTH", 1)
    monkeypatch.setattr(ahead, "processors", lambda: 2)
    monkeypatch.setattr(ahead.Ahead, "_asked", heard)
    return names


def test_both_ways_give_the_same_store(tmp_path: Path, folder: Path, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for count in (1, 2):
        monkeypatch.setattr(ahead, "processors", lambda count=count: count)
        store = tmp_path / f"{count}.db"
        document = run("--store", store, "--org", ORG, "import", folder, "--json").json
        document.pop("seconds")
        assert bool(told) == (count == 2)
        # The second time every file is read on from its bookmark, in this process.
        told.clear()
        again = run("--store", store, "--org", ORG, "import", folder, "--json").json["totals"]
        assert again["accepted"] == 0 and again["read"] == document["totals"]["read"]
        found.append((document, content(store)))
    assert found[0] == found[1]
    # What cannot be read on is read whole again, by the other process too; archives and pipes never are.
    assert {"1-empty.jsonl", "4-more.zip", "5-pipe", "0-broken.jsonl"}.isdisjoint(told)
    assert "3-packed.jsonl.gz" in told


def test_a_large_file_is_not_read_ahead(told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "LARGE", LOGS[0].stat().st_size)
    ok("--store", tmp_path / "s.db", "import", LOGS[2], LOGS[0], LOGS[3])
    assert told == [LOGS[2].name, LOGS[3].name]


def test_whoever_wants_no_more_leaves_the_rest_unread(tmp_path: Path, told: list[str]) -> None:
    with open_workspace(str(tmp_path / "s.db"), None, create=True) as work:
        report = import_sources(work, walk([str(path) for path in LOGS]), Settings(heed=lambda *_: False))
        assert report.stopped and [one.name for one in report.sources] == [LOGS[0].name]
        report = import_sources(work, walk([str(path) for path in LOGS]), Settings())
        assert len(report.sources) == len(LOGS) and not report.skipped
    assert LOGS[1].name in told


def test_a_file_nobody_asked_for_says_nothing_in_the_place_of_the_next(tmp_path: Path, told: list[str]) -> None:
    with (
        open_workspace(str(tmp_path / "s.db"), None, create=True) as work,
        ahead.Ahead(work.store, Redactor(bytes.fromhex(KEY)), None) as reading,
    ):
        names = [one.importer().id for _, one in reading.over(walk([str(path) for path in LOGS])) if one is not None]
    assert names == ["claude-code"] * 4 + ["cloudtrail", "vault"]


def test_a_reading_process_that_is_gone_is_one_sentence(tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "_PROGRAM", "import sys; sys.stdin.buffer.read(8)")
    refused(run("--store", tmp_path / "s.db", "import", *LOGS), 2, LOGS[0].name, "import again")
    monkeypatch.undo()
    with surroundings(tmp_path):
        ok("--store", tmp_path / "s.db", "import", *LOGS)
