"""What importing makes of logs that tell one thing twice."""

from __future__ import annotations

import gzip
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from review.intake import imported, importing, sources
from review.intake.feed import FURTHER_TYPES, Tally
from review.intake.found import Found
from review.intake.importing import Settings, import_logs, import_sources
from review.workspace import open_workspace
from tests.running import SAMPLE, ok

pytestmark = pytest.mark.usefixtures("alone")

LOG = next(path for path in sorted(SAMPLE.glob("claude-code-*.jsonl")) if "-agent-" not in path.name)
FORK = "f0f0f0f0-0000-4000-8000-00000000f0f0"


def forked(lines: list[str]) -> list[str]:
    """The records as a session that was forked from theirs repeats them: ids and all, under its own name."""
    records = [json.loads(line) for line in lines]
    return [
        json.dumps({**one, "sessionId": FORK, "forkedFrom": {"sessionId": one["sessionId"], "messageUuid": one.get("uuid")}})
        for one in records
        if "sessionId" in one
    ]


@pytest.mark.parametrize("first", ["origin", "fork"])
def test_the_copy_that_a_forked_session_begins_with_is_no_second_version(tmp_path: Path, first: str) -> None:
    lines = LOG.read_text().splitlines()
    alone, both = tmp_path / "alone.db", tmp_path / "both.db"
    (tmp_path / "fork.jsonl").write_text("\n".join(forked(lines)) + "\n")
    ok("--store", alone, "import", LOG, "--json")
    order = [LOG, tmp_path / "fork.jsonl"] if first == "origin" else [tmp_path / "fork.jsonl", LOG]
    for path in order:
        ok("--store", both, "import", path, "--json")
    for listing in ("tasks", "findings"):
        said = [ok("--store", store, listing, "--json").json for store in (alone, both)]
        assert [row["id"] for row in said[0]] == [row["id"] for row in said[1]]
        if listing == "findings":
            assert "AUD-02" not in {row["detection"] for row in said[1]}
    assert ok("--store", both, "store", "check", "--json").json["state"] == "intact"


def resumed(lines: list[str], *, headless: bool) -> list[str]:
    """The same as a session resumed under a new name repeats them, which says nothing of where they come from.

    A run without a terminal begins with the prompt it was given.
    """
    head = {"type": "queue-operation", "operation": "dequeue", "timestamp": "2031-01-01T00:00:00.000Z", "sessionId": FORK}
    copies = [json.dumps({**one, "sessionId": FORK}) for one in map(json.loads, lines) if "sessionId" in one]
    return [json.dumps(head), *copies] if headless else copies


@pytest.mark.parametrize("headless", [True, False], ids=["headless", "interactive"])
def test_one_of_two_sessions_tells_all_that_both_hold(tmp_path: Path, headless: bool) -> None:
    lines = LOG.read_text().splitlines()
    fork = tmp_path / "fork.jsonl"
    fork.write_text("\n".join(resumed(lines, headless=headless)) + "\n")
    said = {}
    for name, order in {"alone": [LOG], "origin": [LOG, fork], "fork": [fork, LOG]}.items():
        for path in order:
            ok("--store", tmp_path / f"{name}.db", "import", path, "--json")
        said[name] = [ok("--store", tmp_path / f"{name}.db", listing, "--json").json for listing in ("tasks", "findings")]
    assert said["origin"] == said["fork"]
    assert "AUD-02" not in {row["detection"] for row in said["origin"][1]}
    steps = {name: sorted(row["steps"] for row in tasks if row["steps"]) for name, (tasks, _) in said.items()}
    assert steps["origin"] == steps["alone"], "no deed is told twice, and none apart from the others"
    if headless:
        assert {row["id"] for row in said["alone"][0]} <= {row["id"] for row in said["origin"][0]}
    assert ok("--store", tmp_path / "fork.db", "store", "check", "--json").json["state"] == "intact"


def test_a_file_that_is_gone_when_its_turn_comes_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    found = [Found(tmp_path / "gone.jsonl", "gone.jsonl", True), Found(LOG, LOG.name, True)]
    with open_workspace(str(tmp_path / "s.db"), None, create=True) as work:
        report = import_sources(work, found, Settings())
    assert [name for name, _ in report.skipped] == ["gone.jsonl"] and report.unreadable
    assert [(one.name, one.rejects) for one in report.sources] == [(LOG.name, [])]


