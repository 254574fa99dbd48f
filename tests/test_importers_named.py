"""Records that are the members of one object, and the lines of a bulk file that are no records."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers import NotRecognised, open_source
from importers.cutting.containers import TRUNCATED, TRUNCATED_LIST, Cutter
from importers.cutting.envelope import action_line, objects_in
from importers.cutting.origin import Origin
from importers.cutting.scanner import Window
from importers.shared.fields import decode
from model.event import RawRecord, Reject


def entry(n: int) -> dict[str, Any]:
    return {
        "actor": "dana",
        "action": "repo.create",
        "@timestamp": 1772359200000 + n,
        "_document_id": f"a{n}",
        "org": "acme",
        "repo": "acme/x",
    }


def read(data: str, format: str | None = None) -> tuple[list[object], list[Reject], int]:
    source = open_source(io.BytesIO(data.encode()), format=format)
    assert source.format == "github-audit"
    items = list(source.items())
    records = [decode(one.data) for one in items if isinstance(one, RawRecord)]
    return records, [one for one in items if isinstance(one, Reject)], source.noise_lines


ENTRIES = [entry(n) for n in range(3)]
NAMED = {f"id{n}": one for n, one in enumerate(ENTRIES)}


@pytest.mark.parametrize("indent", [None, 1, 4])
@pytest.mark.parametrize("format", [None, "github-audit"])
def test_the_members_of_one_object_are_records(indent: int | None, format: str | None) -> None:
    assert read(json.dumps(NAMED, indent=indent), format) == (ENTRIES, [], 0)


def test_one_member_is_a_record_and_so_are_those_of_several_objects() -> None:
    assert read(json.dumps({"id0": entry(0)}))[0] == [entry(0)]
    assert read(f"{json.dumps(NAMED)}\n{json.dumps(NAMED)}\n")[0] == ENTRIES * 2


@pytest.mark.parametrize("indent", [None, 2])
def test_an_object_larger_than_what_is_looked_at_is_read_by_its_members(indent: int | None) -> None:
    named = {f"name of a record {n}": {**entry(n), "text": "x" * (n % 97)} for n in range(600)}
    data = json.dumps(named, indent=indent)
    assert all(objects_in(data.encode()[:cut], 0, 10**6) for cut in range(9000, 9600))
    assert read(data) == (list(named.values()), [], 0)


def test_places_digests_and_numbers_are_those_of_the_members() -> None:
    data = json.dumps(NAMED, indent=1).encode()
    for n, item in enumerate(open_source(io.BytesIO(data)).items(), 1):
        assert isinstance(item, RawRecord) and item.index == n
        assert data[item.offset :].startswith(item.data)
        assert data[: item.offset].count(b"\n") + 1 == item.line


def members(data: str) -> list[RawRecord | Reject]:
    window = Window(Origin(io.BytesIO(data.encode())))
    window.skip_space()
    return list(Cutter(window, by_name=True).items())


def test_a_member_that_is_no_object_is_rejected_and_a_broken_one_costs_itself() -> None:
    first, second = json.dumps(entry(0)), json.dumps(entry(1))
    found = members(f'{{"a": {first}, "b": 3, "c": [1], "d": "x", "e": {second}}}')
    assert [decode(one.data) for one in found if isinstance(one, RawRecord)] == [entry(0), [1], entry(1)]
    assert [(one.index, one.reason) for one in found if isinstance(one, Reject)] == [
        (2, "an element that is no object"),
        (4, "an element that is no object"),
    ]
    records, rejects, _ = read(json.dumps(NAMED)[:-30])
    assert records == ENTRIES[:2] and [one.reason for one in rejects] == [TRUNCATED]
    assert [one.reason for one in read(json.dumps(NAMED)[:-1])[1]] == [TRUNCATED_LIST]
    broken = '{"actor" "x", "list": ]}'
    records, rejects, _ = read(f'{{"a": {first}, "b": {second}, "c": {broken}, "d": {second}}}')
    assert records == [entry(0), entry(1), entry(1)] and len(rejects) == 1


@pytest.mark.parametrize(
    "record",
    [
        {"a": {"x": 1, "y": 2, "z": 3}, "b": {"x": 1}},
        {"a": entry(0), "b": {"name": "x", "value": 1}},
        {},
    ],
)
def test_other_objects_are_no_records_by_name(record: dict[str, object]) -> None:
    with pytest.raises(NotRecognised):
        open_source(io.BytesIO(json.dumps(record).encode()))


def test_a_record_whose_members_are_records_of_another_kind_is_itself() -> None:
    hook = {
        "session_id": "8f0c6a8e-3f57-4d6e-9a5e-3c6f5f0f9a11",
        "hook_event_name": "PreToolUse",
        "tool_name": "Bash",
        "tool_input": {"command": "ls"},
    }
    source = open_source(io.BytesIO(json.dumps({"input": hook, "output": {"continue": True}}).encode()))
    assert len(list(source.items())) == 1


ACTIONS = [
    '{"index":{"_index":"audit","_id":"1"}}',
    '{ "create" : { } }',
    '{"update":{"_index":"audit","_id":"1","retry_on_conflict":3,"routing":"a\\u00e4"}} \r',
    '{"delete":{"_index":"audit","_type":"_doc","_id":"1","version":4}}',
]


def test_the_actions_of_a_bulk_file_are_no_records() -> None:
    lines = [one for n in range(3) for one in (ACTIONS[n].replace("\\u00e4", "x"), json.dumps(entry(n)))]
    assert read("\n".join(lines) + "\n") == (ENTRIES, [], 3)
    assert read(ACTIONS[3] + "\n" + "\n".join(lines)) == (ENTRIES, [], 4)


@pytest.mark.parametrize(
    "line",
    [
        '{"index":{"_index":"a"},"x":1}',
        '{"index":{"name":"a"}}',
        '{"create":{"_id":{"a":1}}}',
        '{"index":3}',
        '{"index":{"_id":"1"}',
    ],
)
def test_what_only_begins_as_an_action_is_read(line: str) -> None:
    assert action_line(line.encode(), 0) == 0
    assert read(f"{json.dumps(entry(0))}\n{line}\n{json.dumps(entry(1))}\n")[2] == 0


@given(st.lists(st.sampled_from('{}[]":, \n12a') | st.sampled_from(['"a":', json.dumps(entry(0))]), max_size=30).map("".join))
def test_any_text_ends_as_members(text: str) -> None:
    assert all(isinstance(one, RawRecord | Reject) for one in members("{" + text))
