"""A large file is read by a second process, and nothing about the result shows it."""

from __future__ import annotations

import io
import mmap
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from importers import open_source
from lang.redact import Redactor
from review.intake import helper
from review.intake.cleaning import Cleaning
from review.intake.feed import Batch, Feed
from review.processes import Process, packed, unpacked
from tests.running import KEY, ORG, ROOT, SAMPLE, ok, refused, run, surroundings

pytestmark = pytest.mark.usefixtures("alone")


REDACTOR = Redactor(bytes.fromhex(KEY))
LOGS = [
    *sorted(SAMPLE.glob("claude-code-*.jsonl"), key=lambda path: -path.stat().st_size)[:3],
    SAMPLE / "cloudtrail-staging.json",
    SAMPLE / "vault-audit.log",
]


def content(store: Path) -> str:
    return ok("--store", store, "--org", ORG, "store", "export").out + ok("--store", store, "sources", "--json").out


def test_both_ways_give_the_same_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.jsonl"
    lines = LOGS[0].read_bytes().splitlines(keepends=True)
    broken.write_bytes(b"".join([*lines[:5], b'{"type": "user", "x": \n', *lines[5:], b'{"type": "us']))
    found = []
    for large in (1 << 60, 0):
        monkeypatch.setattr(helper, "LARGE", large)
        store = tmp_path / f"{large}.db"
        said = run("--store", store, "--org", ORG, "import", *LOGS, broken, "--json")
        assert said.code == 3
        document = said.json
        document.pop("seconds")
        # The second time every file is read on from its bookmark, in this process.
        again = run("--store", store, "--org", ORG, "import", *LOGS, broken, "--json").json["totals"]
        assert again["accepted"] == 0 and again["read"] == document["totals"]["read"]
        found.append((document, content(store)))
    assert found[0] == found[1]


GONE = "import sys; sys.stdin.buffer.read(8)"


@pytest.mark.parametrize("program", [GONE, helper._PARSING.replace(repr(helper._CLEANING), repr(GONE))])
def test_a_reading_process_that_is_gone_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(helper, "LARGE", 0)
    assert program != helper._PARSING
    monkeypatch.setattr(helper, "_PARSING", program)
    refused(run("--store", tmp_path / "s.db", "import", LOGS[0]), 2, LOGS[0].name, "import again")
    monkeypatch.undo()
    with surroundings(tmp_path):
        ok("--store", tmp_path / "s.db", "import", LOGS[0])


