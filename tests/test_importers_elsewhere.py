"""Records at places that no list of carriers names: found by looking, taken only where a format is sure of them."""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers import NotRecognised, open_source
from importers.cutting.elsewhere import ways_elsewhere
from importers.cutting.packed import json_in
from importers.cutting.wrapping import EACH, Way
from importers.shared.fields import decode
from model.event import RawRecord
from tests.carried_records import LINE, OPA, packed, zipped


def any_value(value: object) -> dict[str, Any]:
    """A value as OTLP tells it."""
    if isinstance(value, dict):
        return {"kvlistValue": {"values": [{"key": name, "value": any_value(one)} for name, one in value.items()]}}
    return {"boolValue": value} if isinstance(value, bool) else {"stringValue": value}


def logs(body: object) -> dict[str, Any]:
    """What a collector of OpenTelemetry makes of a file it follows."""
    return {"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": [{"timeUnixNano": "1", "body": body}] * 3}]}]}


def subscribed(line: str) -> dict[str, Any]:
    batch = {"messageType": "DATA_MESSAGE", "logEvents": [{"id": str(n), "timestamp": n, "message": line} for n in range(3)]}
    return {"awslogs": {"data": zipped(json.dumps(batch))}}


MANY: dict[str, Callable[[], object]] = {
    "a collected file": lambda: logs({"stringValue": LINE}),
    "a collected file, its lines parsed": lambda: logs(any_value(OPA)),
    "a subscription's event": lambda: subscribed(LINE),
    "pages of a graph": lambda: {"data": {"log": {"edges": [{"cursor": "a", "node": OPA} for _ in range(3)], "pageInfo": {}}}},
    "a list inside": lambda: {"data": {"items": [OPA] * 3, "next": None}, "status": "ok"},
    "a log store's tables": lambda: {"tables": [{"name": "t", "columns": [{"name": "a"}], "rows": [["2026", LINE]] * 3}]},
    "entries of one object": lambda: {"log_type": "X", "entries": [{"logText": LINE}] * 3, "more": {"a": 1}},
    "batches of a collector": lambda: [{"common": {"attributes": {}}, "logs": [{"timestamp": 1, "message": LINE}] * 3}],
}


@pytest.mark.parametrize("name", MANY)
def test_records_are_found_wherever_they_are_kept(name: str) -> None:
    source = open_source(io.BytesIO(json.dumps(MANY[name]()).encode()))
    items = list(source.items())
    assert source.format == "opa" and source.carried
    assert [decode(item.data) for item in items if isinstance(item, RawRecord)] == [OPA] * 3 and len(items) == 3


def test_a_column_of_any_name_is_looked_into() -> None:
    quoted = LINE.replace('"', '""')
    source = open_source(io.BytesIO(("ts,log_line\n" + f'2026-03-01,"{quoted}"\n' * 3).encode()))
    assert source.format == "opa" and len(list(source.items())) == 3


def test_lines_that_were_quoted_as_json_are_read() -> None:
    source = open_source(io.BytesIO((json.dumps(LINE) + "\n").encode() * 3))
    assert source.format == "opa" and len(list(source.items())) == 3


def test_what_a_collector_says_of_an_agent_is_not_looked_behind() -> None:
    """A log body that is JSON belongs to its log record where that record is an agent's own."""
    payload = logs({"stringValue": LINE})
    for record in payload["resourceLogs"][0]["scopeLogs"][0]["logRecords"]:
        record["attributes"] = [{"key": "event.name", "value": {"stringValue": "claude_code.tool_result"}}]
    assert open_source(io.BytesIO(json.dumps(payload).encode())).format == "otlp"


def test_logs_that_nobody_knows_stay_what_they_are() -> None:
    assert open_source(io.BytesIO(json.dumps(logs({"stringValue": "started"})).encode())).format == "otlp"


def test_an_unsure_format_is_not_taken_from_an_unknown_place() -> None:
    """Some object within another says too little, whatever it resembles."""
    with pytest.raises(NotRecognised):
        open_source(io.BytesIO(json.dumps({"a": {"b": [{"name": "x", "value": 1, "time": "2026-03-01"}] * 3}}).encode()))


def test_the_ways_to_texts_come_first() -> None:
    record = {"a": [{"b": LINE, "c": 1, "d": 2}], "e": "text"}
    assert ways_elsewhere([record] * 3) == [Way(("a", EACH, "b")), Way(("a", EACH), objects=True)]


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"a": 1', "[1]", "bm90IGpzb24gYXQgYWxsLCBub3QgYSBiaXQ=", "H4sIAAAAAAAAA0vKSU0BAEXlmK0EAAAA", "A" * 64, '"{\\"a"'],
)
def test_what_is_no_object_is_none(text: str) -> None:
    assert json_in(text) is None


def test_a_text_that_unpacks_to_too_much_is_none() -> None:
    bomb = base64.b64encode(gzip.compress(b'{"a": "' + b"0" * (2 << 20) + b'"}')).decode()
    assert json_in(bomb) is None


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers(-9, 9), min_size=1))
def test_an_object_is_found_however_it_is_written(given: dict[str, Any]) -> None:
    plain = json.dumps(given)
    ways = [plain, "level=info " + plain, json.dumps(plain)]
    if len(plain) > 12:
        ways += [packed(plain), zipped(plain)]
    for text in ways:
        found = json_in(text)
        assert found is not None and decode(found) == given
