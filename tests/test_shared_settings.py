"""What tasks are built with beside the logs, in a store that several importers share: the organisation file is the same for all, or it is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import event, text

from cli.main import main
from review.intake.importing import Settings
from review.watch.following import Following
from review.workspace import open_workspace
from store import open_store

TOLD = "built with an organisation file and none is named here"
AGAIN = "the organisation file is not what this store's tasks were built with before: all of them are built again"


def log(path: Path, session: str) -> Path:
    line = {
        "format": "remit-events",
        "version": 1,
        "id": f"call-{session}",
        "time": "2026-06-01T10:00:00Z",
        "kind": "action",
        "phase": "call",
        "vantage": "agent",
        "point": "claude-code",
        "agent": "claude-code",
        "verb": "repo.write",
        "target": {"class": "repository", "name": "acme/payments"},
        "keys": [{"role": "scope", "kind": "session", "value": session}],
    }
    path.write_text(json.dumps(line) + "\n")
    return path


@pytest.fixture
def org(tmp_path: Path) -> Path:
    path = tmp_path / "org.yaml"
    path.write_text("name: Acme\nrepositories:\n  acme/payments: {owner: team-pay}\n")
    return path


def held(url: str) -> tuple[int, set[tuple[str, str]]]:
    with open_store(url, create=False) as store, store.db.read() as connection:
        teams = {(str(a), str(b)) for a, b in connection.execute(text("SELECT task_id, team FROM task_team"))}
        return store.counts()["records"], teams


def test_an_importer_without_the_organisation_file_changes_nothing(
    postgresql_url: str, org: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REMIT_ORG", raising=False)
    first, second = log(tmp_path / "a.jsonl", "s1"), log(tmp_path / "b.jsonl", "s2")
    assert main(["import", str(first), "--store", postgresql_url, "--org", str(org)]) == 0
    assert AGAIN not in capsys.readouterr().err, "a first build builds nothing again"
    before = held(postgresql_url)
    assert before[0] == 1 and {team for _, team in before[1]} == {"team-pay"}
    for command in (
        ["import", str(second)],
        ["import", "--follow", str(second)],
        ["watch", str(second)],
        ["store", "rebuild"],
        ["report", "--out", str(tmp_path / "pack")],
    ):
        assert main([*command, "--store", postgresql_url]) == 2, command
        assert TOLD in (told := capsys.readouterr().err) and told.count("\n") == 1, told
    assert held(postgresql_url) == before and not (tmp_path / "pack").exists()

    empty = tmp_path / "none.yaml"
    empty.write_text("")
    assert main(["import", str(second), "--store", postgresql_url, "--org", str(empty)]) == 0
    assert AGAIN in capsys.readouterr().err
    assert {team for _, team in held(postgresql_url)[1]} == {""}
    assert main(["import", str(second), "--store", postgresql_url]) == 0, "a store built without one asks for none"
    assert AGAIN not in capsys.readouterr().err


def test_beside_a_file_the_organisation_file_may_go(
    sqlite_url: str, org: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = log(tmp_path / "a.jsonl", "s1")
    assert main(["import", str(path), "--store", sqlite_url, "--org", str(org)]) == 0
    org.unlink()
    assert main(["import", str(path), "--store", sqlite_url]) == 0
    assert AGAIN in capsys.readouterr().err


def test_a_look_at_which_nothing_arrived_counts_nothing(postgresql_url: str, tmp_path: Path) -> None:
    """A store of fifty million events takes seconds to count, and a watch looks every second."""
    path = log(tmp_path / "a.jsonl", "s1")
    with open_workspace(postgresql_url, create=True) as work:
        following = Following(work, [str(path)], Settings(live=True))
        first = following.look().totals
        assert first == {"tasks": 1, "steps": 1, "findings": work.store.counts()["findings"]}
        asked: list[str] = []
        event.listen(work.store.db.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
        assert following.look().totals == first
        assert not [one for one in asked if "count(" in one]
        with path.open("a") as more:
            more.write(log(tmp_path / "b.jsonl", "s2").read_text())
        assert following.look().totals["tasks"] == 2
        counted = [one.rstrip() for one in asked if "count(" in one]
        assert counted and not [one for one in counted if one.endswith(("FROM record", "FROM event"))], "nor all that is kept"
        following.close()
