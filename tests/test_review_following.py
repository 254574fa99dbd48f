"""Following logs: what grows, rotates or newly appears is imported as it does, with the result of one import at the end."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from review.intake.found import Found
from review.intake.importing import Settings
from review.intake.sources import sources
from review.show.tasks import tasks
from review.watch.following import Following
from review.workspace import Workspace, open_workspace
from tests.running import SAMPLE, finish, ok, start

LOG = sorted(SAMPLE.glob("claude-code-*.jsonl"))[1]
LINES = LOG.read_bytes().splitlines(keepends=True)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", "5a" * 32)
    with open_workspace(str(tmp_path / "s.db"), None, create=True) as opened:
        yield opened


def following(work: Workspace, *paths: Path) -> Following:
    return Following(work, [str(path) for path in paths], Settings(live=True))


def records(work: Workspace) -> dict[str, int]:
    return {row["name"]: row["records"]["accepted"] for row in sources(work)}


def test_a_file_that_grows_is_read_on_and_its_unfinished_line_is_left_for_the_next_look(work: Workspace, tmp_path: Path) -> None:
    log = tmp_path / "a.jsonl"
    log.write_bytes(b"".join(LINES[:3]) + LINES[3][:40])
    follow = following(work, log)
    first = follow.look()
    (one,) = first.sources
    assert (one.read, one.accepted, one.rejects, one.growing) == (3, 3, [], 1)
    assert follow.look().sources == []
    with log.open("ab") as more:
        more.write(LINES[3][40:] + b"".join(LINES[4:]))
    (one,) = follow.look().sources
    assert (one.read, one.accepted, one.duplicate, one.rejects) == (len(LINES), len(LINES) - 3, 3, [])
    follow.close()
    assert records(work) == {"a.jsonl": len(LINES)}
    assert tasks(work.store)


def test_who_leaves_builds_nothing_and_the_next_look_does(work: Workspace, tmp_path: Path) -> None:
    log = tmp_path / "a.jsonl"
    log.write_bytes(LOG.read_bytes())
    leaving = Following(work, [str(log)], Settings(live=True), leaving=lambda: True)
    assert leaving.look().sources[0].accepted == len(LINES)
    leaving.close()
    assert not leaving.built and not tasks(work.store) and work.store.dirty_count() > 0
    follow = following(work, log)
    report = follow.look()
    follow.close()
    assert follow.built and report.totals["tasks"] == len(tasks(work.store)) > 0


def test_records_are_read_while_another_process_builds_and_their_tasks_are_built_once_it_has(
    work: Workspace, tmp_path: Path
) -> None:
    log = tmp_path / "a.jsonl"
    log.write_bytes(b"".join(LINES[:3]))
    follow = following(work, log)
    with work.store.building_alone():
        assert follow.look().sources[0].accepted == 3
        with log.open("ab") as more:
            more.write(b"".join(LINES[3:]))
        assert follow.look().sources[0].accepted == len(LINES) - 3
        assert not follow.built and not tasks(work.store)
    report = follow.look()
    follow.close()
    assert report.sources == [] and follow.built and report.totals["tasks"] == len(tasks(work.store)) > 0


def test_a_new_file_and_one_that_took_anothers_name_are_read_and_nothing_is_lost(work: Workspace, tmp_path: Path) -> None:
    log = tmp_path / "a.jsonl"
    log.write_bytes(b"".join(LINES[:2]))
    follow = following(work, log)
    assert follow.look().sources[0].accepted == 2
    with log.open("ab") as more:
        more.write(LINES[2])
    log.rename(tmp_path / "a.jsonl.1")
    log.write_bytes(b"".join(LINES[3:5]))
    assert sum(one.accepted for one in follow.look().sources) == 3
    follow.close()
    folder = tmp_path / "logs"
    folder.mkdir()
    follow = following(work, folder)
    assert follow.look().sources == []
    (folder / "b.jsonl").write_bytes(b"".join(LINES[5:]))
    assert follow.look().sources[0].accepted == len(LINES) - 5
    follow.close()


def test_a_writer_that_goes_on_in_a_renamed_file_loses_nothing(
    work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the renaming and its signal a program writes to the file that it has open."""
    log, half = tmp_path / "a.jsonl", len(LINES) // 2
    with log.open("wb") as writing:
        writing.write(b"".join(LINES[:half]))
        writing.flush()
        follow = following(work, log)
        assert follow.look().sources[0].accepted == half
        log.rename(tmp_path / "a.jsonl.1")
        log.write_bytes(LINES[-1])
        assert sum(one.accepted for one in follow.look().sources) == 1
        writing.write(b"".join(LINES[half:-1]))
    assert follow.look().sources == [], "not at once: it may go on for a while"
    monkeypatch.setattr("review.watch.following.LINGERING", 0.0)
    assert sum(one.accepted for one in follow.look().sources) == len(LINES) - half - 1
    assert follow.look().sources == []
    follow.close()
    assert work.store.counts()["records"] == len(LINES)


