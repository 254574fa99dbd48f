"""Claude Code's prompt history: what people typed is an intent, a command about the program is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from importers.claude_code_history import IMPORTER
from model.event import BadRecord
from model.words import KeyRole, Phase
from tests.importer_checks import mutated, names, survives, whole

SESSION = "943e3da1-c56b-4385-8435-3f11abbf433e"


def entry(words: str, **more: Any) -> dict[str, Any]:
    return {
        "display": words,
        "pastedContents": {},
        "timestamp": 1767323045000,
        "project": "/home/ada/api",
        "sessionId": SESSION,
        **more,
    }


def test_what_was_typed_is_an_intent() -> None:
    rows = [entry("fix PAY-3"), entry("/model "), entry("/review the queue"), entry(" ")]
    parsed, rejects = whole("\n".join(map(json.dumps, rows)), "claude-code-history")
    first, second = [event for one in parsed for event in one.events]
    assert not rejects
    assert (first.phase, first.text, first.attrs["ticket"], first.attrs["cwd"]) == (
        Phase.PROMPT,
        "fix PAY-3",
        "PAY-3",
        "/home/ada/api",
    )
    assert (first.at, names(first, KeyRole.SCOPE)) == (1767323045000000, [f"session:{SESSION}"])
    assert second.text == "/review the queue"


def test_what_was_pasted_stands_where_its_mark_stood() -> None:
    pasted = {"1": {"id": 1, "type": "text", "content": "a\nb"}, "2": {"id": 2, "type": "text", "contentHash": "x"}}
    said = entry("read [Pasted text #1 +2 lines] and [Pasted text #2]", pastedContents=pasted)
    (event,) = IMPORTER.open().read(said).events
    assert event.text == "read a\nb and [Pasted text #2]"


def test_older_entries_name_no_session() -> None:
    said = entry("go")
    del said["sessionId"]
    (event,) = IMPORTER.open().read(said).events
    assert IMPORTER.sniff([said]) == 85 and event.keys == ()


@pytest.mark.parametrize("bad", [[], {}, {"display": 1}])
def test_broken_records(bad: object) -> None:
    with pytest.raises(BadRecord):
        IMPORTER.open().read(bad)


@given(mutated([entry("read [Pasted text #1]", pastedContents={"1": {"content": "x"}})]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