def test_no_module_of_the_folder_one_stands_in_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helper, "LARGE", 0)
    for name in ("review", "pickle", "msgspec"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    ok("--store", tmp_path / "s.db", "import", LOGS[0].absolute())


def test_a_file_left_in_the_middle_says_nothing_in_the_place_of_the_next(tmp_path: Path) -> None:
    long = tmp_path / "long.jsonl"
    long.write_bytes(LOGS[0].read_bytes() * 100)
    with helper.Helper(REDACTOR) as reading:
        left = reading.batches(long, "left.jsonl", "claude-code")
        assert next(left).end is None
        left.close()
        batches = list(reading.batches(LOGS[1], "next.jsonl", "claude-code"))
    assert {record.name for batch in batches for record in batch.records} == {"next.jsonl"}
    assert batches[-1].read == len(LOGS[1].read_bytes().splitlines())


def test_a_file_that_cannot_be_opened_is_told_as_here(tmp_path: Path) -> None:
    with helper.Helper(REDACTOR) as reading:
        with pytest.raises(FileNotFoundError):
            list(reading.batches(tmp_path / "none.jsonl", "none.jsonl", "claude-code"))
        batches = list(reading.batches(LOGS[0], LOGS[0].name, "claude-code"))
    assert batches[-1].end is not None and batches[-1].read == len(LOGS[0].read_bytes().splitlines())


def test_what_the_packing_refuses_goes_through(tmp_path: Path) -> None:
    with LOGS[0].open("rb") as stream:
        batch: Batch = next(Feed(Cleaning(open_source(stream), REDACTOR), "x", REDACTOR).batches())
    for odd in ("\ud800", 2**70):
        batch.records[0].events = [*batch.records[0].events, *batch.records[1].events, *batch.records[2].events]
        batch.records[0].events[0].attrs["odd"] = odd
        assert unpacked(packed(batch), helper.BATCH) == batch


def test_batches_are_bounded_by_their_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.intake.feed.BYTES", 4_000)
    with LOGS[0].open("rb") as stream:
        batches = list(Feed(Cleaning(open_source(stream), REDACTOR), "x", REDACTOR).batches())
    longest = max(len(line) for line in LOGS[0].read_bytes().splitlines())
    assert len(batches) > 3
    assert max(sum(len(record.raw) for record in batch.records) for batch in batches) < 4_000 + longest + 100


def test_a_file_is_read_no_further_than_its_batches_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.intake.feed.BYTES", 50_000)
    file = io.BytesIO(LOGS[0].read_bytes() * 500)
    batches = Feed(Cleaning(open_source(file), REDACTOR), "x", REDACTOR).batches()
    taken = 0
    for _ in range(4):
        taken += sum(len(record.raw) for record in next(batches).records)
        assert taken <= file.tell() < taken + (1 << 20), "what is read ahead does not grow with what is taken"


class Part(msgspec.Struct):
    n: int
    data: bytes
    end: int | None = None


COUNTING = """
import mmap
from msgspec import Struct
from review.processes import serve

class Part(Struct):
    n: int
    data: bytes
    end: int | None = None

def answering(path):
    def answer(parts):
        with open(path, "r+b") as file, mmap.mmap(file.fileno(), 8) as begun:
            for n in range(parts):
                begun[:] = (n + 1).to_bytes(8, "big")
                yield Part(n, bytes(2 << 20), n if n + 1 == parts else None)
    return answer

serve(answering, (OSError,))
"""


def test_a_reading_process_waits_for_a_store_that_is_slow(tmp_path: Path) -> None:
    """However long the store takes over one part, the process is at the next and no further: a pipe holds less than one."""
    told, parts = tmp_path / "begun", 12
    told.write_bytes(bytes(8))
    reading = Process(COUNTING, str(told), opens=False)
    with told.open("r+b") as file, mmap.mmap(file.fileno(), 8) as begun:
        seen = 0
        for part in reading.ask(parts, msgspec.msgpack.Decoder(Part)):
            # The store is at work until the process has begun the next part.
            while int.from_bytes(begun[:], "big") < min(part.n + 2, parts):
                os.sched_yield()
            assert int.from_bytes(begun[:], "big") <= part.n + 2
            seen += 1
    reading.stop()
    assert seen == parts


ASKING = """
import os, sys
import msgspec
from pathlib import Path
from review.processes import Process, _Copy, _may_fork

class Part(msgspec.Struct):
    n: int
    data: bytes
    end: int | None = None

program, told = sys.argv[1:]
held = os.open(told, os.O_RDWR)
process = Process(f"import os\\nassert not os.path.exists('/proc/self/fd/{held}')\\n{program}", told, opens=False)
assert _may_fork()
print("said once", end="")
found = [(part.n, len(part.data)) for part in process.ask(3, msgspec.msgpack.Decoder(Part))]
assert isinstance(process._process, _Copy)
process.stop()
gone = Process("import sys; sys.stdin.buffer.read(8); raise ValueError", opens=False)
try:
    list(gone.ask(3, msgspec.msgpack.Decoder(Part)))
except EOFError:
    print(found)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no process begins as a copy")
def test_a_copy_of_a_process_with_one_thread_answers_as_one_started_anew(tmp_path: Path) -> None:
    told = tmp_path / "begun"
    told.write_bytes(bytes(8))
    words = [sys.executable, "-c", ASKING, COUNTING, str(told)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"said once{[(n, 2 << 20) for n in range(3)]}\n", "")
