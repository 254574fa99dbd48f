"""Packs, pipes, terminals, signals and hostile names: nothing ends in a traceback, nothing good is lost."""

from __future__ import annotations

import json
import os
import pty
import select
import shlex
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.running import (
    ROOT,
    SAMPLE,
    Day,
    command,
    finish,
    ok,
    refused,
    run,
    sample_logs,
    start,
)

pytestmark = pytest.mark.usefixtures("alone")

CI = SAMPLE / "ci-events.ndjson"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "s.db"


def test_a_pack_that_is_none_is_named(day: Day, tmp_path: Path) -> None:
    refused(run("verify", tmp_path / "none"), 3, "none")
    refused(run("verify", CI), 3, "ci-events")
    (tmp_path / "empty").mkdir()
    ran = run("verify", tmp_path / "empty")
    assert ran.code == 4 and "manifest.json" in ran.out


def test_a_hostile_file_name_in_a_pack_is_shown_on_one_line(day: Day, tmp_path: Path) -> None:
    ok("--store", day.store, "report", "--out", tmp_path / "p", "--only", "csv")
    (tmp_path / "p" / "\x1b[2J\nintegrity: intact").write_text("x")
    ran = run("verify", tmp_path / "p")
    assert ran.code == 4 and "\x1b" not in ran.out
    assert [line for line in ran.out.splitlines() if line.startswith("integrity")] == ["integrity: altered"]


@pytest.mark.parametrize(
    "manifest", ["", "{", "[]", '{"files": 3}', '{"files": [{"path": "../../etc/passwd"}]}', "[" * 100_000, "\x00"]
)
def test_a_broken_manifest_is_no_crash(day: Day, tmp_path: Path, manifest: str) -> None:
    ok("--store", day.store, "report", "--out", tmp_path / "p", "--only", "csv")
    (tmp_path / "p" / "manifest.json").write_text(manifest)
    ran = run("verify", tmp_path / "p")
    assert ran.code in (3, 4) and "Traceback" not in ran.err
    assert "passwd" not in ran.out.replace("../../etc/passwd", "")


def test_a_reader_that_goes_away_is_no_error(day: Day) -> None:
    for words in (
        ["tasks", "--json"],
        ["store", "export"],
        ["show", day.json("tasks")[0]["id"], "--json"],
        ["findings", "--csv"],
    ):
        process = start("--store", day.store, *words)
        assert process.stdout is not None and process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        said = process.stderr.read().decode()
        process.stderr.close()
        code = process.wait(timeout=60)
        # What is longer than a pipe holds was not heard to its end, so it did not end well.
        assert code == 141 if words == ["store", "export"] else code in (0, 141)
        assert said == ""


def test_a_full_disk_is_one_sentence(day: Day) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:
        ran = finish(start("--store", day.store, "tasks", "--json", stdout=full, stderr=subprocess.PIPE))
    assert ran.code == 2 and "Traceback" not in ran.err and "Exception ignored" not in ran.err and "remit" in ran.err


def test_a_closed_output_is_one_sentence(day: Day) -> None:
    words = " ".join(shlex.quote(word) for word in command("--store", day.store, "tasks", "--json"))
    ran = finish(subprocess.Popen(["sh", "-c", f"exec {words} >&-"], stderr=subprocess.PIPE, cwd=ROOT))
    refused(ran, 2, "standard output is closed")


def test_without_a_terminal_the_dashboard_says_what_to_use(day: Day) -> None:
    refused(finish(start("--store", day.store)), 2, "terminal", "remit tasks")
    refused(finish(start()), 2, "terminal")


def test_a_terminal_that_can_do_nothing_gets_no_dashboard(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    ours, theirs = pty.openpty()
    process = start("--store", day.store, stdin=theirs, stdout=theirs, stderr=theirs)
    try:
        os.close(theirs)
        said = b""
        while select.select([ours], [], [], 30)[0]:
            try:
                data = os.read(ours, 4096)
            except OSError:
                break
            if not data:
                break
            said += data
        assert process.wait(timeout=60) == 2
    finally:
        os.close(ours)
        process.kill()
        process.wait()
    assert b"terminal" in said and b"\x1b" not in said


def test_output_is_utf_8_whatever_the_locale(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("PYTHONCOERCECLOCALE", "0")
    for words in (["tasks"], ["findings", "--plain"], ["tasks", "--csv"]):
        ran = finish(start("--store", day.store, *words))
        assert (ran.code, ran.err) == (0, "")


def test_an_interrupted_import_is_130_and_a_rerun_completes_it(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole.db", tmp_path / "broken.db"
    ok("--store", whole, "import", *sample_logs(), "--json")
    process = start("--store", broken, "import", "-", *sample_logs(), stdin=subprocess.PIPE)
    assert process.stdin is not None
    # Half a log on standard input: the import waits for more until it is interrupted in the midst of its work.
    lines = CI.read_bytes().splitlines(keepends=True)
    process.stdin.write(b"".join(lines[:6]))
    process.stdin.flush()
    wait_for(lambda: is_made(broken))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err and b"interrupted" in err and len(err.strip().splitlines()) == 1
    ok("--store", broken, "import", *sample_logs(), "--json")
    assert ok("--store", broken, "store", "export").out == ok("--store", whole, "store", "export").out


def wait_for(condition: Callable[[], bool]) -> None:
    """Until something holds; what never comes fails."""
    for _ in range(600):
        if condition():
            return
        select.select([], [], [], 0.05)
    raise AssertionError("it never came")


def is_made(store: Path) -> bool:
    """Whether another process has made its store's tables."""
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("SELECT count(*) FROM remit_schema").fetchone()[0])
    except sqlite3.Error:
        return False


def test_the_command_runs_as_a_module() -> None:
    assert subprocess.run(command("--version"), capture_output=True, check=True).stdout.startswith(b"remit ")


def test_hostile_names_reach_no_terminal_raw(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a\x1b[31m\u202eb\n.ndjson").write_bytes(CI.read_bytes())
    (folder / "c\x1b]52;c;x\x07.txt").write_text("junk")
    for form in ([], ["--json"]):
        ran = run("--store", store, "import", folder, *form)
        assert ran.code == 0
        assert not set("\x1b\x07\u202e") & set(ran.out + ran.err)
    for words in (["sources"], ["sources", "--plain"], ["sources", "--csv"], ["sources", "--json"], ["findings", "--plain"]):
        assert not set("\x1b\x07\u202e") & set(ok("--store", store, *words).out)


def test_a_name_that_is_not_unicode_is_carried(store: Path, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9.ndjson"
    Path(os.fsdecode(name)).write_bytes(CI.read_bytes())
    assert run("--store", store, "import", os.fsdecode(name), "--json").code == 0
    (row,) = ok("--store", store, "sources", "--json").json
    assert json.dumps(row["name"]).isascii()
