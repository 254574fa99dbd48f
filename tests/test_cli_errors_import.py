"""Files that cannot be read, are strangers or are broken: one clear sentence, and all else is imported."""

from __future__ import annotations

import gzip
import os
import random
import tarfile
import zipfile
from pathlib import Path
from typing import Literal

import pytest

from tests.running import (
    SAMPLE,
    Ran,
    refused,
    run,
    sample_logs,
    writable_anyway,
)

pytestmark = pytest.mark.usefixtures("alone")

CI = SAMPLE / "ci-events.ndjson"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "s.db"


def imported(store: Path, *paths: str | Path, stdin: bytes = b"") -> Ran:
    ran = run("--store", store, "import", *paths, "--json", stdin=stdin)
    assert "Traceback" not in ran.err
    return ran


def test_a_missing_file_is_named_and_the_others_are_imported(store: Path, tmp_path: Path) -> None:
    ran = imported(store, tmp_path / "absent.jsonl", CI)
    assert ran.code == 3
    (skipped,) = ran.json["skipped"]
    assert "absent.jsonl" in skipped["name"] and "no such file" in skipped["reason"]
    assert ran.json["totals"]["accepted"] > 0
    said = run("--store", store, "import", tmp_path / "absent.jsonl")
    assert said.code == 3 and "absent.jsonl" in said.err and "Traceback" not in said.err


def test_a_pattern_without_a_file_is_code_3(store: Path, tmp_path: Path) -> None:
    ran = imported(store, tmp_path / "*.jsonl")
    assert ran.code == 3 and "*.jsonl" in ran.json["skipped"][0]["name"]


