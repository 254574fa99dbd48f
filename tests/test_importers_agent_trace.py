"""agent-trace: the stated intent behind code, the file written, the conversation and the commit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from importers.agent_trace import IMPORTER
from model.event import BadRecord, Event
from model.words import EventKind, KeyRole, Phase, Verb
from tests.importer_checks import mutated, names, only, read, survives, whole

SESSION = "df1a0b04-1993-45f4-b3cb-c0b4fcb2dba2"
SHA = "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0"


def record(**members: Any) -> dict[str, Any]:
    talk = {"url": f"https://agent.example/s/{SESSION}", "contributor": {"entity_type": "AI", "model_identifier": "m-1"},
            "ranges": [{"start_line": 1, "end_line": 4, "content_hash": "x"}, {"start_line": 9, "end_line": 9}],
            "related": [{"type": "specification", "value": "INT-001"}]}  # fmt: skip
    return {"id": "r-1", "timestamp": "2026-02-21T08:37:15.794Z", "vcs": {"revision_id": SHA},
            "files": [{"relative_path": "src/a.ts", "conversations": [talk]}], **members}  # fmt: skip


def test_intent_and_file_are_one_conversation_s() -> None:
    parsed = read(IMPORTER, record())
    intent, action = only(parsed.events, EventKind.INTENT), only(parsed.events, EventKind.ACTION)
    assert (intent.phase, intent.text, names(intent, KeyRole.SCOPE)) == (
        Phase.MANDATE,
        "specification INT-001",
        [f"session:{SESSION}"],
    )
    assert (action.verb, action.target.name, action.text) == (Verb.FILE_WRITE, "src/a.ts", "lines 1-4, 9")
    assert (action.attrs["model"], names(action, KeyRole.REFERENCE)) == ("m-1", [f"commit:{SHA}"])
    assert (parsed.identity, parsed.at) == ("r-1", 1771663035794000)


def test_the_specification_s_own_spelling() -> None:
    talk = {
        "url": "log-1",
        "contributor": {"type": "human", "model_id": "unknown"},
        "related": [{"type": "issue", "url": "PAY-3"}],
    }
    given = record(vcs={"type": "git", "revision": SHA}, tool={"name": "vtcode", "version": "1"}, version="0.1.0",
                   files=[{"path": "a", "conversations": [talk]}, {"path": ".github/workflows/x.yml", "conversations": [talk]}])  # fmt: skip
    made = read(IMPORTER, given).events
    intent = only(made, EventKind.INTENT)
    assert (intent.phase, intent.attrs["ticket"], intent.agent) == (Phase.TICKET, "PAY-3", "vtcode")
    first, second = (event for event in made if event.kind is EventKind.ACTION)
    assert first.agent == ""
    assert (first.attrs["status"], "model" in first.attrs, second.verb) == ("written by human", False, Verb.CI_MODIFY)
    assert names(first, KeyRole.SCOPE) == ["session:log-1"]


def test_files_of_made_up_names_are_commands_and_sessions() -> None:
    def told(path: str, **metadata: Any) -> Event:
        talk = {"contributor": {"type": "ai"}, "ranges": [{"start_line": 1, "end_line": 1}]}
        given = record(files=[{"path": path, "conversations": [talk]}], metadata={"session_id": "s-1", **metadata})
        return only(read(IMPORTER, given).events, EventKind.ACTION)

    ran = told(".shell-history", command="npm test", tool_use_id="toolu_1", duration_ms=40)
    assert (ran.verb, ran.attrs["command"], ran.attrs["duration_ms"], ran.target.name) == (Verb.EXEC, "npm test", 40, "")
    assert (names(ran, KeyRole.CALL), names(ran, KeyRole.SCOPE)) == (["call:toolu_1"], ["session:s-1"])
    assert told(".sessions", event="session_start").phase is Phase.STARTED
    assert told(".sessions", event="session_end").phase is Phase.ENDED


def test_a_range_may_name_who_wrote_it() -> None:
    def status(*ranges: dict[str, Any]) -> object:
        talk = {"contributor": {"type": "human"}, "ranges": list(ranges)}
        return only(read(IMPORTER, record(files=[{"path": "a", "conversations": [talk]}])).events, EventKind.ACTION).attrs.get(
            "status"
        )

    own, other = {"contributor": {"type": "ai", "model_id": "m"}}, {"contributor": {"type": "human"}}
    assert [status(), status(own), status(own, other), status(other)] == [
        "written by human", None, "written by mixed", "written by human",
    ]  # fmt: skip


def test_vcs_and_conversation_may_be_missing() -> None:
    given = record(vcs=None, files=[{"relative_path": "a", "conversations": [{"contributor": {}}]}])
    (action,) = read(IMPORTER, given).events
    assert action.keys == ()


def test_what_is_none_is_refused() -> None:
    for one in ([], {"id": "x"}, {"files": {}}):
        assert IMPORTER.sniff([one]) == 0
        with pytest.raises(BadRecord, match=r"files|object"):
            read(IMPORTER, one)
    assert IMPORTER.sniff([{"id": "x", "files": [{"name": "a"}]}]) == 0


def test_corpus(corpus: Path) -> None:
    (path,) = corpus.glob("agent-trace/*/*.jsonl")
    records = [json.loads(line) for line in path.read_text().splitlines()]
    parsed, rejects = whole(path.read_bytes(), "agent-trace")
    assert (len(parsed), rejects) == (len(records), [])
    wanted = [(one["id"], file["relative_path"]) for one in records for file in one["files"]]
    assert [
        (one.identity, event.target.name) for one in parsed for event in one.events if event.kind is EventKind.ACTION
    ] == wanted
    assert all(only(one.events, EventKind.INTENT).text == "specification INT-001" for one in parsed)


@settings(max_examples=100, deadline=None)
@given(mutated([record()]))
def test_anything_at_all_is_read_or_refused(given: object) -> None:
    survives(IMPORTER, given)
    IMPORTER.sniff([given])
