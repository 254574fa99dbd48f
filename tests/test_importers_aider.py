"""What Aider's analytics say: launches are sessions, and no words anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from importers.aider import IMPORTER
from model.event import BadRecord
from model.words import KeyRole, Phase
from tests.importer_checks import mutated, names, survives, whole


def row(event: str, **properties: Any) -> dict[str, Any]:
    return {"event": event, "properties": properties, "user_id": "u", "time": 1755099880}


def test_a_launch_begins_a_session_that_an_exit_ends() -> None:
    rows = [row("launched"), row("cli session", main_model="m"), row("message_send"), row("exit", reason="done"), row("launched")]
    parsed, rejects = whole("\n".join(map(json.dumps, rows)), "aider")
    events = [event for one in parsed for event in one.events]
    assert not rejects
    assert [e.phase for e in events] == [Phase.STARTED, Phase.STARTED, Phase.ENDED, Phase.STARTED]
    assert (events[1].attrs["model"], events[2].attrs["status"], events[0].at) == ("m", "done", 1755099880000000)
    scopes = [names(event, KeyRole.SCOPE)[0] for event in events]
    assert scopes[0] == scopes[1] == scopes[2] != scopes[3]


def test_unknown_and_broken_records() -> None:
    assert IMPORTER.open().read(row("dance")).unknown_type == "dance"
    for bad in ([], {"properties": {}}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([row("launched"), row("exit", reason="x")]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_corpus(corpus: Path) -> None:
    for path in corpus.glob("aider/*/*.jsonl"):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        parsed, rejects = whole(path.read_bytes(), "aider")
        assert (len(parsed), rejects) == (len(rows), [])
        assert sum(e.phase is Phase.ENDED for p in parsed for e in p.events) == sum(r["event"] == "exit" for r in rows)
        assert not [one.unknown_type for one in parsed if one.unknown_type]
