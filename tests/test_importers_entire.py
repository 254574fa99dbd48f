"""Entire checkpoints: a commit finds the session it came from, and one shared by several sessions finds none of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from chains.enrich import enrich
from chains.facts import OrgFacts
from chains.stitch import stitch
from importers.entire import IMPORTER
from model.event import BadRecord, Event
from model.words import EventKind, KeyRole, LinkKind, Phase, Vantage
from tests.importer_checks import mutated, names, of_files, survives, whole

SESSION = "faff42ab-6ea5-4f78-b8c4-f7dd6272af08"
SHA = "83c840a2c85fe3fda5a25cc24d5669040a42c9c2"
POINT = "12cbfeaa512b"
META = {"checkpoint_id": POINT, "session_id": f"2026-01-09-{SESSION}", "strategy": "manual-commit", "created_at": "2026-01-10T11:21:10.127191-08:00",
        "checkpoints_count": 1, "files_touched": ["a.txt"], "agent": "Gemini CLI"}  # fmt: skip
COMMIT = {"sha": SHA, "author_date": "2026-01-10T20:22:10+01:00", "subject": "Fix it", "entire_checkpoint": [POINT]}


def events(*records: dict[str, Any]) -> list[Event]:
    reader = IMPORTER.open()
    return [event for record in records for event in reader.read(record).events]


@pytest.mark.parametrize("session", [SESSION, f"2026-01-09-{SESSION}", SESSION.upper()])
def test_a_checkpoint_names_its_session_in_one_spelling(session: str) -> None:
    (event,) = events({**META, "session_id": session})
    assert names(event, KeyRole.SCOPE) == [f"session:{SESSION}"]
    assert names(event, KeyRole.REFERENCE) == [f"entire.checkpoint:{POINT}"]
    assert (event.vantage, event.agent, event.at) == (Vantage.WITNESS, "gemini-cli", 1768072870127191)
    assert event.kind is EventKind.ACTION and event.phase is Phase.STARTED


def test_branch_and_agent_may_be_missing_and_sessions_several() -> None:
    bare = {name: META[name] for name in ("checkpoint_id", "session_id", "strategy")}
    (event,) = events(bare)
    assert ("branch" not in event.attrs, event.agent) == (True, "")
    (event,) = events({**META, "branch": "main"})
    assert event.attrs["branch"] == "main"
    assert len(events({**META, "session_ids": ["a-1", "b-2"]})) == 3


@pytest.mark.parametrize(
    "commit",
    [
        COMMIT,
        {"sha": SHA, "date": "2026-01-10T20:22:10+01:00", "message": f"Fix it\n\nEntire-Checkpoint: {POINT}\nSigned-off-by: x"},
        {"commit": SHA, "trailers": {"Entire-Checkpoint": POINT}, "author_date": "2026-01-10T20:22:10+01:00"},
    ],
)
def test_a_commit_names_its_checkpoint(commit: dict[str, Any]) -> None:
    assert IMPORTER.sniff([commit]) == 90
    (event,) = events(commit)
    assert names(event, KeyRole.REFERENCE) == [f"commit:{SHA}", f"entire.checkpoint:{POINT}"]
    assert (event.kind, event.vantage, event.at) == (EventKind.EFFECT, Vantage.TARGET, 1768072930000000)


def test_a_commit_without_a_trailer_says_nothing() -> None:
    assert IMPORTER.open().read({"sha": SHA, "subject": "x", "entire_checkpoint": []}).events == []
    for record in ([], {}, {"sha": "no"}, {"checkpoint_id": POINT}):
        with pytest.raises(BadRecord, match=r"checkpoint|object"):
            IMPORTER.open().read(record)


def numbered(made: list[Event]) -> list[Event]:
    for n, event in enumerate(made):
        event.id, event.record = f"e{n}", f"r{n}"
    return [enrich(event) for event in made]


def test_a_commit_is_joined_to_the_session_of_its_checkpoint() -> None:
    found = stitch(numbered(events(META, COMMIT)), OrgFacts())
    (chain,) = found.chains.values()
    assert chain.task.scope == f"session:{SESSION}"
    (link,) = [link for one in chain.steps for link in one.links if link.key.startswith("entire")] or chain.links
    assert (link.kind, link.key) == (LinkKind.DERIVED, f"entire.checkpoint:{POINT}")
    assert found.unattributed == []


def test_a_checkpoint_of_two_sessions_joins_to_neither() -> None:
    found = stitch(numbered(events(META, {**META, "session_id": "another-session"}, COMMIT)), OrgFacts())
    assert [event.kind for event in found.unattributed] == [EventKind.EFFECT]


def test_corpus_joins_agree_with_plain_json(corpus: Path) -> None:
    folder = corpus / "entire-checkpoints"
    sessions: dict[str, set[str]] = {}
    for path in folder.glob("*.metadata.json"):
        (parsed,), rejects = whole(path.read_bytes(), "entire")
        record = json.loads(path.read_bytes())
        assert not rejects and len(parsed.events) == 1
        sessions.setdefault(record["checkpoint_id"], set()).add(record["session_id"][-36:])
    commits = folder / "git-commits-with-checkpoint-trailer.jsonl"
    rows = [json.loads(line) for line in commits.read_text().splitlines()]
    assert len(rows) == 735
    expected = set()
    for row in rows:
        owners = {frozenset(sessions[point]) for point in row["entire_checkpoint"] if point in sessions}
        union = frozenset().union(*owners)
        if len(union) == 1:
            expected.add((row["sha"], next(iter(union))))
    made = stitch(of_files(*sorted(folder.glob("*.metadata.json")), commits), OrgFacts())
    joined = {(str(event.attrs["sha"]), chain.task.scope.removeprefix("session:"))
              for chain in made.chains.values() for event in chain.events.values() if "sha" in event.attrs}  # fmt: skip
    assert joined == expected
    assert len(joined) > 30


@settings(max_examples=100, deadline=None)
@given(mutated([META, COMMIT]))
def test_anything_at_all_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
    IMPORTER.sniff([record])


def test_a_checkpoints_own_summary_names_the_folders_of_its_sessions() -> None:
    listed = [
        {"metadata": f"/{POINT[:2]}/{POINT[2:]}/{n}/metadata.json", "transcript": f"/{POINT[:2]}/{POINT[2:]}/{n}/full.jsonl"}
        for n in (0, 1)
    ]
    summary = {
        "checkpoint_id": POINT,
        "cli_version": "0.4.2",
        "strategy": "manual-commit",
        "sessions": listed,
        "files_touched": ["a.py"],
    }
    assert IMPORTER.sniff([summary]) == 92
    made = events(summary)
    assert [names(one, KeyRole.SCOPE) for one in made] == [[f"entire.session:{POINT}/0"], [f"entire.session:{POINT}/1"]]
    assert {name for one in made for name in names(one, KeyRole.REFERENCE)} == {f"entire.checkpoint:{POINT}"}
