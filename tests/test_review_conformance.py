"""Enforcement conformance over whole stores: settings held against what happened, on both databases, in any order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chains.org import load
from lang.yamlread import YamlError
from review.derive.building import build
from review.intake.importing import import_logs
from review.show import conformance
from review.show.showing import show
from review.workspace import Workspace, open_workspace
from tests.running import SAMPLE, ok
from tests.tui_desk import KEY

SETTINGS = {
    "permissions": {
        "deny": ["Bash(git push:*)"],
        "ask": ["Bash(git status:*)", "Bash(git diff:*)"],
        "allow": ["Bash(npm test:*)", "Bash(make test:*)", "Read"],
    }
}
POLICY = "policies: [{point: claude-code, source: '*settings.json', layer: managed, since: 2026-01-01}]\n"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", KEY)


@pytest.fixture
def sessions() -> list[Path]:
    return sorted(SAMPLE.glob("claude-code-*.jsonl"))[:16]


def settings(folder: Path, value: Any = SETTINGS, name: str = "settings.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(value))
    return path


def opened(url: str, folder: Path, org: str = POLICY) -> Workspace:
    (folder / "org.yaml").write_text(org)
    return open_workspace(url, str(folder / "org.yaml"))


def take(work: Workspace, *paths: Path) -> None:
    import_logs(work, [str(path) for path in paths])
    build(work)


def told(work: Workspace) -> tuple[list[Any], list[Any], list[tuple[str, str]]]:
    found = sorted((f.id, f.why) for f in work.store.findings() if f.detection.startswith("ENF-"))
    return conformance.conformance(work), conformance.counts(work), found


def test_what_ran_against_a_deny_rule_is_found_whichever_came_first(store_url: str, sessions: list[Path], tmp_path: Path) -> None:
    with opened(store_url, tmp_path) as work:
        take(work, *sessions)
        assert [row["reasons"] for row in conformance.counts(work)] != []
        assert conformance.conformance(work) == [] and told(work)[2] == []
        take(work, settings(tmp_path))
        rows, (count,), found = told(work)
        pushes = [row for row in rows if row["kind"] == "executed although denied"]
        assert pushes and len(found) == len(pushes) == count["executed_although_denied"]
        assert all((row["rule"], row["says"], row["certain"]) == ("Bash(git push:*)", "deny", True) for row in pushes)
        for row in pushes:
            step = show(work, row["step"])["step"]
            assert "git push" in step["title"] and step["outcome"]["tool"] == "yes"
            assert row | {"task": None, "at": None} in [
                one | {"task": None, "at": None} for one in show(work, row["task"])["conformance"]
            ]
        # What each step came to adds up, and what cannot be judged says why.
        assert count["steps"] == sum(count[name] for name in count if name not in ("point", "policy", "steps", "reasons"))
        assert count["cannot_judge"] == sum(count["reasons"].values()) and "the permission mode" in "".join(count["reasons"])
        after = told(work)
        work.store.clear_derived()
        build(work)
        assert told(work) == after


def test_sessions_imported_after_the_settings_come_to_the_same(store_url: str, sessions: list[Path], tmp_path: Path) -> None:
    with opened(store_url, tmp_path) as work:
        take(work, settings(tmp_path))
        for start in range(0, len(sessions), 5):
            take(work, *sessions[start : start + 5])
        piecewise = told(work)
        work.store.clear_derived()
        build(work)
        assert told(work) == piecewise and piecewise[2]


@pytest.mark.parametrize(
    ("org", "reason"),
    [
        ("policies: [{point: claude-code, source: '*settings.json', layer: managed}]", ""),
        ("policies: [{point: claude-code, source: '*settings.json', layer: managed, since: 2027-01-01}]", None),
        ("policies: [{point: claude-code, source: '*settings.json', until: 2026-01-01}]", None),
        ("policies: [{point: codex, source: '*settings.json', since: 2026-01-01}]", None),
        ("policies: [{point: claude-code, source: '*settings.json', since: 2026-01-01, repositories: other/*}]", None),
        ("policies: [{point: claude-code, source: '*.json', since: 2026-01-01}]", "2 imported settings files are called *.json"),
        ("policies: [{point: claude-code, source: nothing, since: 2026-01-01}]", "no imported settings file is called nothing"),
        ("policies: [{point: claude-code, saved: nothing, since: 2026-01-01}]", "no policy nothing is saved in this store"),
        ("name: Nobody", None),
    ],
)
def test_no_finding_where_it_is_not_known_that_the_policy_held(
    sqlite_url: str, sessions: list[Path], tmp_path: Path, org: str, reason: str | None
) -> None:
    with opened(sqlite_url, tmp_path, org) as work:
        other = settings(tmp_path, {"permissions": {"allow": ["Bash"]}}, "other.json")
        take(work, *sessions, settings(tmp_path), other)
        rows, counts, found = told(work)
        assert found == []
        if reason is None:
            assert rows == counts == []
        elif reason:
            assert rows == [] and any(reason in why for row in counts for why in row["reasons"])
        else:
            assert rows and not any(row["certain"] for row in rows)


def test_a_projects_file_is_judged_only_where_it_was_surely_read(sqlite_url: str, sessions: list[Path], tmp_path: Path) -> None:
    org = "policies: [{point: claude-code, source: '*settings.json', layer: project, since: 2026-01-01}]"
    with opened(sqlite_url, tmp_path, org) as work:
        take(work, *sessions, settings(tmp_path))
        assert told(work)[2] == []
        assert any("started in another folder" in why for row in conformance.counts(work) for why in row["reasons"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("policies: [{source: x}]", "needs a `point`"),
        ("policies: [{point: x}]", "either a `source`"),
        ("policies: [{point: x, source: a, saved: b}]", "either a `source`"),
        ("policies: [{point: x, source: a, since: soon}]", "is not a time"),
        ("policies: [{point: x, sauce: a}]", "source"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(YamlError, match=words) as error:
        load(text)
    assert "line 1" in str(error.value) or "1:" in str(error.value)


def test_the_command_lists_and_counts(sqlite_url: str, sessions: list[Path], tmp_path: Path) -> None:
    with opened(sqlite_url, tmp_path) as work:
        take(work, *sessions, settings(tmp_path))
    base = ("--store", sqlite_url, "--org", tmp_path / "org.yaml", "conformance")
    rows = ok(*base, "--json").json
    assert rows and ok(*base, "--jsonl").lines == rows
    assert "executed although denied" in ok(*base, "--plain").out
    (count,) = ok(*base, "--counts", "--json").json
    assert count["executed_although_denied"] == sum(row["kind"] == "executed although denied" for row in rows)
    assert "settings.json" in ok(*base, "--counts", "--plain").out