def test_a_log_moved_away_while_it_is_looked_at_is_read_once_it_is_back(
    work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, kept = tmp_path / "a.jsonl", tmp_path / "a.jsonl.1"
    log.write_bytes(b"".join(LINES[:2]))
    follow = following(work, log)
    is_new = follow._is_new

    def moved(path: Path) -> bool:
        found = is_new(path)
        log.rename(kept)
        return found

    monkeypatch.setattr(follow, "_is_new", moved)
    with monkeypatch.context() as late:
        late.setattr("review.intake.walking.expanded", lambda found, path: iter([found]))
        assert follow.look().sources == []
    monkeypatch.undo()
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", "5a" * 32)
    kept.rename(log)
    assert follow.look().sources[0].accepted == 2
    follow.close()


def test_a_log_that_was_closed_to_us_is_told_once_and_read_once_it_is_opened(
    work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, other = tmp_path / "logs", SAMPLE / "vault-audit.log"
    folder.mkdir()
    (folder / "first.log").write_bytes(other.read_bytes())
    follow = following(work, folder)
    assert len(follow.look().sources) == 1
    log = folder / "a.jsonl"
    log.write_bytes(b"".join(LINES))
    monkeypatch.setattr("review.watch.following.AGAIN", 0.0)
    with monkeypatch.context() as shut:

        def refused(_: Path) -> None:
            raise PermissionError(13, "Permission denied")

        shut.setattr("review.intake.found.members", refused)
        assert follow.look().skipped == [("a.jsonl", "cannot be read: Permission denied")]
        assert follow.look().skipped == [], "the same trouble is told once"
    assert [one.accepted for one in follow.look().sources] == [len(LINES)], "nobody wrote to it since"
    assert follow.look().sources == []
    follow.close()


def test_any_number_of_logs_that_were_closed_to_us_are_tried_again(
    work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        (tmp_path / f"{n}.jsonl").write_bytes(LINES[n])
    follow = following(work, tmp_path)
    monkeypatch.setattr("review.watch.following.AGAIN", 0.0)
    monkeypatch.setattr("review.watch.following.TROUBLES", 1)
    with monkeypatch.context() as shut:

        def refused(_: Path) -> None:
            raise PermissionError(13, "Permission denied")

        shut.setattr("review.intake.found.members", refused)
        assert len([one for one in follow.look().skipped if "Permission" in one[1]]) == 3
    assert [one.accepted for one in follow.look().sources] == [1, 1, 1]
    follow.close()


def test_files_that_are_there_no_more_are_forgotten(work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs, away = tmp_path / "logs", tmp_path / "away"
    logs.mkdir()
    for n in range(4):
        (logs / f"{n}.jsonl").write_bytes(LINES[n])
    follow = following(work, logs)
    monkeypatch.setattr("review.watch.following.REMEMBERED", 0)
    assert len(follow.look().sources) == len(follow._seen) == 4
    logs.rename(away)
    assert follow.look().sources == [] and len(follow._seen) == 4, "a folder that is away may come back"
    away.rename(logs)
    for n in range(3):
        (logs / f"{n}.jsonl").unlink()
    assert follow.look().sources == [] and [path.name for path in follow._seen] == ["3.jsonl"]
    follow.close()


def test_a_log_that_broke_off_while_it_was_read_is_read_again(
    work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "a.jsonl"
    log.write_bytes(b"".join(LINES))
    follow = following(work, log)
    monkeypatch.setattr("review.watch.following.AGAIN", 0.0)
    with monkeypatch.context() as broken:

        def many(_: Found) -> None:
            raise OSError(24, "Too many open files")

        broken.setattr(Found, "open", many)
        assert follow.look().skipped == [("a.jsonl", "cannot be read: Too many open files")]
    assert [one.accepted for one in follow.look().sources] == [len(LINES)]
    follow.close()


def test_a_log_that_is_not_there_yet_is_waited_for(work: Workspace, tmp_path: Path) -> None:
    log = tmp_path / "late.jsonl"
    follow = following(work, log)
    assert follow.look().skipped == [(str(log), "no such file or directory")]
    log.write_bytes(LINES[0])
    assert follow.look().sources[0].accepted == 1
    follow.close()


def test_following_again_goes_on_where_it_stopped(work: Workspace, tmp_path: Path) -> None:
    log = tmp_path / "a.jsonl"
    log.write_bytes(b"".join(LINES[:4]))
    for count in (4, len(LINES)):
        log.write_bytes(b"".join(LINES[:count]))
        follow = following(work, log)
        follow.look()
        follow.close()
    assert records(work) == {"a.jsonl": len(LINES)}


def test_a_rejected_last_line_is_forgotten_once_it_is_whole(tmp_path: Path) -> None:
    log, store = tmp_path / "a.jsonl", tmp_path / "s.db"
    log.write_bytes(b"".join(LINES[:3]) + LINES[3][:40])
    started = start("--store", store, "import", log, "--json")
    assert finish(started).code == 3
    log.write_bytes(b"".join(LINES))
    ok("--store", store, "import", log, "--json")
    (source,) = ok("--store", store, "sources", "--json").json
    assert source["records"] == {"read": len(LINES), "accepted": len(LINES), "duplicate": 0, "rejected": 0}


def test_remit_import_follow_commits_as_it_reads_until_interrupted(tmp_path: Path) -> None:
    log, store = tmp_path / "a.jsonl", tmp_path / "s.db"
    log.write_bytes(LINES[0])
    process = start("--store", store, "import", log, "--follow", "--json")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["totals"]["accepted"] == 1
    with log.open("ab") as more:
        more.write(b"".join(LINES[1:]))
    assert json.loads(process.stdout.readline())["totals"]["accepted"] == len(LINES) - 1
    process.send_signal(signal.SIGINT)
    assert finish(process).code == 130
    (source,) = ok("--store", store, "sources", "--json").json
    assert source["records"]["accepted"] == len(LINES)


def test_standard_input_cannot_be_followed(tmp_path: Path) -> None:
    process = start("--store", tmp_path / "s.db", "import", "-", "--follow", stdin=subprocess.DEVNULL)
    ran = finish(process)
    assert ran.code == 2
    assert "read once" in ran.err