def test_a_directory_without_logs_ends_well_and_says_what_it_skipped(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    ran = imported(store, folder)
    assert ran.code == 0 and ran.json["totals"]["read"] == 0
    (folder / "a.txt").write_text("hello\n")
    ran = imported(store, folder)
    assert ran.code == 0 and [one["name"] for one in ran.json["skipped"]] == ["a.txt"]


JUNK = {
    "empty": b"",
    "newlines": b"\n\n\n",
    "random bytes": random.Random(7).randbytes(40_000),
    "zero bytes": bytes(10_000),
    "png": b"\x89PNG\r\n\x1a\n" + random.Random(8).randbytes(2_000),
    "broken gzip": gzip.compress(b'{"a": 1}\n' * 500)[:60],
    "gzip of junk": gzip.compress(random.Random(9).randbytes(3_000)),
    "not UTF-8": b'{"type": "\xff\xfe"}\n' * 5,
    "UTF-16": '{"type": "user"}\n'.encode("utf-16"),
    "JSON of no format": b'{"a": 1}\n{"b": 2}\n',
    "a bare string": b'"just words"\n',
    "an unclosed object": b'{"a": ',
    "deep nesting": b"[" * 100_000,
    "a very long line": b'{"a": "' + b"x" * 2_000_000,
    "prose": b"Dear reader,\nthis is a letter.\n",
    "a huge number": b'{"a": 1' + b"0" * 5_000 + b"}\n",
    "lone surrogates": b'{"type": "\\ud800"}\n',
}  # fmt: skip


@pytest.mark.parametrize("name", JUNK)
def test_junk_is_refused_with_a_reason(store: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "junk.log"
    path.write_bytes(JUNK[name])
    ran = imported(store, path)
    assert ran.code == 3
    totals = ran.json["totals"]
    assert totals["read"] == totals["rejected"] + totals["accepted"] + totals["duplicate"]
    reasons = [one["reason"] for one in ran.json["skipped"]] + [r["reason"] for s in ran.json["sources"] for r in s["rejects"]]
    assert reasons and all(len(reason) > 5 for reason in reasons)
    said = run("--store", store, "import", path)
    assert said.code == 3 and "junk.log" in said.err and all(len(line) < 1_000 for line in said.err.splitlines())
    again = imported(store, "-", stdin=JUNK[name])
    assert again.code == 3


@pytest.mark.parametrize("name", ["claude-code", "codex", "opa", "vault", "github", "cloudtrail", "ci-events"])
def test_a_log_cut_off_anywhere_keeps_what_is_whole(tmp_path: Path, name: str) -> None:
    path = next(path for path in sample_logs() if path.name.startswith(name))
    data = path.read_bytes()
    dice = random.Random(name)
    for number in range(3):
        cut = dice.randrange(len(data) // 3, len(data) - 2)
        short = tmp_path / f"cut-{number}.log"
        short.write_bytes(data[:cut])
        ran = imported(tmp_path / f"{number}.db", short)
        (source,) = ran.json["sources"]
        counts = source["records"]
        assert counts["read"] == counts["accepted"] + counts["duplicate"] + counts["rejected"]
        assert counts["accepted"] > 0
        assert ran.code == (3 if counts["rejected"] else 0)
        if name == "cloudtrail":
            assert counts["rejected"] == 1
        else:
            whole = data[:cut].count(b"\n")
            assert counts["accepted"] >= whole and counts["rejected"] == (0 if data[cut - 1 : cut] == b"\n" else 1)


def test_an_unknown_format_is_refused_with_the_known_ones(store: Path) -> None:
    refused(run("--store", store, "import", CI, "--format", "cef"), 2, "cef", "remit-events", "vault")


def test_a_file_forced_into_the_wrong_format_is_not_a_crash(store: Path) -> None:
    for path in (CI, SAMPLE / "opa-decisions.jsonl", SAMPLE / "cloudtrail-staging.json"):
        for format in ("claude-code", "codex", "vault", "cloudtrail", "github-audit", "github-webhook", "opa", "remit-events"):
            imported(store, path, "--format", format)


@pytest.mark.skipif(writable_anyway(), reason="file modes do not stop this user")
def test_an_unreadable_file_is_code_3(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "locked.jsonl"
    path.write_bytes(CI.read_bytes())
    path.chmod(0)
    ran = imported(store, path)
    assert ran.code == 3 and "denied" in ran.json["skipped"][0]["reason"]


def test_pipes_links_and_devices_in_a_directory_are_not_read(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to(CI)
    (folder / "loop").symlink_to(folder)
    (folder / "dangling").symlink_to("nowhere")
    (folder / "itself").symlink_to("itself")
    (folder / "projects").symlink_to(SAMPLE, target_is_directory=True)
    ran = imported(store, folder)
    assert ran.code == 0 and ran.json["totals"]["read"] == 0
    told = {one["name"]: one["reason"] for one in ran.json["skipped"]}
    assert told.keys() == {"pipe", "link", "projects", "dangling", "itself"}, "what lies in the folder anyway is not told"
    assert "import it by its own name" in told["pipe"]
    assert imported(store, f"{folder}/p*").json["skipped"] == [{"name": "pipe", "reason": told["pipe"]}]
    assert "import what it leads to" in told["link"] and told["link"] == told["projects"]


@pytest.mark.skipif(writable_anyway(), reason="file modes do not stop this user")
def test_a_folder_that_stays_closed_and_a_file_in_a_folder_are_code_3(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    for name in ("closed", "blind"):
        (folder / name).mkdir(parents=True)
        (folder / name / "ci.ndjson").write_bytes(CI.read_bytes())
    (folder / "locked.ndjson").write_bytes(CI.read_bytes())
    try:
        (folder / "locked.ndjson").chmod(0)
        (folder / "closed").chmod(0)
        (folder / "blind").chmod(0o600)
        ran = imported(store, folder)
        assert ran.code == 3 and {one["name"] for one in ran.json["skipped"]} == {"closed", "blind/ci.ndjson", "locked.ndjson"}
        assert {one["reason"] for one in ran.json["skipped"]} == {"cannot be read: Permission denied"}
        for named in ("closed", "closed/ci.ndjson", "closed/*.ndjson", "blind/*.ndjson"):
            ran = imported(store, folder / named)
            assert ran.code == 3 and "denied" in ran.json["skipped"][0]["reason"], named
    finally:
        (folder / "closed").chmod(0o700)
        (folder / "blind").chmod(0o700)


def test_an_archive_in_a_folder_that_breaks_off_is_code_3_and_a_spreadsheet_is_a_stranger(store: Path, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    with zipfile.ZipFile(tmp_path / "logs" / "table.xlsx", "w") as sheet:
        sheet.writestr("[Content_Types].xml", "<x/>")
    ran = imported(store, tmp_path / "logs")
    assert ran.code == 0 and "CSV" in ran.json["skipped"][0]["reason"]
    with tarfile.open(tmp_path / "whole.tar", "w") as archive:
        archive.add(CI, "ci.ndjson")
        archive.add(CI, "again.ndjson")
    whole = (tmp_path / "whole.tar").read_bytes()
    (tmp_path / "logs" / "cut.tar").write_bytes(whole[: whole.rindex(b"again.ndjson") + 1000])
    ran = imported(store, tmp_path / "logs")
    assert ran.code == 3 and ran.json["totals"]["accepted"] > 0 and ran.json["totals"]["rejected"] == 0


def test_names_of_what_was_skipped_leave_room_for_the_reason(store: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c" * 60, "d"):
        (tmp_path / "logs" / name).mkdir(parents=True)
        (tmp_path / "logs" / name / "notes.txt").write_text("hello\n")
    (line,) = run("--store", store, "import", tmp_path / "logs").err.splitlines()
    assert line == "remit: skipped a/notes.txt, b/notes.txt and 2 more: text of no known format" and len(line) <= 80


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_an_archive_on_standard_input_is_told_as_one(store: Path, tmp_path: Path, mode: Literal["w", "w:gz"]) -> None:
    with tarfile.open(tmp_path / "logs.tar", mode) as archive:
        archive.add(CI, "ci.ndjson")
    ran = imported(store, "-", stdin=(tmp_path / "logs.tar").read_bytes())
    assert ran.code == 3 and "save it as a file" in ran.json["skipped"][0]["reason"]


def test_a_folder_that_cannot_be_listed_is_told_first(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "logs"
    (folder / "closed").mkdir(parents=True)
    for number in range(30):
        (folder / f"{number}.json").write_text(f'{{"k{number}": 1}}')
    listed = os.scandir

    def scandir(path: str | Path) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    ran = run("--store", store, "import", folder)
    assert ran.code == 3 and "skipped closed: cannot be read: Permission denied" in ran.err.splitlines()[0]
