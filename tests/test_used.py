"""Which fields of a record Remit used."""

from __future__ import annotations

import json

from model.event import Event, Key, Principal, Target
from model.words import EventKind, KeyRole, Phase, TargetClass, Vantage, Verb
from review.show.used import MARK, marked, read_as

EVENT = Event(
    EventKind.ACTION,
    Phase.CALL,
    Vantage.AGENT,
    "claude-code",
    at=1_772_438_400_000_000,
    principal=Principal("dana"),
    verb=Verb.EXEC,
    tool="Bash",
    target=Target(TargetClass.REPOSITORY, "acme/payments"),
    keys=(Key(KeyRole.CALL, "call", "toolu_01"), Key(KeyRole.MATCH, "did", "secretbucket")),
    attrs={"command": "git push", "exit_code": 3},
)


def test_used_values_are_marked_wherever_they_stand_and_others_are_not() -> None:
    record = {
        "time": "2026-03-02T08:00:00Z",
        "tool": "Bash",
        "arguments": {"command": "git push", "other": "nothing"},
        "url": "https://git.example/acme/payments.git",
        "id": "toolu_01",
        "bucket": "secretbucket",
        "exit": 3,
        "flag": True,
        "three": 4,
    }
    lines = list(marked(json.dumps(record), [EVENT]))
    used = {line.split('"')[1] for line in lines if line.startswith(MARK)}
    assert used == {"time", "tool", "command", "url", "id", "exit"}
    assert [line[len(MARK) :] for line in lines] == json.dumps(record, indent=2).splitlines()


def test_a_record_that_is_no_json_is_marked_by_line() -> None:
    text = "Mar 2 push to acme/payments by dana\nsecond line"
    assert list(marked(text, [EVENT])) == [MARK + "Mar 2 push to acme/payments by dana", "  second line"]
    assert list(marked(text, [])) == ["  Mar 2 push to acme/payments by dana", "  second line"]


def test_what_was_read_is_told_with_its_identifiers() -> None:
    assert list(read_as([EVENT])) == ["read as action/call of claude-code: exec acme/payments; identifiers call call:toolu_01"]