def test_a_small_file_that_holds_much_is_committed_as_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.intake.feed.RECORDS", 5)
    monkeypatch.setattr("review.intake.importing._Joined.RECORDS", 5)
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(LOG.read_bytes()))
    seen: list[int] = []

    def look(name: str, read: int, done: int) -> None:
        with open_workspace(str(tmp_path / "s.db"), None) as other:
            seen.append(int(other.store.counts()["records"]))

    with open_workspace(str(tmp_path / "s.db"), None, create=True) as work:
        import_sources(work, [Found(packed, packed.name, True)], Settings(progress=look))
    assert len(seen) > 2 and all(seen[1:])


def test_the_members_of_an_archive_are_committed_together_however_large_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed, lines = tmp_path / "a.zip", LOG.read_bytes().splitlines(True)
    with zipfile.ZipFile(packed, "w") as archive:
        for n, line in enumerate(lines):
            archive.writestr(f"{n}.jsonl", line)
        archive.writestr("noise.bin", bytes(range(256)) * 2_000)
    assert packed.stat().st_size > importing._Joined.SMALL
    joined: list[int] = []
    with open_workspace(str(tmp_path / "s.db"), create=True) as work:
        together = work.store.together
        monkeypatch.setattr(work.store, "together", lambda: joined.append(1) or together())
        report = import_logs(work, [str(packed)])
    assert sum(one.read for one in report.sources) >= len(lines) // 2
    assert 1 <= len(joined) <= 1 + len(lines) // importing._Joined.RECORDS


def test_a_folder_that_holds_the_store_is_imported_and_the_store_left_closed(tmp_path: Path) -> None:
    """Opening and closing its files would take the store's own locks away."""
    shutil.copy(LOG, tmp_path / "a.jsonl")
    with open_workspace(str(tmp_path / "s.db"), create=True) as work:
        report = import_logs(work, [str(tmp_path)])
        assert [one.name for one in report.sources] == ["a.jsonl"] and not report.unreadable
        assert {name for name, why in report.skipped if why == "it is the store itself"} == {"s.db", "s.db-wal", "s.db-shm"}
        assert import_logs(work, [str(tmp_path / "s.db")]).unreadable, "where it was named itself"


def test_of_a_file_that_is_broken_in_every_line_the_first_are_told_and_all_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (imported, importing, sources):
        monkeypatch.setattr(module, "REJECTS_TOLD", 7)
    log = tmp_path / "broken.jsonl"
    whole = LOG.read_bytes()
    log.write_bytes(whole + b'{"type":"user",\n' * 2_500 + whole.splitlines(True)[-1])
    with open_workspace(str(tmp_path / "s.db"), create=True) as work:
        told = [import_logs(work, [str(log)]).document()["sources"][0] for _ in range(2)]
        told += sources.sources(work)
    for one in told:
        assert one["records"]["rejected"] == 2_500
        assert (len(one["rejects"]), one["rejects_left_out"]) == (7, 2_493)
        counts = one["records"]
        assert counts["read"] == counts["accepted"] + counts["duplicate"] + counts["rejected"]
    assert sum(told[-1]["reject_reasons"].values()) == 2_500


def test_a_file_that_is_of_another_format_than_was_said_is_left_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "_STRANGE", 2_000)
    log = tmp_path / "other.jsonl"
    log.write_bytes(b'{"a":1}\n' * 9_000)
    with open_workspace(str(tmp_path / "s.db"), create=True) as work:
        report = import_logs(work, [str(log)], format="claude-code")
    assert report.unreadable and not report.sources
    assert "none of its first 3,000 records is one of claude-code" in report.skipped[0][1]


def test_of_records_that_each_have_a_type_of_their_own_the_first_types_are_told() -> None:
    tally = Tally()
    for n in range(5_000):
        tally.misses(f"type-{n}")
    tally.misses("type-3")
    assert len(tally.unknown_types) == 1_001
    assert (tally.unknown_types["type-3"], tally.unknown_types[FURTHER_TYPES]) == (2, 4_000)
