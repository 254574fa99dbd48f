"""remit-events: the reader and the published schema agree, and every fault is named."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.remit_events import IMPORTER, schema
from model.event import BadRecord, Key
from model.words import Effect, EventKind, KeyRole, Phase, Verb
from tests.importer_checks import JSON, mutated, survives

DOC = Path(__file__).parent.parent / "docs" / "remit-events.md"
EXAMPLES = [json.loads(line) for line in re.findall(r"^\{.*\}$", DOC.read_text("utf-8"), re.M)]
VALID = jsonschema_rs.validator_for(schema())


def read(record: object) -> None:
    IMPORTER.open().read(record)


def test_documented_examples_are_read() -> None:
    first, second = (IMPORTER.open().read(example) for example in EXAMPLES)
    (verdict,) = first.events
    assert (verdict.kind, verdict.phase, verdict.verb) == (EventKind.DECISION, Phase.VERDICT, Verb.MCP_CALL)
    assert verdict.decision is not None
    assert verdict.decision.effect is Effect.ALLOW
    assert Key(KeyRole.CALL, "call", "toolu_01AbC") in verdict.keys
    assert first.identity == "gw-000017"
    assert second.events[0].phase is Phase.OBSERVED
    assert all(VALID.is_valid(example) for example in EXAMPLES)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "effort"}, "kind: 'effort' is none of"),
        ({"kind": None}, "kind: is missing"),
        ({"phase": "issued"}, "phase: 'issued' is no phase of kind 'decision'"),
        ({"time": "yesterday"}, "time: 'yesterday' is no ISO 8601 time"),
        ({"decision": None}, "decision: a verdict needs one"),
        ({"keys": [{"role": "match", "kind": "x", "value": "y"}]}, "keys[0].role: 'match' is none of"),
        ({"target": []}, "target: must be an object"),
        ({"version": 2}, "version: must be 1"),
        ({"principal": {"kind": "human"}}, "principal.name: is missing"),
        ({"credential": {"ttl_seconds": "1h"}}, "credential.ttl_seconds: must be a whole number"),
    ],
)
def test_faults_are_named(change: dict[str, object], reason: str) -> None:
    with pytest.raises(BadRecord, match=re.escape(reason)):
        read(EXAMPLES[0] | change)


def test_two_points_may_give_the_same_id() -> None:
    first = IMPORTER.open().read(EXAMPLES[0])
    second = IMPORTER.open().read(EXAMPLES[0] | {"point": "other"})
    assert first.identity == second.identity
    assert (first.scope, second.scope) == ("mcp-gateway", "other")


def test_a_whole_number_may_be_written_as_a_decimal() -> None:
    record = EXAMPLES[0] | {"credential": {"ttl_seconds": 900.0}}
    (event,) = IMPORTER.open().read(record).events
    assert event.credential is not None
    assert event.credential.ttl_seconds == 900
    assert VALID.is_valid(record)


def test_unknown_members_are_left_alone() -> None:
    record = EXAMPLES[0] | {"vendor": {"x": 1}, "attrs": {"host": "h1", "colour": {"deep": []}}}
    (event,) = IMPORTER.open().read(record).events
    assert event.attrs == {"host": "h1"}
    assert VALID.is_valid(record)


@given(JSON)
def test_anything_else_is_refused_with_a_reason(value: object) -> None:
    with pytest.raises(BadRecord):
        read(value)


@given(st.sampled_from(sorted(schema()["properties"])), JSON.filter(lambda v: not isinstance(v, float)))  # type: ignore[arg-type, call-overload]
def test_reader_and_schema_agree(name: str, value: object) -> None:
    record = EXAMPLES[0] | {name: value}
    try:
        read(record)
    except BadRecord as error:
        # A time in words is a text to the schema; only the reader can tell that it is none.
        assert not VALID.is_valid(record) or str(error).startswith("time:"), error
    else:
        assert VALID.is_valid(record), record


GOOD = [
    EXAMPLES[0]
    | {
        "operations": [{"verb": "repo.write", "target": {"class": "repository", "name": "a/b"}, "flags": ["forced"]}],
        "credential": {"kind": "jwt", "scope": ["x"], "ttl_seconds": 5, "expires": "2026-06-01T14:00:00Z"},
        "outcome": {"permitted": "allow", "tool": "yes"},
        "attrs": {"host": "h", "branch": None, "refused": ["a"]},
    },
    EXAMPLES[1],
]


@given(mutated(GOOD))
def test_spoilt_records_are_read_or_refused_as_the_schema_says(record: object) -> None:
    survives(IMPORTER, record)
    try:
        read(record)
    except BadRecord as error:
        judged_by_the_reader_alone = ("time:", "credential.expires:")
        assert not VALID.is_valid(record) or str(error).startswith(judged_by_the_reader_alone), error
    else:
        assert VALID.is_valid(record), record
