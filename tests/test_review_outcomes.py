"""Vantages that disagree, over whole stores: an act the target's log should hold and does not, whatever arrives first."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from review.derive.building import build
from review.intake.importing import import_logs
from review.show.showing import show
from review.sitting.demo import NOT_LOGS
from review.workspace import Workspace, open_workspace
from samplegen import generate
from tests.tui_desk import KEY

AUDIT = "github-audit.ndjson"


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated day whose GitHub log lacks every third push."""
    folder = tmp_path_factory.mktemp("day") / "logs"
    generate(folder, 30)
    (folder / "org.yaml").rename(folder.parent / "org.yaml")
    for name in NOT_LOGS:
        (folder / name).unlink(missing_ok=True)
    lines = (folder / AUDIT).read_text().splitlines()
    pushes = [line for line in lines if json.loads(line)["action"] == "git.push"]
    assert len(pushes) > 8
    (folder / AUDIT).write_text("\n".join(line for line in lines if line not in pushes[::3]) + "\n")
    return folder


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", KEY)


def opened(url: str, logs: Path) -> Workspace:
    return open_workspace(url, str(logs.parent / "org.yaml"))


def take(work: Workspace, *paths: Path) -> None:
    import_logs(work, [str(path) for path in paths])
    build(work)


def told(work: Workspace) -> list[tuple[str, str, bool, str]]:
    return sorted((f.id, f.task, f.blind_spot, f.why) for f in work.store.findings() if f.detection.startswith("OUT-"))


@pytest.fixture(scope="module")
def at_once(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[str, str, bool, str]]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REMIT_PSEUDONYM_KEY", KEY)
        place = str(tmp_path_factory.mktemp("whole") / "s.db")
        with open_workspace(place, str(logs.parent / "org.yaml"), create=True) as work:
            take(work, logs)
            yield told(work)


def test_a_push_the_log_should_hold_and_does_not_is_found_and_the_rest_is_not(
    at_once: list[tuple[str, str, bool, str]], logs: Path
) -> None:
    real = [row for row in at_once if not row[2]]
    assert real and all("git push" in row[3] and "holds no such act" in row[3] for row in real)
    assert len({row[1] for row in real}) == len(real)


def test_what_arrives_first_changes_nothing(
    store_url: str, logs: Path, tmp_path: Path, at_once: list[tuple[str, str, bool, str]]
) -> None:
    """The agents' logs first, then the target's in shuffled pieces: each may be the first to tell of a repository."""
    pieces = (logs / AUDIT).read_text().splitlines()
    dice = random.Random(11)
    dice.shuffle(pieces)
    with opened(store_url, logs) as work:
        take(work, *(path for path in sorted(logs.iterdir()) if path.name != AUDIT))
        assert all(blind for _, _, blind, _ in told(work)) and told(work)
        for number in range(0, len(pieces), 12):
            part = tmp_path / f"part-{number}.ndjson"
            part.write_text("\n".join(pieces[number : number + 12]) + "\n")
            take(work, part)
        assert told(work) == at_once


def test_the_target_first_and_each_session_after_it(
    store_url: str, logs: Path, at_once: list[tuple[str, str, bool, str]]
) -> None:
    sessions = sorted(path for path in logs.iterdir() if path.name != AUDIT)
    random.Random(5).shuffle(sessions)
    with opened(store_url, logs) as work:
        take(work, logs / AUDIT)
        for start in range(0, len(sessions), 12):
            take(work, *sessions[start : start + 12])
        assert told(work) == at_once


def test_a_late_record_of_the_push_takes_the_finding_away(store_url: str, logs: Path, tmp_path: Path) -> None:
    with opened(store_url, logs) as work:
        take(work, logs)
        finding = next(f for f in work.store.findings() if f.detection == "OUT-01" and not f.blind_spot)
        task = work.store.task(finding.task)
        assert task is not None and finding.at is not None
        assert show(work, finding.step)["step"]["outcome"]["effect"] == "unknown"
        late = json.loads(next(line for line in (logs / AUDIT).read_text().splitlines() if '"git.push"' in line))
        late |= {"@timestamp": finding.at // 1000 + 900, "_document_id": "late-push", "repo": task.repository}
        (tmp_path / "late.ndjson").write_text(json.dumps(late | {"repository": task.repository}) + "\n")
        take(work, tmp_path / "late.ndjson")
        after = told(work)
        assert finding.id not in {row[0] for row in after}
        # A record in a silence also says that the log was watched there: all of it equals building anew.
        work.store.clear_derived()
        build(work)
        assert told(work) == after
