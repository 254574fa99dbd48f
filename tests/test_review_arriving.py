"""An import in a process of its own: told as it goes, ended early without a loss, previewed before anything is written."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from review.intake.found import Found
from review.intake.importing import Settings, import_sources
from review.intake.previewing import preview_logs, summary
from review.intake.walking import walk
from review.sitting.arrival import Arrival
from review.sitting.arriving import _Teller, _total
from review.workspace import open_workspace
from tests.running import SAMPLE

pytestmark = pytest.mark.usefixtures("alone")

LOG = SAMPLE / "claude-code-00c681b3.jsonl"
OPA = SAMPLE / "opa-decisions.jsonl"


def arrived(store: Path, *paths: Path, follow: bool = False, until: threading.Event | None = None) -> Arrival:
    ended = threading.Event()
    one = Arrival([str(path) for path in paths], follow).start(str(store), None, None, lambda _: ended.set())
    if until is not None:
        until.wait(60)
        one.stop()
    assert ended.wait(120)
    return one


def test_an_import_in_a_process_of_its_own_tells_what_came_of_it(tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    lines = OPA.read_bytes().splitlines(keepends=True)[:3]
    bad.write_bytes(b"".join([*lines, b"not json\n"]))
    one = arrived(tmp_path / "s.db", LOG, bad, tmp_path / "none.jsonl")
    assert one.report is not None and not one.under_way and not one.error
    totals = one.report["totals"]
    assert totals["read"] == len(LOG.read_bytes().splitlines()) + 4 and totals["rejected"] == 1 and totals["tasks"] >= 1
    told = one.refusals()
    assert told[0].startswith("bad.jsonl:4: ") and "none.jsonl: skipped: no such file" in told[1]
    assert f"{totals['accepted']:,} records accepted" in one.sentence() and "skipped" in one.sentence()
    with open_workspace(str(tmp_path / "s.db")) as work:
        assert int(work.store.counts()["records"]) == totals["accepted"]


def test_what_goes_wrong_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "s.db").write_text("this is no database, and long enough to be read as one" * 20)
    one = arrived(tmp_path / "s.db", LOG)
    assert one.report is None and "s.db" in one.sentence() and "Traceback" not in one.error


def test_ended_early_what_was_read_is_kept_and_a_rerun_completes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.intake.feed.RECORDS", 5)
    rows = OPA.read_bytes().splitlines(keepends=True)[:40]
    log = tmp_path / "opa.jsonl"
    log.write_bytes(b"".join(rows))
    seen: list[tuple[int, int]] = []

    def heed(found: Found, file: object, offset: int, done: int) -> bool:
        seen.append((offset, done))
        return len(seen) < 3

    with open_workspace(str(tmp_path / "s.db"), create=True) as work:
        report = import_sources(work, walk([str(log), str(LOG)]), Settings(heed=heed))
        assert report.stopped and report.document()["stopped"] and len(report.sources) == 1
        assert report.sources[0].accepted == 15 == int(work.store.counts()["records"])
        assert [offset for offset, _ in seen] == sorted({offset for offset, _ in seen})
        again = import_sources(work, walk([str(log), str(LOG)]), Settings())
        assert not again.stopped and "stopped" not in again.document()
        assert again.sources[0].duplicate == 15 and again.sources[0].accepted == 25


def test_following_ends_when_asked_to(tmp_path: Path) -> None:
    log = tmp_path / "growing.jsonl"
    log.write_bytes(OPA.read_bytes().splitlines(keepends=True)[0])
    ended = threading.Event()
    one = Arrival([str(log)], follow=True).start(str(tmp_path / "s.db"), None, None, lambda _: ended.set())
    waiting = threading.Event()
    while one.phase != "following" and not ended.is_set():
        waiting.wait(0.02)
    assert one.under_way and one.left is None
    one.close()
    assert ended.wait(60) and one.report is not None and one.report["totals"]["accepted"] == 1


def test_how_far_it_is_counts_the_bytes_of_files_done(tmp_path: Path) -> None:
    for name, size in (("a", 10), ("b", 30)):
        (tmp_path / name).write_bytes(b"x" * size)
    assert _total([str(tmp_path), str(tmp_path / "none")]) == 40
    stop = threading.Event()
    with (tmp_path / "out").open("wb") as out:
        teller = _Teller(out, stop, 40)
        from review.intake.imported import FileReport

        first, second = (Found(tmp_path / name, name, True) for name in ("a", "b"))
        assert teller.heed(first, FileReport("a", "x", read=3, accepted=2), 5, 0)
        teller._next = 0
        stop.set()
        assert not teller.heed(second, FileReport("b", "x", read=4, accepted=4), 20, 1)
    told = [json.loads(line) for line in (tmp_path / "out").read_bytes().splitlines()]
    assert [one["bytes"] for one in told] == [5, 30]
    assert told[-1]["records"] == 7 and told[-1]["accepted"] == 6 and told[-1]["files"] == 1


def test_a_preview_tells_new_from_known_and_the_tasks_and_writes_nothing(tmp_path: Path) -> None:
    half = tmp_path / "half.jsonl"
    lines = LOG.read_bytes().splitlines(keepends=True)
    half.write_bytes(b"".join(lines[: len(lines) // 2]))
    with open_workspace(str(tmp_path / "s.db"), create=True) as work:
        fresh = summary(preview_logs([str(LOG)], store=work.store))
        assert fresh["new"] == fresh["records"] == len(lines) and fresh["known"] == 0 and fresh["whole"]
        assert fresh["formats"] == {"claude-code": 1} and fresh["tasks"]["touched"] == 0
        assert int(work.store.counts()["records"]) == 0
        from review.derive.building import build

        kept = import_sources(work, walk([str(half)]), Settings())
        built = build(work)
        (one, lost) = preview_logs([str(LOG), str(tmp_path / "none")], store=work.store)
        assert one["known"] == kept.sources[0].accepted and one["new"] == len(lines) - one["known"]
        assert lost == {"name": str(tmp_path / "none"), "reason": "no such file or directory"}
        assert len(one["tasks"]["touched"]) == built["tasks"] == 1
        import_sources(work, walk([str(LOG)]), Settings())
        assert build(work)["tasks"] == 1 + len(one["tasks"]["new"])
        assert summary(preview_logs([str(LOG)], store=work.store))["new"] == 0
        # Ended after a file: what was found by then is the answer.
        assert len(preview_logs([str(LOG), str(OPA)], wanted=lambda: False)) == 1


def test_what_a_preview_says_will_begin_is_what_an_import_begins(tmp_path: Path) -> None:
    logs = [str(path) for path in sorted(SAMPLE.glob("claude-code-*.jsonl"))[:4]]
    with open_workspace(str(tmp_path / "s.db"), create=True) as work:
        told = summary(preview_logs(logs, store=work.store))
        import_sources(work, walk(logs), Settings())
        from review.derive.building import build

        assert told["tasks"]["new"] == build(work)["tasks"]
